/**
 * Corrupt verifiers, and provers that would use what they must not know yet (PROTOCOL §15.4). Every refusal has the
 * code ERR_SECURITY_VIOLATION, or ERR_STATE where the party's own order is the barrier; the honest run is the control.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { tableLayout } from '../../../src/compute/kernels/table-layout.ts';
import type { ProofKernels } from '../../../src/compute/kernels/proof-types.ts';
import { loadNodeProofModule } from '../../../src/compute/kernels/wasm/node-worker.ts';
import { WasmProofKernels } from '../../../src/compute/kernels/wasm/proof.ts';
import { toHex } from '../../../src/core/bytes.ts';
import { SecurityViolationError } from '../../../src/core/errors.ts';
import { Challenges, seedChain } from '../../../src/mpc/proof/challenges.ts';
import { Prover } from '../../../src/mpc/proof/prover.ts';
import { seal, unseal } from '../../../src/mpc/proof/sealed.ts';
import { Segment } from '../../../src/mpc/proof/segment.ts';
import type { ProofParameters } from '../../../src/mpc/proof/soundness.ts';
import { Verifier } from '../../../src/mpc/proof/verifier.ts';
import { Witness } from '../../../src/mpc/proof/witness.ts';
import { Random } from '../../compute/kernels.suite.ts';
import { failure, thrown } from '../../failure.ts';
import {
  KEYS,
  PLACE,
  type Parties,
  type Statement,
  choiceStatement,
  matrixStatement,
  parties,
  prove,
  tableStatement,
  wrong,
} from '../../support/proofs.ts';

const kernels: ProofKernels = new WasmProofKernels(await loadNodeProofModule());
const parameters: ProofParameters = { sigma: 6, primeBits: 61, primes: 1, maskBits: 224, claimBits: 160 };
const VIOLATION = 'ERR_SECURITY_VIOLATION';

function statements(): Statement[] {
  const random = new Random(21);
  return [matrixStatement(random), tableStatement(random), choiceStatement(random, { elements: 20 })];
}

let all: Parties;
let seeds: Uint8Array[];
beforeEach(async () => {
  all = await parties(statements(), { parameters, kernels });
  seeds = seedChain(KEYS.vw, PLACE, all.segment.stages);
});

it('control: the honest run is accepted by all three', async () => {
  await prove(all);
  expect([all.prover.accepted, all.verifier.accepted, all.witness.accepted]).toEqual([true, true, true]);
});

describe('a prover refuses', () => {
  it('every seed before the anchor, and another anchor', async () => {
    const { prover, witness } = all;
    thrown(VIOLATION, () => prover.answer(seeds[1]));
    // It has ended: even the right order is refused now.
    prover.anchor(witness.anchor());
    thrown(VIOLATION, () => prover.answer(seeds[1]));
    const next = (await parties(statements(), { parameters, kernels })).prover;
    next.anchor(witness.anchor());
    next.anchor(witness.anchor());
    thrown(VIOLATION, () => next.anchor(seeds[1]));
    thrown(VIOLATION, () =>
      new Prover(all.segment, kernels, { verifier: KEYS.pv, witness: KEYS.pw }).anchor(seeds[1].slice(1)),
    );
  });

  it('s_1 while a relation of its own is missing', async () => {
    const early = new Prover(all.segment, kernels, { verifier: KEYS.pv, witness: KEYS.pw });
    early.anchor(seeds[0]);
    for (const [i, { whole }] of statements().slice(1).entries()) early.record(i + 1, whole);
    expect(early.complete).toBe(false);
    const error = thrown(VIOLATION, () => early.answer(seeds[1]));
    expect(error).toBeInstanceOf(SecurityViolationError);
    expect(error).toMatchObject({ phase: 'proof', party: PLACE.proof });
    early.record(0, statements()[0].whole);
    thrown(VIOLATION, () => early.answer(seeds[1]));
  });

  it('to say what it was at when it was wiped', async () => {
    all.prover.anchor(seeds[0]);
    const claims = all.prover.answer(seeds[1]);
    all.prover.wipe();
    await expect(claims).rejects.toMatchObject({ code: VIOLATION });
    // Behind its proof it keeps what it said.
    const honest = (await parties(statements(), { parameters, kernels })).prover;
    honest.anchor(seeds[0]);
    const said = await honest.answer(seeds[1]);
    honest.wipe();
    expect(said.some((byte) => byte !== 0)).toBe(true);
  });

  it.each([
    ['of a later stage', () => seeds[2]],
    ['of no stage', () => new Uint8Array(32).fill(9)],
    ['that is the anchor', () => seeds[0]],
    ['of another length', () => seeds[1].slice(0, 31)],
    ['of another session', () => seedChain(KEYS.vw, { ...PLACE, segment: 1 }, all.segment.stages)[1]],
  ])('a first seed %s', async (_, seed) => {
    all.prover.anchor(seeds[0]);
    thrown(VIOLATION, () => all.prover.answer(seed()));
    thrown(VIOLATION, () => all.prover.answer(seeds[1]));
  });

  it('forked challenges at every stage', async () => {
    for (let stage = 1; stage < all.segment.stages; stage++) {
      const { prover } = await parties(statements(), { parameters, kernels });
      prover.anchor(seeds[0]);
      for (let before = 1; before < stage; before++) await prover.answer(seeds[before]);
      const forked = seeds[stage].slice();
      forked[0] ^= 1;
      thrown(VIOLATION, () => prover.answer(forked));
    }
  });

  it('a verdict without a proof, before its last answer, and one that is not the last seed', async () => {
    const last = seeds[all.segment.stages];
    all.prover.anchor(seeds[0]);
    thrown(VIOLATION, () => all.prover.verdict(last));
    const honest = await parties(statements(), { parameters, kernels });
    honest.prover.anchor(seeds[0]);
    for (let stage = 1; stage < honest.segment.stages; stage++) await honest.prover.answer(seeds[stage]);
    thrown(VIOLATION, () => honest.prover.answer(last));
    const other = await parties(statements(), { parameters, kernels });
    other.prover.anchor(seeds[0]);
    for (let stage = 1; stage < other.segment.stages; stage++) await other.prover.answer(seeds[stage]);
    thrown(VIOLATION, () => other.prover.verdict(seeds[other.segment.stages - 1]));
  });

  it('nothing after it was wiped but what it sent', async () => {
    all.prover.anchor(seeds[0]);
    await all.prover.answer(seeds[1]);
    all.prover.wipe();
    thrown(VIOLATION, () => all.prover.answer(seeds[2]));
  });
});

describe('a seed that comes again', () => {
  it('gets the bytes that were sent, and nothing is computed again', async () => {
    let calls = 0;
    const counting = new Proxy(kernels, {
      get: (target, name) => {
        const value = Reflect.get(target, name) as unknown;
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          calls++;
          return (value as (...args: unknown[]) => unknown).apply(target, args);
        };
      },
    });
    const { prover } = await parties(statements(), { parameters, kernels: counting });
    prover.anchor(seeds[0]);
    // Two at a time make one answer.
    const [first, second] = await Promise.all([prover.answer(seeds[1]), prover.answer(seeds[1])]);
    expect(toHex(second)).toBe(toHex(first));
    const next = await prover.answer(seeds[2]);
    const before = calls;
    expect(toHex(await prover.answer(seeds[1]))).toBe(toHex(first));
    expect(toHex(await prover.answer(seeds[2]))).toBe(toHex(next));
    expect(calls).toBe(before);
    await prover.answer(seeds[3]);
    expect(calls).toBeGreaterThan(before);
  });

  it('control: answers to two states of the data, under one mask, tell their difference', async () => {
    // What the rule prevents: the masks cancel, and what is left is a form in the entries that were chosen.
    const [, , choice] = statements();
    const stages = new Segment(PLACE, [choice.shape], parameters).stages;
    const chain = seedChain(KEYS.vw, PLACE, stages);
    const answer = async (given: Statement) => {
      const prover = new Prover(new Segment(PLACE, [given.shape], parameters), kernels, {
        verifier: KEYS.pv,
        witness: KEYS.pw,
      });
      prover.record(0, given.whole);
      prover.anchor(chain[0]);
      return prover.answer(chain[1]);
    };
    const half = choice.whole.v;
    if (half.kind !== 'choice' || half.entries.kind !== 'packed') throw new Error('a choice expected');
    const blank = { kind: 'packed', bytes: new Uint8Array(half.entries.bytes.length) } as const;
    const without = { shape: choice.shape, whole: { v: { ...half, entries: blank }, w: choice.whole.w } };
    const [a, b] = [await answer(choice), await answer(without)];
    // 28 bytes a claim, masked by 224 bits: the upper 8 bytes of the difference are all zeros or all ones.
    const view = (bytes: Uint8Array) =>
      [...bytes.subarray(0, 28)].reduceRight((n, byte) => (n << 8n) | BigInt(byte), 0n);
    const difference = view(a) - view(b);
    expect(difference !== 0n && difference < 2n ** 160n && difference > -(2n ** 160n)).toBe(true);
  });
});

describe('the barrier', () => {
  it('V has no seed before W has spoken, nor W a word before it has every relation', async () => {
    const segment = all.segment;
    const verifier = new Verifier(segment, kernels, { witness: KEYS.vw, prover: KEYS.pv });
    const witness = new Witness(segment, kernels, { verifier: KEYS.vw, prover: KEYS.pw });
    const given = statements();
    for (const [i, { whole }] of given.entries()) await verifier.absorb(i, whole.v);
    thrown('ERR_STATE', () => verifier.begin());
    // The prover withholds what it owes W for the last relation.
    for (const [i, { whole }] of given.slice(0, -1).entries()) await witness.absorb(i, whole.w);
    await failure('ERR_STATE', witness.statement());
    thrown('ERR_STATE', () => verifier.begin());
    await witness.absorb(given.length - 1, given[given.length - 1].whole.w);
    await verifier.witness(await witness.statement());
    expect(toHex(verifier.begin())).toBe(toHex(seeds[1]));
    thrown('ERR_STATE', () => verifier.begin());
  });

  it('V has no seed while a relation of its own is missing', async () => {
    const verifier = new Verifier(all.segment, kernels, { witness: KEYS.vw, prover: KEYS.pv });
    for (const [i, { whole }] of statements().slice(0, -1).entries()) await verifier.absorb(i, whole.v);
    await verifier.witness(await all.witness.statement());
    thrown('ERR_STATE', () => verifier.begin());
  });

  it('takes each relation once', async () => {
    await failure('ERR_INTERNAL', all.verifier.absorb(0, statements()[0].whole.v));
    await failure('ERR_INTERNAL', all.witness.absorb(0, statements()[0].whole.w));
    thrown('ERR_INTERNAL', () => all.prover.record(0, statements()[0].whole));
  });

  it('control: errors placed by somebody who saw X are accepted, the same errors placed blindly are not', async () => {
    const random = new Random(5);
    // 70 rows and 64 values of X: two rows have the same.
    const choice = choiceStatement(random, { layout: tableLayout(2, 16), elements: 70 });
    const segment = new Segment(PLACE, [choice.shape], parameters);
    const chain = seedChain(KEYS.vw, PLACE, segment.stages);
    const x = await new Challenges(segment, kernels, (stage) => chain[stage]).rows(0);
    const pairs = Array.from(x, (word, i) => [x.indexOf(word), i] as const).filter(([i, j]) => i !== j);
    const [i, j] = pairs[0];
    const run = async (first: number, second: number) =>
      prove(await parties([wrong(wrong(choice, first, 77n), second, -77n)], { parameters, kernels }));
    await run(i, j);
    await failure(VIOLATION, run(i, (j + 1) % 70));
  });
});

describe('V refuses', () => {
  it('a statement that W did not seal for this proof, and a second one', async () => {
    const good = await all.witness.statement();
    for (const at of [0, 40, good.length - 1]) {
      const { verifier } = await parties(statements(), { parameters, kernels });
      const bad = good.slice();
      bad[at] ^= 1;
      await failure(VIOLATION, verifier.witness(bad));
      await failure(VIOLATION, verifier.witness(good));
    }
    const short = await parties(statements(), { parameters, kernels });
    await failure(VIOLATION, short.verifier.witness(good.slice(0, 20)));
    const other = new Witness(new Segment({ ...PLACE, segment: 1 }, all.segment.shapes, parameters), kernels, {
      verifier: KEYS.vw,
      prover: KEYS.pw,
    });
    for (const [i, { whole }] of statements().entries()) await other.absorb(i, whole.w);
    const fresh = await parties(statements(), { parameters, kernels });
    await failure(VIOLATION, fresh.verifier.witness(await other.statement()));
    await all.verifier.witness(good);
    await failure(VIOLATION, all.verifier.witness(good));
    // Behind a refusal there is no challenge, and none behind a wipe.
    thrown(VIOLATION, () => all.verifier.begin());
    const wiped = await parties(statements(), { parameters, kernels });
    await wiped.verifier.witness(good);
    wiped.verifier.wipe();
    thrown(VIOLATION, () => wiped.verifier.begin());
  });

  it.each([
    ['the hash of its identity', 3],
    ['W*', 33],
    ['t_W', 41],
  ])('what W sealed with a wrong bit in %s', async (_, at) => {
    const bytes = (await unseal(kernels, PLACE, KEYS.vw, await all.witness.statement())) ?? new Uint8Array();
    bytes[at] ^= 1;
    const { prover, verifier } = all;
    prover.anchor(seeds[0]);
    await verifier.witness(await seal(kernels, PLACE, KEYS.vw, bytes));
    await failure(
      VIOLATION,
      (async () => {
        let seed = verifier.begin();
        while (!verifier.accepted) seed = await verifier.answer(await prover.answer(seed));
      })(),
    );
    expect(verifier.accepted).toBe(false);
  });

  it('an answer before it asked, and two at a time', async () => {
    await failure(VIOLATION, all.verifier.answer(new Uint8Array(8)));
    const honest = await parties(statements(), { parameters, kernels });
    honest.prover.anchor(seeds[0]);
    await honest.verifier.witness(await honest.witness.statement());
    const message = await honest.prover.answer(honest.verifier.begin());
    const both = await Promise.allSettled([honest.verifier.answer(message), honest.verifier.answer(message)]);
    expect(both.map(({ status }) => status)).toContain('rejected');
    expect(honest.verifier.accepted).toBe(false);
    await failure(VIOLATION, honest.verifier.answer(message));
  });
});

describe('W refuses', () => {
  it('a verdict that is not the last seed, or that comes before it has spoken', async () => {
    const last = seeds[all.segment.stages];
    thrown(VIOLATION, () => all.witness.verdict(last));
    await all.witness.statement();
    thrown(VIOLATION, () => all.witness.verdict(last));
    const { witness } = await parties(statements(), { parameters, kernels });
    await witness.statement();
    thrown(VIOLATION, () => witness.verdict(seeds[1]));
    expect(witness.accepted).toBe(false);
    const honest = await parties(statements(), { parameters, kernels });
    await honest.witness.statement();
    honest.witness.verdict(last);
    expect(honest.witness.accepted).toBe(true);
  });
});
