/**
 * A vector of the tail, in parts: as many words as a segment has scalars. A part has memory from its first word on,
 * and lets go of it when it is folded, so two vectors never take what four would.
 */
import { type ProofKernels, RADIX } from '../../compute/kernels/proof-types.ts';
import { letGo } from '../../core/let-go.ts';
import type { ProverMemory } from './prover-memory.ts';

/** Words of a part: whole blocks, before and behind a fold. */
const PART = 2 ** 19;

export class LongVector {
  readonly #memory: ProverMemory;
  readonly #length: number;
  readonly #parts: (BigUint64Array | undefined)[];

  constructor(memory: ProverMemory, length: number) {
    this.#memory = memory;
    this.#length = length;
    this.#parts = new Array<undefined>(Math.ceil(length / PART)).fill(undefined);
  }

  /** Writes words that are given, from a place on. All of them are written before any is read. */
  set(values: BigUint64Array, at: number): void {
    for (let from = 0; from < values.length; ) {
      const number = Math.floor((at + from) / PART);
      const place = at + from - number * PART;
      const own = this.#part(number);
      const to = Math.min(values.length, from + own.length - place);
      own.set(values.subarray(from, to), place);
      from = to;
    }
    letGo(values);
  }

  #part(number: number): BigUint64Array {
    const part = this.#parts[number] ?? this.#memory.take(Math.min(PART, this.#length - number * PART));
    this.#parts[number] = part;
    return part;
  }

  /** The first words, zeros behind the end. */
  first(count: number): bigint[] {
    return Array.from({ length: count }, (_, i) => this.#parts[0]?.[i] ?? 0n);
  }

  /** z of a round with another vector of this length. */
  async round(other: LongVector, kernels: ProofKernels, q: bigint): Promise<BigUint64Array> {
    const total = new BigUint64Array(RADIX * RADIX);
    for (const number of this.#parts.keys()) {
      const z = await kernels.tailRound(this.#part(number), other.#part(number), q);
      for (const [i, value] of z.entries()) total[i] = (total[i] + value) % q;
    }
    return total;
  }

  /** An eighth of the length. This one is empty behind it. */
  async folded(kernels: ProofKernels, coefficients: BigUint64Array, q: bigint): Promise<LongVector> {
    const out = new LongVector(this.#memory, Math.ceil(this.#length / RADIX));
    for (const number of this.#parts.keys()) {
      out.set(await kernels.tailFold(this.#part(number), coefficients, q), (number * PART) / RADIX);
      this.#free(number);
    }
    return out;
  }

  free(): void {
    for (const number of this.#parts.keys()) this.#free(number);
  }

  #free(number: number): void {
    const part = this.#parts[number];
    if (part !== undefined) this.#memory.free(part);
    this.#parts[number] = undefined;
  }
}
