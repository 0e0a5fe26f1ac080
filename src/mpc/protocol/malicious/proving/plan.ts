/**
 * Which proofs a circuit has, in which segments, and when each may begin: public, the same at all parties. A segment
 * ends with the half-round of its last message, and is proved there: what a prover keeps is bounded.
 */
import type { RingKernels } from '../../../../compute/kernels/types.ts';
import { invariant } from '../../../../core/errors.ts';
import type { PartyId } from '../../../../net/wire/types.ts';
import type { RelationShape } from '../../../proof/relations.ts';
import { cutSegments, keptBytes } from '../../../proof/segment.ts';
import type { Circuit } from '../../frame/circuit.ts';
import { type Gate, type Halves, lastHalf } from '../../frame/gate.ts';
import type { Trait } from '../../frame/traits.ts';

/** One relation of a gate, or one sum of it. */
export interface Planned {
  readonly gate: Gate;
  readonly shape: RelationShape;
  readonly halves: Halves;
}

export interface PlannedSegment {
  readonly proof: PartyId;
  readonly number: number;
  readonly relations: readonly Planned[];
  /** The half-round behind which it is proved; undefined: behind the last. */
  readonly end: number | undefined;
}

/** Who verifies a proof: V, to whom its prover answers, and W. */
export const VERIFIERS: Readonly<Record<PartyId, readonly [v: PartyId, w: PartyId]>> = {
  0: [1, 2],
  1: [2, 0],
  2: [1, 0],
};

/**
 * Of the limit, what each of several segments keeps. Where there is one, a run is short. A long one has messages and
 * tables beside it, and what a half-round adds: all of that stays below the limit (`memory.ts`).
 */
export const PART_OF_SEVERAL = 1 / 2;

/** Where segments are cut: part of a circuit's hash. Parties that cut otherwise then say so before any text. */
export const CUT: Trait = ['segments by half-rounds', PART_OF_SEVERAL];

/**
 * @param limit bytes that a prover keeps for a segment
 * @param kernels make the words of public tables; without them there are shapes and no words
 */
export function planProofs(
  circuit: Circuit,
  kernels: (() => Promise<RingKernels>) | undefined,
  limit: number,
): readonly PlannedSegment[] {
  // Where P0 proves nothing its gates say so.
  return ([0, 1, 2] as const).flatMap((proof) => {
    const relations = relationsOf(circuit, kernels, proof);
    const shapes = relations.map(({ shape }) => shape);
    const fits = shapes.reduce((sum, shape) => sum + keptBytes(shape), 0) <= limit;
    const halves = relations.map(({ gate }) => lastHalf(gate));
    const cuts = cutSegments(shapes, fits ? limit : PART_OF_SEVERAL * limit, halves);
    return cuts.map(([from, to], number): PlannedSegment => {
      const part = relations.slice(from, to);
      // P0 proves when its messages with the input have gone, and nobody waits for it before.
      const end = proof === 0 ? undefined : Math.max(...part.map(({ gate }) => lastHalf(gate)));
      return { proof, number, relations: part, end };
    });
  });
}

/** All relations of one prover, in the order in which their last messages pass. */
function relationsOf(
  circuit: Circuit,
  kernels: (() => Promise<RingKernels>) | undefined,
  proof: PartyId,
): readonly Planned[] {
  const gates = [...circuit.gates].sort((a, b) => lastHalf(a) - lastHalf(b) || a.number - b.number);
  return gates.flatMap((gate) => {
    const { relations = [], halves = [] } = gate;
    const shapes = relations.flatMap(({ prover, shapes: ofOne }) => ofOne.map((shape) => ({ prover, shape })));
    invariant(shapes.length === halves.length, `${gate.path}: halves for every relation expected`);
    return shapes.flatMap(({ prover, shape }, i): Planned[] => {
      if (prover !== proof) return [];
      if (shape.kind !== 'table') return [{ gate, shape, halves: halves[i] }];
      const { words } = halves[i];
      invariant(words !== undefined, `${gate.path}: a table without words`);
      const made = async (f: number, at: Uint32Array) => {
        invariant(kernels !== undefined, 'words of a table that was planned without kernels');
        return words(await kernels(), shape.table, f, at);
      };
      const table = { ...shape.table, words: made };
      return [{ gate, shape: { ...shape, table }, halves: halves[i] }];
    });
  });
}
