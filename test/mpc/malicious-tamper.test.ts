/**
 * A part of the tamper matrix (PROTOCOL §16.6): whoever changes a message is caught before anything opens, by the check
 * that is meant to catch it. All cells, with secret weights and messages that never come: `TERCET_TAMPER=all`.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { wordsFrom } from '../../src/compute/ring.ts';
import { type Cell, type Row, cellsOf, controlOf, expectedOf, proofCells, rowOf, tampered } from '../support/tamper.ts';

const ALL = process.env['TERCET_TAMPER'] === 'all';
const rows: Row[] = [];

/** A drop mostly ends by a time-out, so two of them stand for the others. */
const DROPPED = ['affine-ahead', 'select-12'];
const SECRET = ['lookup-deal', 'affine-deal', 'product-deal', 'select-deal', 'widen-deal', 'affine-21'];
const CELLS: readonly Cell[] = ALL
  ? [...cellsOf('open'), ...cellsOf('secret'), ...proofCells()]
  : [
      ...cellsOf('open').filter(({ change, message }) => change !== 'drop' || DROPPED.includes(message)),
      ...cellsOf('secret').filter(({ change, message }) => change === 'flip' && SECRET.includes(message)),
      ...proofCells().filter(({ change }) => change === 'flip'),
    ];

const named = (cell: Cell) =>
  [`${cell.weights}: P${cell.cheater} to P${cell.to}, ${cell.message}: ${cell.change}`, cell] as const;

describe('the control', () => {
  it.each(['open', 'secret'] as const)('%s weights: what nobody changed is accepted and opens', async (weights) => {
    const { ended } = await tampered(undefined, weights);
    for (const { error } of ended) if (error !== undefined) throw error;
    // y = E[3]·W + x = (7, 8)·W + x = (33, 51), squared.
    expect(ended[0].outputs?.get('wide')).toEqual(wordsFrom([33 ** 2, 51 ** 2], 20));
    expect(ended[0].outputs?.get('chosen')).toEqual(wordsFrom([2, 2], 8));
  });

  it('the same changes go unnoticed where nothing is proved', async () => {
    const cells = cellsOf('open').filter(({ change, cheater, to }) => change === 'flip' && cheater > 0 && to > 0);
    const seen: (Row | undefined)[] = [];
    for (const cell of cells) seen.push(await controlOf(cell));
    const found = seen.filter((row) => row !== undefined);
    rows.push(...found);
    expect(found.length).toBeGreaterThanOrEqual(4);
    expect(found.filter(({ outcome }) => outcome !== 'accepted')).toEqual([]);
  });
});

describe('a changed message', () => {
  it.each(CELLS.map(named))('%s', async (_name, cell) => {
    const row = await rowOf(cell);
    rows.push(row);
    const { phase, all } = expectedOf(cell);
    if (row.outcome === 'same') return;
    expect(row).toMatchObject({ outcome: 'caught', clean: true });
    const caught = row.error.map((code) => code === 'ERR_SECURITY_VIOLATION');
    if (all) expect(caught, JSON.stringify(row)).toEqual([true, true]);
    // Who only sees the links go may be a message behind.
    if (phase !== undefined) expect(row.phase, JSON.stringify(row)).toContain(phase);
    expect(row.error.filter((code) => code !== undefined && code !== 'ERR_SECURITY_VIOLATION')).toEqual([]);
  });
});

afterAll(() => {
  if (ALL) console.log(rows.map((row) => JSON.stringify(row)).join('\n'));
  const malicious = rows.filter(({ protocol }) => protocol === '3pc_malicious');
  expect(malicious.length).toBeGreaterThanOrEqual(60);
  expect(malicious.filter(({ outcome }) => outcome === 'same').length).toBeLessThan(malicious.length / 10);
});
