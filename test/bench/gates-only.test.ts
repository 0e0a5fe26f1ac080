/**
 * Sessions without proofs, which the fidelity of many texts is measured by: they send what sessions with proofs send,
 * bit for bit, the opened words too. Nobody who proves opens anything with a party that does not.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { gatesOnly } from '../../src/bench/in-process/gates.ts';
import { HASH, seedsOf, servedBoth } from '../../src/bench/in-process/served.ts';
import { sessionInProcess } from '../../src/bench/in-process/session.ts';
import { withoutProofs } from '../../src/bench/in-process/unproved.ts';
import { type Asked, type Family, askedOf } from '../../src/bench/tamper/models.ts';
import { askSession, askTask } from '../../src/bench/tamper/owner.ts';
import { engines } from '../../src/bench/tamper/world.ts';
import { toHex } from '../../src/core/bytes.ts';
import { COMPLETE_ROUNDING } from '../../src/mpc/protocol/malicious/rounding.ts';
import type { PartyId } from '../../src/net/wire/types.ts';
import { planIds } from '../../src/owner/id-plan.ts';
import type { ServedModel } from '../../src/session/model.ts';
import { provingWith } from '../../src/session/proved-session.ts';
import type { ProvedWalk, Proving } from '../../src/session/proving.ts';
import type { WeightMode } from '../../src/session/request.ts';
import { symmetric } from '../../src/session/symmetric.ts';
import { seeded } from '../support/simulate.ts';
import { QUICK } from '../support/tamper.ts';

const { kernels, proofs } = await engines();
const real = provingWith({ kernels: proofs, parameters: QUICK, symmetric });

/** The same, whose nonces and own draws follow from a seed: nothing else of a session asks this machine's generator. */
function drawnFrom(proving: Proving, seed: number): Proving {
  return {
    ...proving,
    begin(self) {
      const nonce = vi.spyOn(crypto, 'getRandomValues').mockImplementation((into) => {
        (into as Uint8Array).set(seeded((into as Uint8Array).length, seed, 20 + self));
        return into;
      });
      try {
        const session = proving.begin(self);
        let drawn = 100 * (self + 1);
        const random = (length: number) => seeded(length, seed, drawn++);
        // Not a copy: what a session has lies in its class.
        const walk = session.walk.bind(session);
        return Object.assign(session, { walk: (of: ProvedWalk) => walk({ ...of, random }) });
      } finally {
        nonce.mockRestore();
      }
    },
  };
}

/** The first of the messages that are not the same: what they are about goes into no report. */
function differing(own: readonly string[], other: readonly string[]): string[] {
  const [sorted, others] = [[...own].sort(), [...other].sort()];
  if (sorted.length !== others.length) return [`${sorted.length} messages, not ${others.length}`];
  return sorted.flatMap((message, i) => (message === others[i] ? [] : [message.split(' ')[0]])).slice(0, 5);
}

const LINKS = ['P0-P1', 'P0-P2', 'P1-P0', 'P1-P2', 'P2-P0', 'P2-P1'];

type Protocol = '3pc_malicious' | 'aby3';

/** A model and what both compute parties hold of it, once for all sessions of a case. */
const made = new Map<string, Promise<{ asked: Asked; served: readonly [ServedModel, ServedModel] }>>();
function madeOf(family: Family, weights: WeightMode) {
  const key = `${family} ${weights}`;
  const known =
    made.get(key) ??
    askedOf(family).then(async (asked) => {
      const plan = await asked.plan(COMPLETE_ROUNDING);
      return { asked, served: await servedBoth(asked.source, weights, plan, kernels) };
    });
  made.set(key, known);
  return known;
}

