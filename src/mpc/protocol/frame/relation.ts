/** What every gate has: its place in the circuit, its wires, half-rounds, traits and declared cost. */
import type { Vector } from '../../../compute/ring.ts';
import type { Component, Wire } from '../../share/wire.ts';
import type { Cost } from '../types.ts';
import type { Gate, OwnerStep } from './gate.ts';
import type { Party } from './party.ts';
import { outputMask } from './reshare.ts';
import type { Trait } from './traits.ts';

/** Where a gate stands in its circuit: `number` is its part of every draw id, `path` its name. */
export type Position = Pick<Gate, 'number' | 'path'>;

/** What a relation declares of itself. It has no message in a half-round that is left out. */
export interface Declared extends Pick<Gate, 'inputs' | 'traits' | 'cost'> {
  readonly half12?: number | undefined;
  readonly half21?: number | undefined;
  readonly owner?: OwnerStep | undefined;
}

export abstract class Relation<Out extends Wire | undefined = Wire> implements Gate {
  abstract readonly relation: Gate['relation'];
  readonly number: number;
  readonly path: string;
  readonly inputs: readonly Wire[];
  readonly out: Out;
  readonly half12: number | undefined;
  readonly half21: number | undefined;
  readonly traits: readonly Trait[];
  readonly cost: Partial<Cost>;
  readonly owner: OwnerStep | undefined;

  constructor({ number, path }: Position, out: Out, { inputs, half12, half21, owner, traits, cost }: Declared) {
    this.number = number;
    this.path = path;
    this.inputs = inputs;
    this.out = out;
    this.half12 = half12;
    this.half21 = half21;
    this.owner = owner;
    this.traits = traits;
    this.cost = cost;
  }

  abstract component(party: Party, component: Component): Promise<Vector>;
}

/** A gate whose message to P1 carries a fresh λ2: of its result, the one component that needs no message. */
export abstract class MaskedRelation extends Relation {
  component(party: Party, component: Component): Promise<Vector> {
    return outputMask(this, party, component);
  }
}
