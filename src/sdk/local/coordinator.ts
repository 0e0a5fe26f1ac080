/// <reference lib="esnext.disposable" preserve="true" />
/** All three parties on this machine, for development and tests: two processes, and the data owner in this one. */
import { join } from 'node:path';
import { TercetError } from '../../core/errors.ts';
import { LocalParties } from '../../daemon/local.ts';
import { loadCredentials } from '../../net/tls/certificates.ts';
import { defaultThreads, stateFolder } from '../../node/defaults.ts';
import type { Model, Protocol, TaskText } from '../../owner/types/index.ts';
import { type TaskResult, type TaskRunOptions, runTask } from '../any-task.ts';
import { commandLine, locationOf, openTogether } from './models.ts';
import { RUN, type Read, withSettings } from './settings.ts';

/** Options of `MpcCoordinator`. */
export interface CoordinatorOptions {
  /** Folders, `org/name` on a hub, or names of models that ship (default: `capitals-bert`). */
  readonly models?: readonly string[];
  /** Ports of party 1 and party 2, on 127.0.0.1 (default: free ones). The data owner listens nowhere. */
  readonly ports?: readonly [number, number];
  /** What the parties and this process compute on (default 'wasm'). */
  readonly device?: 'auto' | 'wasm' | 'native' | 'webgpu';
  /** As of `PretrainedOptions` (default 'lan'). */
  readonly plan?: 'lan' | 'wan-cloud';
  /** As of `PretrainedOptions` (default '3pc_semi_honest'). */
  readonly protocol?: Protocol;
  /** As of `PretrainedOptions` (default 128). */
  readonly securityLevel?: 128 | 256;
  /** There are three. Another number is refused. */
  readonly numParties?: 3;
  /**
   * Path of a `tercet.yaml`. What it says, and over it the `MPC_…` variables, holds for options that are not given
   * here. Without it such variables are refused.
   */
  readonly config?: string;
  /** All on this machine. Parties elsewhere are reached by `DataOwnerParty`. */
  readonly local?: boolean;
}

const NAMES: Readonly<Record<keyof CoordinatorOptions, true>> = {
  ...{ models: true, ports: true, device: true, plan: true, protocol: true, numParties: true, local: true },
  ...{ securityLevel: true, config: true },
};

const READ: Read<CoordinatorOptions> = { ...RUN, model: (value) => ({ models: [value] }) };

/**
 * Starts both compute parties as processes of this machine and runs texts among the three. Nothing of it protects a
 * text from whoever owns the machine: it is for development and tests. Node only.
 *
 * @example
 * await using coordinator = new MpcCoordinator({ models: ['capitals-bert'] });
 * await coordinator.startAllParties();
 * const result = await coordinator.runInference('The capital of France is [MASK].');
 * if (result.task === 'fill-mask') console.log(result.predictions[0].token_str);
 */
export class MpcCoordinator {
  readonly #options: CoordinatorOptions;
  /** What ends with it; last made, first undone. */
  readonly #undo: (() => Promise<void>)[] = [];
  #starting: Promise<readonly Model[]> | undefined;

  /** Starts nothing yet. */
  constructor(options: CoordinatorOptions = {}) {
    const unknown = Object.keys(options).find((name) => !Object.hasOwn(NAMES, name));
    if (unknown !== undefined)
      throw usage('MpcCoordinator has no option of that name', `it takes ${Object.keys(NAMES).join(', ')}`);
    if ((options.numParties ?? 3) !== 3)
      throw usage('there are three parties, no more and no fewer', 'leave numParties out');
    if (options.local !== undefined && !options.local)
      throw usage('a coordinator starts parties of this machine', 'reach others by DataOwnerParty');
    if (options.ports !== undefined && options.ports.length !== 2)
      throw usage('ports expected two numbers', 'the data owner listens nowhere: give those of party 1 and party 2');
    this.#options = options;
  }

  /**
   * Starts both parties, and resolves when they have loaded every model. A second call waits for the same.
   *
   * @example
   * await coordinator.startAllParties();
   *
   * @throws {TercetError} ERR_MODEL_*, ERR_DEVICE_UNAVAILABLE, ERR_PEER_CLOSED for a party that does not start.
   */
  async startAllParties(): Promise<void> {
    this.#starting ??= this.#start();
    try {
      await this.#starting;
    } catch (error) {
      await this.stopAllParties();
      throw error;
    }
  }

  /** The models that are served, once they are. Empty before `startAllParties`. */
  get models(): Promise<readonly Model[]> {
    return this.#starting ?? Promise.resolve([]);
  }

  /**
   * Runs a text among the three parties, through the method that the model's task has.
   *
   * @param options `model`: by name, where there are several (default: the first one).
   * @example
   * const result = await coordinator.runInference('The capital of France is [MASK].', { model: 'capitals-bert' });
   * if (result.task === 'fill-mask') console.log(result.predictions[0].token_str);
   *
   * @throws {TercetError} ERR_STATE before `startAllParties`, ERR_MODEL_NOT_FOUND; as the method of `Model`.
   */
  async runInference(text: TaskText, options: TaskRunOptions & { readonly model?: string } = {}): Promise<TaskResult> {
    const { model: wanted, ...rest } = options;
    if (this.#starting === undefined)
      throw new TercetError('ERR_STATE', 'no party was started', 'await startAllParties() first');
    const models = await this.#starting;
    const model =
      wanted === undefined ? models[0] : models.find(({ id }) => id === wanted || wanted.endsWith(`/${id}`));
    if (model === undefined)
      throw new TercetError('ERR_MODEL_NOT_FOUND', 'the parties serve no model of that name', 'name it in models');
    return runTask(model, text, rest);
  }

  /**
   * Ends both processes and waits until they are gone. A second call does nothing.
   *
   * @example
   * await coordinator.stopAllParties();
   *
   * @throws never for a party that is gone.
   */
  async stopAllParties(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    this.#starting = undefined;
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) await undo();
  }

  /**
   * `stopAllParties`, at the end of a block with `await using`.
   *
   * @example
   * await using coordinator = new MpcCoordinator();
   *
   * @throws never for a party that is gone.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stopAllParties();
  }

  async #start(): Promise<readonly Model[]> {
    const {
      models: names = ['capitals-bert'],
      ports = [0, 0],
      device = 'wasm',
      plan = 'lan',
      protocol,
      securityLevel,
    } = await withSettings(this.#options, 'MpcCoordinator', READ);
    if (names.length === 0) throw usage('models is empty', 'name one, or leave it out');
    const places = names.map(locationOf);
    const certificates = join(stateFolder(), 'certificates');
    const credentials = await loadCredentials(certificates, 0);
    const parties = await LocalParties.start({
      entry: commandLine(),
      stay: true,
      args: (id) => [
        ...places.flatMap((place) => [
          '--model',
          place.kind === 'folder' ? place.path : place.kind === 'hub' ? place.id : '',
        ]),
        ...['--port', String(ports[id - 1]), '--certificates', certificates],
        ...['--device', device, '--threads', String(defaultThreads())],
        ...(protocol === 'aby3' ? ['--protocols', protocol] : []),
        // Nobody but this process reaches them.
        ...['--max-memory', 'none', '--max-traffic', 'none'],
      ],
    });
    this.#undo.push(() => parties.stop());
    await parties.ready();
    const opened = await openTogether({
      ...{ names, device, plan, protocol, securityLevel },
      parties: { addresses: parties.addresses(), credentials },
    });
    this.#undo.push(() => opened.close());
    return opened.models;
  }
}

const usage = (what: string, hint: string) => new TercetError('ERR_ARGUMENT', what, hint);
