/**
 * What false statements are accepted with: the bound, computed, and rates at toy parameters that can be measured
 * (PROTOCOL §15.8). Keys follow from the trial, so a rate is the same in every run.
 */
import { describe, expect, it } from 'vitest';
import { isPrime, power } from '../../../src/compute/field.ts';
import { indexGroup } from '../../../src/compute/index-group.ts';
import type { ProofKernels } from '../../../src/compute/kernels/proof-types.ts';
import { tableLayout } from '../../../src/compute/kernels/table-layout.ts';
import { loadNodeProofModule } from '../../../src/compute/kernels/wasm/node-worker.ts';
import { WasmProofKernels } from '../../../src/compute/kernels/wasm/proof.ts';
import { TercetError } from '../../../src/core/errors.ts';
import { Challenges, seedChain } from '../../../src/mpc/proof/challenges.ts';
import { claimsOf } from '../../../src/mpc/proof/claims.ts';
import { linearPart } from '../../../src/mpc/proof/halves.ts';
import { PublicTables } from '../../../src/mpc/proof/public-tables.ts';
import { columnsOf } from '../../../src/mpc/proof/relations.ts';
import { Segment } from '../../../src/mpc/proof/segment.ts';
import { PARAMETERS, type ProofParameters, primesOfLength, soundness } from '../../../src/mpc/proof/soundness.ts';
import { decodeClaims, encodeClaims } from '../../../src/mpc/proof/transcript.ts';
import { Random } from '../../compute/kernels.suite.ts';
import { failure, thrown } from '../../failure.ts';
import {
  type Cheat,
  KEYS,
  PLACE,
  type Statement,
  choiceStatement,
  matrixStatement,
  parties,
  prove,
  tableStatement,
  wrong,
} from '../../support/proofs.ts';

const kernels: ProofKernels = new WasmProofKernels(await loadNodeProofModule());

function placeOf(trial: number) {
  const session = new Uint8Array(32);
  new DataView(session.buffer).setUint32(0, trial, true);
  return { ...PLACE, session };
}

/** Whether a proof is accepted; anything but the refusal of a proof is a failure of the test. */
async function accepts(
  statements: readonly Statement[],
  parameters: ProofParameters,
  trial: number,
  cheat?: Cheat,
): Promise<boolean> {
  const all = await parties(statements, { parameters, kernels, place: placeOf(trial) });
  try {
    await prove(all, cheat);
    return true;
  } catch (error) {
    if (error instanceof TercetError && error.code === 'ERR_SECURITY_VIOLATION') return false;
    throw error;
  }
}

describe('the bound', () => {
  it.each([
    [40, -39.0],
    [44, -43.0],
    [48, -46.97],
    [64, -52.6],
  ])('is that of the design for σ = %d', (sigma, expected) => {
    const { total } = soundness({ ...PARAMETERS[128], sigma }, 20);
    expect(total).toBeCloseTo(expected, sigma === 48 ? 2 : 1);
  });

  it('has the parts of PROTOCOL §15.8', () => {
    const { compression, lift, folding, zeroKnowledge } = soundness(PARAMETERS[128], 20);
    expect([compression, lift, folding].map((part) => Math.round(10 * part) / 10)).toEqual([-47, -53, -54.6]);
    expect(Math.round(zeroKnowledge)).toBe(-53);
  });

  it('is 2^-63 for the level that is called 256, and its masks hide as much', () => {
    const { total, zeroKnowledge } = soundness(PARAMETERS[256], 20);
    expect(total).toBeCloseTo(-63, 5);
    expect(zeroKnowledge).toBeLessThan(-63);
    // With the masks of the other level it would not.
    expect(soundness({ ...PARAMETERS[256], maskBits: 224 }, 20).zeroKnowledge).toBe(-52);
  });

  it('counts no more primes than there are', () => {
    for (let bits = 3; bits <= 14; bits++) {
      let count = 0;
      for (let n = 2 ** (bits - 1); n < 2 ** bits; n++) if (isPrime(BigInt(n))) count++;
      expect(primesOfLength(bits), `${bits}`).toBeLessThanOrEqual(count);
    }
  });

  it('is not computed for parameters that nothing is proved about', () => {
    for (const change of [{ sigma: 65 }, { sigma: 0 }, { maskBits: 230 }, { claimBits: 224 }, { primeBits: 62 }])
      thrown('ERR_INTERNAL', () => soundness({ ...PARAMETERS[128], ...change }, 20));
  });
});

