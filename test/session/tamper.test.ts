/**
 * A part of the tamper matrix in sessions (PROTOCOL §16.6): `tercet bench --suite tamper` is all of it. Every kind of
 * message has cells, no cell survives, and a cell that nobody notices is one that the suite tells.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type TamperRow, tampered } from '../../src/bench/tamper/cell.ts';
import { WORLDS, cellsOf } from '../../src/bench/tamper/cells.ts';
import { waits } from '../../src/bench/tamper/changes.ts';
import { benchTamper, nameOf, summaryOf } from '../../src/bench/tamper/suite.ts';
import { World, engines } from '../../src/bench/tamper/world.ts';
import { TASKS } from '../../src/ml/tasks/table.ts';
import { SYMMETRIC_MESSAGES } from '../../src/mpc/protocol/aby3/messages.ts';
import { MESSAGES } from '../../src/mpc/protocol/malicious/messages.ts';
import type { WeightMode } from '../../src/session/request.ts';
import { failure } from '../failure.ts';

const on = await engines();
/** One cell of so many. */
const EVERY = 16;
const quiet = { signal: new AbortController().signal, note: () => undefined };

describe('the matrix', () => {
  it.each([
    ['3pc_malicious', MESSAGES],
    ['aby3', SYMMETRIC_MESSAGES],
  ] as const)('of %s has cells for every message that somebody answers for', (protocol, messages) => {
    const worlds = WORLDS.filter((world) => world.protocol === protocol);
    const all = worlds.flatMap(({ family, weights }) => cellsOf(family, weights, () => 6, protocol));
    expect(all.length).toBeGreaterThanOrEqual(500);
    for (const { tag, from, to, weights, reason } of messages) {
      // What P0 deals for itself of open weights is proved to nobody.
      const own = reason?.startsWith('with open weights') === true;
      const found = all.filter(
        (cell) =>
          cell.message === tag && cell.cheater === from && cell.to === to && cell.weights === (weights ?? cell.weights),
      );
      expect(found.length > 0, `${tag} ${from} ${to}`).toBe(!own);
    }
    expect(new Set(all.map((cell) => nameOf({ protocol, ...cell }))).size).toBe(all.length);
  });

  it('has every task, with open and with secret weights, and provers of all parties', () => {
    for (const task of TASKS)
      for (const weights of ['open', 'secret'] as const)
        expect(WORLDS).toContainEqual({ protocol: '3pc_malicious', family: task, weights });
    const proofs = cellsOf('gates', 'open', () => 6, 'aby3').filter(({ message }) => /^proof-answer/.test(message));
    expect(new Set(proofs.map(({ cheater }) => cheater))).toEqual(new Set([0, 1, 2]));
  });
});

describe.each([
  ['3pc_malicious', 'open'],
  ['3pc_malicious', 'secret'],
  ['aby3', 'open'],
  ['aby3', 'secret'],
] as const)('one gate of every kind, %s, %s weights', (protocol, weights) => {
  it('a cheater is caught, whatever it changes', { timeout: 240_000 }, async () => {
    const world = await World.make(protocol, weights, 'gates', on);
    const normal = await world.normal();
    expect(normal.errors).toEqual([undefined, undefined, undefined]);
    expect(normal.wiped).toEqual([true, true, true]);
    const captured = await world.captured();
    // What ends by a time-out the suite waits for, a test does not.
    const cells = cellsOf('gates', weights, (proof) => captured?.stages(proof) ?? 0, protocol).filter(
      ({ change }, i) => i % EVERY === 0 && !waits(change),
    );
    const rows: TamperRow[] = [];
    for (const cell of cells) rows.push(await tampered(world, cell));
    const { caught, survived, same } = summaryOf(rows);
    expect(rows.filter(({ outcome }) => outcome === 'survived' || outcome === 'absent')).toEqual([]);
    expect(survived).toBe(0);
    expect(caught).toBeGreaterThanOrEqual(25);
    expect(same).toBeLessThanOrEqual(caught / 8);
  });
});