/** Messages of the gates by link, in order, and the logits that were opened. */
async function session(family: Family, protocol: Protocol, weights: WeightMode, proving: Proving, seed = 1) {
  const { asked, served } = await madeOf(family, weights);
  const request = { model: HASH, protocol, weights, ...asked.shape };
  const sent = new Map<string, string[]>();
  let [drawn, proved] = [0, 0];
  const { value, errors } = await sessionInProcess(
    {
      ...{ served, kernels, circuits: asked.circuits, proving: drawnFrom(proving, seed) },
      random: (length) => seeded(length, seed, 30 + drawn++),
      tap: ({ from, to }, tag, bytes) => {
        if (/^(proof-|agreement)/.test(tag)) proved++;
        // Words for people, with times and devices in them.
        if (/^(proof-|agreement|control\/|status)/.test(tag)) return;
        const link = `P${from}-P${to}`;
        sent.set(link, [...(sent.get(link) ?? []), `${tag} ${toHex(bytes)}`]);
      },
    },
    (end) => {
      const owned = { ...end, request, seeds: seedsOf(weights) };
      return asked.task === undefined ? askSession(owned) : askTask(asked.task(), owned);
    },
  );
  return { value, errors: errors.map((error) => error?.code), sent, proved };
}

const WHOLE = [undefined, undefined, undefined];

// One gate of every kind in each of the four. Whole models are one each, for their proofs are what this file takes: a
// prompt with a step behind it, where more keys follow from each other than in 3pc_malicious, and a task of an owner.
describe.each([
  ['3pc_malicious', 'gates', 'open'],
  ['3pc_malicious', 'gates', 'secret'],
  ['aby3', 'gates', 'open'],
  ['aby3', 'gates', 'secret'],
  ['aby3', 'steps', 'secret'],
  ['3pc_malicious', 'tiny-text-classification', 'open'],
] as const)('%s, %s, %s weights', (protocol, family, weights) => {
  it('sends and opens the same without proofs, bit for bit', { timeout: 240_000 }, async () => {
    const proved = await session(family, protocol, weights, real);
    const gates = await session(family, protocol, weights, withoutProofs(real));
    expect([proved.errors, gates.errors]).toEqual([WHOLE, WHOLE]);
    expect(proved.proved).toBeGreaterThan(6);
    expect(gates.proved).toBe(0);
    expect([...proved.sent.keys()].sort()).toEqual(LINKS);
    expect(proved.sent.get('P1-P0')?.some((message) => message.startsWith('output-output'))).toBe(true);
    for (const [link, messages] of proved.sent)
      expect(differing(gates.sent.get(link) ?? [], messages), link).toEqual([]);
    expect(gates.value).toEqual(proved.value);
    // Of other keys every message is another one: the comparison sees words.
    const other = await session(family, protocol, weights, withoutProofs(real), 2);
    for (const [link, messages] of gates.sent)
      expect(differing(other.sent.get(link) ?? [], messages), link).not.toEqual([]);
  });
});

describe('a party that leaves its proofs out', () => {
  it.each([1, 2] as const)('P%i gets no text and opens nothing', { timeout: 60_000 }, async (cheater) => {
    const mixed: Proving = {
      ...real,
      begin: (self: PartyId) => (self === cheater ? withoutProofs(real) : real).begin(self),
    };
    const { value, errors, sent } = await session('gates', '3pc_malicious', 'open', mixed);
    expect(value).toBeUndefined();
    // P0's anchor is no message of a gate, and the others wait for the cheater's own, which never comes.
    expect(errors).toEqual([0, 1, 2].map((id) => (id === cheater ? 'ERR_FRAME_TAG' : 'ERR_PEER_CLOSED')));
    const messages = [...sent.values()].flat();
    expect(messages.some((message) => message.startsWith('lookup-deal'))).toBe(true);
    expect(messages.filter((message) => /^(lookup-input|output)/.test(message))).toEqual([]);
  });

  it('is of no package: what ships leaves measurements out', () => {
    const { files } = JSON.parse(readFileSync(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8'));
    expect(files).toContain('!dist/bench');
  });
});

describe('the gates alone', () => {
  it('answer as the plaintext model', { timeout: 240_000 }, async () => {
    const { signal } = new AbortController();
    const location = {
      kind: 'folder',
      path: fileURLToPath(new URL('../../models/tiny-gpt2', import.meta.url)),
    } as const;
    const { model, run, stop } = await gatesOnly(location, 'open', '3pc_malicious', signal);
    const { comparison, margin } = await run(planIds(model.config, [[11, 402]], { newTokens: 1 }));
    expect(comparison.maxAbsLogitError).toBeLessThan(0.02);
    expect([comparison.argmaxEqual, margin]).toEqual([true, 0]);
    await stop();
  });
});
