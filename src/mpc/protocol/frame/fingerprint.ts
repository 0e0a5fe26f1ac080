/**
 * The hash that the three parties compare before anything secret moves. It covers all that a circuit computes:
 * every gate and every local node with its operands, shape, ring, scale and *traits*, the public parameters of the
 * kind of node it is. Versions of Tercet that differ in a table or a constant then say so, and give no wrong
 * answer.
 *
 * A block is in it by the hash of its own nodes, so what several circuits have in common is hashed once.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from '../../../core/bytes.ts';
import type { Wire } from '../../share/wire.ts';
import type { Block } from './block.ts';
import type { Circuit } from './circuit.ts';
import type { Gate } from './gate.ts';
import type { LocalNode } from './local.ts';
import { type Stretch, stretches } from './stretches.ts';
import { TraitWriter } from './traits.ts';

/** Nodes between two pauses, or a few more: a few milliseconds. */
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
  const { weights, sharing, gates, sources, kept, proving } = circuit;
  const hash = sha256.create();
  const writer = new TraitWriter();
  writer.write(['tercet circuit 3', sharing, weights, gates.length, sources.length]);
  let since = 0;
  for (const stretch of stretches(circuit, PART)) {
    const { block } = stretch;
    if (block === undefined || !DIGESTS.has(block)) since += nodesOf(stretch);
    if (block === undefined) {
      writeNodes(writer, circuit, stretch);
      hash.update(writer.take());
    } else {
      const digest = digestOf(block, circuit);
      const { gates: g, wires: w } = block;
      writer.write(['block', g.from, g.to, w.from, w.to, digest]);
      hash.update(writer.take());
    }
    if (since < PART) continue;
    since = 0;
    yield;
  }
  writer.write([...kept].map(([name, { id }]) => [name, id]));
  if (proving !== undefined) writer.write(proving);
  hash.update(writer.take());
  return toHex(hash.digest());
}

/** Of the nodes of blocks: several circuits have them. */
const DIGESTS = new WeakMap<Block, Uint8Array>();

function digestOf(block: Block, circuit: Circuit): Uint8Array {
  const known = DIGESTS.get(block);
  if (known !== undefined) return known;
  const writer = new TraitWriter();
  writeNodes(writer, circuit, block);
  const digest = sha256(writer.take());
  DIGESTS.set(block, digest);
  return digest;
}

function nodesOf({ gates, wires }: Pick<Stretch, 'gates' | 'wires'>): number {
  return gates.to - gates.from + wires.to - wires.from;
}

/** A wire that a gate makes is written with the gate. */
function writeNodes(
  writer: TraitWriter,
  { gates, sources, wires }: Circuit,
  of: Pick<Stretch, 'gates' | 'wires'>,
): void {
  for (let at = of.gates.from; at < of.gates.to; at++) writeGate(writer, gates[at]);
  for (let id = of.wires.from; id < of.wires.to; id++) {
    const source = sources[id];
    if (!('number' in source)) writeLocal(writer, source, wires[id]);
  }
}

function writeGate(
  writer: TraitWriter,
  { relation, path, half12, half21, owner, inputs, out, traits, number }: Gate,
): void {
  writer.list(9);
  writer.text(relation);
  writer.number(number);
  writer.text(path);
  writer.write(half12);
  writer.write(half21);
  writeOperands(writer, inputs);
  writeWire(writer, out);
  writer.write(traits);
  writer.write(owner && { ...owner });
}

function writeLocal(writer: TraitWriter, { inputs, traits }: LocalNode, out: Wire): void {
  writer.list(3);
  writeOperands(writer, inputs);
  writeWire(writer, out);
  writer.write(traits);
}

function writeOperands(writer: TraitWriter, inputs: readonly Wire[]): void {
  writer.list(inputs.length);
  for (const { id } of inputs) writer.number(id);
}

function writeWire(writer: TraitWriter, wire: Wire | undefined): void {
  if (wire === undefined) {
    writer.write(undefined);
    return;
  }
  writer.list(4);
  writer.number(wire.id);
  writer.list(wire.shape.length);
  for (const n of wire.shape) writer.number(n);
  writer.number(wire.k);
  writer.number(wire.scale);
}
