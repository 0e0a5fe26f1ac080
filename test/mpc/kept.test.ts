/**
 * What a step keeps for the next: its rows stay where they are, products read them there, and all of their memory is
 * overwritten when no step takes it up any more.
 */
import { describe, expect, it } from 'vitest';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import type { RingKernels } from '../../src/compute/kernels/types.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { sharedPools } from '../../src/compute/kernels/wasm/shared-pool.ts';
import { strided } from '../../src/compute/pattern.ts';
import { type Words, wordsFrom } from '../../src/compute/ring.ts';
import { type Kept, KeptWords, wipeKept } from '../../src/mpc/protocol/frame/kept.ts';
import { HELD } from '../../src/mpc/share/wire.ts';
import type { Gates, Inputs } from '../../src/mpc/protocol/types.ts';
import { type Message, type SimulationOptions, createParties, record, settle, simulate } from '../support/simulate.ts';

const bytesOf = ({ data }: Words) => new Uint8Array(data.buffer);
const isZero = (words: Words) => bytesOf(words).every((byte) => byte === 0);
const words = (...values: number[]) => wordsFrom(values, 48);

describe('kept words', () => {
  it('are a copy, and others are written behind them in the same memory', () => {
    const source = words(1, 2, 3);
    const first = KeptWords.of(source);
    source.data[0] = 9n;
    const second = first.with([words(4), words(5, 6)]);
    expect([...first.data]).toEqual([1n, 2n, 3n]);
    expect([...(second?.data ?? [])]).toEqual([1n, 2n, 3n, 4n, 5n, 6n]);
    expect(second?.k).toBe(48);
    expect(second?.sharesMemory(first)).toBe(true);
    expect(KeptWords.of(source).sharesMemory(first)).toBe(false);
  });

  it('are written behind once, while there is room, and over one ring', () => {
    const first = KeptWords.of(words(1, 2, 3));
    expect(first.with([wordsFrom([4], 47)])).toBeUndefined();
    const second = first.with([words(4)]);
    expect(first.with([words(5)])).toBeUndefined();
    expect([...(second?.data ?? [])]).toEqual([1n, 2n, 3n, 4n]);
    const room = first.data.buffer.byteLength / 8 - 4;
    expect(second?.with([wordsFrom(new Uint8Array(room + 1), 48)])).toBeUndefined();
    expect(second?.with([wordsFrom(new Uint8Array(room), 48)])?.data.length).toBe(room + 4);
  });

  it('are overwritten with all of their memory, but where another step has it', () => {
    const [first, other] = [KeptWords.of(words(1, 2)), KeptWords.of(words(3))];
    const before: Kept = new Map([['x', { a: first, l1: other }]]);
    const grown = first.with([words(4)]) as KeptWords;
    wipeKept(before, new Map([['x', { a: grown, l1: KeptWords.of(words(3)) }]]));
    expect([...grown.data]).toEqual([1n, 2n, 4n]);
    expect(isZero(other)).toBe(true);
    // Under another name or component it is not the same that is kept.
    wipeKept(before);
    expect(isZero(grown)).toBe(true);
  });
});

const [H, D, T] = [3, 4, 5];
const C = H * D;
const RING = 48;

const module = await loadNodeModule();
const pool = sharedPools(() => undefined);
const wasm = await createWasmKernels({ party: PartyOperations, module, threads: 0, pool });

/** Heads of so many rows. */
const heads = (g: Gates, x: Parameters<Gates['gather']>[0], rows: number) =>
  g.gather(x, strided(0, [1, rows * C], [H, D], [rows, C], [D, 1]), [H, rows, D]);

function first(g: Gates): void {
  const rows = g.lift(g.input('rows', [T, C], RING, 16));
  g.keep('rows', rows);
  g.output('sum', g.sumRows(rows));
}

