/** Which model answers a request: by the name in it, by what is asked of it, by its protocol. */
import { TercetError } from '../core/errors.ts';
import type { Model, Protocol } from '../owner/types/index.ts';
import type { Call, Operation } from './operations.ts';

const SEMI_HONEST: Protocol = '3pc_semi_honest';

export interface ServedOptions {
  /** In the order of preference for each task, of `protocol`. */
  readonly models: readonly Model[];
  /** Of requests that name none (default: 3pc_semi_honest). */
  readonly protocol?: Protocol | undefined;
  /** The same models by other protocols, which a request may name. */
  readonly others?: ReadonlyMap<Protocol, readonly Model[]> | undefined;
  /** Of `/api/v1/inference` without a model (default: the first). */
  readonly defaultModel?: string | undefined;
  /** What runs are proved at, where they are (default 128). */
  readonly securityLevel?: 128 | 256 | undefined;
}

/** The models of a gateway, by every protocol that it serves. */
export class Served {
  readonly #options: ServedOptions;
  readonly #protocol: Protocol;
  readonly #others: ReadonlyMap<Protocol, readonly Model[]>;

  constructor(options: ServedOptions) {
    this.#options = options;
    this.#protocol = options.protocol ?? SEMI_HONEST;
    this.#others = options.others ?? new Map();
  }

  get models(): readonly Model[] {
    return this.#options.models;
  }

  /** The default first. */
  get protocols(): readonly Protocol[] {
    return [this.#protocol, ...this.#others.keys()];
  }

  /**
   * The model that a request names, or the first that fits what it asks for.
   * @throws {TercetError} ERR_MODEL_NOT_FOUND, ERR_MODEL_UNSUPPORTED
   */
  named(operation: Operation | undefined, body: unknown): Model {
    const { models, defaultModel } = this.#options;
    const named =
      typeof body === 'object' && body !== null && Object.hasOwn(body, 'model')
        ? (body as { model: unknown }).model
        : undefined;
    const wanted = named ?? (operation === undefined ? defaultModel : undefined);
    const fits = (task: string) => operation === undefined || (operation.tasks as readonly string[]).includes(task);
    if (wanted === undefined) {
      const found = models.find(({ task }) => fits(task));
      if (found !== undefined) return found;
      throw new TercetError('ERR_MODEL_NOT_FOUND', 'no model is served for that task', 'see /api/v1/models');
    }
    const known =
      models.find(({ id }) => id === wanted) ?? only(models.filter(({ id }) => id.split('/').at(-1) === wanted));
    if (known === undefined)
      throw new TercetError('ERR_MODEL_NOT_FOUND', 'no model of that name is served', 'see /api/v1/models');
    if (!fits(known.task))
      throw new TercetError(
        'ERR_MODEL_UNSUPPORTED',
        `that model is for ${known.task}`,
        `ask /api/v1/${known.task}, or /api/v1/inference`,
      );
    return known;
  }

  /**
   * The model by the protocol of a request. SECURITY: a request that names one is answered by no other.
   * @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE
   */
  by(
    { protocol: asked }: Pick<Call, 'protocol'>,
    named: Model,
  ): { readonly model: Model; readonly protocol: Protocol } {
    if (asked === undefined || asked === this.#protocol) return { model: named, protocol: this.#protocol };
    const model = this.#others.get(asked)?.find(({ id }) => id === named.id);
    if (model !== undefined) return { model, protocol: asked };
    throw new TercetError(
      'ERR_PROTOCOL_UNAVAILABLE',
      `this gateway does not serve ${asked}`,
      `ask for ${this.protocols.join(' or ')}, or have it started with --protocols`,
    );
  }

  /** SECURITY: no request gets less than it asks for. @throws {TercetError} ERR_ARGUMENT */
  checkLevel({ securityLevel = 128 }: Pick<Call, 'securityLevel'>, protocol: Protocol): void {
    const { securityLevel: ours = 128 } = this.#options;
    if (securityLevel > 128 && protocol === SEMI_HONEST && ours > 128)
      throw new TercetError(
        'ERR_ARGUMENT',
        `${protocol} proves nothing, so it has no level ${securityLevel}`,
        'leave security_level out, or name a protocol that proves, as 3pc_malicious',
      );
    if (securityLevel > ours)
      throw new TercetError(
        'ERR_ARGUMENT',
        `this gateway runs at level ${ours}`,
        'leave security_level out, or have it started with --protocol 3pc_malicious --security-level 256',
      );
  }
}

function only<T>(found: readonly T[]): T | undefined {
  return found.length === 1 ? found[0] : undefined;
}
