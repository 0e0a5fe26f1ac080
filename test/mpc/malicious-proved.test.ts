/** Runs whose messages are proved: what they open, in which order, and what they agree on (PROTOCOL §16). */
import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../src/core/bytes.ts';
import type { ProofKernels } from '../../src/compute/kernels/proof-types.ts';
import { wordsFrom } from '../../src/compute/ring.ts';
import type { Gates, Inputs } from '../../src/mpc/protocol/types.ts';
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
import {
  type ProvedSetting,
  completeCircuit,
  proofWasm,
  runProved,
  symmetricCircuit,
  wasm,
} from '../support/proved.ts';
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

describe.each(['open', 'secret', 'aby3'] as const)('rows times rows, %s', (mode) => {
  // More words than an entry of a table has.
  const [ROWS, WORDS] = [3, 70];
  const build = (g: Gates) => {
    const rows = g.reshape(g.input('x', [ROWS, WORDS], 64, 0), [ROWS, 1, WORDS]);
    g.output('squares', g.reshape(g.matmul(rows, rows, { transposed: true }), [ROWS]));
  };
  const values = Array.from({ length: ROWS * WORDS }, (_, i) => (i * 977) % 4001);
  const inputs: Inputs = { tensors: { x: wordsFrom(values, 64) }, indices: {} };
  const circuit =
    mode === 'aby3' ? symmetricCircuit(build, 'open') : completeCircuit(build, mode === 'secret' ? 'secret' : 'open');

  it('are one relation of a prover, and right', async () => {
    const shapes = circuit.gates.flatMap(({ relations = [] }) => relations.flatMap((one) => one.shapes));
    const products = shapes.filter(({ message }) => message.startsWith('product.'));
    expect(products).toHaveLength(mode === 'open' ? 2 : 3);
    expect(new Set(products.map(({ kind }) => kind))).toEqual(new Set(['choice']));
    const ended = await runProved(circuit, inputs, { proofParameters: QUICK });
    for (const { error } of ended) if (error !== undefined) throw error;
    const sums = Array.from({ length: ROWS }, (_, r) =>
      values.slice(WORDS * r, WORDS * (r + 1)).reduce((sum, value) => sum + value ** 2, 0),
    );
    expect(ended[0].outputs?.get('squares')).toEqual(wordsFrom(sums, 64));
  });

  it('are refused with another word', async () => {
    const ended = await runProved(circuit, inputs, {
      proofParameters: QUICK,
      tap: (from, to, tag, bytes) =>
        from === 1 && to === 2 && tag.startsWith('product-12')
          ? bytes.map((byte, i) => (i === 8 ? byte ^ 1 : byte))
          : undefined,
    });
    for (const { error } of ended) expect(error).toMatchObject({ code: 'ERR_SECURITY_VIOLATION' });
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

describe('P0 deals ahead of what it takes in', () => {
  /** How a run ends whose P0 takes nothing in until it has dealt what it deals, and how many messages of it came. */
  async function held(weights: 'open' | 'secret', aheadBytes?: number) {
    let goOn = () => {};
    const allowed = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const slow = new Proxy(proofWasm, {
      get: (target, name) => {
        const value = target[name as keyof ProofKernels];
        if (typeof value !== 'function') return value;
        if (name === 'freeTable') return value.bind(target);
        return async (...operands: never[]) => {
          await allowed;
          return (value as (...of: never[]) => unknown).apply(target, operands);
        };
      },
    });
    let dealt = 0;
    const run = small({
      ...{ weights, aheadBytes, timeoutMs: 60_000 },
      proofKernelsOf: (id) => (id === 0 ? slow : proofWasm),
      tap: (from, _to, tag) => {
        if (from === 0 && /-deal\//.test(tag)) dealt++;
        return undefined;
      },
    });
    for (let turn = 0; turn < 2000; turn++) await new Promise((resolve) => setImmediate(resolve));
    const before = dealt;
    goOn();
    const { ended } = await run;
    for (const { error } of ended) if (error !== undefined) throw error;
    return { before, dealt };
  }

  it.each(['open', 'secret'] as const)('%s weights: the others wait for no proof of it', async (weights) => {
    const { before, dealt } = await held(weights);
    expect(dealt).toBeGreaterThan(3);
    expect(before).toBe(dealt);
  });

  it('holds no more than its limit', async () => {
    const { before, dealt } = await held('open', 0);
    expect(before).toBeLessThan(dealt);
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
