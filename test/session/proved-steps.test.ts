/**
 * Tokens behind a prompt in `3pc_malicious` and `aby3` (PROTOCOL §16.9): each step a session of its own, on words that
 * the step before proved, and nothing after a step that did not pass.
 */
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/core/bytes.ts';
import { SecurityViolationError, asTercetError } from '../../src/core/errors.ts';
import { isFinding } from '../../src/core/told.ts';
import { parseModelConfig } from '../../src/ml/config.ts';
import { modelPlan } from '../../src/ml/measured-ranges.ts';
import { buildModel } from '../../src/ml/models/secure-at-once.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import { Aby3Builder } from '../../src/mpc/protocol/aby3/circuit.ts';
import type { Kept } from '../../src/mpc/protocol/frame/kept.ts';
import { COMPLETE_ROUNDING } from '../../src/mpc/protocol/malicious/rounding.ts';
import { proofPrice } from '../../src/mpc/protocol/malicious/proving/price.ts';
import { ProvedRun } from '../../src/mpc/protocol/malicious/proving/run.ts';
import { PARAMETERS } from '../../src/mpc/proof/soundness.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import type { PartyId } from '../../src/net/wire/types.ts';
import { Circuits } from '../../src/session/circuits.ts';
import type { ServedModel } from '../../src/session/model.ts';
import type { OwnerSession } from '../../src/session/owner.ts';
import { PATIENCE } from '../../src/session/place.ts';
import { provingWith } from '../../src/session/proved-session.ts';
import type { Proving } from '../../src/session/proving.ts';
import type { Request } from '../../src/session/request.ts';
import { failure } from '../failure.ts';
import { completeCircuit, proofWasm, symmetricCircuit, wasm } from '../support/proved.ts';
import { noParameters } from '../support/simulate.ts';
import { type StartOptions, start } from './harness.ts';
import { heldWeights } from './held-weights.ts';
import { sending } from './proved-toy.ts';

type Weights = 'open' | 'secret';
const LOGIT_ERROR = 0.02;
const SEGMENT_BYTES = 2 ** 30;
const LONG = { timeout: 300_000 };
const WAIT_MS = 240_000;
const PATIENT = {
  ...PATIENCE,
  ...{ startMs: WAIT_MS, dealMs: WAIT_MS, silenceMs: WAIT_MS, textMs: WAIT_MS },
};
/** As small as a decoder can be. */
const source = randomWeights(
  parseModelConfig({
    ...{ model_type: 'gpt2', architectures: ['GPT2LMHeadModel'], activation_function: 'gelu_new' },
    ...{ n_embd: 4, n_layer: 1, n_head: 1, n_inner: 4, vocab_size: 5, n_positions: 4, layer_norm_epsilon: 1e-5 },
  }),
  5,
  { outliers: false },
);
const { config } = source;
const plan = await modelPlan(source, COMPLETE_ROUNDING);
const HASH = 'ef'.repeat(32);
const PROMPT = [3, 1];
const STEPS = 2;

type Protocol = '3pc_malicious' | 'aby3';

function requestOf(weights: Weights, protocol: Protocol = '3pc_malicious'): Request {
  const shape = { sequences: 1, tokens: PROMPT.length, rows: 0, padded: false, pair: false, steps: STEPS };
  return { model: HASH, protocol, weights, ...shape };
}

interface Watched {
  readonly runs: ProvedRun[];
  /** What walks took up, which was not zero then. */
  readonly kept: Kept[];
  readonly sessions: string[];
  /** How often the owner read a kept mask while it dealt, and in all. */
  readonly reads: { dealing: number; all: number };
}

const nothingSeen = (): Watched => ({ runs: [], kept: [], sessions: [], reads: { dealing: 0, all: 0 } });

/** What was kept, which says when it is read. */
class Overlooked extends Map<string, NonNullable<ReturnType<Kept['get']>>> {
  reading: () => void = () => undefined;

  override get(name: string): ReturnType<Kept['get']> {
    this.reading();
    return super.get(name);
  }
}

/** Proofs as ever, and what sessions do with them. */
/** @param cheater whose first kept word is another one than it was */
function watching(seen: Watched, cheater?: PartyId): Proving {
  const symmetric = (weights: Weights) => new Aby3Builder(weights);
  const real = provingWith({ kernels: proofWasm, segmentBytes: SEGMENT_BYTES, symmetric });
  return {
    protocols: real.protocols,
    builder: real.builder,
    check: real.check,
    begin(self) {
      const session = real.begin(self);
      return {
        nonce: session.nonce,
        agree: (nonces, names) => session.agree(nonces, names),
        next: () => session.next(),
        end: () => session.end(),
        walk(walk) {
          const before = new Overlooked(walk.kept);
          if (self === cheater) for (const parts of before.values()) changeOne(parts);
          const run = session.walk({ ...walk, kept: before }) as ProvedRun;
          if (self === 0) {
            let dealing = false;
            before.reading = () => {
              seen.reads.all++;
              if (dealing) seen.reads.dealing++;
            };
            const deal = run.deal.bind(run);
            run.deal = async () => {
              dealing = true;
              await deal();
              dealing = false;
            };
          }
          seen.runs.push(run);
          if (walk.kept !== undefined && walk.kept.size > 0 && !isZero(walk.kept)) seen.kept.push(walk.kept);
          return run;
        },
      };
    },
  };
}

