/**
 * What a service counts, in the text format of Prometheus: the five names of the user guide, and what an operator
 * needs beyond them.
 *
 * SECURITY: labels are of fixed lists: models that are served, operations, codes, parties. What is on none is `other`,
 * so no label grows with what strangers send, and none names anybody. test/operate/metrics.test.ts.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { ERROR_CODES, type TercetError, isViolation } from '../core/errors.ts';
import { isFinding } from '../core/told.ts';
import type { Carried } from './traffic.ts';

export interface MetricsOptions {
  /** Names of the models that are served. */
  readonly models: readonly string[];
  /** What its runs are of, or may be. */
  readonly protocols?: readonly string[];
  /** What computes here. */
  readonly device: string;
  /** Milliseconds. */
  readonly now: () => number;
}

/** A run that was answered, or was not. */
export interface Answered {
  readonly operation: string;
  readonly model: string;
  /** What its runs are of; `none` where it was refused before. */
  readonly protocol: string;
  readonly status: number;
  readonly code: string | undefined;
  readonly ms: number;
  readonly waitedMs: number;
  readonly texts: number;
  readonly costs: readonly Ran[];
}

/** What is counted of a run: the SDK's `RunCost` has it. */
export interface Ran {
  readonly tokens: number;
  readonly preparedAhead: boolean;
  readonly sentBytes: readonly [number, number, number];
  readonly links: {
    readonly p1: OwnLink;
    readonly p2: OwnLink;
    readonly between: { readonly rounds: number };
  };
  readonly timing: { readonly prepareMs: number; readonly computeMs: number };
}

/** Payload of a link between a gateway and a compute party. */
interface OwnLink {
  readonly ahead: number;
  readonly input: number;
  readonly output: number;
}

/** What is under way. */
export interface ServiceLoad {
  readonly running?: number;
  readonly waiting?: number;
  /** Of a compute party, by state. */
  readonly places?: { readonly max: number; readonly taken: number; readonly idle: number };
}

/** From a tenth of a second, a small model on one machine, to minutes, a long text over a thin link. */
const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
const LATENCY = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

export class ServiceMetrics {
  readonly registry = new Registry();
  readonly #options: MetricsOptions;
  readonly #codes = new Set<string>(ERROR_CODES);
  readonly #inference: Histogram<'model' | 'task' | 'outcome'>;
  readonly #latency: Histogram<'party'>;
  readonly #violations: Counter<'code'>;
  readonly #requests: Counter<'operation' | 'status'>;
  readonly #refusals: Counter<'code'>;
  readonly #waited: Histogram;
  readonly #texts: Counter<'model' | 'protocol'>;
  readonly #prepared: Counter<'when'>;
  readonly #bytes: Counter<'party'>;
  readonly #carried: Counter<'direction' | 'party' | 'phase'>;
  readonly #rounds: Counter<'phase'>;
  readonly #sessions: Counter<'outcome'>;
  readonly #reachable: Gauge<'party'>;
  readonly #running: Gauge;
  readonly #waiting: Gauge;
  readonly #places: Gauge<'state'>;
  readonly #ends: Gauge<'use'>;
  readonly #busy: Busy;
  /** What is measured when it is asked for. */
  readonly #measure: () => void;
  #load: () => ServiceLoad = () => ({});

