/** A finished circuit: what all three parties hold alike, whatever protocol built it. */
import type { Words } from '../../../compute/ring.ts';
import type { Sharing, Wire } from '../../share/wire.ts';
import type { Cost, Parameter } from '../types.ts';
import type { Block } from './block.ts';
import type { Gate } from './gate.ts';
import type { LocalNode } from './local.ts';
import type { Party } from './party.ts';
import type { Trait } from './traits.ts';

/** A gate that opens a value to P0, under a name. */
export interface Opening extends Gate {
  readonly name: string;
  outputP1(p1: Party): Promise<void>;
  /** Where P0 compares what both compute parties send. */
  outputP2?(p2: Party): Promise<void>;
  outputP0(p0: Party): Promise<Words>;
}

/** P0's part in the rounds of a circuit: the half-rounds in which it sends or gets something, and bytes. */
export interface OwnerCost {
  readonly rounds: number;
  readonly p0ToP1: number;
  readonly p0ToP2: number;
  readonly p2ToP0: number;
}

/** Half-rounds in which all three may have a part. */
export interface OwnerRounds {
  /** A party's steps of gates in a half-round. Each is run by `run`, which counts what it sends or gets. */
  half(
    gates: readonly Gate[],
    half: number,
    party: Party,
    run: (gate: Gate, step: Step, what: 'sends' | 'gets') => Promise<void>,
  ): Promise<unknown>;
  /** Whether P0 has all that it will have of a gate in the rounds alone. */
  online(gate: Gate): boolean;
}

export type Step = () => Promise<void> | undefined;

/** What wires are made of (`flow.ts`), by number of the wire. */
export interface Flow {
  /** Bits of its ring. */
  readonly rings: Uint8Array;
  /** How many operands it has. */
  readonly counts: Uint16Array;
  /** Their numbers, of one wire after the other. */
  readonly operands: Uint32Array;
  /** How many more low bits are read of them than of it, or more than any ring has. */
  readonly moreBits: Int16Array;
  /** 1 where its components are computed from its operands on demand. */
  readonly derived: Uint8Array;
  /** 1 where that needs nothing but linear operations. */
  readonly linear: Uint8Array;
}

/** A finished circuit: public, the same at all parties. */
export interface Circuit {
  readonly weights: 'open' | 'secret';
  readonly sharing: Sharing;
  readonly gates: readonly Gate[];
  /** How each wire comes about. */
  readonly sources: readonly (LocalNode | Gate)[];
  /** Every wire, by number. */
  readonly wires: readonly Wire[];
  readonly parameters: readonly Parameter[];
  readonly outputs: readonly Opening[];
  /** What stays with the parties for the next step, by name. */
  readonly kept: ReadonlyMap<string, Wire>;
  /** How many low bits of each wire are read, by number. */
  readonly bitsRead: Uint8Array;
  /** What wires are made of, in numbers. */
  readonly flow: Flow;
  /** Section of every gate, for progress. */
  readonly sections: readonly string[];
  /** Parts that the next circuit of the same model may have as they are. */
  readonly blocks: readonly Block[];
  readonly cost: Cost;
  /** How its messages are proved, where they are: part of its hash. */
  readonly proving?: Trait | undefined;
  /** Where P0 takes part in the rounds: what `cost` leaves out, and who does what in them. */
  readonly owner?: (OwnerCost & OwnerRounds) | undefined;
}

export function isGate(source: LocalNode | Gate): source is Gate {
  return 'number' in source;
}
