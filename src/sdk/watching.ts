/** How a model and its parties are, and what its runs took: for programs that watch their own. */
import { SecurityViolationError, TercetError } from '../core/errors.ts';
import type { RunMethod } from '../owner/methods.ts';
import type { Model, PartyHealth, RunCost } from '../owner/types/index.ts';

/** What `MetricsCollector.getMetrics` returns: of this process and its own runs, never of a text. */
export interface CollectedMetrics {
  /** Runs that were answered, and that were not. */
  readonly runs: number;
  readonly failures: number;
  /** Seconds from the call to the answer: the last run, and the mean. NaN before the first. */
  readonly inferenceTime: number;
  readonly meanInferenceTime: number;
  /** Share of the time since `start` in which a run computed on a graphics device, 0 to 1. 0 on WebAssembly. */
  readonly gpuUtilization: number;
  /** Most memory of this device in a run, in MB of 10^6 bytes; 0 where a browser does not tell. */
  readonly memoryUsageMb: number;
  /** Milliseconds until both parties had answered, as they were asked by this call; NaN if one did not. */
  readonly networkLatency: number;
  /** Bytes that left this device in all runs. */
  readonly sentBytes: number;
}

/** Methods whose results say what they cost. */
const COUNTED: Readonly<Record<RunMethod, true>> = {
  predict: true,
  classify: true,
  classifyBatch: true,
  answerQuestion: true,
  extractEntities: true,
  embed: true,
};

/**
 * Counts the runs of a model.
 *
 * @example
 * const collector = new MetricsCollector();
 * const watched = collector.start(model);
 * await watched.predict('The capital of France is [MASK].');
 * const { inferenceTime, memoryUsageMb } = await collector.getMetrics();
 */
export class MetricsCollector {
  readonly #now: () => number;
  #model: Model | undefined;
  #since = 0;
  #runs = 0;
  #failures = 0;
  #last = Number.NaN;
  #total = 0;
  #busy = 0;
  #memory = 0;
  #sent = 0;

  /** @param now milliseconds, another clock for tests */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Begins to count. Only runs of the model that is returned count; it is the same model, and disposing of one disposes
   * of both.
   *
   * @example
   * const watched = collector.start(model);
   *
   * @throws {TercetError} ERR_STATE if it counts already.
   */
  start(model: Model): Model {
    if (this.#model !== undefined)
      throw new TercetError('ERR_STATE', 'this collector counts a model already', 'make another one');
    this.#model = model;
    this.#since = this.#now();
    return new Proxy(model, {
      get: (target, property) => {
        const value = Reflect.get(target, property, target) as unknown;
        if (typeof value !== 'function') return value;
        const call = value.bind(target) as (...given: readonly unknown[]) => unknown;
        if (Object.hasOwn(COUNTED, property)) return (...given: unknown[]) => this.#count(call(...given));
        if (property === 'generate')
          return (...given: unknown[]) => {
            const stream = call(...given);
            void this.#count(stream).catch(() => undefined);
            return stream;
          };
        return call;
      },
    });
  }

  /**
   * What was counted. Asks both parties how they are, and sends nothing of a text.
   *
   * @example
   * const { runs, networkLatency } = await collector.getMetrics();
   *
   * @throws {TercetError} ERR_STATE before `start`.
   */
  async getMetrics(): Promise<CollectedMetrics> {
    const model = this.#model;
    if (model === undefined) throw new TercetError('ERR_STATE', 'nothing is counted yet', 'call start(model) first');
    const elapsed = this.#now() - this.#since;
    const health = await model.health();
    return {
      runs: this.#runs,
      failures: this.#failures,
      inferenceTime: this.#last / 1000,
      meanInferenceTime: this.#total / this.#runs / 1000,
      gpuUtilization: model.device === 'webgpu' && elapsed > 0 ? Math.min(1, this.#busy / elapsed) : 0,
      memoryUsageMb: this.#memory / 1e6,
      networkLatency: Math.max(
        ...health.map(({ ok, milliseconds }) => (ok ? (milliseconds ?? Number.NaN) : Number.NaN)),
      ),
      sentBytes: this.#sent,
    };
  }

  async #count(running: unknown): Promise<unknown> {
    try {
      const result = (await running) as { readonly cost?: RunCost; readonly costs?: readonly RunCost[] };
      for (const cost of result.costs ?? (result.cost === undefined ? [] : [result.cost])) this.#add(cost);
      return result;
    } catch (error) {
      this.#failures += 1;
      throw error;
    }
  }

  #add({ timing, peakMemoryBytes, sentBytes }: RunCost): void {
    this.#runs += 1;
    this.#last = timing.totalMs;
    this.#total += timing.totalMs;
    this.#busy += timing.computeMs;
    this.#memory = Math.max(this.#memory, peakMemoryBytes[0]);
    this.#sent += sentBytes[0];
  }
}

/** What `getHealthStatus` returns. */
export interface HealthStatus {
  /** `healthy`: a run would begin now; `busy`: it would wait for a place; `down`: it would fail. */
  readonly status: 'healthy' | 'busy' | 'down';
  /** Whether this device computes on a graphics device. */
  readonly gpuAvailable: boolean;
  /** Whether all parties answered. */
  readonly networkStatus: 'connected' | 'disconnected';
  /** `violated`: somebody answered in the place of a party and did not prove its identity. */
  readonly securityStatus: 'proved' | 'unproved' | 'violated';
  readonly parties: readonly PartyHealth[];
}

/**
 * How a model's parties are, in a few words. Sends nothing of a text.
 *
 * @example
 * const { status, securityStatus } = await getHealthStatus(model);
 * if (status !== 'healthy') console.warn(status, securityStatus);
 *
 * @throws never for what a party says or does not say: it is in the answer.
 */
export async function getHealthStatus(model: Pick<Model, 'health' | 'device'>): Promise<HealthStatus> {
  const parties: readonly PartyHealth[] = await model.health();
  const all = parties.every(({ ok }) => ok);
  const violated = parties.some(({ error }) => error instanceof SecurityViolationError);
  const full = parties.some(({ load }) => load === 'full');
  return {
    status: all ? (full ? 'busy' : 'healthy') : 'down',
    gpuAvailable: model.device === 'webgpu',
    networkStatus: all ? 'connected' : 'disconnected',
    securityStatus: all ? 'proved' : violated ? 'violated' : 'unproved',
    parties,
  };
}

/**
 * Each party by its number: `connected`, or the code of what is wrong.
 *
 * @example
 * for (const [party, status] of await checkPartyConnectivity(model)) console.log(`party ${party}: ${status}`);
 *
 * @throws never for what a party says or does not say.
 */
export async function checkPartyConnectivity(model: Pick<Model, 'health'>): Promise<ReadonlyMap<1 | 2 | 3, string>> {
  const parties: readonly PartyHealth[] = await model.health();
  return new Map(parties.map(({ party, ok, error }) => [party, ok ? 'connected' : (error?.code ?? 'ERR_INTERNAL')]));
}
