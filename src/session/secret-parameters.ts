/**
 * Secret weights W = M − L1 − L2 (PROTOCOL §10): both compute parties hold M, party i and the data owner expand
 * Li from a 32-byte seed.
 *
 * Security: M is uniform without both seeds, so neither compute party learns W, and the owner, who has both seeds,
 * never sees M. This holds only while no owner works together with a compute party (docs/SECURITY.md). A sharing
 * may serve many runs; a changed model needs new seeds.
 */
import type { Matrix, RingKernels, Stream } from '../compute/kernels/types.ts';
import { type Vector, type Words, zeros } from '../compute/ring.ts';
import { concatBytes } from '../core/bytes.ts';
import { TercetError, invariant } from '../core/errors.ts';
import type { ModelConfig } from '../ml/config.ts';
import { listParameters } from '../ml/models/parameters.ts';
import { nonceOf } from '../mpc/prg/gate-id.ts';
import { partOfMatrix } from '../mpc/protocol/frame/halves-of-maps.ts';
import type { ParameterView, Part } from '../mpc/protocol/frame/party.ts';
import type { Parameter } from '../mpc/protocol/types.ts';

/** Where the mask of a parameter lies in the stream of a seed: the parameter's number takes the place of the gate's. */
function maskStream(seed: Uint8Array | (() => Uint8Array), number: number): Stream {
  const nonce = nonceOf({ step: 0, branch: 0, gate: number, purpose: 'weight', table: 0, direction: 0 });
  if (typeof seed !== 'function') return { key: seed, nonce };
  // An own property: kernels copy streams to their workers.
  return {
    get key() {
      return seed();
    },
    nonce,
  };
}

/** L_i of a parameter, or of its words from `first` on. */
export function weightMask(
  kernels: RingKernels,
  seed: Uint8Array | (() => Uint8Array),
  number: number,
  count: number,
  first = 0,
): Promise<Vector> {
  return kernels.draw(maskStream(seed, number), 64, count, first);
}

/** L_i of some rows of a parameter; of all when `wanted` is absent. */
async function maskRows(
  kernels: RingKernels,
  seed: Uint8Array | (() => Uint8Array),
  number: number,
  { rows, cols }: Parameter,
  wanted?: readonly number[],
): Promise<Vector> {
  if (wanted === undefined) return weightMask(kernels, seed, number, rows * cols);
  // A block of consecutive rows is one stretch of the stream.
  const consecutive = wanted.length > 0 && wanted.every((row, i) => row === wanted[0] + i);
  if (consecutive) return weightMask(kernels, seed, number, wanted.length * cols, wanted[0] * cols);
  if (wanted.length === 0) return zeros(0, 64);
  return kernels.concat(await Promise.all(wanted.map((row) => weightMask(kernels, seed, number, cols, row * cols))));
}

function numbers(config: ModelConfig): ReadonlyMap<string, number> {
  return new Map(listParameters(config).map((parameter, i) => [parameter.name, i]));
}

/** M = W + L1 + L2, the model owner's step. */
export async function maskParameter(
  kernels: RingKernels,
  seeds: readonly [Uint8Array, Uint8Array],
  number: number,
  words: Words,
): Promise<Words> {
  let masked: Vector = words;
  for (const seed of seeds)
    masked = await kernels.add(masked, await weightMask(kernels, seed, number, words.data.length));
  return kernels.read(masked);
}

/** The view of the data owner, or of its dealer: 64 bytes of seeds, masks expanded when they are needed and not kept. */
export class OwnerSeeds implements ParameterView {
  readonly weights = 'secret' as const;
  readonly #seeds: readonly [Uint8Array, Uint8Array];
  readonly #numbers: ReadonlyMap<string, number>;
  #wiped = false;

  constructor(config: ModelConfig, seeds: Uint8Array) {
    invariant(seeds.length === 64, 'the owner holds 64 bytes of seeds');
    this.#seeds = [seeds.slice(0, 32), seeds.slice(32)];
    this.#numbers = numbers(config);
  }

  matrix(): Promise<Matrix> {
    return Promise.reject(
      new TercetError('ERR_STATE', 'the data owner holds no weights', 'this is a bug in Tercet, please report it'),
    );
  }