// ── the compression ─────────────────────────────────────────────────────────

const toy = (sigma: number): ProofParameters => ({ sigma, primeBits: 61, primes: 1, maskBits: 224, claimBits: 160 });

/** Whether the identity mod 2^64 holds although the statement is false: truthful claims, one segment. */
async function missed(statement: Statement, sigma: number, trial: number): Promise<boolean> {
  const segment = new Segment(placeOf(trial), [statement.shape], toy(sigma));
  const seeds = seedChain(KEYS.vw, segment.place, segment.stages);
  const challenges = new Challenges(segment, kernels, (stage) => seeds[stage]);
  const context = { segment, kernels, challenges, tables: new PublicTables(segment, kernels, challenges) };
  const claims = await claimsOf(context, 0, statement.whole);
  const v = await linearPart(context, 0, 'V', statement.whole.v);
  const w = await linearPart(context, 0, 'W', statement.whole.w);
  return claims.every((claim, i) => BigInt.asUintN(64, claim + v[i] + w[i]) === 0n);
}

describe('the compression misses an error with 2^(1−σ) at most', () => {
  const table = (random: Random) => tableStatement(random, { layout: tableLayout(4, 8) });
  const PATTERNS: readonly (readonly [string, (random: Random) => Statement])[] = [
    ['the top bit of a table word', (random) => wrong(table(random), 2, 128n)],
    ['a table of bits', (random) => wrong(tableStatement(random, { layout: tableLayout(4, 1) }), 5, 1n)],
    ['the same error in two elements', (random) => wrong(wrong(table(random), 1, 128n), 9, 128n)],
    ['opposite errors in one row', (random) => wrong(wrong(table(random), 0, 5n), 1, -5n)],
    ['2^63 in a matrix', (random) => wrong(matrixStatement(random), 4, 1n << 63n)],
    ['one more', (random) => wrong(matrixStatement(random), 0, 1n)],
    ['the top bit of a choice', (random) => wrong(choiceStatement(random), 2, 1n << 15n)],
  ];
  const TRIALS = 80;
  it.each(PATTERNS)('%s', async (_, make) => {
    for (const sigma of [1, 2, 3]) {
      let passed = 0;
      for (let trial = 0; trial < TRIALS; trial++) if (await missed(make(new Random(trial)), sigma, trial)) passed++;
      const bound = 2 ** (1 - sigma);
      // Four standard deviations above the bound; and some pass, so the count is of something.
      expect(passed / TRIALS).toBeLessThanOrEqual(bound + 4 * Math.sqrt((bound * (1 - bound)) / TRIALS));
      expect(passed).toBeGreaterThan(0);
    }
  });

  it('and at full size none is', async () => {
    for (const [trial, [, make]] of PATTERNS.entries())
      expect(await missed(make(new Random(trial)), 48, trial)).toBe(false);
  });

  it('control: true statements hold', async () => {
    expect(await missed(table(new Random(1)), 48, 1)).toBe(true);
  });
});

// ── provers that lie as well as they can ────────────────────────────────────

const PRIMES = [37n, 41n, 43n, 47n, 53n, 59n, 61n];
const TINY: ProofParameters = { sigma: 6, primeBits: 6, primes: 1, maskBits: 224, claimBits: 160 };
/** Mean of 1/q over the primes of 6 bits. */
const INVERSE = PRIMES.reduce((sum, q) => sum + 1 / Number(q), 0) / PRIMES.length;

const mod = (x: bigint, q: bigint): bigint => ((x % q) + q) % q;

const inverse = (x: bigint, q: bigint): bigint => power(x, q - 2n, q);

/** A table with one wrong word, and what its proof is off by under X and V. */
async function lie(parameters: ProofParameters, trial: number) {
  const random = new Random(1000 + trial);
  const good = tableStatement(random, { layout: tableLayout(4, 8), group: indexGroup(3), elements: 3 });
  const place = 6;
  const statement = wrong(good, place, 128n);
  const segment = new Segment(placeOf(trial), [statement.shape], parameters);
  const seeds = seedChain(KEYS.vw, segment.place, segment.stages);
  const challenges = new Challenges(segment, kernels, (stage) => seeds[stage]);
  const [x, v] = [await challenges.rows(0), await challenges.columns(0)];
  const columns = columnsOf(statement.shape);
  const [row, column] = [x[Math.floor(place / columns)], v[place % columns]];
  const { sigma } = parameters;
  // V's words are −e: a claim that passes is too large by the error.
  const missing = Array.from({ length: sigma * sigma }, (_, i) => {
    const both = (row >> BigInt(Math.floor(i / sigma))) & (column >> BigInt(i % sigma)) & 1n;
    return both * (128n << 56n);
  });
  return { statement, segment, challenges, missing };
}