describe('in the rounds of aby3', () => {
  const product = {
    family: 'gates',
    weights: 'open',
    cheater: 2,
    to: 0,
    message: 'product-20',
    change: 'all',
  } as const;

  it.each([
    ['P0, its part of a product', { ...product, cheater: 0, to: 1, message: 'product-01' }],
    ['P2, its part of a product', product],
    ['P0, its word of a selection', { ...product, cheater: 0, to: 2, message: 'select-02' }],
  ] as const)('%s: is caught, and goes unnoticed without proofs', async (_name, cell) => {
    const row = await tampered(await World.make('aby3', 'open', 'gates', on), cell);
    expect(row).toMatchObject({ protocol: 'aby3', outcome: 'caught', clean: true });
    expect(row.phase).toContain('proof');
    // Its claims passed: what is behind the first check saw it.
    expect(row.check).toBe('ends');
    const control = await tampered(await World.make('unproved', 'open', 'gates', on), cell);
    expect(control).toMatchObject({ protocol: 'unproved', outcome: 'accepted', error: [null, null] });
  });
});

describe('keys of a look-up', () => {
  it.each(['unit-up', 'unit-down', 'unit-half'] as const)(
    'that P0 makes of something else than a unit vector (%s) are caught with secret weights',
    async (change) => {
      const cell = { family: 'gates', weights: 'secret', cheater: 0, to: 1, message: 'lookup-deal', change } as const;
      const row = await tampered(await World.make('3pc_malicious', 'secret', 'gates', on), cell);
      expect(row).toMatchObject({ outcome: 'caught', clean: true });
      expect(row.phase).toContain('proof');
    },
  );
});

describe('a task, on the model that ships for it', () => {
  const cell = {
    family: 'fill-mask',
    weights: 'open',
    cheater: 1,
    to: 2,
    message: 'select-12',
    change: 'all',
  } as const;

  it('answers as any program asks it, and nothing opens where a table was another', { timeout: 240_000 }, async () => {
    const world = await World.make('3pc_malicious', 'open', 'fill-mask', on);
    const normal = await world.normal();
    expect(normal.errors).toEqual([undefined, undefined, undefined]);
    expect(normal.logits).toBeDefined();
    expect(await tampered(world, cell)).toMatchObject({ outcome: 'caught', clean: true });
  });
});

describe('a lie about a product', () => {
  const cell = { family: 'gates', weights: 'open', cheater: 2, to: 1, message: 'product-21', change: 'all' } as const;

  it('passes the first check by repaired claims, and is caught by what comes behind', async () => {
    const row = await tampered(await World.make('3pc_malicious', 'open', 'gates', on), cell);
    expect(row).toMatchObject({ outcome: 'caught', clean: true, phase: ['messages', 'proof'] });
    expect(row.check).toBe('ends');
  });

  it('goes unnoticed where nothing is proved', async () => {
    const other = { ...cell, cheater: 1, to: 2, message: 'select-12' } as const;
    const row = await tampered(await World.make('3pc_semi_honest', 'open', 'gates', on), other);
    expect(row).toMatchObject({ protocol: '3pc_semi_honest', outcome: 'accepted', error: [null, null] });
  });

  it('is a survivor where the message is another than the matrix thinks', async () => {
    const world = await World.make('3pc_malicious', 'open', 'gates', on);
    const row = await tampered(world, { ...cell, message: 'no-such-message' });
    expect(row.outcome).toBe('absent');
    expect(summaryOf([row])).toMatchObject({ caught: 0, survived: 1 });
  });
});

