/** Runs whose messages are proved: what they open, in which order, and what they agree on (PROTOCOL §16). */
import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../src/core/bytes.ts';
import type { PartyId } from '../../src/net/wire/types.ts';
import {
  agreementHash,
  SessionNonce,
  computePartiesKey,
  provedSession,
} from '../../src/mpc/protocol/malicious/proving/agreement.ts';
import { failure, thrown } from '../failure.ts';
import { INPUTS_OF_ALL, PARAMETERS_OF_ALL, everyGate } from '../support/all-gates.ts';
import { parameterView } from '../support/parameters.ts';
import { type ProvedSetting, completeCircuit, runProved, wasm } from '../support/proved.ts';
import { simulate } from '../support/simulate.ts';
import { QUICK, SMALL_INPUTS, SMALL_PARAMETERS, smallCircuit } from '../support/tamper.ts';

describe.each(['open', 'secret'] as const)('every gate, %s weights', (weights) => {
  const parameters: ProvedSetting['parameters'] = (id, kernels) =>
    parameterView(weights, id, kernels, PARAMETERS_OF_ALL);

  it('opens what it opens without proofs, in one segment and in many', { timeout: 120_000 }, async () => {
    const circuit = completeCircuit((g) => everyGate(g), weights);
    const plain = await simulate((g) => everyGate(g), INPUTS_OF_ALL, {
      ...{ sharing: 'complete', weights, seed: 1, kernels: () => wasm, parameters },
    });
    for (const [segmentBytes, proofParameters] of [
      [2 ** 30, undefined],
      [2000, QUICK],
    ] as const) {
      const tags: string[] = [];
      const ended = await runProved(circuit, INPUTS_OF_ALL, {
        ...{ weights, segmentBytes, parameters, timeoutMs: 100_000 },
        ...(proofParameters === undefined ? {} : { proofParameters }),
        tap: (_from, _to, tag) => void tags.push(tag),
      });
      for (const { error } of ended) if (error !== undefined) throw error;
      expect(ended.map(({ wiped }) => wiped)).toEqual([true, true, true]);
      expect(ended[0].outputs).toEqual(plain.outputs);
      const segments = new Set(tags.filter((tag) => tag.startsWith('proof-verdict/')));
      expect(segments.size > 3).toBe(segmentBytes === 2000);
      expect(tags.some((tag) => tag.startsWith('proof-seed/0'))).toBe(weights === 'secret');
    }
  });
});

type Tapped = { from: PartyId; to: PartyId; tag: string };

async function small(setting: ProvedSetting & { readonly weights: 'open' | 'secret' }) {
  const messages: Tapped[] = [];
  const ended = await runProved(completeCircuit(smallCircuit, setting.weights), SMALL_INPUTS, {
    proofParameters: QUICK,
    parameters: (id, kernels) => parameterView(setting.weights, id, kernels, SMALL_PARAMETERS),
    ...setting,
    tap: (from, to, tag, bytes) => {
      messages.push({ from, to, tag });
      return setting.tap?.(from, to, tag, bytes);
    },
  });
  return { ended, messages };
}

