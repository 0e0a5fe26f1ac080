/**
 * What the proofs of a circuit cost, from its shapes alone: nothing is dealt, loaded or drawn for it. All of it is
 * public and the same at all parties, so a request can be priced before anything else is done for it.
 */
import { groupSize } from '../../../../compute/index-group.ts';
import type { PartyId } from '../../../../net/wire/types.ts';
import { Segment, keptBytes } from '../../../proof/segment.ts';
import type { ProofParameters } from '../../../proof/soundness.ts';
import type { Circuit } from '../../frame/circuit.ts';
import { type PlannedSegment, VERIFIERS, planProofs } from './plan.ts';

const HASH = 32;

export interface ProofPrice {
  /** Payload bytes of all messages of the proofs and of the agreement, as [from][to]. */
  readonly bytes: readonly (readonly number[])[];
  /** Round trips between a prover and its V, one behind the other. Those of S0 are with P0. */
  readonly exchanges: readonly [s0: number, s1: number, s2: number];
  readonly segments: readonly [s0: number, s1: number, s2: number];
  /** Most bytes that a prover keeps for one segment, and those of folded public tables, which P0 and P1 hold. */
  readonly keptBytes: number;
  readonly tableBytes: number;
  /** log2 of what a wrong run is accepted with at most: of the worst segment. */
  readonly soundness: number;
}

/**
 * @param limit bytes that a prover keeps for a segment, as the run has it
 * @example proofPrice(circuit, PARAMETERS[128], 2 ** 30).soundness <= -46
 */
export function proofPrice(circuit: Circuit, parameters: ProofParameters, limit: number): ProofPrice {
  const bytes = [0, 1, 2].map(() => [0, 0, 0]);
  const [exchanges, segments]: [number, number, number][] = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  const send = (from: PartyId, to: PartyId, length: number) => {
    bytes[from][to] += length;
  };
  send(1, 2, HASH);
  send(2, 1, HASH);
  let [kept, tables, soundness] = [0, 0, Number.NEGATIVE_INFINITY];
  for (const planned of planProofs(circuit, undefined, limit)) {
    const { proof, number, relations } = planned;
    const shapes = relations.map(({ shape }) => shape);
    const segment = new Segment({ session: new Uint8Array(HASH), proof, segment: number }, shapes, parameters);
    for (const message of proofMessages(segment)) send(...message);
    segments[proof]++;
    exchanges[proof] += segment.stages;
    kept = Math.max(
      kept,
      // A prime more has two scalars of its own at every place.
      shapes.reduce((sum, shape) => sum + keptBytes(shape), 16 * (parameters.primes - 1) * segment.scalars),
    );
    tables = Math.max(tables, foldedBytes(planned, parameters.primes));
    soundness = Math.max(soundness, segment.soundness.total);
  }
  return { bytes, exchanges, segments, keptBytes: kept, tableBytes: tables, soundness };
}

/** Messages of a segment's proof: anchor, statement with its tag, seeds with the verdict, answers, and W's verdict. */
export function proofMessages(segment: Segment): readonly (readonly [from: PartyId, to: PartyId, bytes: number])[] {
  const { proof } = segment.place;
  const [v, w] = VERIFIERS[proof];
  return [
    [w, proof, HASH],
    [w, v, 2 * HASH + 16 * segment.parameters.primes],
    [v, proof, HASH * segment.stages],
    ...segment.messageBytes.map((length) => [proof, v, length] as const),
    [v, w, HASH],
  ];
}

/** Public tables of a segment, before and behind a fold: they are kept until it is proved. */
function foldedBytes({ relations }: PlannedSegment, primes: number): number {
  const sizes = new Map<string, number>();
  for (const { shape } of relations) {
    if (shape.kind !== 'table') continue;
    for (const f of shape.terms)
      sizes.set(
        `${shape.table.id} ${f}`,
        shape.table.functions[f].constant === true ? 1 : groupSize(shape.table.group),
      );
  }
  return [...sizes.values()].reduce((sum, size) => sum + 2 * 8 * primes * size, 0);
}
