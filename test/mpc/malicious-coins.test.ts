/**
 * The coins of shifts under complete sharing (PROTOCOL §14.7), of the gates as they are. They follow from a wire's
 * masks: every shift of it is as Lemma 14.1 says, to the bit, so that errors of two shifts of one wire are correlated.
 * A fresh wire has coins of its own, also where its value is the same, and so has a wire of another session.
 *
 * Frequencies of independent elements are compared with what they should be by Hoeffding's inequality (JASA 58, 1963).
 * All comparisons of this file together call coins that are as they should be others with 10^-9 at most.
 */
import { describe, expect, it } from 'vitest';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import type { Stream } from '../../src/compute/kernels/types.ts';
import { type Words, wordAt, wordsFrom } from '../../src/compute/ring.ts';
import { SecurityViolationError } from '../../src/core/errors.ts';
import { PURPOSES, firstStep } from '../../src/mpc/prg/gate-id.ts';
import { PairPrg } from '../../src/mpc/prg/prg.ts';
import { SessionNonce } from '../../src/mpc/protocol/malicious/proving/agreement.ts';
import type { Gates } from '../../src/mpc/protocol/types.ts';
import { failure } from '../failure.ts';
import { type Tap, seeded, simulate } from '../support/simulate.ts';

const N = 2 ** 15;
const K = 32;
/** One value everywhere, above half a unit of the wide shift and at half a unit of the narrow one. */
const X = 5 * 2 ** 10 + 24;
const [NARROW, WIDE, AGAIN] = [4, 5, 3];

/** More comparisons than this file has. */
const COMPARISONS = 4096;
const LOG = Math.log((2 * COMPARISONS) / 1e-9);
/** How far the mean of N terms in [0, 1] may be from its expectation, and of N signs. */
const NEAR = Math.sqrt(LOG / (2 * N));
const NEAR_SIGNS = 2 * NEAR;

/** Wires of the same value, whose masks are drawn by these gates. */
const FRESH = { input: 0, 'a second input': 1, product: 4, choice: 5 } as const;
type Fresh = keyof typeof FRESH;
const NAMES = Object.keys(FRESH) as Fresh[];

function build(g: Gates): void {
  const [x, again] = [g.input('x', [N], K, 0), g.input('again', [N], K, 0)];
  const [one, bit] = [g.input('one', [N], K, 0), g.input('bit', [N], 1, 0)];
  const wires = {
    input: x,
    'a second input': again,
    product: g.mul(x, one),
    choice: g.choose([bit], [x], Uint8Array.of(255, 0)),
  };
  for (const [name, wire] of Object.entries(wires)) {
    const narrow = g.shift(wire, NARROW);
    g.output(`${name} narrow`, narrow);
    g.output(`${name} wide`, g.shift(wire, WIDE));
    g.output(`${name} behind`, g.shift(narrow, AGAIN));
  }
}

const filled = (value: number, k: number) => wordsFrom(new Array<number>(N).fill(value), k);
const INPUTS = { tensors: { x: filled(X, K), again: filled(X, K), one: filled(1, K), bit: filled(1, 1) }, indices: {} };

/** Notes the masks that gates draw; `same` draws those of another gate in place of its own. */
class Drawing extends ReferenceKernels {
  readonly masks = new Map<string, Words>();
  readonly #same: ReadonlyMap<number, number>;

  constructor(same: ReadonlyMap<number, number> = new Map()) {
    super();
    this.#same = same;
  }