describe('the order of messages', () => {
  it.each(['open', 'secret'] as const)(
    '%s weights: each sends its outputs behind the verdict that it gives',
    async (weights) => {
      const { ended, messages } = await small({ weights });
      for (const { error } of ended) if (error !== undefined) throw error;
      const at = (test: (message: Tapped) => boolean) => messages.findIndex(test);
      for (const [from, proofs] of [
        [1, weights === 'open' ? [2] : [0, 2]],
        [2, [1]],
      ] as const) {
        const output = at((message) => message.from === from && message.tag.startsWith('output-output/'));
        for (const proof of proofs) {
          const verdict = at(
            (message) =>
              message.from === from &&
              message.to === 0 &&
              message.tag.startsWith(`proof-`) &&
              message.tag.includes(`/${proof}.`) &&
              /seed|verdict/.test(message.tag),
          );
          expect(verdict).toBeGreaterThanOrEqual(0);
          expect(verdict).toBeLessThan(output);
        }
      }
      // Anchors go before everything else.
      const first = messages.find(({ to }) => to === (weights === 'open' ? 1 : 0));
      expect(first?.tag).toMatch(/^proof-anchor/);
    },
  );

  it('with open weights P0 sends anchors and statements, and is asked nothing', async () => {
    const { messages } = await small({ weights: 'open' });
    const mine = messages.filter(({ from, tag }) => from === 0 && tag.startsWith('proof-'));
    expect(mine.map(({ tag, to }) => `${tag} ${to}`)).toEqual([
      'proof-anchor/1 1',
      'proof-anchor/2 2',
      'proof-statement/1.0.0 2',
      'proof-statement/2.0.0 1',
    ]);
    const last = messages.findLastIndex(({ from }) => from === 0);
    expect(messages.slice(last).some(({ tag }) => /-(12|21)\//.test(tag))).toBe(true);
  });
});

describe('the barrier', () => {
  // SECURITY: whoever holds a word back from W until it knows the challenges may choose an error that passes.
  it.each(['select-deal', 'product-deal', 'affine-deal', 'widen-deal'])(
    'no challenge of S0 is given out while P2 lacks %s',
    async (held) => {
      const honest = await small({ weights: 'secret' });
      expect(honest.messages.some(({ tag }) => tag.startsWith('proof-seed/0.'))).toBe(true);
      const { ended, messages } = await small({
        ...{ weights: 'secret', timeoutMs: 1000 },
        corrupt: (id, channel) =>
          id !== 0
            ? channel
            : {
                ...{ self: channel.self, peer: channel.peer, stats: channel.stats, ended: channel.ended },
                send: async (tag, bytes) => (tag.startsWith(`${held}/`) ? undefined : channel.send(tag, bytes)),
                recv: (tag, length) => channel.recv(tag, length),
                close: () => channel.close(),
                abort: (error) => channel.abort(error),
              },
      });
      expect(messages.some(({ tag }) => tag.startsWith('proof-seed/0.'))).toBe(false);
      for (const id of [1, 2]) await failure('ERR_SECURITY_VIOLATION', Promise.reject(ended[id].error));
    },
  );

  it('P2 answers no seed that comes early', async () => {
    const { ended, messages } = await small({
      weights: 'open',
      tap: () => undefined,
      corrupt: (id, channel) =>
        id !== 1 || channel.peer !== 2
          ? channel
          : {
              ...{ self: channel.self, peer: channel.peer, stats: channel.stats, ended: channel.ended },
              send: async (tag, bytes) => {
                if (tag.startsWith('select-12/')) await channel.send('proof-seed/2.0.1', new Uint8Array(32));
                return channel.send(tag, bytes);
              },
              recv: (tag, length) => channel.recv(tag, length),
              close: () => channel.close(),
              abort: (error) => channel.abort(error),
            },
    });
    expect(messages.some(({ tag }) => tag.startsWith('proof-answer/2.'))).toBe(false);
    await failure('ERR_SECURITY_VIOLATION', Promise.reject(ended[2].error));
  });
});

describe('the agreement', () => {
  it('compute parties that were asked for different things end before the first half-round', async () => {
    const same = await small({ weights: 'open', request: () => 'one' });
    expect(same.ended[0].error).toBeUndefined();
    const { ended, messages } = await small({ weights: 'open', request: (id) => (id === 2 ? 'another' : 'one') });
    for (const id of [1, 2])
      expect(await failure('ERR_SECURITY_VIOLATION', Promise.reject(ended[id].error))).toMatchObject({
        phase: 'agreement',
      });
    expect(messages.some(({ tag }) => /-(12|21)\//.test(tag))).toBe(false);
    expect(ended.every(({ outputs }) => outputs === undefined)).toBe(true);
  });

  it('names every part', () => {
    const agreed = { session: new Uint8Array(32), request: 'r', plan: [1], model: 'm', circuit: 'c' };
    const others = [
      { ...agreed, session: new Uint8Array(32).fill(1) },
      { ...agreed, request: 's' },
      { ...agreed, plan: [2] },
      { ...agreed, model: 'n' },
      { ...agreed, circuit: 'd' },
    ];
    const own = agreementHash(agreed);
    expect(equalBytes(own, agreementHash({ ...agreed }))).toBe(true);
    for (const other of others) expect(equalBytes(own, agreementHash(other))).toBe(false);
  });
});

describe('a session', () => {
  const nonce = (fill: number) => new Uint8Array(32).fill(fill);
  const parts = (own = 2) =>
    ({ nonces: [nonce(0), nonce(1), nonce(own)], owner: Uint8Array.of(9), attempt: 0, step: 0, branch: 0 }) as const;

  it('follows from all three nonces and everything else', () => {
    const base = parts();
    const others = [
      { ...base, nonces: [nonce(7), nonce(1), nonce(2)] as const },
      { ...base, nonces: [nonce(0), nonce(7), nonce(2)] as const },
      { ...base, nonces: [nonce(0), nonce(1), nonce(7)] as const },
      { ...base, owner: Uint8Array.of(8) },
      { ...base, attempt: 1 },
      { ...base, step: 1 },
      { ...base, branch: 1 },
    ];
    const all = [base, ...others].map((one) => provedSession(one).join());
    expect(new Set(all).size).toBe(all.length);
  });

  it('is refused when it comes again, or has not this party’s nonce', () => {
    const own = new SessionNonce(nonce(2));
    const refused = { phase: 'agreement' };
    expect(thrown('ERR_SECURITY_VIOLATION', () => own.begin(parts(4), 2))).toMatchObject(refused);
    expect(own.begin(parts(), 2)).toEqual(provedSession(parts()));
    expect(thrown('ERR_SECURITY_VIOLATION', () => own.begin(parts(), 2))).toMatchObject(refused);
    expect(new SessionNonce().bytes).not.toEqual(new SessionNonce().bytes);
  });

  it('has a key of P1 and P2 of its own', () => {
    const secret = nonce(5);
    const keys = [
      computePartiesKey(secret, nonce(1)),
      computePartiesKey(secret, nonce(2)),
      computePartiesKey(nonce(6), nonce(1)),
    ];
    expect(new Set(keys.map((key) => key.join())).size).toBe(3);
  });
});
