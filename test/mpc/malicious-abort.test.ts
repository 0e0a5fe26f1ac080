/**
 * What an abort looks like from outside (PROTOCOL §16.5): whatever a verifier refuses for, the honest parties end with
 * the same error, behind the same frames on every link, by kind and length. Where a check stands is not where it shows.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { Captured } from '../../src/bench/tamper/repair.ts';
import type { ProofKernels } from '../../src/compute/kernels/proof-types.ts';
import type { Words } from '../../src/compute/ring.ts';
import { SecurityViolationError } from '../../src/core/errors.ts';
import { violationCause } from '../../src/core/violation-cause.ts';
import { RefusedBy } from '../../src/mpc/proof/verifier.ts';
import type { Circuit } from '../../src/mpc/protocol/frame/circuit.ts';
import type { Channel, PartyId } from '../../src/net/wire/types.ts';
import { parameterView } from '../support/parameters.ts';
import { type Ended, completeCircuit, proofWasm, runProved, wasm } from '../support/proved.ts';
import { QUICK, SMALL_INPUTS, SMALL_PARAMETERS, smallCircuit } from '../support/tamper.ts';

type Weights = 'open' | 'secret';
type Change = (bytes: Uint8Array) => Uint8Array | undefined;

interface Cheat {
  readonly cheater: PartyId;
  readonly to?: PartyId;
  /** Begin of the tag of the message that is changed. */
  readonly message: string;
  readonly change: Change;
  /** The cheater makes its claims fit what it said. */
  readonly repairs?: boolean;
  /** What an honest party does that refuses at once. */
  readonly hasty?: { readonly id: PartyId; readonly tag: string };
}

/** What the honest parties ended with, and all that each had put on its links by then. */
interface Seen {
  readonly errors: string;
  readonly frames: string;
  readonly ended: readonly Ended[];
}

const worlds = new Map<Weights, { readonly circuit: Circuit; readonly captured: Captured }>();
afterAll(() => worlds.clear());

function worldOf(weights: Weights) {
  const known = worlds.get(weights);
  if (known !== undefined) return known;
  const circuit = completeCircuit(smallCircuit, weights);
  const on = { kernels: wasm, proofs: proofWasm, parameters: QUICK, segmentBytes: 2 ** 30 };
  const made = { circuit, captured: new Captured(circuit, on) };
  worlds.set(weights, made);
  return made;
}

/** A link whose owner changes the first message of a kind, and goes on with what it sent. */
function cheating(channel: Channel, session: Uint8Array, cheat: Cheat, captured: Captured): Channel {
  const { self, peer, stats, ended } = channel;
  const answer = `proof-answer/${self}.0.1`;
  const { message, to, change, repairs = false } = cheat;
  let seed: Uint8Array = new Uint8Array(32);
  let done = false;
  return {
    ...{ self, peer, stats, ended },
    close: () => channel.close(),
    abort: (error) => channel.abort(error),
    recv: async (tag, length) => {
      const bytes = await channel.recv(tag, length);
      if (/^proof-seed\/\d\.0\.1$/.test(tag)) seed = bytes;
      return bytes;
    },
    send: async (tag, bytes) => {
      if (repairs && tag === answer)
        return channel.send(tag, (await captured.repaired(self as PartyId, session, seed, bytes)) ?? bytes);
      if (done || (to !== undefined && to !== peer) || !tag.startsWith(message)) return channel.send(tag, bytes);
      done = true;
      const other = change(bytes);
      if (other === undefined) return;
      bytes.set(other);
      await channel.send(tag, bytes);
    },
  };
}

/** A link whose owner hangs up when it gets a message of that tag. */
function hasty(channel: Channel, at: string): Channel {
  const { self, peer, stats, ended } = channel;
  return {
    ...{ self, peer, stats, ended },
    close: () => channel.close(),
    abort: (error) => channel.abort(error),
    send: (tag, bytes) => channel.send(tag, bytes),
    recv: (tag, length) => {
      if (tag === at) channel.abort(new SecurityViolationError('proof', 1));
      return channel.recv(tag, length);
    },
  };
}

interface Play extends Partial<Cheat> {
  readonly proofKernelsOf?: (id: PartyId) => ProofKernels;
}