  override async draw({ key, nonce }: Stream, k: number, count: number, first?: number): Promise<Words> {
    const view = new DataView(nonce.slice().buffer);
    const gate = view.getUint32(4, true);
    view.setUint32(4, this.#same.get(gate) ?? gate, true);
    const drawn = await super.draw({ key, nonce: new Uint8Array(view.buffer) }, k, count, first);
    this.masks.set(`${gate} ${view.getUint8(10)}`, drawn);
    return drawn;
  }
}

interface Ran {
  readonly drawing: Drawing;
  readonly outputs: ReadonlyMap<string, Words>;
}

interface Setting {
  readonly same?: ReadonlyMap<number, number>;
  readonly session?: Uint8Array;
  readonly tap?: Tap;
  /** Gets what P0 drew, also where the run does not end well. */
  readonly drawing?: Drawing;
}

async function ran({ same, session, tap, drawing = new Drawing(same) }: Setting = {}): Promise<Ran> {
  const { outputs } = await simulate(build, INPUTS, {
    ...{ sharing: 'complete', seed: 1, kernels: (id) => (id === 0 ? drawing : new Drawing(same)) },
    ...(tap && { tap }),
    // Under the same pair keys, by the first bytes of the session, as a proved run.
    prg: (master, execution) => PairPrg.of(master, session ? firstStep(session.slice(0, 16)) : execution),
  });
  return { drawing, outputs };
}

/** λ1 and λ2 of a fresh wire. A choice has −r0. */
function masksOf({ masks }: Drawing, name: Fresh): readonly [readonly number[], readonly number[]] {
  const words = (purpose: keyof typeof PURPOSES) => {
    const found = masks.get(`${FRESH[name]} ${PURPOSES[purpose]}`);
    return found && Array.from(found.data, Number);
  };
  const [one, two, zero] = [words('mask1'), words('mask2'), words('zero')];
  const first = one ?? zero?.map((word) => 2 ** K - word);
  if (first === undefined || two === undefined) throw new Error(`no masks of ${name}`);
  return [first, two];
}

/** Lemma 14.1, with half a unit less: ⌊(x − 2^(s−1) + ρ1 + ρ2)/2^s⌋. */
const shifted = (x: number, s: number, rho1: number, rho2: number) =>
  Math.floor((x - 2 ** (s - 1) + rho1 + rho2) / 2 ** s);
const low = (mask: number, s: number) => mask % 2 ** s;

/** Whether a shift came out above what it takes at the least. */
const isUp = (y: number, s: number) => y > shifted(X, s, 0, 0);
const ups = ({ outputs }: Ran, name: Fresh, shift: 'narrow' | 'wide'): boolean[] =>
  Array.from({ length: N }, (_, i) =>
    isUp(Number(wordAt(outputs.get(`${name} ${shift}`) as Words, i)), shift === 'narrow' ? NARROW : WIDE),
  );
const both = (a: readonly boolean[], b: readonly boolean[]) => a.filter((up, i) => up && b[i]).length / N;

/** How often so, over all coins. */
function expected(of: (rho1: number, rho2: number) => boolean): number {
  let count = 0;
  for (let i = 0; i < 4 ** WIDE; i++) if (of(i & (2 ** WIDE - 1), i >> WIDE)) count++;
  return count / 4 ** WIDE;
}
const narrowUp = (rho1: number, rho2: number) => isUp(shifted(X, NARROW, low(rho1, NARROW), low(rho2, NARROW)), NARROW);
const wideUp = (rho1: number, rho2: number) => isUp(shifted(X, WIDE, rho1, rho2), WIDE);

/** Low bits of every coin. */
const BITS = 2;

/**
 * The largest mean of a character of two wires' coins, BITS of each. All but that of the empty one are zero if, and
 * only if, the four coins are uniform and independent.
 */
function dependence(a: Drawing, one: Fresh, b: Drawing, other: Fresh): number {
  const coins = [...masksOf(a, one), ...masksOf(b, other)];
  const sums = new Float64Array(2 ** (BITS * coins.length));
  for (let i = 0; i < N; i++) sums[coins.reduce((bits, mask) => (bits << BITS) | low(mask[i], BITS), 0)]++;
  // By the transform of Walsh and Hadamard.
  for (let half = 1; half < sums.length; half *= 2)
    for (let at = 0; at < sums.length; at++)
      if ((at & half) === 0) [sums[at], sums[at | half]] = [sums[at] + sums[at | half], sums[at] - sums[at | half]];
  return Math.max(...sums.subarray(1).map(Math.abs)) / N;
}

const honest = await ran();
const PAIRS = NAMES.flatMap((one, i) => NAMES.slice(i + 1).map((other) => [one, other] as const));

describe('shifts of one wire', () => {
  it.each(NAMES)('are as their masks say, to the bit: %s', (name) => {
    const [l1, l2] = masksOf(honest.drawing, name);
    const words = (shift: string) => Array.from((honest.outputs.get(`${name} ${shift}`) as Words).data, Number);
    const by = (s: number) => l1.map((mask, i) => shifted(X, s, low(mask, s), low(l2[i], s)));
    expect(words('narrow')).toEqual(by(NARROW));
    expect(words('wide')).toEqual(by(WIDE));
    // What is shifted again has the next bits of the same masks.
    const next = (mask: number) => low(Math.floor(mask / 2 ** NARROW), AGAIN);
    expect(words('behind')).toEqual(by(NARROW).map((y, i) => shifted(y, AGAIN, next(l1[i]), next(l2[i]))));
  });

  it.each(NAMES)('have correlated errors: %s', (name) => {
    const [narrow, wide] = [ups(honest, name, 'narrow'), ups(honest, name, 'wide')];
    const joint = expected((a, b) => narrowUp(a, b) && wideUp(a, b));
    const apart = expected(narrowUp) * expected(wideUp);
    expect(Math.abs(both(narrow, narrow) - expected(narrowUp))).toBeLessThan(NEAR);
    expect(Math.abs(both(wide, wide) - expected(wideUp))).toBeLessThan(NEAR);
    expect(Math.abs(both(narrow, wide) - joint)).toBeLessThan(NEAR);
    // Far enough that coins of their own would be told from these.
    expect(joint - apart).toBeGreaterThan(2 * NEAR);
  });
});

describe('shifts of two fresh wires of one value', () => {
  it.each(PAIRS)('have independent errors, and coins that are uniform: %s, %s', (one, other) => {
    const product = expected(narrowUp) ** 2;
    expect(Math.abs(both(ups(honest, one, 'narrow'), ups(honest, other, 'narrow')) - product)).toBeLessThan(NEAR);
    expect(dependence(honest.drawing, one, honest.drawing, other)).toBeLessThan(NEAR_SIGNS);
  });

  it('have not where a gate draws the masks of another: the control', async () => {
    const reused = await ran({ same: new Map([[FRESH.product, FRESH.input]]) });
    const joint = both(ups(reused, 'input', 'narrow'), ups(reused, 'product', 'narrow'));
    expect(joint - expected(narrowUp) ** 2).toBeGreaterThan(2 * NEAR);
    expect(dependence(reused.drawing, 'input', reused.drawing, 'product')).toBe(1);
    expect(dependence(reused.drawing, 'input', reused.drawing, 'choice')).toBeLessThan(NEAR_SIGNS);
  });
});

describe('the session behind an abort', () => {
  const others = [seeded(32, 1, 22), seeded(32, 1, 23)] as const;
  const partsOf = (nonce: SessionNonce) => ({
    nonces: [nonce.bytes, ...others] as const,
    ...{ owner: new Uint8Array(), attempt: 0, step: 0, branch: 0 },
  });
  /** The twelfth output, when all coins are drawn. */
  const LAST = `output-output/${FRESH.choice + 3 * NAMES.length}`;
  /** P1 sends another word of it, so P0 ends. */
  const cheating: Tap = (from, to, tag, bytes) =>
    from === 1 && to === 0 && tag === LAST ? bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) : undefined;

  it('has fresh coins for every wire, with the same keys; and the coins that were drawn never come again', async () => {
    const nonce = new SessionNonce(seeded(32, 1, 21));
    const session = nonce.begin(partsOf(nonce), 0);
    const aborted = new Drawing();
    const run = ran({ session, tap: cheating, drawing: aborted });
    expect(await failure('ERR_SECURITY_VIOLATION', run)).toMatchObject({ phase: 'output' });
    // Nobody begins that session again, though both peers would.
    expect(() => nonce.begin(partsOf(nonce), 0)).toThrow(SecurityViolationError);
    const fresh = new SessionNonce(seeded(32, 2, 21));
    const next = await ran({ session: fresh.begin(partsOf(fresh), 0) });
    for (const name of NAMES) expect(dependence(aborted, name, next.drawing, name)).toBeLessThan(NEAR_SIGNS);
    // The control: what a session that came again would draw.
    const again = await ran({ session });
    for (const name of NAMES) expect(dependence(aborted, name, again.drawing, name)).toBe(1);
  });
});