/** The s-th step: a row more, and both products of attention with all of them. */
function step(s: number, keeps = true): (g: Gates) => void {
  return (g) => {
    const before = T + s - 1;
    const fresh = g.lift(g.input('row', [1, C], RING, 16));
    const rows = g.concat([g.kept('rows', [before, C], RING, 16), fresh]);
    if (keeps) g.keep('rows', rows);
    const all = heads(g, rows, before + 1);
    const q = g.lift(heads(g, g.input('q', [1, C], 44, 16), 1));
    g.output('scores', g.matmul(q, g.reduce(all, 44), { transposed: true }));
    g.output('short', g.matmul(q, g.reduce(all, 44), { transposed: true, drop: 20 }));
    const weights = g.lift(g.input('weights', [H, 1, before + 1], 40, 0));
    g.output('context', g.matmul(weights, g.reduce(all, 40)));
  };
}

const some = (count: number, k: number, seed: number) =>
  wordsFrom(
    Array.from({ length: count }, (_, i) => ((i + 1) * seed * 7919) % 65_521),
    k,
  );
const rowsOf = (): Inputs => ({ tensors: { rows: some(T * C, RING, 1) }, indices: {} });
const inputsOf = (s: number): Inputs => ({
  tensors: { row: some(C, RING, 10 * s), q: some(C, 44, 10 * s + 1), weights: some(H * (T + s), 40, 10 * s + 2) },
  indices: {},
});

/** A first run and two steps, all with these kernels: outputs, messages and what is kept. */
async function text(kernels: () => RingKernels, options: SimulationOptions = {}) {
  const of = { ...options, kernels };
  const begun = await simulate(first, rowsOf(), { ...of, seed: 70 });
  const kept = [begun.engines.map((engine) => engine.kept)];
  const messages: Message[] = [];
  const outputs: (readonly [string, string])[] = [];
  for (const s of [1, 2]) {
    const before = kept[s - 1];
    const { simulation, messages: sent } = await record(step(s), inputsOf(s), {
      ...of,
      seed: 70 + s,
      kept: (id) => before[id],
    });
    messages.push(...sent);
    for (const [name, { data }] of simulation.outputs) outputs.push([name, data.join()]);
    kept.push(simulation.engines.map((engine) => engine.kept));
  }
  return { outputs, messages, kept };
}

const partsOf = (kept: Kept) => [...kept.values()].flatMap((parts) => Object.values(parts));