/**
 * Repairs the claims so that they pass mod 2^64, by representatives that are multiples of `divisors`, and then gambles
 * in every round: z is changed so that the lie disappears if one of two guessed challenges is right.
 */
async function liar(parameters: ProofParameters, trial: number, divisors: bigint, gamble: boolean) {
  const { statement, segment, challenges, missing } = await lie(parameters, trial);
  const { sigma, maskBits } = parameters;
  const lifted = missing.map((error) => {
    if (error === 0n || divisors === 1n) return error;
    const up = (divisors - mod(error * inverseOf2to64(divisors), divisors)) % divisors;
    return error + (up << 64n);
  });
  const random = new Random(77 + trial);
  let discrepancy = 0n;
  let last: Map<string, bigint> | undefined;
  const cheat: Cheat = async (stage, message) => {
    if (stage === 1) {
      const claims = decodeClaims(message, maskBits, sigma * sigma) ?? [];
      const out = encodeClaims(
        claims.map((claim, i) => claim + lifted[i]),
        maskBits,
      );
      if (out === undefined) throw new Error('the lie does not fit');
      return out;
    }
    const [{ q, rows, columns }] = await challenges.primes();
    const round = stage - 2;
    if (stage === 2)
      discrepancy = lifted.reduce(
        (sum, error, i) => (sum + rows[Math.floor(i / sigma)] * columns[i % sigma] * error) % q,
        0n,
      );
    else if (last !== undefined) {
      // The challenges of the round before are known now.
      const [{ alpha, beta }] = await challenges.folds(round - 1);
      discrepancy = 0n;
      for (const [at, change] of last) {
        const [a, b] = at.split(' ').map(Number);
        discrepancy = (discrepancy + alpha[a] * beta[b] * change) % q;
      }
    }
    const end = round === segment.rounds - 1;
    const derived = end ? 1 : 0;
    const [g1, g2] = [1n + (random.word() % (q - 1n)), 1n + (random.word() % (q - 1n))];
    const changes = new Map<string, bigint>([[`${derived} ${derived}`, discrepancy]]);
    if (gamble && discrepancy !== 0n) {
      if (end) {
        changes.set('1 0', mod(-discrepancy * g2, q));
        changes.set('0 1', mod(-discrepancy * g1, q));
        changes.set('0 0', (discrepancy * g1 * g2) % q);
      } else {
        const both = inverse((g1 * g2) % q, q);
        if ((1n + both) % q !== 0n) {
          const e = (discrepancy * inverse((1n + both) % q, q)) % q;
          changes.set('0 0', e);
          changes.set('1 1', (e * both) % q);
          changes.set('1 0', mod(-e * inverse(g1, q), q));
          changes.set('0 1', mod(-e * inverse(g2, q), q));
        }
      }
    }
    last = changes;
    const width = segment.width(round);
    const words = new BigUint64Array(message.slice().buffer);
    for (const [at, change] of changes) {
      const [a, b] = at.split(' ').map(Number);
      if (a === derived && b === derived) continue;
      const place = a * width + b - (a * width + b > derived * (width + 1) ? 1 : 0);
      words[place] = (words[place] + change) % q;
    }
    return new Uint8Array(words.buffer);
  };
  return accepts([statement], parameters, trial, cheat);
}

function inverseOf2to64(n: bigint): bigint {
  // n is a product of primes of this test: by Euler, with the product of (p − 1).
  const phi = [...PRIMES, BIG].reduce((product, p) => (n % p === 0n ? product * (p - 1n) : product), 1n);
  return power(1n << 64n, phi - 1n, n);
}
const BIG = 2n ** 61n - 1n;

async function rate(trials: number, run: (trial: number) => Promise<boolean>): Promise<number> {
  let count = 0;
  for (let trial = 0; trial < trials; trial++) if (await run(trial)) count++;
  return count / trials;
}

