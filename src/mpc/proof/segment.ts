/**
 * A segment: the relations that one proof is about, and everything about it that is public. All parties compute the
 * same from the same shapes: places of scalars, rounds, lengths of messages.
 *
 * Memory is bounded by segments. A prover keeps what a segment says until it is proved, so a circuit is cut where that
 * would be too much (`cutSegments`).
 */
import { RADIX } from '../../compute/kernels/proof-types.ts';
import { elementBits } from '../../compute/kernels/table-layout.ts';
import { laneBytes } from '../../compute/ring.ts';
import { TercetError, invariant } from '../../core/errors.ts';
import { type RelationShape, checkJoined, checkShape, claimBits, digitsOf, isJoined, scalarsOf } from './relations.ts';
import { CLAIM_BITS, type ProofParameters, type Soundness, checkParameters, soundness } from './soundness.ts';

/** Who proves. */
type ProofNumber = 0 | 1 | 2;

/** Which proof this is. The session is a hash of what all three parties chose, so no two runs share it. */
export interface ProofPlace {
  readonly session: Uint8Array;
  readonly proof: ProofNumber;
  readonly segment: number;
}

export class Segment {
  readonly place: ProofPlace;
  readonly shapes: readonly RelationShape[];
  readonly parameters: ProofParameters;
  /** Place of the first scalar of every relation in the inner product. */
  readonly offsets: readonly number[];
  /** Length of the inner product. */
  readonly scalars: number;
  /** Digit rounds. */
  readonly digitRounds: number;
  /** Rounds of the tail, the last one too. */
  readonly tailRounds: number;
  readonly #classes: readonly number[];

  /** @throws {TercetError} ERR_INTERNAL for shapes that claims or places have no room for */
  constructor(place: ProofPlace, shapes: readonly RelationShape[], parameters: ProofParameters) {
    checkParameters(parameters);
    invariant(place.session.length >= 16, 'a session has at least 16 bytes');
    invariant(place.segment >= 0 && place.segment < 2 ** 16 && shapes.length >= 1, 'a segment of a proof expected');
    for (const [i, shape] of shapes.entries()) {
      checkShape(shape);
      checkJoined(shape, shapes[i - 1]);
    }
    const bits = Math.log2(shapes.reduce((sum, shape) => sum + claimBound(shape), 0));
    invariant(bits <= parameters.claimBits, `claims of ${Math.ceil(bits)} bits are longer than their masks allow`);
    this.place = { ...place, session: place.session.slice() };
    this.shapes = shapes;
    this.parameters = parameters;
    const first = new Map<string, number>();
    this.#classes = shapes.map((shape, i) => {
      const known = shape.kind === 'table' ? first.get(shape.table.id) : i;
      if (shape.kind === 'table' && known === undefined) first.set(shape.table.id, i);
      return known ?? i;
    });
    const offsets: number[] = [];
    let next = 0;
    for (const shape of shapes) {
      offsets.push(next);
      next += scalarsOf(shape);
    }
    this.offsets = offsets;
    this.scalars = next;
    this.digitRounds = Math.max(...shapes.map(digitsOf));
    let rounds = 1;
    for (let length = next; length > RADIX; length = Math.ceil(length / RADIX)) rounds++;
    this.tailRounds = rounds;
  }

  /** Rounds behind the claims. */
  get rounds(): number {
    return this.digitRounds + this.tailRounds;
  }

  /** Stages of the seed chain: compression, prime, every round. The last one is the verdict. */
  get stages(): number {
    return 2 + this.rounds;
  }

  /** Blocks of a round: the last one has the blinds in front. */
  width(round: number): number {
    return round === this.rounds - 1 ? RADIX + 1 : RADIX;
  }

  /** Number of the first shape that has the same public table, or of this one: they share a V. */
  classOf(index: number): number {
    return this.#classes[index];
  }

  /** Number of the first shape of the relation that a shape belongs to. SECURITY: one relation has one X. */
  relationOf(index: number): number {
    let first = index;
    while (isJoined(this.shapes[first])) first--;
    return first;
  }

  /** Bytes that the prover sends, the claims first. */
  get messageBytes(): readonly number[] {
    const { sigma, maskBits, primes } = this.parameters;
    const rounds = Array.from({ length: this.rounds }, (_, r) => 8 * primes * (this.width(r) ** 2 - 1));
    return [(sigma * sigma * maskBits) / 8, ...rounds];
  }

  /** The bound of this proof. */
  get soundness(): Soundness {
    return soundness(this.parameters, this.rounds);
  }
}

/** What the part of a shape in a claim is below. A claim of a segment is the sum over its shapes. */
function claimBound(shape: RelationShape): number {
  return 2 ** claimBits(shape);
}

/** Columns of the compression at every level: what cuts segments may not depend on it. */
export const MOST_SIGMA = 64;

/** About what a prover keeps of a relation until it is proved: words of both halves, and two scalars a place. */
export function keptBytes(shape: RelationShape): number {
  const scalars = 16 * scalarsOf(shape);
  if (shape.kind === 'matrix') {
    // Of what is fetched, σ columns of sums at most.
    const cells = shape.terms.reduce((sum, { inner, fetched }) => {
      return sum + inner * (shape.rows + (fetched === true ? Math.min(shape.columns, MOST_SIGMA) : shape.columns));
    }, 0);
    return scalars + laneBytes(shape.k) * cells;
  }
  if (shape.kind === 'table') return scalars + shape.elements * (8 + 16 * shape.terms.length);
  const table = Math.ceil((elementBits(shape.layout) * shape.elements) / 8);
  return scalars + table + shape.elements * (4 + laneBytes(shape.layout.k) * shape.layout.widths.length);
}

/** Of all claims of a segment. In float64 sums of powers of two are exact enough: masks leave 64 bits above it. */
const MOST = 2 ** CLAIM_BITS;

/**
 * Where to cut: first and last index of every segment, so that each keeps at most `limit` bytes, and its claims have
 * room behind their masks. A relation that is larger has a segment to itself, and so has one of several sums.
 * @param groups of every shape, the number of those that are there at one time: what has no room for all of a group
 * ends before it. Else both segments would be kept together.
 * @throws {TercetError} ERR_TOO_LARGE for a relation whose claims have no room at all
 */
export function cutSegments(
  shapes: readonly RelationShape[],
  limit: number,
  groups: readonly number[] = [],
): (readonly [number, number])[] {
  const sizes = new Map<number, number>();
  for (const [i, group] of groups.entries()) sizes.set(group, (sizes.get(group) ?? 0) + keptBytes(shapes[i]));
  const cuts: [number, number][] = [];
  let [kept, claim] = [0, 0];
  for (const [i, shape] of shapes.entries()) {
    const [bytes, bound] = [keptBytes(shape), claimBound(shape)];
    const begins = i > 0 && groups[i] !== groups[i - 1];
    // A group that no segment has room for is cut anywhere.
    const all = begins ? (sizes.get(groups[i]) ?? 0) : 0;
    const more = all <= limit ? Math.max(bytes, all) : bytes;
    const last = cuts.at(-1);
    const full = last !== undefined && (kept + more > limit || claim + bound > MOST);
    if (last === undefined || (full && !isJoined(shape))) {
      cuts.push([i, i + 1]);
      [kept, claim] = [bytes, bound];
    } else {
      last[1] = i + 1;
      kept += bytes;
      claim += bound;
    }
    if (claim > MOST)
      throw new TercetError(
        'ERR_TOO_LARGE',
        'a proof has no room for a run of this size',
        'shorten the text or split the batch',
      );
  }
  return cuts;
}