async function play(weights: Weights, { proofKernelsOf = () => proofWasm, ...cheat }: Play): Promise<Seen> {
  const { circuit, captured } = worldOf(weights);
  captured.forget(cheat.repairs === true);
  const honest = ([0, 1, 2] as const).filter((id) => id !== cheat.cheater);
  const sent = new Map<string, string[]>();
  const ended = await runProved(circuit, SMALL_INPUTS, {
    ...{ weights, proofParameters: QUICK, proofKernelsOf, timeoutMs: 60_000 },
    parameters: (id, kernels) => parameterView(weights, id, kernels, SMALL_PARAMETERS),
    corrupt: (id, channel, session) => {
      if (cheat.hasty?.id === id) return hasty(channel, cheat.hasty.tag);
      return id === cheat.cheater && cheat.change !== undefined
        ? cheating(channel, session, cheat as Cheat, captured)
        : channel;
    },
    tap: (from, to, tag, bytes) => {
      if (!honest.includes(from)) return undefined;
      const link = `P${from} to P${to}`;
      sent.set(link, [...(sent.get(link) ?? []), `${tag} ${bytes.length}`]);
      return undefined;
    },
  });
  const words = honest.map((id) => {
    const { error } = ended[id];
    if (!(error instanceof SecurityViolationError)) return `P${id} ${error === undefined ? 'passed' : 'failed'}`;
    return `P${id} ${error.phase} ${error.line()}`;
  });
  const frames = [...sent].map(([link, all]) => `${link}\n${all.join('\n')}`).toSorted((a, b) => (a < b ? -1 : 1));
  return { errors: words.join('\n'), frames: frames.join('\n'), ended };
}

const flip: Change = (bytes) => bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte));
const first: Change = (bytes) => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
/** Claims stay right modulo 2^64. */
const ninth: Change = (bytes) => bytes.map((byte, i) => (i === 8 ? byte ^ 1 : byte));
/** The first residue is q or more. */
const beyond: Change = (bytes) => bytes.map((byte, i) => (i < 8 ? 255 : byte));

/** What the prover of a proof may do, beside lies about its messages. */
function answersOf(cheater: PartyId, weights: Weights): readonly (readonly [string, Cheat])[] {
  const stages = worldOf(weights).captured.stages(cheater);
  const at = (stage: number, change: Change): Cheat => ({
    ...{ cheater, message: `proof-answer/${cheater}.0.${stage}`, change },
  });
  return [
    ['wrong claims', at(1, first)],
    ['claims that are right modulo 2^64 alone', at(1, ninth)],
    ['a claim out of any honest range', at(1, flip)],
    ['a wrong round', at(2, first)],
    ['a round out of the field', at(2, beyond)],
    ['a wrong end', at(stages - 1, first)],
    ['an end out of the field', at(stages - 1, beyond)],
  ];
}

const lie = (cheater: PartyId, to: PartyId, message: string): readonly (readonly [string, Cheat])[] =>
  [false, true].map((repairs) => [
    `${message}, ${repairs ? 'with claims that fit' : 'as it is'}`,
    { cheater, to, message: `${message}/`, change: flip, repairs },
  ]);

describe.each([
  [1, 'open', ['lookup-12', 'affine-12', 'product-12', 'select-12', 'widen-12'], 2],
  [2, 'open', ['lookup-21', 'affine-ahead', 'product-21', 'select-21', 'widen-21'], 1],
  [1, 'secret', ['affine-12', 'product-12', 'select-12'], 2],
  [2, 'secret', ['affine-21', 'product-21', 'widen-21'], 1],
  [0, 'secret', ['affine-deal', 'product-deal', 'select-deal', 'widen-deal'], 2],
] as const)('P%i is refused, with %s weights', (cheater, weights, messages, to) => {
  it('by one error, behind the same frames on every link, whatever was wrong', { timeout: 120_000 }, async () => {
    const causes = [...messages.flatMap((message) => lie(cheater, to, message)), ...answersOf(cheater, weights)];
    const checks = new Set<string>();
    let before: Seen | undefined;
    for (const [name, cheat] of causes) {
      const seen = await play(weights, cheat);
      const refused = seen.ended.flatMap(({ error }) =>
        error instanceof SecurityViolationError && error.cause instanceof RefusedBy ? [error.cause.check] : [],
      );
      expect(refused, name).toHaveLength(1);
      checks.add(refused[0]);
      before ??= seen;
      expect(seen.errors, name).toBe(before.errors);
      expect(seen.frames, name).toBe(before.frames);
      expect(
        seen.ended.every(({ outputs, wiped }) => outputs === undefined && wiped),
        name,
      ).toBe(true);
    }
    // They were refused by all that there is, and that stays with who refused.
    expect(checks).toEqual(new Set(['claims', 'round', 'ends']));
    expect(before?.errors).not.toMatch(/claims|round|ends/);
    expect(before?.frames.split('\n').length).toBeGreaterThan(20);
  });
});