function changeOne(parts: NonNullable<ReturnType<Kept['get']>>): void {
  for (const { data } of Object.values(parts)) new Uint8Array(data.buffer, data.byteOffset, 1)[0] ^= 1;
}

async function begin(weights: Weights, options: StartOptions & { readonly cheater?: PartyId } = {}) {
  const { views, seeds } = await heldWeights(source, weights);
  const served = (id: 1 | 2): ServedModel => ({
    ...{ name: source.label, config, plan, provedPlan: plan, hash: HASH },
    parameters: views[id - 1],
  });
  const seen = nothingSeen();
  const started = start({
    ...{ request: requestOf(weights), model: served(1), seeds, on: wasm, circuits: new Circuits() },
    compute: (id) => ({ models: [served(id)], patience: PATIENT }),
    proving: watching(seen, options.cheater),
    timeoutMs: WAIT_MS,
    ...options,
    tap: (direction, tag, bytes) => {
      if (tag === 'control/start' || tag === 'control/step')
        seen.sessions.push((JSON.parse(new TextDecoder().decode(bytes)) as { session: string }).session);
      return options.tap?.(direction, tag, bytes);
    },
  });
  const session = await started.owner;
  await session.prepare();
  return { ...started, session, seen };
}

const likeliest = (logits: ArrayLike<number>): number => Array.from(logits).indexOf(Math.max(...Array.from(logits)));

/** The prompt, and then always the likeliest token. */
async function generate(session: OwnerSession, each: (logits: Float32Array, ids: readonly number[]) => Promise<void>) {
  const ids = [...PROMPT];
  let { logits } = await session.run([{ inputIds: PROMPT, rows: [] }]);
  for (let step = 0; ; step++) {
    await each(logits, ids);
    const tokenId = likeliest(logits);
    if (step === STEPS) return [...ids.slice(PROMPT.length), tokenId];
    ({ logits } = await session.next({ tokenId, position: ids.length }));
    ids.push(tokenId);
  }
}

const thrownBy = (work: Promise<unknown>) => work.then(() => undefined, asTercetError);
const sum = (all: readonly number[]) => all.reduce((total, n) => total + n, 0);

