/**
 * The hash that the three parties compare before anything secret moves. It covers all that a circuit computes:
 * every gate and every local node with its operands, shape, ring, scale and *traits*, the public parameters of the
 * kind of node it is. Versions of Tercet that differ in a table or a constant then say so, and give no wrong
 * answer.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from '../../../core/bytes.ts';
import type { Wire } from '../../share/wire.ts';
import type { Circuit } from './circuit.ts';
import type { Gate } from './gate.ts';
import type { LocalNode } from './local.ts';
import { type Trait, traitText } from './traits.ts';

const shapeOf = (wire: Wire | undefined): Trait => (wire === undefined ? undefined : [wire.shape, wire.k, wire.scale]);

function gateTraits({ relation, path, half12, half21, owner, inputs, out, traits }: Gate): Trait {
  const own = owner === undefined ? [] : [{ ...owner }];
  return [relation, path, half12, half21, inputs.map(({ id }) => id), out?.id, shapeOf(out), traits, ...own];
}

function localTraits({ inputs, traits }: LocalNode, out: Wire): Trait {
  return [out.id, inputs.map(({ id }) => id), shapeOf(out), traits];
}

/** Nodes between two pauses: a few milliseconds. */
const PART = 1024;

/** SHA-256 of a circuit, in hex. Its cost is linear in the number of nodes, whatever the length of their tensors. */
export function fingerprint(circuit: Circuit): string {
  const parts = fingerprintParts(circuit);
  for (;;) {
    const { done, value } = parts.next();
    if (done === true) return value;
  }
}

/** The same in parts, for whoever shares the thread. */
export function* fingerprintParts(circuit: Circuit): Generator<void, string> {
  const { weights, sharing, gates, sources, wires, kept } = circuit;
  const hash = sha256.create();
  const add = (trait: Trait) => hash.update(new TextEncoder().encode(`${traitText(trait)}\n`));
  // One-sided sharing has the hash that it had before there was another.
  if (sharing !== 'one-sided') add([sharing]);
  add(['tercet circuit 2', weights, gates.length, sources.length]);
  for (const [at, gate] of gates.entries()) {
    add(gateTraits(gate));
    if (at % PART === 0) yield;
  }
  for (const [id, source] of sources.entries()) {
    if (!('number' in source)) add(localTraits(source, wires[id]));
    if (id % PART === 0) yield;
  }
  add([...kept].map(([name, { id }]) => [name, id]));
  return toHex(hash.digest());
}