describe('a comparison that would see it', () => {
  it('a verifier that hangs up on a wrong claim is told from one that does so at the end', async () => {
    const [, claims] = answersOf(1, 'open')[0];
    const [, end] = answersOf(1, 'open')[5];
    const late = await play('open', end);
    const soon = await play('open', { ...claims, hasty: { id: 2, tag: 'proof-answer/1.0.2' } });
    expect(soon.frames).not.toBe(late.frames);
    expect(late.frames).toContain(`P2 to P1\n`);
  });

  it('control: a run that nobody changes goes on behind the place of the refusal', async () => {
    const [, end] = answersOf(1, 'open')[5];
    const { frames, errors } = await play('open', {});
    expect(errors).toBe('P0 passed\nP1 passed\nP2 passed');
    expect(frames).toContain('output-output');
    expect((await play('open', end)).frames).not.toContain('output-output');
  });
});

describe('P0, that verifies with others, is refused', () => {
  let changed = 0;
  /** Its part of every vector, or of the identity, is off by one. */
  const off = (which: 'tailDot' | 'digest') => (id: PartyId) =>
    id !== 0
      ? proofWasm
      : new Proxy<ProofKernels>(proofWasm, {
          get(target, name) {
            const value = Reflect.get(target, name, target) as unknown;
            if (typeof value !== 'function') return value;
            const call = value.bind(target) as (...given: readonly unknown[]) => unknown;
            if (name !== which) return call;
            if (which === 'tailDot')
              return async (...given: unknown[]) => {
                changed++;
                return ((await call(...given)) as bigint) + 1n;
              };
            return async (...given: unknown[]) => {
              const words = (await call(...given)) as Words;
              const { k, data } = words;
              if (!(data instanceof BigUint64Array)) return words;
              changed++;
              return { k, data: data.map((word) => BigInt.asUintN(k, word + 1n)) };
            };
          },
        });

  it('by the same error behind the same frames, for a wrong hash and for a wrong end', async () => {
    const seen = [];
    for (const which of ['tailDot', 'digest'] as const) {
      changed = 0;
      seen.push(await play('open', { cheater: 0, proofKernelsOf: off(which) }));
      expect(changed).toBeGreaterThan(0);
    }
    const [end, hash] = seen;
    for (const { ended } of seen) expect(ended[1].error ?? ended[2].error).toBeInstanceOf(SecurityViolationError);
    expect(hash.errors).toBe(end.errors);
    expect(hash.frames).toBe(end.frames);
  });
});

describe('a verdict that is none', () => {
  const verdict = (change: Change): Cheat => ({ cheater: 2, to: 0, message: 'proof-verdict/1', change });

  it('ends behind the same frames: of other bytes, of zeros, and one in whose place something else comes', async () => {
    const seen = [
      await play('open', verdict(first)),
      await play(
        'open',
        verdict((bytes) => new Uint8Array(bytes.length)),
      ),
      await play(
        'open',
        verdict(() => undefined),
      ),
    ];
    for (const { frames, ended } of seen) {
      expect(frames).toBe(seen[0].frames);
      expect(ended[0].error).toBeInstanceOf(SecurityViolationError);
      expect((ended[0].error as SecurityViolationError).code).toBe('ERR_SECURITY_VIOLATION');
    }
    // P0 alone knows which it was.
    expect(seen.map(({ ended }) => violationCause(ended[0].error))).toEqual(['check', 'check', 'form']);
  });
});
