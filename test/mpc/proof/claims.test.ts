/** Claims of constant words: their factors are summed once, in place of every word at every element. */
import { describe, expect, it } from 'vitest';
import { indexGroup } from '../../../src/compute/index-group.ts';
import { writeBits } from '../../../src/compute/kernels/reference/bits.ts';
import { type TableLayout, elementBits, tableBytes } from '../../../src/compute/kernels/table-layout.ts';
import { loadNodeProofModule } from '../../../src/compute/kernels/wasm/node-worker.ts';
import { WasmProofKernels } from '../../../src/compute/kernels/wasm/proof.ts';
import type { Words } from '../../../src/compute/ring.ts';
import { Challenges, seedChain } from '../../../src/mpc/proof/challenges.ts';
import { claimsOf } from '../../../src/mpc/proof/claims.ts';
import { PublicTables } from '../../../src/mpc/proof/public-tables.ts';
import type { TableShape, Whole } from '../../../src/mpc/proof/relations.ts';
import { Segment } from '../../../src/mpc/proof/segment.ts';
import { PARAMETERS } from '../../../src/mpc/proof/soundness.ts';
import { Random } from '../../compute/kernels.suite.ts';
import { KEYS, PLACE } from '../../support/proofs.ts';

const kernels = new WasmProofKernels(await loadNodeProofModule());

/** More than a part of claims, and no whole bytes of ones. */
const ELEMENTS = 2 ** 14 + 13;
const LAYOUT: TableLayout = { n: 1, k: 64, widths: [64, 35] };
const STAGES = 20;
/** The largest words there are. */
const WORDS = [2n ** 64n - 1n, 2n ** 35n - 1n];

function repeated(count: number): Uint8Array {
  const bytes = new Uint8Array(tableBytes(LAYOUT, count));
  for (let i = 0; i < count; i++) {
    writeBits(bytes, i * elementBits(LAYOUT), 64, WORDS[0]);
    writeBits(bytes, i * elementBits(LAYOUT) + 64, 35, WORDS[1]);
  }
  return bytes;
}

async function claims(whole: Whole, constant: boolean): Promise<bigint[]> {
  const shape: TableShape = {
    kind: 'table',
    message: 'a table of constant words',
    elements: ELEMENTS,
    table: {
      id: '00'.repeat(32),
      group: indexGroup(6),
      layout: LAYOUT,
      functions: [{ first: 0, layout: LAYOUT, ...(constant ? { constant } : {}) }],
      words: async (_, indices) => repeated(indices.length),
    },
    terms: [0, 0, 0],
    factorBits: 64,
  };
  const segment = new Segment(PLACE, [shape], PARAMETERS[128]);
  // A segment of constant words has fewer stages: challenges are those of one chain.
  const seeds = seedChain(KEYS.vw, segment.place, STAGES);
  const challenges = new Challenges(segment, kernels, (stage) => seeds[stage]);
  const tables = new PublicTables(segment, kernels, challenges);
  return claimsOf({ segment, kernels, challenges, tables }, 0, whole);
}

describe('claims of constant words', () => {
  it('are those of the words at every element', async () => {
    const random = new Random(5);
    const index = (): Words => ({ k: 6, data: Uint32Array.from({ length: ELEMENTS }, () => random.below(64)) });
    const factor: Words = { k: 44, data: new BigUint64Array(ELEMENTS).fill(2n ** 44n - 1n) };
    const words = Uint32Array.from({ length: ELEMENTS }, () => random.below(2 ** 20));
    const other: Words = { k: 20, data: words };
    const entries = { kind: 'packed', bytes: new Uint8Array() } as const;
    const whole = {
      v: { kind: 'table', entries, index: index(), factors: [undefined, factor, factor] },
      w: { kind: 'table', entries, index: index(), factors: [undefined, undefined, other] },
    } as const;
    const all = await claims(whole, false);
    expect(all.some((claim) => claim > 2n ** 128n)).toBe(true);
    expect(await claims(whole, true)).toEqual(all);
    // What differs in a factor differs in a claim.
    words[7] ^= 1;
    expect(await claims(whole, true)).not.toEqual(all);
  });
});
