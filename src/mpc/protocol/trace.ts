/**
 * What a party may tell of its own work, step by step: which gate, in which half-round, how many bytes, how long.
 * All of it is public, and a field can hold nothing else: there is none for words, bytes or shares.
 */
import type { PartyId } from '../../net/wire/types.ts';

/**
 * One step of one gate at one party.
 *
 * `ms` runs until the step's words are on their way or with the party. Local operations count to the step that asks
 * for them first; what a graphics device still computes counts to the step that waits for it.
 *
 * @example
 * const event = { party: 0, step: 0, phase: 'deal', gate: 7, relation: 'select', path: 'layer 3/attention/select',
 *   sent: 512, received: 0, ms: 1.2 };
 */
export interface TraceEvent {
  readonly party: PartyId;
  /** 0 for the texts, then 1, 2, … for every token behind a prompt. */
  readonly step: number;
  /** Ahead of the input, with it, between the compute parties, and the answer. */
  readonly phase: 'deal' | 'input' | 'online' | 'output';
  /** Which half-round it is: even ones carry P1 → P2, odd ones P2 → P1. Of `online` only. */
  readonly half?: number | undefined;
  /** Number of the gate in the circuit. */
  readonly gate: number;
  /** Kind of the gate. */
  readonly relation: string;
  /** Section of the model and kind. */
  readonly path: string;
  /** Payload bytes of this party in the step. */
  readonly sent: number;
  readonly received: number;
  /** Milliseconds. */
  readonly ms: number;
}

/** Takes the steps of one party, in order. */
export type Trace = (event: TraceEvent) => void;

/** What an engine traces with: its step, and a clock in milliseconds. */
export interface Tracing {
  readonly step: number;
  readonly now: () => number;
  readonly report: Trace;
}