  constructor(options: MetricsOptions) {
    this.#options = options;
    const registers = [this.registry];
    const counter = <T extends string>(name: string, help: string, ...labelNames: T[]) =>
      new Counter<T>({ name, help, labelNames, registers });
    const gauge = <T extends string>(name: string, help: string, ...labelNames: T[]) =>
      new Gauge<T>({ name, help, labelNames, registers });
    this.#busy = new Busy(options.now);
    this.#inference = new Histogram({
      name: 'mpc_inference_duration_seconds',
      help: 'From the call to the answer, waiting included.',
      labelNames: ['model', 'task', 'outcome'],
      buckets: SECONDS,
      registers,
    });
    this.#latency = new Histogram({
      name: 'mpc_network_latency_seconds',
      help: 'Until a party that was asked had proved that it is there.',
      labelNames: ['party'],
      buckets: LATENCY,
      registers,
    });
    this.#waited = new Histogram({
      name: 'mpc_queue_wait_seconds',
      help: 'Of a request, before its run.',
      buckets: SECONDS,
      registers,
    });
    this.#violations = counter('mpc_security_violations_total', 'Somebody was caught, by code.', 'code');
    // From nothing to one is no increase: an alert would sleep through the first one.
    for (const code of ERROR_CODES) if (isViolation(code)) this.#violations.inc({ code }, 0);
    this.#requests = counter('mpc_requests_total', 'Requests, by operation and status.', 'operation', 'status');
    this.#refusals = counter('mpc_refusals_total', 'What was not done, by code.', 'code');
    this.#texts = counter('mpc_texts_total', 'Texts of requests.', 'model', 'protocol');
    this.#prepared = counter('mpc_runs_total', 'Runs, dealt ahead of their text or with it.', 'when');
    this.#bytes = counter('mpc_sent_bytes_total', 'Bytes that each party sent in runs of this service.', 'party');
    this.#carried = counter(
      'mpc_link_bytes_total',
      'Payload of the links of this process, by the party at the other end and phase.',
      ...(['direction', 'party', 'phase'] as const),
    );
    this.#rounds = counter('mpc_rounds_total', 'Rounds between the compute parties, by phase.', 'phase');
    this.#sessions = counter('mpc_sessions_total', 'Sessions of a compute party that ended, by outcome.', 'outcome');
    this.#reachable = gauge('mpc_party_up', '1: the party was there and proved who it is.', 'party');
    this.#running = gauge('mpc_runs', 'Runs under way.');
    this.#waiting = gauge('mpc_queue_length', 'Requests that wait.');
    this.#places = gauge('mpc_places', 'Places of a party: in all, taken, and those that would give way.', 'state');
    this.#ends = gauge('mpc_certificate_end_seconds', 'When a certificate of this party ends, since 1970.', 'use');
    const models = gauge('mpc_models', 'Models that are served.');
    models.set(options.models.length);
    const protocols = gauge('mpc_protocol_info', '1 for each protocol that runs here.', 'protocol');
    for (const protocol of options.protocols ?? []) protocols.set({ protocol }, 1);
    const memory = gauge('mpc_memory_usage_bytes', 'Of this process.', 'kind');
    const gpu = gauge('mpc_gpu_utilization_percent', 'Time since the last scrape with a run on a graphics device.');
    this.#measure = () => {
      const { rss, heapUsed: heap, external, arrayBuffers: buffers } = process.memoryUsage();
      for (const [kind, bytes] of Object.entries({ rss, heap, external, buffers })) memory.set({ kind }, bytes);
      gpu.set(options.device === 'webgpu' ? this.#busy.percent() : 0);
    };
  }

  /** @param load says what is under way, when it is asked */
  watch(load: () => ServiceLoad): void {
    this.#load = load;
  }

  /** A request is over. */
  answered({ operation, model, protocol, status, code, ms, waitedMs, texts, costs }: Answered): void {
    this.#requests.inc({ operation, status: String(status) });
    if (code !== undefined) this.failed(code);
    if (texts === 0) return;
    const known = this.#model(model);
    const outcome = code === undefined ? 'answered' : 'failed';
    this.#inference.observe({ model: known, task: operation, outcome }, ms / 1000);
    this.#waited.observe(waitedMs / 1000);
    const { protocols = [] } = this.#options;
    this.#texts.inc({ model: known, protocol: protocols.includes(protocol) ? protocol : 'other' }, texts);
    for (const cost of costs) this.#ran(cost);
  }

  #ran({ preparedAhead, sentBytes, links, timing }: Ran): void {
    this.#prepared.inc({ when: preparedAhead ? 'ahead' : 'with' });
    for (const [party, bytes] of sentBytes.entries()) this.#bytes.inc({ party: String(party) }, bytes);
    for (const [party, { ahead, input, output }] of [[1, links.p1] as const, [2, links.p2] as const])
      this.carried([
        { direction: 'sent', party, phase: 'ahead', bytes: ahead },
        { direction: 'sent', party, phase: 'input', bytes: input },
        { direction: 'received', party, phase: 'output', bytes: output },
      ]);
    this.rounds(links.between.rounds);
    this.#busy.add(timing.computeMs);
  }

  /** What links of this process carried. */
  carried(all: readonly Carried[]): void {
    for (const { direction, party, phase, bytes } of all)
      this.#carried.inc({ direction, party: String(party), phase }, bytes);
  }

  /**
   * Rounds that are done: of a step, and of its proofs. Only what follows a text has any: what is ahead goes one way.
   */
  rounds(online: number, proofs = 0): void {
    this.#rounds.inc({ phase: 'online' }, online);
    if (proofs > 0) this.#rounds.inc({ phase: 'proofs' }, proofs);
  }

  /** A session of a compute party ended. @param error why, if not with an answer */
  session(ms: number, error: TercetError | undefined): void {
    this.#sessions.inc({ outcome: error === undefined ? 'answered' : 'failed' });
    this.#inference.observe(
      { model: 'all', task: 'session', outcome: error === undefined ? 'answered' : 'failed' },
      ms / 1000,
    );
    this.#busy.add(ms);
    if (error !== undefined) this.failed(error.code, isFinding(error));
  }

  /** A certificate of this party, and when it ends. */
  certificate(use: 'link' | 'web', until: Date): void {
    this.#ends.set({ use }, until.getTime() / 1000);
  }

  /** Something was not done. @param finding whether this side caught somebody; what others report is none */
  failed(code: string, finding = isViolation(code)): void {
    const known = this.#codes.has(code) ? code : 'other';
    this.#refusals.inc({ code: known });
    if (finding) this.#violations.inc({ code: known });
  }

  /** What asking the parties brought. */
  reached(
    parties: readonly { readonly party: 1 | 2 | 3; readonly ok: boolean; readonly milliseconds?: number | undefined }[],
  ): void {
    for (const { party, ok, milliseconds } of parties) {
      this.#reachable.set({ party: String(party) }, ok ? 1 : 0);
      if (milliseconds !== undefined) this.#latency.observe({ party: String(party) }, milliseconds / 1000);
    }
  }

  async text(): Promise<string> {
    this.#measure();
    const { running, waiting, places } = this.#load();
    if (running !== undefined) this.#running.set(running);
    if (waiting !== undefined) this.#waiting.set(waiting);
    for (const [state, count] of Object.entries(places ?? {})) this.#places.set({ state }, count);
    return this.registry.metrics();
  }

  #model(name: string): string {
    return this.#options.models.includes(name) ? name : 'other';
  }
}

/** Share of time, since it was asked last, in which something ran. */
class Busy {
  readonly #now: () => number;
  #since: number;
  #ms = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
  }

  add(ms: number): void {
    this.#ms += ms;
  }

  percent(): number {
    const now = this.#now();
    const percent = now > this.#since ? Math.min(100, (100 * this.#ms) / (now - this.#since)) : 0;
    this.#since = now;
    this.#ms = 0;
    return percent;
  }
}