describe('a step', () => {
  it('adds its row where the others are, and sends what it would send if all were copied', async () => {
    const [here, copied] = [await text(() => wasm), await text(() => new ReferenceKernels())];
    expect(here.outputs).toEqual(copied.outputs);
    const ordered = ({ messages }: typeof here) =>
      messages.map(({ from, to, tag, bytes }) => `${from} ${to} ${tag} ${Array.from(bytes).join()}`).sort();
    expect(ordered(here)).toEqual(ordered(copied));
    for (const id of [0, 1, 2] as const) {
      const parts = here.kept.map((steps) => steps[id].get('rows'));
      expect(Object.keys(parts[0] ?? {})).toEqual(HELD['one-sided'][id]);
      for (const component of HELD['one-sided'][id]) {
        const [one, two, three] = parts.map((part) => part?.[component] as KeptWords);
        expect([one, two, three].map(({ data }) => data.length)).toEqual([T * C, (T + 1) * C, (T + 2) * C]);
        expect(two.sharesMemory(one) && three.sharesMemory(one)).toBe(true);
        expect(three.data.join()).toBe(copied.kept[2][id].get('rows')?.[component]?.data.join());
      }
    }
  });

  it('gives what plain numbers give, products that are read where they lie and others', async () => {
    const { outputs } = await text(() => wasm);
    const all = [...(rowsOf().tensors.rows.data as BigUint64Array)];
    for (const s of [1, 2]) {
      const { row, q, weights } = inputsOf(s).tensors;
      all.push(...(row.data as BigUint64Array));
      const [n, of] = [T + s, new Map(outputs.slice((s - 1) * 3, s * 3))];
      const at = (h: number, t: number, d: number) => all[t * C + h * D + d];
      const sum = (count: number, term: (i: number) => bigint) =>
        Array.from({ length: count }, (_, i) => term(i)).reduce((a, b) => a + b, 0n);
      const scores = Array.from({ length: H * n }, (_, i) =>
        sum(D, (d) => BigInt(q.data[Math.floor(i / n) * D + d]) * at(Math.floor(i / n), i % n, d)),
      );
      expect(of.get('scores')).toBe(scores.map((x) => BigInt.asUintN(44, x)).join());
      const context = Array.from({ length: C }, (_, i) =>
        sum(n, (t) => BigInt(weights.data[Math.floor(i / D) * n + t]) * at(Math.floor(i / D), t, i % D)),
      );
      expect(of.get('context')).toBe(context.map((x) => BigInt.asUintN(40, x)).join());
    }
  });

  it('neither gathers nor cuts what it attends to', async () => {
    const moved: number[] = [];
    const watched: RingKernels = new Proxy(wasm, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (name === 'scope') return () => scopeOf(target.scope());
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const scopeOf = (scope: typeof wasm) =>
      Object.defineProperty(scope, 'atOnce', {
        value: {
          ...scope.atOnce,
          gather: (...of: Parameters<typeof scope.atOnce.gather>) => {
            const out = wasm.atOnce.gather(...of);
            moved.push(out.data.length);
            return out;
          },
        },
      });
    await text(() => watched);
    // The queries, which are a row.
    expect(moved.length).toBeGreaterThan(0);
    expect(Math.max(...moved)).toBe(C);
  });

  it('that keeps nothing leaves no share of the ones before', async () => {
    const { kept } = await text(() => wasm);
    const last = kept[2];
    const held = last.flatMap(partsOf);
    expect(held.some((part) => !isZero(part))).toBe(true);
    await simulate(step(3, false), inputsOf(3), { kernels: () => wasm, seed: 73, kept: (id) => last[id] });
    expect(held.every(isZero)).toBe(true);
    expect(kept.flat().flatMap(partsOf).every(isZero)).toBe(true);
  });

  it('that fails overwrites all that was kept, with the row that it added', async () => {
    const { kept } = await text(() => wasm);
    const last = kept[2];
    const broken = createParties(step(3), {
      kernels: () => wasm,
      seed: 74,
      kept: (id) => last[id],
      // What the products of P1 wait for is cut off.
      tap: (from, _to, tag, bytes) => (from === 2 && tag.includes('21') ? bytes.subarray(1) : undefined),
    });
    const results = await settle(broken, inputsOf(3));
    expect(results.some(({ status }) => status === 'rejected')).toBe(true);
    for (const id of [1, 2] as const)
      for (const part of partsOf(last[id]))
        expect(bytesOf(part).subarray(part.data.byteLength).some(Boolean)).toBe(true);
    for (const engine of broken.engines) engine.clear();
    for (const id of [0, 1] as const) expect(partsOf(last[id]).every(isZero)).toBe(true);
    // P2 came to its end: what it keeps is its session's.
    expect(partsOf(last[2]).every(isZero)).toBe(false);
    wipeKept(broken.engines[2].kept);
    expect(partsOf(last[2]).every(isZero)).toBe(true);
  });

  it('with complete sharing copies: who proves may look at vectors when the step is over', async () => {
    const begun = await simulate(first, rowsOf(), { kernels: () => wasm, seed: 80, sharing: 'complete' });
    const before = begun.engines.map((engine) => engine.kept);
    const parts = before.flatMap(partsOf);
    const next = await simulate(step(1), inputsOf(1), {
      ...{ kernels: () => wasm, seed: 81, sharing: 'complete' },
      kept: (id) => before[id],
    });
    const after = next.engines.flatMap((engine) => partsOf(engine.kept));
    expect(after.map((part, i) => part.sharesMemory(parts[i]))).toEqual(after.map(() => false));
    expect(after.some((part) => !isZero(part))).toBe(true);
    expect(parts.every(isZero)).toBe(true);
  });
});
