/**
 * What builders of circuits share: wires and their numbers, local nodes, gates in order, sections and declared cost.
 * A protocol adds its gates (`semi-honest/circuit.ts`).
 */
import { STREAM_BYTES } from '../../../compute/kernels/key-stream.ts';
import { type Pattern, patternCount, patternReach, patternText } from '../../../compute/pattern.ts';
import { TercetError, invariant } from '../../../core/errors.ts';
import { AHEAD, type Sharing, type Wire, countOf } from '../../share/wire.ts';
import { noCost } from '../cost.ts';
import type { Cost, Parameter } from '../types.ts';
import { bitsRead, trailingZeros } from './bits-read.ts';
import { type Block, alike, fits } from './block.ts';
import type { Circuit, Opening } from './circuit.ts';
import { flowOf } from './flow.ts';
import { type Gate, lastHalf, longestStream } from './gate.ts';
import { latest } from './half-rounds.ts';
import { type LocalNode, andThen, keptBefore, linear, meansOf, parameterOffset, publicOffset } from './local.ts';
import type { Position } from './relation.ts';

export abstract class LocalBuilder {
  readonly weights: 'open' | 'secret';
  protected abstract readonly sharing: Sharing;
  readonly #gates: Gate[] = [];
  readonly #sources: (LocalNode | Gate)[] = [];
  readonly #wires: Wire[] = [];
  readonly #parameters = new Map<string, Parameter>();
  readonly #outputs: Opening[] = [];
  readonly #kept = new Map<string, Wire>();
  readonly #sections: string[] = [];
  /** Reshaped wire → the wire it shows, so that both share what is made of it. */
  readonly #shown = new Map<Wire, Wire>();
  #path: readonly string[] = [];
  readonly #blocks: Block[] = [];
  /** A circuit of the same model and protocol, to take blocks from. */
  #before: Pick<Circuit, 'gates' | 'sources' | 'wires' | 'sections'> | undefined;
  /** Its blocks, by their first wire. */
  #taken: ReadonlyMap<number, Block> | undefined;
  /** Of the block that is being built. */
  #notes: ((to: never) => void)[] | undefined;

  constructor(weights: 'open' | 'secret') {
    this.weights = weights;
  }

