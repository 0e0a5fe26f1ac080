import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { benchModes } from '../../src/bench/modes.ts';
import { type Row, type SuiteContext, childrenCpuS } from '../../src/bench/rows.ts';
import { execFileSync } from 'node:child_process';

const NAME = 'bert-base/16/open';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tercet-modes-'));
  file = join(folder, 'rows');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs of so many milliseconds, one after the other; a further one fails. */
async function rows(times: readonly number[], options: { filter?: string; rows?: string } = {}): Promise<Row[]> {
  const [made, left]: [Row[], number[]] = [[], [...times]];
  const context: SuiteContext = {
    entry: '',
    signal: new AbortController().signal,
    note: () => undefined,
    row: (row) => made.push(row),
  };
  const links = { sentBytes: 1, receivedBytes: 1, onlineRounds: 1 };
  await benchModes({ filter: NAME, weights: undefined, rows: file, ...options }, context, async () => {
    const onlineMs = left.shift();
    if (onlineMs === undefined) throw new Error('no further run');
    return {
      tokens: 16,
      timing: { preprocessMs: 0, onlineMs },
      cost: { p0: links, p1: links, p2: links, rounds: 1 },
      memory: { p0PeakBytes: 1, p1PeakBytes: 1, p2PeakBytes: 1 },
      plaintext: { maxAbsLogitError: 0, argmaxEqual: true },
    };
  });
  expect(left).toEqual([]);
  return made;
}

const shown = (all: readonly Row[]) => all.map(({ protocol, onlineMs, times }) => [protocol, onlineMs, times]);

describe('the suite of modes', () => {
  it('goes on where it was stopped, and compares with what it made before', async () => {
    await expect(rows([100])).rejects.toThrow('no further run');
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(1);
    const all = [
      ['3pc_semi_honest', 100, 1],
      ['3pc_malicious', 250, 2.5],
      ['aby3', 400, 4],
    ];
    expect(shown(await rows([250, 400]))).toEqual(all);
    expect(shown(await rows([]))).toEqual(all);
  });

  it('makes again what another commit made', async () => {
    await rows([100, 250, 400]);
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    writeFileSync(file, lines.map((line) => `${JSON.stringify({ ...JSON.parse(line), commit: 'other' })}\n`).join(''));
    expect(shown(await rows([10, 20, 30]))[1]).toEqual(['3pc_malicious', 20, 2]);
  });

  it('has every model, both kinds of weights, all modes', async () => {
    const all = await rows(new Array<number>(42).fill(1), { filter: '' });
    expect(new Set(all.map(({ name }) => String(name).split('/open')[0].split('/secret')[0]))).toEqual(
      new Set(['capitals-bert', 'sst2-bert', 'tiny-gpt2', 'bert-base/16', 'gpt2/16', 'bert-base/128']),
    );
    expect(all.filter(({ weights, protocol }) => weights === 'secret' && protocol === '3pc_malicious')).toHaveLength(6);
  });
});

it.skipIf(childrenCpuS() === undefined)('CPU of children is what they used', () => {
  const before = childrenCpuS() ?? 0;
  const busy = 'const end = process.cpuUsage().user + 3e5; while (process.cpuUsage().user < end);';
  execFileSync(process.execPath, ['-e', busy]);
  expect((childrenCpuS() ?? 0) - before).toBeGreaterThan(0.25);
});