describe('a token behind a prompt', () => {
  const cell = { family: 'steps', weights: 'open', cheater: 1, to: 2, message: 'kept-keys/m', change: 'one' } as const;
  const ofP2 = { cheater: 2, to: 1 } as const;
  const ofP0 = { weights: 'secret', cheater: 0, to: 1 } as const;

  it.each([
    ['P1, another key', cell, 'proof'],
    ['P1, another mask of a value', { ...cell, message: 'kept-values/l1' }, 'proof'],
    ['P2, another value', { ...cell, ...ofP2, message: 'kept-values/m' }, 'proof'],
    ['P2, another mask of a key', { ...cell, ...ofP2, message: 'kept-keys/l2' }, 'proof'],
    ['P0, another mask of a key', { ...cell, ...ofP0, message: 'kept-keys/l1' }, 'proof'],
    ['P1, a table of the step before', { ...cell, message: 'select-12', change: 'replay' }, undefined],
    [
      'P2, the proof of the step before',
      { ...cell, ...ofP2, message: 'proof-answer/2.0.1', change: 'replay' },
      'proof',
    ],
    [
      'P0, the anchor of the step before',
      { ...cell, cheater: 0, to: 2, message: 'proof-anchor/2', change: 'replay' },
      'proof',
    ],
    ['P1, the agreement of the step before', { ...cell, message: 'agreement', change: 'replay' }, 'agreement'],
  ] as const)('%s: is caught, and nothing of the step opens', { timeout: 240_000 }, async (_name, changed, phase) => {
    const world = await worldOf(changed.weights);
    expect((await world.normal()).errors).toEqual([undefined, undefined, undefined]);
    const row = await tampered(world, changed);
    expect(row).toMatchObject({ outcome: 'caught', clean: true });
    expect(row.error).toContain('ERR_SECURITY_VIOLATION');
    if (phase !== undefined) expect(row.phase).toContain(phase);
  });

  it.each(['kept-keys/m', 'kept-values/m'])('%s goes unnoticed where nothing is proved', async (message) => {
    const row = await tampered(await World.make('3pc_semi_honest', 'open', 'steps', on), { ...cell, message });
    expect(row).toMatchObject({ outcome: 'accepted', error: [null, null] });
  });
});

describe('a token behind a prompt, with the owner in the rounds', () => {
  const cell = { family: 'steps', weights: 'open', cheater: 0, to: 1, message: 'kept-keys/l1', change: 'one' } as const;

  it('has cells of every kept word at each party, the owner with open weights among them', () => {
    const kept = cellsOf('steps', 'open', () => 6, 'aby3').filter(({ message }) => message.startsWith('kept-'));
    expect(new Set(kept.map(({ cheater }) => cheater))).toEqual(new Set([0, 1, 2]));
    for (const task of TASKS) expect(WORLDS).toContainEqual({ protocol: 'aby3', family: task, weights: 'secret' });
  });

  it('P0, another mask of a key: is caught, and goes unnoticed without proofs', { timeout: 240_000 }, async () => {
    const row = await tampered(await World.make('aby3', 'open', 'steps', on), cell);
    expect(row).toMatchObject({ protocol: 'aby3', outcome: 'caught', clean: true, check: 'ends' });
    expect(row.phase).toContain('proof');
    const without = await World.make('unproved', 'open', 'steps', on);
    expect((await without.normal()).errors).toEqual([undefined, undefined, undefined]);
    expect(await tampered(without, cell)).toMatchObject({ outcome: 'accepted', error: [null, null] });
  });
});

/** Made once: its circuits and public tables serve every cell. */
const made = new Map<WeightMode, Promise<World>>();
function worldOf(weights: WeightMode): Promise<World> {
  const world = made.get(weights) ?? World.make('3pc_malicious', weights, 'steps', on);
  made.set(weights, world);
  return world;
}

describe('the suite', () => {
  it('takes up a file of rows where it was left, and ends with its signal', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tercet-tamper-'));
    try {
      const rows = join(folder, 'rows.jsonl');
      const filter = 'open/gates/P1-P0/output-output';
      const seen: unknown[] = [];
      const context = { ...quiet, row: (row: unknown) => void seen.push(row) };
      const first = await benchTamper({ filter, every: 4, rows }, context);
      expect(first).toMatchObject({ survived: 0 });
      expect(first.caught).toBeGreaterThanOrEqual(2);
      const kept = readFileSync(rows, 'utf8');
      expect(kept.split('\n')).toHaveLength(seen.length + 1);
      expect(await benchTamper({ filter, every: 4, rows }, context)).toEqual(first);
      // Nothing was made again.
      expect(readFileSync(rows, 'utf8')).toBe(kept);
      const stopped = { ...context, signal: AbortSignal.abort() };
      await failure('ERR_ABORTED', benchTamper({ filter }, stopped));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