  finish(): Circuit {
    const cost = noCost();
    for (const gate of this.#gates) {
      for (const [key, bytes] of Object.entries(gate.cost) as [keyof Cost, number][]) cost[key] += bytes;
      cost.rounds = Math.max(cost.rounds, Math.floor(lastHalf(gate) / 2) + 1);
    }
    const [gates, sources, wires, kept, blocks] = [this.#gates, this.#sources, this.#wires, this.#kept, this.#blocks];
    const flow = flowOf({ gates, sources, wires, blocks });
    // Else every circuit would keep the one before it.
    this.#before = undefined;
    this.#taken = undefined;
    return {
      weights: this.weights,
      sharing: this.sharing,
      ...{ gates, sources, wires, kept, blocks, flow },
      bitsRead: bitsRead(flow, { gates, kept }),
      parameters: [...this.#parameters.values()],
      outputs: this.#outputs,
      sections: this.#sections,
      cost,
    };
  }

  // ── what the circuit before has ──────────────────────────────────────────

  /** Takes what it can from a circuit of the same model and protocol. Before anything is built. */
  follow(before: Circuit): void {
    invariant(this.#sources.length === 0 && before.weights === this.weights, 'follow: a circuit of the same model');
    if (!this.reuses) return;
    this.#before = before;
    this.#taken = new Map(before.blocks.map((block) => [block.wires.from, block]));
  }

  /** Whether all that a protocol keeps in mind of wires goes through `note` and `knownOf`. */
  protected get reuses(): boolean {
    return false;
  }

  /** What is known of an operand that a block would make use of. */
  protected knownOf(_x: Wire): readonly unknown[] {
    return [];
  }

  /** The gate that the circuit before has in this place, if it has one there. */
  protected gateBefore({ number, path }: Position): Gate | undefined {
    const gate = this.#before?.gates[number];
    return gate?.path === path ? gate : undefined;
  }

  /** Keeps something in mind, here and wherever the block at hand is taken. */
  protected note(apply: (to: this) => void): void {
    apply(this);
    this.#notes?.push(apply);
  }

  block(key: string, operands: readonly Wire[], build: () => readonly Wire[]): readonly Wire[] {
    if (!this.reuses || this.#notes !== undefined) return build();
    const here = {
      key: [...this.#path, key].join('/'),
      operands,
      known: operands.flatMap((x) => this.knownOf(x)),
      gates: this.#gates.length,
      wires: this.#sources.length,
    };
    const known = this.#taken?.get(here.wires);
    if (known !== undefined && fits(known, here)) return this.#take(known);
    this.#notes = [];
    try {
      const results = build();
      this.#blocks.push({
        ...here,
        gates: { from: here.gates, to: this.#gates.length },
        wires: { from: here.wires, to: this.#sources.length },
        results,
        notes: this.#notes,
      });
      return results;
    } finally {
      this.#notes = undefined;
    }
  }

  #take(block: Block): readonly Wire[] {
    const { gates, wires, notes, results } = block;
    invariant(this.#before !== undefined, 'a block of no circuit');
    for (let i = gates.from; i < gates.to; i++) {
      this.#gates.push(this.#before.gates[i]);
      this.#sections.push(this.#before.sections[i]);
    }
    for (let id = wires.from; id < wires.to; id++) {
      this.#wires.push(this.#before.wires[id]);
      this.#sources.push(this.#before.sources[id]);
    }
    for (const apply of notes) (apply as (to: this) => void)(this);
    this.#blocks.push(block);
    return results;
  }

  section<T>(name: string, body: () => T): T {
    const outer = this.#path;
    this.#path = [...outer, name];
    try {
      return body();
    } finally {
      this.#path = outer;
    }
  }

  // ── from one step to the next ────────────────────────────────────────────

  /** When masks of a kept wire are there: before the input, where they were drawn. */
  protected readonly keptL2: number = AHEAD;

  keep(name: string, x: Wire): void {
    invariant(x.readyY !== undefined && !this.#kept.has(name), `${name}: only a lifted wire can be kept, once`);
    invariant(this.#notes === undefined, 'a block keeps nothing for the next step');
    this.#kept.set(name, x);
  }

  kept(name: string, shape: readonly number[], k: number, scale: number): Wire {
    const out = this.place(shape, k, scale, { kind: 'masked', readyA: 0, readyL2: this.keptL2, readyY: 0 });
    this.#sources[out.id] = keptBefore(name);
    return out;
  }

  // ── local ────────────────────────────────────────────────────────────────

  add(x: Wire, y: Wire): Wire {
    this.#alike(x, y);
    return this.local(
      linear([x, y], ['add'], (kernels, [p, q]) => kernels.add(p, q)),
      x.shape,
      x.k,
      x.scale,
    );
  }

  sub(x: Wire, y: Wire): Wire {
    this.#alike(x, y);
    return this.local(
      linear([x, y], ['sub'], (kernels, [p, q]) => kernels.sub(p, q)),
      x.shape,
      x.k,
      x.scale,
    );
  }

  scale(x: Wire, c: bigint, scale = x.scale): Wire {
    return this.local(
      linear([x], ['scale', c], (kernels, [p]) => kernels.scale(p, c), -trailingZeros(c)),
      x.shape,
      x.k,
      scale,
    );
  }

  offset(x: Wire, c: bigint): Wire {
    return this.local(publicOffset(x, c), x.shape, x.k, x.scale);
  }

  reduce(x: Wire, k: number): Wire {
    invariant(k <= x.k, 'reduce: the ring must not grow');
    return this.local(
      { ...linear([x], ['reduce', k], (kernels, [p]) => kernels.cast(p, k)), moves: 'all' },
      x.shape,
      k,
      x.scale,
    );
  }

  raise(x: Wire, s: number, k: number): Wire {
    invariant(k <= x.k + s, 'raise: the upper bits are not determined');
    return this.local(
      linear(
        [x],
        ['raise', s, k],
        (kernels, [p]) => andThen(kernels.cast(p, k), (q) => kernels.scale(q, 1n << BigInt(s))),
        -s,
      ),
      x.shape,
      k,
      x.scale + s,
    );
  }

  sumRows(x: Wire): Wire {
    const cols = x.shape[x.shape.length - 1];
    return this.local(
      linear([x], ['sumRows', cols], (kernels, [p]) => kernels.sumRows(p, cols)),
      x.shape.slice(0, -1),
      x.k,
      x.scale,
    );
  }

  repeat(x: Wire, cols: number): Wire {
    return this.local(
      linear([x], ['repeat', cols], (kernels, [p]) => kernels.repeat(p, cols)),
      [...x.shape, cols],
      x.k,
      x.scale,
    );
  }

  means(x: Wire, scale: number): Wire {
    return this.local(meansOf(x, scale), x.shape, x.k, x.scale + scale);
  }

  gather(x: Wire, pattern: Pattern, shape: readonly number[]): Wire {
    invariant(patternCount(pattern) === countOf(shape), 'gather: pattern and shape differ');
    invariant(patternReach(pattern) <= x.count, 'gather: the pattern reaches beyond its source');
    return this.local(
      {
        ...linear([x], ['gather', patternText(pattern)], (kernels, [p]) => kernels.gather(p, pattern)),
        moves: pattern,
      },
      shape,
      x.k,
      x.scale,
    );
  }

  reshape(x: Wire, shape: readonly number[], scale = x.scale): Wire {
    invariant(countOf(shape) === x.count, 'reshape: the number of elements changes');
    const node: LocalNode = { ...linear([x], ['reshape'], (_kernels, [p]) => p), moves: 'all' };
    const out = this.local(node, shape, x.k, scale);
    this.note((to) => to.#shown.set(out, x));
    return out;
  }

  concat(parts: readonly Wire[]): Wire {
    const [first] = parts;
    invariant(
      parts.every(
        ({ k, scale, shape }) =>
          k === first.k && scale === first.scale && shape.slice(1).join() === first.shape.slice(1).join(),
      ),
      'concat: parts differ in ring, scale or row',
    );
    const rows = parts.reduce((sum, { shape }) => sum + shape[0], 0);
    return this.local(
      { ...linear(parts, ['concat'], (kernels, words) => kernels.concat(words)), joins: true },
      [rows, ...first.shape.slice(1)],
      first.k,
      first.scale,
    );
  }

  addParameter(x: Wire, parameter: Parameter): Wire {
    invariant(
      x.k === 64 && x.scale === parameter.scale,
      `${parameter.name}: scale ${parameter.scale} added to scale ${x.scale}`,
    );
    this.uses(parameter);
    return this.local(parameterOffset(x, parameter), x.shape, x.k, x.scale);
  }

  // ── bookkeeping ──────────────────────────────────────────────────────────

  protected place(
    shape: readonly number[],
    k: number,
    scale: number,
    known: Pick<Wire, 'kind' | 'readyA' | 'readyL2' | 'readyY'>,
  ): Wire {
    const made = { id: this.#sources.length, shape, count: countOf(shape), k, scale, ...known };
    // One wire in both circuits: what is built on it may be too.
    const before = this.#before?.wires[made.id];
    const wire = before !== undefined && alike(before, made) ? before : made;
    this.#wires.push(wire);
    // The slot is filled by #local or #gate right after.
    this.#sources.length += 1;
    return wire;
  }

  /** A local operation takes wires of both kinds; one additive operand makes its result additive. */
  protected local(
    node: LocalNode,
    shape: readonly number[],
    k: number,
    scale: number,
    { keepsY = true, kind }: { readonly keepsY?: boolean; readonly kind?: Wire['kind'] } = {},
  ): Wire {
    const { inputs } = node;
    const times = inputs.map((x) => x.readyY);
    const out = this.place(shape, k, scale, {
      kind: kind ?? (inputs.some((x) => x.kind === 'additive') ? 'additive' : 'masked'),
      readyA: latest(inputs.map((x) => x.readyA)),
      readyL2: inputs.reduce((last, x) => Math.max(last, x.readyL2), AHEAD),
      readyY: keepsY && times.every((time) => time !== undefined) ? latest(times as number[]) : undefined,
    });
    this.#sources[out.id] = node;
    return out;
  }

  protected gate(gate: Gate, out: Wire): Wire {
    this.#sources[out.id] = gate;
    this.register(gate);
    return out;
  }

  protected register(gate: Gate): void {
    invariant(gate.number === this.#gates.length, 'gates are numbered in order');
    if (longestStream(gate) > STREAM_BYTES) {
      throw new TercetError(
        'ERR_SHAPE',
        `${gate.path}: its masks are longer than a key stream, 2^38 bytes`,
        'run fewer or shorter texts at a time',
      );
    }
    this.#gates.push(gate);
    this.#sections.push(this.#path.join('/'));
  }

  /** The position of the next gate. */
  protected at(kind: string): Position {
    return { number: this.#gates.length, path: [...this.#path, kind].join('/') };
  }

  protected uses(parameter: Parameter): void {
    this.note((to) => to.#parameters.set(parameter.name, parameter));
  }

  #alike(x: Wire, y: Wire): void {
    invariant(
      x.k === y.k && x.count === y.count && x.scale === y.scale,
      `operands differ: k ${x.k}/${y.k}, count ${x.count}/${y.count}, scale ${x.scale}/${y.scale}`,
    );
  }

  /** What makes a wire. */
  protected sourceOf(x: Wire): LocalNode | Gate {
    return this.#sources[x.id];
  }

  /** The wire that a chain of reshapes shows. */
  protected shownBy(x: Wire): Wire {
    const shown = this.#shown.get(x);
    return shown === undefined ? x : this.shownBy(shown);
  }

  /** A gate that opens a value. */
  protected opens(gate: Opening): void {
    invariant(this.#notes === undefined, 'a block opens nothing');
    this.#outputs.push(gate);
    this.register(gate);
  }
}
