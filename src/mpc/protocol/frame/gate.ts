/**
 * A gate: one interactive relation with its messages, all three parties' sides next to each other.
 *
 * Each method is one step of one party. `deal*` runs ahead of the input and is data independent; `send12` and
 * `recv12` are the half-round P1 → P2, `send21` and `recv21` the half-round P2 → P1. Where P0 takes part in the
 * rounds, its messages go with the half-round P1 → P2. The engine (`engine.ts`) calls
 * them in the circuit's order, so both ends agree on what comes next.
 */
import type { RingKernels } from '../../../compute/kernels/types.ts';
import { type Vector, type Words, laneBytes } from '../../../compute/ring.ts';
import type { DrawId, Purpose } from '../../prg/gate-id.ts';
import type { PartyId } from '../../../net/wire/types.ts';
import type { ChoiceShape, HalfOfV, HalfOfW, MatrixShape, PublicTable, TableShape } from '../../proof/relations.ts';
import type { Component, Wire } from '../../share/wire.ts';
import type { Cost, Inputs } from '../types.ts';
import type { Trait } from './traits.ts';
import type { Party } from './party.ts';

/** A table of a relation without its words, which a prover and its verifiers make when they fold it. */
export type TableRelation = Omit<TableShape, 'table'> & { readonly table: Omit<PublicTable, 'words'> };

/** What one party proves of a message to the other two: these add up to zero. Public, by the circuit alone. */
export interface Proved {
  readonly prover: PartyId;
  readonly shapes: readonly (MatrixShape | ChoiceShape | TableRelation)[];
}

/** What a party has of one gate when all its messages have passed. */
export interface Seen {
  readonly party: Party;
  /** A message of the gate that this party sent or received, as it was on the link. */
  message(from: PartyId, to: PartyId, phase: Phase): Promise<Uint8Array>;
  /** Vectors that several halves are made of: between them memory is used again that nothing names. */
  readonly holds?: Vector[];
}

/**
 * What the two verifiers have of a relation, read by whoever has it: the verifier itself, or the prover, who has both.
 * SECURITY: V's half holds the words that V received and goes on with, so the proof is about these.
 */
export interface Halves {
  v(seen: Seen): Promise<HalfOfV>;
  w(seen: Seen): Promise<HalfOfW>;
  /** Of a table: the words of its functions (`PublicTable.words`). */
  words?(kernels: RingKernels, table: TableRelation['table'], f: number, indices: Uint32Array): Promise<Uint8Array>;
  /**
   * Phases of messages that its factors are made of, beside components and weights. A prover that reads its halves
   * when their segment's turn comes needs these until then.
   */
  readonly factorsFrom?: readonly Phase[];
}

/** P0's part in a half-round P1 → P2, of a protocol whose masks follow from the input (PROTOCOL §17). */
export interface OwnerStep {
  readonly half: number;
  /** Declared bytes of payload, by direction. */
  readonly p0ToP1?: number;
  readonly p0ToP2?: number;
  readonly p2ToP0?: number;
}

export interface Gate {
  /** Position in the circuit: the gate's part of every draw id. */
  readonly number: number;
  /** Op path, for traces and tags: `layer 3/attention/…`. */
  readonly path: string;
  /** Names the relation that its messages satisfy (docs/ARCHITECTURE.md, table of relations). */
  readonly relation:
    | 'input'
    | 'lookup'
    | 'affine'
    | 'lift'
    | 'product'
    | 'select'
    | 'widen'
    | 'ot-base'
    | 'reshare'
    | 'output';
  readonly inputs: readonly Wire[];
  readonly out: Wire | undefined;
  /** Half-round of its message P1 → P2 (even) and P2 → P1 (odd), if it has one. */
  readonly half12: number | undefined;
  readonly half21: number | undefined;
  /**
   * Public parameters: all that its messages and its result depend on beside the operands. Part of the circuit's
   * hash.
   */
  readonly traits: readonly Trait[];
  /** What P0 has to do in the rounds. Absent: nothing. */
  readonly owner?: OwnerStep | undefined;
  /** Declared bytes of payload, by phase and direction. */
  readonly cost: Partial<Cost>;
  /** What is proved of its messages, where a party may deviate. */
  readonly relations?: readonly Proved[];
  /** For every shape of `relations`, in order, what its verifiers have of it. */
  readonly halves?: readonly Halves[];
  /** Bytes of the longest key stream that it draws from under one id, where that is no mask of its result. */
  readonly longestDraw?: number;

  /** Derives a component that needs no message (masks), or computes one that only waits for operands. */
  component(party: Party, component: Component): Promise<Vector>;

  dealP0?(p0: Party): Promise<void>;
  dealP1?(p1: Party): Promise<void>;
  dealP2?(p2: Party): Promise<void>;
  inputP0?(p0: Party, inputs: Inputs): Promise<void>;
  inputP1?(p1: Party): Promise<void>;
  inputP2?(p2: Party): Promise<void>;
  send12?(p1: Party): Promise<void>;
  recv12?(p2: Party): Promise<void>;
  send21?(p2: Party): Promise<void>;
  recv21?(p1: Party): Promise<void>;
  send01?(p0: Party): Promise<void>;
  recv01?(p1: Party): Promise<void>;
  send02?(p0: Party): Promise<void>;
  recv02?(p2: Party): Promise<void>;
  send20?(p2: Party): Promise<void>;
  recv20?(p0: Party): Promise<void>;
  outputP1?(p1: Party): Promise<void>;
  outputP2?(p2: Party): Promise<void>;
  outputP0?(p0: Party): Promise<Words>;
}

/** Bytes of the longest key stream that a gate draws from under one id: a mask of its result takes one lane a word. */
export function longestStream({ out, longestDraw }: Pick<Gate, 'out' | 'longestDraw'>): number {
  return longestDraw ?? (out === undefined ? 0 : laneBytes(out.k) * out.count);
}

/** Half-round of a gate's last message, −1 of one that has none. */
export function lastHalf({ half12, half21, owner }: Pick<Gate, 'half12' | 'half21' | 'owner'>): number {
  return Math.max(half12 ?? -1, half21 ?? -1, owner?.half ?? -1);
}

/** The draw id of a gate. */
export function drawId(
  gate: { readonly number: number },
  purpose: Purpose,
  table = 0,
): Omit<DrawId, 'step' | 'branch'> {
  return { gate: gate.number, purpose, table, direction: 0 };
}

/** Which of a gate's messages is meant. */
export type Phase = 'deal' | 'ahead' | 'input' | '12' | '21' | '01' | '02' | '20' | 'output';

/**
 * The tag of a gate's message on a link: relation, phase and number, all public. What P0 deals has another name where
 * it goes in the rounds.
 */
export function tagOf({ relation, number, owner }: Pick<Gate, 'relation' | 'number' | 'owner'>, phase: Phase): string {
  return `${relation}-${phase === 'deal' && owner?.p0ToP2 !== undefined ? '02' : phase}/${number}`;
}
