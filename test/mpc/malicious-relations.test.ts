/**
 * Every message under complete sharing has a relation, or a stated reason; the table of docs/SECURITY.md says the same;
 * and what the mode costs the data owner.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { MAX_INDEX_BITS } from '../../src/compute/index-group.ts';
import type { CosineSum, PiecewisePolynomial } from '../../src/compute/kernels/types.ts';
import { wordsFrom } from '../../src/compute/ring.ts';
import type { Proved } from '../../src/mpc/protocol/frame/gate.ts';
import { MESSAGES, type MessageKind, messageTable, otherTable } from '../../src/mpc/protocol/malicious/messages.ts';
import { OWN_MESSAGES, SYMMETRIC_MESSAGES } from '../../src/mpc/protocol/aby3/messages.ts';
import type { Gates } from '../../src/mpc/protocol/types.ts';
import { checkShape } from '../../src/mpc/proof/relations.ts';
import { type ClearParameter, parameterView } from '../support/parameters.ts';
import { type Message, record } from '../support/simulate.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });

const TABLE: ClearParameter = {
  parameter: { name: 'table', rows: 5, cols: 2, scale: 0 },
  values: Array.from({ length: 10 }, (_, i) => BigInt(i)),
};
const W: ClearParameter = { parameter: { name: 'w', rows: 2, cols: 2, scale: 0 }, values: [1n, 2n, 3n, 4n] };
const ROW: ClearParameter = { parameter: { name: 'row', rows: 1, cols: 2, scale: 0 }, values: [1n, -1n] };
const CUBIC: PiecewisePolynomial = {
  ...{ segments: 16, degree: 3, t: 6, s1: 8, s2: 8, guard: 2 },
  coefficients: new BigInt64Array(64),
};
const COSINES: CosineSum = {
  ...{ odd: false, linear: true, scale: 16, shift: 4, constant: 7n },
  terms: [{ frequency: 5001, amplitude: 1 << 24, s1: 8, s2: 8 }],
};

/** One gate of every kind. */
function everything(g: Gates): void {
  const rows = g.lookup('t', TABLE.parameter, 1);
  const map = g.affine([
    { x: rows, weight: W.parameter },
    { x: rows, weight: ROW.parameter, diagonal: true },
  ]);
  const x = g.reshape(map, [1, 1, 2]);
  const square = g.reshape(g.matmul(x, x, { transposed: true }), [1]);
  const small = g.truncate(g.mul(square, square), 4);
  const bit = g.sign(g.reduce(small, 4));
  const [narrow, wide] = [g.reduce(small, 10), g.reduce(small, 32)];
  g.output('cubic', g.polynomial(narrow, CUBIC, 32));
  g.output(
    'cosines',
    g.cosines(
      [
        { x: wide, sum: COSINES, gate: bit },
        { x: wide, sum: COSINES },
      ],
      32,
    ),
  );
  g.output('said', g.input('bits', [2], 32, 0, 'bits'));
  g.output('picked', g.input('picks', [1, 2], 64, 0, 'units'));
  g.output('chosen', g.choose([bit], [small, square], Uint8Array.of(0, 1)));
  g.output('exp', g.exponential(g.raise(g.reduce(small, 16), 9, 25), bit, 17, 17));
}

async function ran(weights: 'open' | 'secret', aby3 = false) {
  const { messages, simulation } = await record(
    everything,
    {
      tensors: { bits: wordsFrom([1, 0], 32), picks: wordsFrom([0, 1], 64) },
      indices: { t: [3] },
    },
    {
      ...{ sharing: 'complete', aby3, weights, seed: 5, kernels: () => wasm },
      parameters: (id, kernels) => parameterView(weights, id, kernels, [TABLE, W, ROW]),
    },
  );
  return { messages, relations: simulation.circuit.gates.flatMap((gate) => gate.relations ?? []) };
}

/** Kinds of message that the list lacks, and kinds of it whose relations nobody proves. */
function unproved(
  weights: 'open' | 'secret',
  messages: readonly Message[],
  relations: readonly Proved[],
  kinds: readonly MessageKind[],
): string[] {
  const mine = kinds.filter((kind) => kind.weights === undefined || kind.weights === weights);
  const key = ({ tag, from, to }: Pick<Message, 'tag' | 'from' | 'to'>) => `${tag.split('/')[0]} P${from} → P${to}`;
  const known = new Set(mine.map(key));
  const proved = new Set(
    relations.flatMap(({ prover, shapes }) => shapes.map(({ message }) => `${message} P${prover}`)),
  );
  return [
    ...new Set(messages.map(key).filter((kind) => !known.has(kind))),
    ...mine.flatMap(({ relations: names = [], from, reason, tag }) => [
      ...names.filter((name) => !proved.has(`${name} P${from}`)),
      ...(names.length === 0 && reason === undefined ? [`${tag}: neither a relation nor a reason`] : []),
    ]),
  ];
}

describe('every message', () => {
  it.each(['open', 'secret'] as const)('%s weights: has a relation of its sender, or a reason', async (weights) => {
    const { messages, relations } = await ran(weights);
    const kinds = MESSAGES;
    expect(unproved(weights, messages, relations, kinds)).toEqual([]);
    // The control: a kind that is left out, and a relation that no gate has.
    const without = kinds.filter(({ tag }) => tag !== 'product-21');
    expect(unproved(weights, messages, relations, without)).toEqual(['product-21 P2 → P1']);
    const silent = relations.filter(({ shapes }) => shapes[0].message !== 'widen.table');
    expect(unproved(weights, messages, silent, kinds)).toEqual(['widen.table']);
  });

  it.each(['open', 'secret'] as const)('%s weights: its relation is one that the engine takes', async (weights) => {
    const { relations } = await ran(weights);
    expect(relations.length).toBeGreaterThan(20);
    const shapes = relations.flatMap((relation) => relation.shapes);
    for (const shape of shapes) {
      checkShape(
        shape.kind === 'table' ? { ...shape, table: { ...shape.table, words: () => Promise.reject() } } : shape,
      );
      if (shape.kind === 'table')
        expect(shape.table.group.bits + shape.table.group.xorBits).toBeLessThanOrEqual(MAX_INDEX_BITS);
    }
    // With open weights P0 proves nothing.
    expect(relations.some(({ prover }) => prover === 0)).toBe(weights === 'secret');
  });

  it.each(['open', 'secret'] as const)('of aby3, %s weights: the same', async (weights) => {
    const { messages, relations } = await ran(weights, true);
    const kinds = SYMMETRIC_MESSAGES;
    expect(unproved(weights, messages, relations, kinds)).toEqual([]);
    const without = kinds.filter(({ tag }) => tag !== 'product-20');
    expect(unproved(weights, messages, relations, without)).toEqual(['product-20 P2 → P0']);
    // All three prove, whatever the weights.
    expect(new Set(relations.map(({ prover }) => prover))).toEqual(new Set([0, 1, 2]));
  });

  it('stands in docs/SECURITY.md', () => {
    const text = readFileSync(new URL('../../docs/SECURITY.md', import.meta.url), 'utf8');
    expect(text).toContain(messageTable().join('\n'));
    expect(text).toContain(messageTable(OWN_MESSAGES).join('\n'));
    expect(text).toContain(otherTable().join('\n'));
  });
});
