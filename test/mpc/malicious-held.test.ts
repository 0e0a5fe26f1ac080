/** What provers hold in a run of wide gates, as their memory counts it, against what is declared from shapes. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ProverMemory } from '../../src/mpc/proof/prover-memory.ts';
import { Prover } from '../../src/mpc/proof/prover.ts';
import type { Whole } from '../../src/mpc/proof/relations.ts';
import type { Gates } from '../../src/mpc/protocol/types.ts';
import { proofMemory } from '../../src/mpc/protocol/malicious/proving/memory.ts';
import type { PartyId } from '../../src/net/wire/types.ts';
import { wordsFrom } from '../../src/compute/ring.ts';
import type { TercetError } from '../../src/core/errors.ts';
import { type Ended, type ProvedSetting, completeCircuit, readersOf, runProved } from '../support/proved.ts';
import { QUICK, SMALL_PARAMETERS } from '../support/tamper.ts';
import { parameterView } from '../support/parameters.ts';

afterEach(() => void vi.restoreAllMocks());

const WIDE = 8192;
const LAYERS = 4;
/** A layer of this circuit is more than a segment has. */
const LIMIT = 2 ** 19;

function wide(g: Gates): void {
  let x = g.input('x', [WIDE], 16, 0);
  for (let layer = 0; layer < LAYERS; layer++) x = g.reduce(g.widen(g.mul(x, x), 20), 16);
  g.output('y', x);
}

const INPUTS = {
  tensors: {
    x: wordsFrom(
      Array.from({ length: WIDE }, (_, i) => i % 7),
      16,
    ),
  },
  indices: {},
};

interface Behind {
  /** The memory of each party's provers. */
  readonly found: ReadonlyMap<PartyId, ProverMemory>;
  /** Regions in which words that are not zero were kept. */
  readonly regions: ReadonlySet<ArrayBufferLike>;
  readonly ended: readonly Ended[];
}

/** What there is behind a run. */
async function behind(tap?: ProvedSetting['tap']): Promise<Behind> {
  const circuit = completeCircuit(wide);
  const parties = readersOf(circuit);
  const found = new Map<PartyId, ProverMemory>();
  const regions = new Set<ArrayBufferLike>();
  let recording: PartyId | undefined;
  const record = Prover.prototype.record;
  vi.spyOn(Prover.prototype, 'record').mockImplementation(function (this: Prover, index: number, whole: Whole) {
    recording = parties.get(whole.v);
    record.call(this, index, whole);
    recording = undefined;
  });
  const keep = ProverMemory.prototype.keep;
  vi.spyOn(ProverMemory.prototype, 'keep').mockImplementation(function (this: ProverMemory, view) {
    if (recording !== undefined) found.set(recording, this);
    const kept = keep.call(this, view);
    if (kept !== view && kept.some((word) => word !== 0 && word !== 0n)) regions.add(kept.buffer);
    return kept;
  });
  const ended = await runProved(circuit, INPUTS, {
    ...{ weights: 'open', segmentBytes: LIMIT, proofParameters: QUICK, timeoutMs: 60_000 },
    parameters: (id, kernels) => parameterView('open', id, kernels, SMALL_PARAMETERS),
    ...(tap === undefined ? {} : { tap }),
  });
  return { found, regions, ended };
}

/** The memory of each party's provers, behind a run that passed. */
async function memories(): Promise<Behind['found']> {
  const { found, ended } = await behind();
  for (const { error } of ended) if (error !== undefined) throw error;
  return found;
}

describe('a run of several segments', () => {
  const declared = proofMemory(completeCircuit(wide), QUICK, LIMIT);
  const most = (id: PartyId) => declared.kept[id] + declared.scalars[id];

  it('holds no more than is declared, and not far less', { timeout: 60_000 }, async () => {
    const all = await memories();
    expect([...all.keys()].sort()).toEqual([1, 2]);
    for (const [id, memory] of all) {
      const about = `P${id}: ${memory.most} of ${most(id)}`;
      if (process.env['MEASURE'] !== undefined) console.log(about);
      expect(memory.most, about).toBeLessThanOrEqual(most(id));
      expect(most(id), about).toBeLessThanOrEqual(3 * memory.most);
      expect(memory.held).toBe(0);
    }
  });

  it('holds more than that where a prover lets go of nothing before the end', { timeout: 60_000 }, async () => {
    vi.spyOn(ProverMemory.prototype, 'free').mockImplementation(() => undefined);
    for (const [id, memory] of await memories()) expect(memory.most, `P${id}`).toBeGreaterThan(most(id));
  });

  it.each([
    ['passes', undefined, [undefined, undefined, undefined]],
    [
      'ends by a word that P1 changed',
      (_from: PartyId, _to: PartyId, tag: string, bytes: Uint8Array) =>
        tag.startsWith('product-12/') ? bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) : undefined,
      Array.from({ length: 3 }, () => 'ERR_SECURITY_VIOLATION'),
    ],
  ] as const)('leaves no share of it where it %s', { timeout: 60_000 }, async (_how, tap, codes) => {
    const { regions, ended } = await behind(tap);
    expect(ended.map(({ error }) => (error as TercetError | undefined)?.code)).toEqual(codes);
    // A region of each prover, which was written to.
    expect(regions.size).toBe(2);
    for (const region of regions)
      expect(new BigUint64Array(region as ArrayBuffer).every((word) => word === 0n)).toBe(true);
  });
});