describe.each([
  ['open', '3pc_malicious'],
  ['secret', '3pc_malicious'],
  ['open', 'aby3'],
  ['secret', 'aby3'],
] as const)('a text of several tokens, %s weights, %s', (weights, protocol) => {
  it('is that of the float model, costs what was declared, and nothing kept is left', LONG, async () => {
    const bytes = [0, 1, 2].map(() => [0, 0, 0]);
    const { session, ends, seen, sent } = await begin(weights, {
      request: requestOf(weights, protocol),
      tap: ({ from, to }, tag, message) => {
        if (!/^(control|binding)\//.test(tag)) bytes[from as number][to as number] += message.length;
        return undefined;
      },
    });
    const text = await generate(session, async (logits, ids) => {
      const float = (await runFloat(source, ids, { positions: [ids.length - 1] })).logits;
      expect(Math.max(...logits.map((x, i) => Math.abs(x - float[i])))).toBeLessThan(LOGIT_ERROR);
    });
    expect(text).toHaveLength(STEPS + 1);
    expect(await Promise.all(ends)).toEqual(['answered', 'answered']);

    const want = [0, 1, 2].map(() => [0, 0, 0]);
    for (let step = 0; step <= STEPS; step++) {
      const shape = { ...requestOf(weights), config, plan };
      const circuit = (protocol === 'aby3' ? symmetricCircuit : completeCircuit)(
        (g) => buildModel(g, shape, step),
        weights,
      );
      const { p0ToP1 = 0, p0ToP2 = 0, p2ToP0 = 0 } = circuit.owner ?? {};
      want[0][1] += p0ToP1;
      want[0][2] += p0ToP2;
      want[2][0] += p2ToP0;
      const price = proofPrice(circuit, PARAMETERS[128], SEGMENT_BYTES);
      expect(price.soundness).toBeLessThanOrEqual(-46);
      for (const from of [0, 1, 2] as const)
        for (const to of [0, 1, 2] as const) {
          const own = Object.entries(circuit.cost).filter(([key]) => key.startsWith(`p${from}ToP${to}`));
          want[from][to] += price.bytes[from][to] + sum(own.map(([, each]) => each));
        }
    }
    expect(bytes).toEqual(want);

    // Every step has a session of its own, and its verdicts stand before its outputs.
    const [first, second] = [seen.sessions.filter((_, i) => i % 2 === 0), seen.sessions.filter((_, i) => i % 2 === 1)];
    expect(first).toEqual(second);
    expect(new Set(first).size).toBe(STEPS + 1);
    for (const party of [1, 2]) {
      const tags = sent.flatMap(({ from, tag }) => (from === party ? [tag] : []));
      const opens = tags.flatMap((tag, i) => (tag.startsWith('output-output') ? [i] : []));
      const verdicts = tags.flatMap((tag, i) => (tag.startsWith('proof-verdict') ? [i] : []));
      const each = opens.length / (STEPS + 1);
      for (let step = 0; step <= STEPS; step++) {
        const from = step === 0 ? 0 : opens[step * each - 1];
        expect(verdicts.some((at) => at > from && at < opens[step * each])).toBe(true);
      }
    }
    expect(seen.runs.map(({ ended, passed }) => [ended, passed])).toEqual(seen.runs.map(() => [true, true]));
    expect(seen.kept).toHaveLength(3 * STEPS);
    for (const kept of seen.kept) expect(isZero(kept)).toBe(true);
    // Masks that follow from a text are read in the rounds alone; drawn ones are what there is to deal with.
    expect(seen.reads.all).toBeGreaterThan(0);
    expect(seen.reads.dealing > 0).toBe(protocol === '3pc_malicious');
  });
});

function isZero(kept: Kept): boolean {
  return [...kept.values()].every((parts) =>
    Object.values(parts).every(({ data }) => data.every((word) => BigInt(word) === 0n)),
  );
}

describe('between two steps', () => {
  it('an owner leaves as it likes, also while it deals, and that is no violation', LONG, async () => {
    for (const [weights, dealing] of [
      ['open', true],
      ['secret', false],
    ] as const) {
      let leave: () => void = () => undefined;
      const at = new Promise<void>((resolve) => {
        leave = resolve;
      });
      let steps = 0;
      const { session, ends, seen } = await begin(weights, {
        tap: (_direction, tag) => {
          if (tag === 'control/step') steps++;
          if (dealing && steps > 0 && tag.startsWith('proof-anchor')) leave();
          return undefined;
        },
      });
      await session.run([{ inputIds: PROMPT, rows: [] }]);
      if (dealing) await at;
      else await session.prepare();
      await session.discard();
      expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
      for (const kept of seen.kept) expect(isZero(kept)).toBe(true);
    }
  });

  it('an owner that begins a step with the session of the one before is refused by both', LONG, async () => {
    let before = '';
    const { session, ends, sent } = await begin('secret', {
      corrupt: (self, channel) =>
        self !== 0
          ? channel
          : sending(channel, (tag, bytes, send) => {
              const body = () => JSON.parse(new TextDecoder().decode(bytes)) as Record<string, string>;
              if (tag === 'control/start') before = body()['session'];
              if (tag !== 'control/step') return send(tag, bytes);
              return send(tag, new TextEncoder().encode(JSON.stringify({ ...body(), session: before })));
            }),
    });
    await session.run([{ inputIds: PROMPT, rows: [] }]);
    const opened = sent.filter(({ tag }) => tag.startsWith('output-output')).length;
    await failure('ERR_SECURITY_VIOLATION', () => session.next({ tokenId: 1, position: PROMPT.length }));
    for (const end of await Promise.all(ends)) {
      expect(end).toBeInstanceOf(SecurityViolationError);
      expect(end).toMatchObject({ phase: 'agreement' });
    }
    expect(sent.filter(({ tag }) => tag.startsWith('output-output'))).toHaveLength(opened);
    // And there is no other try.
    await failure('ERR_STATE', () => session.next({ tokenId: 1, position: PROMPT.length }));
  });

  it.each([
    {
      ...{ cheat: 'an owner that begins another session', cheater: 0, tag: /^control\/step$/, from: 0 },
      ...{ phase: 'agreement', finders: [1, 2] },
      change: (bytes: Uint8Array) => {
        const body = JSON.parse(new TextDecoder().decode(bytes)) as object;
        return new TextEncoder().encode(JSON.stringify({ ...body, session: '00'.repeat(32) }));
      },
    },
    {
      // Party 2 has an anchor for it, and may see first that it is gone.
      ...{ cheat: 'an owner whose anchors are none', cheater: 0, tag: /^proof-anchor/, from: 1 },
      ...{ phase: 'proof', finders: [1] },
      change: (bytes: Uint8Array) => bytes.slice(1),
    },
    {
      ...{ cheat: 'a party 2 whose anchor is none', cheater: 2, tag: /^proof-anchor/, from: 1 },
      ...{ phase: 'proof', finders: [0] },
      change: (bytes: Uint8Array) => bytes.slice(1),
    },
  ] as const)(
    '$cheat is caught, although it hangs up at once',
    LONG,
    async ({ cheater, tag, from, phase, finders, change }) => {
      // It says its lie to everybody before it goes, and what is under way arrives.
      const liars: (() => Promise<void>)[] = [];
      const all = cheater === 0 ? 2 : 1;
      const { session, ends, sent, seen } = await begin('secret', {
        corrupt: (self, channel) => {
          if (self !== cheater || (cheater === 2 && channel.peer !== 0)) return channel;
          let times = 0;
          const lying = sending(channel, async (name, bytes, send) => {
            // Of the second step, that one and nothing behind it.
            if (!tag.test(name) || times++ < from) return send(name, bytes);
            await send(name, change(bytes));
            liars.push(() => channel.close());
            if (liars.length === all) await Promise.all(liars.map((leave) => leave()));
          });
          return { ...lying, abort: () => undefined };
        },
      });
      const { logits } = await session.run([{ inputIds: PROMPT, rows: [] }]);
      const opened = sent.filter(({ tag: name }) => name.startsWith('output-output')).length;
      const owner = thrownBy(session.next({ tokenId: likeliest(logits), position: PROMPT.length }));
      const outcomes = [await owner, ...(await Promise.all(ends))];
      expect(liars).toHaveLength(all);
      for (const honest of finders) {
        expect(outcomes[honest]).toMatchObject({ code: 'ERR_SECURITY_VIOLATION', phase });
        expect(isFinding(outcomes[honest] as SecurityViolationError)).toBe(true);
      }
      // Nothing more opens, and what was kept for it is gone.
      expect(sent.filter(({ tag: name }) => name.startsWith('output-output'))).toHaveLength(opened);
      for (const { ended } of seen.runs) expect(ended).toBe(true);
      for (const kept of seen.kept) expect(isZero(kept)).toBe(true);
    },
  );

  it.each([0, 1, 2] as const)('kept words of aby3 that party %i has changed are caught', LONG, async (cheater) => {
    const { session, ends, sent, seen } = await begin('open', { cheater, request: requestOf('open', 'aby3') });
    const { logits } = await session.run([{ inputIds: PROMPT, rows: [] }]);
    const opened = sent.filter(({ tag }) => tag.startsWith('output-output')).length;
    const owner = thrownBy(session.next({ tokenId: likeliest(logits), position: PROMPT.length }));
    const outcomes = [await owner, ...(await Promise.all(ends))];
    for (const party of [0, 1, 2].filter((id) => id !== cheater))
      expect(outcomes[party]).toBeInstanceOf(SecurityViolationError);
    expect(outcomes).toContainEqual(expect.objectContaining({ phase: 'proof' }));
    expect(sent.filter(({ tag }) => tag.startsWith('output-output'))).toHaveLength(opened);
    for (const kept of seen.kept) expect(isZero(kept)).toBe(true);
  });

  it('no text follows on a step that did not pass', async () => {
    const circuit = completeCircuit((g) => g.output('y', g.mul(g.input('x', [2], 16, 0), g.input('z', [2], 16, 0))));
    const links = ([1, 2] as const).map((peer) => [peer, memoryPair(0, peer)[0]] as const);
    const make = (after: Pick<ProvedRun, 'passed'> | undefined) =>
      new ProvedRun({
        ...{ id: 0, circuit, kernels: wasm, parameters: noParameters, channels: new Map(links), after },
        ...{ proofKernels: proofWasm, proofParameters: PARAMETERS[128], segmentBytes: SEGMENT_BYTES },
        keys: new Map([
          [1, new Uint8Array(32).fill(1)],
          [2, new Uint8Array(32).fill(2)],
        ]),
        ...{ session: new Uint8Array(32), agreement: new Uint8Array(32) },
      });
    const run = make({ passed: false });
    await run.deal();
    const error = await failure('ERR_STATE', () => run.input());
    expect(error.message).toContain('did not pass');
    expect([run.ended, run.passed]).toEqual([true, false]);
  });

  it('keys and sessions of a step say nothing of those before', () => {
    const seen = nothingSeen();
    const session = watching(seen).begin(1);
    const names = [new Uint8Array(32), new Uint8Array(32).fill(1)] as const;
    // A step without one before it has no session.
    expect(() => session.next()).toThrow('not begun');
    const one = session.agree([new Uint8Array(32), session.nonce, new Uint8Array(32)], names);
    expect(() => session.next()).toThrow('not begun');
    expect(toHex(one)).toMatch(/^[0-9a-f]{64}$/);
  });
});
