/**
 * The hash that the three parties compare before anything secret moves. It covers all that a circuit computes:
 * every gate and every local node with its operands, shape, ring, scale and *traits*, the public parameters of the
 * kind of node it is. Versions of Tercet that differ in a table or a constant then say so, and give no wrong
 * answer.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from '../../../core/bytes.ts';
import type { Wire } from '../../share/wire.ts';
import type { Block, Span } from './block.ts';
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
  const { weights, sharing, gates, sources, wires, kept, blocks } = circuit;
  const hash = sha256.create();
  const encoder = new TextEncoder();
  const lineOf = (trait: Trait) => `${traitText(trait)}\n`;
  const add = (trait: Trait) => hash.update(encoder.encode(lineOf(trait)));
  // One-sided sharing has the hash that it had before there was another.
  if (sharing !== 'one-sided') add([sharing]);
  add(['tercet circuit 2', weights, gates.length, sources.length]);
  const gateLine = (at: number) => lineOf(gateTraits(gates[at]));
  const localLine = (id: number) => {
    const source = sources[id];
    return 'number' in source ? '' : lineOf(localTraits(source, wires[id]));
  };
  let since = 0;
  const parts = [...spans(gates.length, blocks, 'gates'), ...spans(sources.length, blocks, 'wires')];
  for (const { kind, block, from, to } of parts) {
    hash.update(encoder.encode(textOf(kind, block, from, to, kind === 'gates' ? gateLine : localLine)));
    since += to - from;
    if (since < PART) continue;
    since = 0;
    yield;
  }
  add([...kept].map(([name, { id }]) => [name, id]));
  return toHex(hash.digest());
}

type Kind = 'gates' | 'wires';

/** Texts of blocks: several circuits have them. */
const TEXTS: Readonly<Record<Kind, WeakMap<Block, string>>> = { gates: new WeakMap(), wires: new WeakMap() };

interface Part extends Span {
  readonly kind: Kind;
  readonly block?: Block | undefined;
}

/** Every block, and what is between them in parts. */
function* spans(count: number, blocks: readonly Block[], kind: Kind): Generator<Part> {
  let at = 0;
  function* until(end: number): Generator<Part> {
    for (; at < end; at = Math.min(at + PART, end)) yield { kind, from: at, to: Math.min(at + PART, end) };
  }
  for (const block of blocks) {
    yield* until(block[kind].from);
    yield { kind, block, ...block[kind] };
    at = block[kind].to;
  }
  yield* until(count);
}

function textOf(kind: Kind, block: Block | undefined, from: number, to: number, line: (at: number) => string): string {
  const known = block === undefined ? undefined : TEXTS[kind].get(block);
  if (known !== undefined) return known;
  let text = '';
  for (let at = from; at < to; at++) text += line(at);
  if (block !== undefined) TEXTS[kind].set(block, text);
  return text;
}