describe('an adaptive prover at toy primes', () => {
  const TRIALS = 120;
  const deviation = (p: number) => 4 * Math.sqrt((p * (1 - p)) / TRIALS);

  it('is accepted within the bound: repairing claims only, and gambling in every round', async () => {
    const { segment } = await lie(TINY, 0);
    const bound = 2 ** -5 + 2 * (segment.rounds + 1) * INVERSE;
    const repaired = await rate(TRIALS, (trial) => liar(TINY, trial, 1n, false));
    const gambled = await rate(TRIALS, (trial) => liar(TINY, trial, 1n, true));
    expect(repaired).toBeLessThanOrEqual(bound + deviation(bound));
    expect(gambled).toBeLessThanOrEqual(bound + deviation(bound));
    // The gamble is worth its name: without a large prime, a proof would be none.
    expect(gambled).toBeGreaterThan(repaired);
    expect(gambled).toBeGreaterThan(bound / 3);
  });

  it('with claims that primes divide is accepted as often as those primes are drawn', async () => {
    const none = await rate(TRIALS, (trial) => liar(TINY, trial, 1n, false));
    for (const k of [2, 5]) {
      const divisors = PRIMES.slice(0, k).reduce((product, q) => product * q, 1n);
      const found = await rate(TRIALS, (trial) => liar(TINY, trial, divisors, false));
      const expected = 1 - (1 - k / PRIMES.length) * (1 - none);
      expect(Math.abs(found - expected)).toBeLessThan(deviation(expected));
    }
  });

  it('at the real length is never accepted, though one prime divides its claims', async () => {
    const real = { ...TINY, sigma: 24, primeBits: 61 };
    expect(await rate(20, (trial) => liar(real, trial, BIG, true))).toBe(0);
    // The control is above: at six bits the same prover passes.
  });

  it('needs the whole pair of primes for two of them', async () => {
    // Half as many words as one prime has are another message: the second tail is not optional.
    const two: ProofParameters = { ...TINY, primeBits: 61, primes: 2 };
    const statement = tableStatement(new Random(3));
    expect(await accepts([statement], two, 0)).toBe(true);
    expect(await accepts([statement], two, 0, (stage, m) => (stage === 3 ? m.slice(0, m.length / 2) : m))).toBe(false);
    // And either alone is enough to refuse.
    for (const prime of [0, 1])
      expect(
        await accepts([statement], two, 0, (stage, m) => {
          const out = m.slice();
          if (stage === 3) out[(prime * m.length) / 2] ^= 1;
          return out;
        }),
      ).toBe(false);
  });
});

describe('a message that is not the right one is refused', () => {
  const parameters = toy(4);
  const statements = () => {
    const random = new Random(31);
    return [
      tableStatement(random, { group: indexGroup(5) }),
      matrixStatement(random, { inner: [9, 9] }),
      choiceStatement(random),
    ];
  };
  const stages = new Segment(
    PLACE,
    statements().map(({ shape }) => shape),
    parameters,
  ).stages;

  it('control: unchanged messages are accepted', async () => {
    expect(await accepts(statements(), parameters, 0, (_, message) => message)).toBe(true);
  });

  it.each(Array.from({ length: stages - 1 }, (_, i) => i + 1))('at stage %d', async (at) => {
    const changed = (change: (message: Uint8Array) => Uint8Array) =>
      accepts(statements(), parameters, 0, (stage, message) => (stage === at ? change(message) : message));
    const edit = (place: number, by: number) => (message: Uint8Array) => {
      const out = message.slice();
      out[place < 0 ? out.length + place : place] += by;
      return out;
    };
    expect(await changed(edit(0, 1))).toBe(false);
    // In claims: plus 2^64, which the identity does not see.
    expect(await changed(edit(8, 1))).toBe(false);
    // The top byte: beyond q in a round, out of any honest range in claims.
    expect(await changed(edit(-1, 0x80))).toBe(false);
    expect(await changed((message) => message.slice(0, -1))).toBe(false);
    expect(await changed((message) => new Uint8Array([...message, 0]))).toBe(false);
    expect(await changed((message) => new Uint8Array(message.length))).toBe(false);
    expect(await changed(() => new Uint8Array())).toBe(false);
  });

  it('with one error for every cause', async () => {
    const lines = new Set<string>();
    for (const at of [1, 2, stages - 1]) {
      const all = await parties(statements(), { parameters, kernels });
      const cut: Cheat = (stage, message) => (stage === at ? message.slice(1) : message);
      lines.add((await failure('ERR_SECURITY_VIOLATION', prove(all, cut), /proof of party 1/)).line());
    }
    for (const statement of statements()) {
      const all = await parties([wrong(statement, 0, 1n)], { parameters: toy(48), kernels });
      lines.add((await failure('ERR_SECURITY_VIOLATION', prove(all))).line());
    }
    expect(lines.size).toBe(1);
  });
});