  maskStream({ name }: Parameter, part: 'l1' | 'l2'): Stream {
    const number = this.#numbers.get(name);
    invariant(number !== undefined, `the data owner has no mask of ${name}`);
    return maskStream(this.#live(part === 'l1' ? 0 : 1), number);
  }

  async words(kernels: RingKernels, parameter: Parameter, part: Part, rows?: readonly number[]): Promise<Vector> {
    const number = this.#numbers.get(parameter.name);
    invariant(
      number !== undefined && (part === 'l1' || part === 'l2' || part === 'l1+l2'),
      `the data owner has no part "${part}" of ${parameter.name}`,
    );
    const mask = (side: 0 | 1) => maskRows(kernels, this.#live(side), number, parameter, rows);
    if (part !== 'l1+l2') return mask(part === 'l1' ? 0 : 1);
    return kernels.add(await mask(0), await mask(1));
  }

  /** SECURITY: who draws behind the wipe gets an error, not the masks of a seed of zeros. test/session/seeds.test.ts. */
  #live(side: 0 | 1): () => Uint8Array {
    return () => {
      if (this.#wiped) throw new TercetError('ERR_STATE', 'the seeds of this run were wiped', 'start a new run');
      return this.#seeds[side];
    };
  }

  /** Overwrites the seeds: masks of this view are of no use any more. */
  wipe(): void {
    this.#wiped = true;
    for (const seed of this.#seeds) seed.fill(0);
  }
}

/**
 * A compute party's view: M and its own mask. Of a matrix party 1 keeps αM − L1 and party 2 βM − L2, which is all that
 * they multiply by (`halves-of-maps.ts`). Their masks they expand from their seeds where a proved run asks for them.
 */
export class SharedParameters implements ParameterView {
  readonly weights = 'secret' as const;
  readonly #kernels: RingKernels;
  readonly #own: 'l1' | 'l2';
  readonly #seed: Uint8Array;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #matrices = new Map<string, Matrix>();
  readonly #rows = new Map<string, Words>();
  readonly #masked: ((parameter: Parameter) => Promise<BigUint64Array>) | undefined;

  private constructor(
    id: 1 | 2,
    config: ModelConfig,
    seed: Uint8Array,
    kernels: RingKernels,
    masked?: (parameter: Parameter) => Promise<BigUint64Array>,
  ) {
    this.#masked = masked;
    this.#kernels = kernels;
    this.#own = id === 1 ? 'l1' : 'l2';
    this.#seed = seed;
    this.#numbers = numbers(config);
  }

  /**
   * @param read the masked words of a parameter, from the share file
   * @param proved whether words of matrices are asked for: they are read again then, and not kept
   */
  static async load(
    id: 1 | 2,
    config: ModelConfig,
    seed: Uint8Array,
    read: (parameter: Parameter) => Promise<BigUint64Array>,
    kernels: RingKernels,
    proved = false,
  ): Promise<SharedParameters> {
    const view = new SharedParameters(id, config, seed, kernels, proved ? read : undefined);
    for (const [number, parameter] of listParameters(config).entries()) {
      await view.#add(parameter, number, { k: 64, data: await read(parameter) });
      // What was made on the way is not needed any more.
      kernels.sweep(() => []);
    }
    return view;
  }

  /** Keeps the forms that this party's messages need: looked-up tables as M, other matrices as above, rows in three. */
  async #add(parameter: Parameter, number: number, masked: Words): Promise<void> {
    const { name, rows, cols } = parameter;
    const load = async (part: Part, words: Words) => {
      const height = words.data.length / cols;
      this.#matrices.set(`${name} ${part}`, await this.#kernels.loadMatrix(words.data as BigUint64Array, height, cols));
    };
    if (parameter.lookup === true) return load('m', masked);
    const mask = await this.#kernels.read(await maskRows(this.#kernels, this.#seed, number, parameter));
    if (rows === 1) {
      this.#rows.set(`${name} m`, masked);
      this.#rows.set(`${name} ${this.#own}`, mask);
      this.#rows.set(`${name} m-${this.#own}`, await this.#kernels.read(await this.#kernels.sub(masked, mask)));
    } else if (this.#own === 'l1') await load('αm-l1', await partOfMatrix(this.#kernels, 1, masked, mask, rows));
    else await load('βm-l2', await partOfMatrix(this.#kernels, 2, masked, mask, rows));
  }

  maskStream({ name }: Parameter, part: 'l1' | 'l2'): Stream {
    const number = this.#numbers.get(name);
    invariant(number !== undefined && part === this.#own, `this party has no mask "${part}" of ${name}`);
    return maskStream(this.#seed, number);
  }

  async matrix(parameter: Parameter, part: Part): Promise<Matrix> {
    const matrix = this.#matrices.get(`${parameter.name} ${part}`);
    invariant(matrix !== undefined, `this party has no part "${part}" of ${parameter.name}`);
    return matrix;
  }

  async words(kernels: RingKernels, parameter: Parameter, part: Part, rows?: readonly number[]): Promise<Vector> {
    const number = this.#numbers.get(parameter.name);
    if (rows !== undefined && part === this.#own && number !== undefined)
      return maskRows(kernels, this.#seed, number, parameter, rows);
    const words = this.#rows.get(`${parameter.name} ${part}`);
    if (words === undefined && this.#masked !== undefined && number !== undefined) {
      if (part === this.#own) return maskRows(kernels, this.#seed, number, parameter);
      if (part === 'm') return { k: 64, data: await this.#masked(parameter) };
    }
    invariant(words !== undefined, `this party has no part "${part}" of ${parameter.name}`);
    return parameter.cols === words.data.length ? words : { k: 64, data: words.data.slice(0, parameter.cols) };
  }
}

/** Both seeds as the owner gets them: 64 bytes. */
export function ownerSeeds(seeds: readonly [Uint8Array, Uint8Array]): Uint8Array {
  return concatBytes(seeds);
}
