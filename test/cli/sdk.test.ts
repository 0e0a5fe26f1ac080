/**
 * The SDK in Node against two real parties: prepared ahead or not, over both transports, with both kinds of
 * weights; and what it never sends.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Model,
  type ProgressEvent,
  SecureTransformer,
  capabilities,
  loadDeployment,
  pipeline,
  releaseWebRtc,
} from '../../src/sdk/node.ts';
import { failure } from '../failure.ts';
import { LocalDemo } from '../support/local-demo.ts';
import { Workplace } from './command.ts';

const place = new Workplace();
const TEXT = 'The capital of France is [MASK].';
let demo: LocalDemo;
let deployment: string;
const models: Model[] = [];

beforeAll(async () => {
  ({ demo, deployment } = await LocalDemo.start(place.home, ['--dealer']));
}, 120_000);

afterAll(async () => {
  await Promise.all(models.map((model) => model.dispose()));
  await releaseWebRtc();
  await demo.stop();
  place.close();
});

async function load(id: string, options: Parameters<typeof SecureTransformer.fromPretrained>[1] = {}): Promise<Model> {
  const model = await SecureTransformer.fromPretrained(id, { deployment, device: 'wasm', ...options });
  models.push(model);
  return model;
}

/** The last event of a kind. */
function last<S extends ProgressEvent['status']>(
  events: readonly ProgressEvent[],
  status: S,
): Extract<ProgressEvent, { status: S }> {
  return events.filter((event) => event.status === status).at(-1) as Extract<ProgressEvent, { status: S }>;
}

describe('a dealer of the deployment', () => {
  it.each([
    ['webrtc', 'tiny-gpt2'],
    ['websocket', 'capitals-bert'],
  ] as const)(
    'deals over %s for %s: the same answer, and nothing that is dealt leaves this process',
    async (transport, id) => {
      const answer = async (model: Model) =>
        id === 'tiny-gpt2'
          ? (await model.generate('The king', { maxNewTokens: 3 })).generated_text
          : (await model.predict(TEXT)).predictions[0].token;
      const events: ProgressEvent[] = [];
      const progress_callback = (event: ProgressEvent): unknown => events.push(event);
      const alone = await answer(await load(id, { transport, progress_callback }));
      const before = last(events, 'reconstruct').links;
      expect(await answer(await load(id, { transport, dealer: true, progress_callback }))).toBe(alone);
      const links = last(events, 'reconstruct').links;
      expect(before.p1.ahead + before.p2.ahead).toBeGreaterThan(100_000);
      expect(before.dealer).toBe(undefined);
      expect(links.p1.ahead + links.p2.ahead).toBe(0);
      expect([links.p1.input, links.p2.input]).toEqual([before.p1.input, before.p2.input]);
      expect(links.dealer).toBeGreaterThan(500);
      expect(links.dealer).toBeLessThan(5_000);
      expect(links.between.rounds).toBe(before.between.rounds);
      // The three connect at the same time, in any order.
      expect(events).toContainEqual(expect.objectContaining({ status: 'connect', party: 3, transport }));
    },
  );

  it('is held to the identity that was chosen, which is no compute party’s', async () => {
    const { dealer, parties, ...rest } = await loadDeployment(deployment);
    expect(dealer).toBeDefined();
    const stranger = { url: dealer?.url ?? '', identity: 'ab'.repeat(32) };
    const model = await load('capitals-bert', { dealer: stranger });
    expect((await failure('ERR_IDENTITY_KEY', () => model.predict(TEXT))).party).toBe(3);
    const party = { ...stranger, identity: parties[0].identity };
    await failure('ERR_ARGUMENT', () => load('capitals-bert', { dealer: party }));
    await failure('ERR_ARGUMENT', () => load('capitals-bert', { dealer: true, deployment: { parties, ...rest } }));
    await failure('ERR_MODEL_CONFIG', () =>
      load('capitals-bert', { deployment: { parties, ...rest, dealer: { ...party, url: stranger.url } } }),
    );
  });

  it('deals for secret weights where the credential permits it, and no other dealer does', async () => {
    const secret = { weights: 'secret', credential: await demo.credential('capitals-bert') } as const;
    const model = await load('capitals-bert', { ...secret, dealer: true });
    expect((await model.predict(TEXT)).predictions[0].token).toBe('paris');
    const { dealer } = await loadDeployment(deployment);
    const stranger = { url: dealer?.url ?? '', identity: 'ab'.repeat(32) };
    await failure('ERR_CREDENTIAL_DEALER', async () =>
      (await load('capitals-bert', { ...secret, dealer: stranger })).predict(TEXT),
    );
  });
});

describe('fromPretrained', () => {
  it('downloads a tokenizer and a configuration, and never weights', async () => {
    const events: ProgressEvent[] = [];
    const model = await load('capitals-bert', { progress_callback: (event) => events.push(event) });
    const files = events.flatMap((event) => (event.status === 'done' ? [event.file] : []));
    expect(files.sort()).toEqual(['config.json', 'tokenizer_config.json', 'vocab.txt']);
    const { entries } = await loadDeployment(deployment);
    const pinned = files.reduce((total, file) => total + entries[0].files[file].bytes, 0);
    expect(model.downloadedBytes).toBeGreaterThan(pinned);
    expect(model.downloadedBytes).toBeLessThan(pinned + 8000);
    expect(events.map(({ status }) => status)).toContain('progress');
    expect(events.at(-1)).toEqual({ status: 'ready', task: 'fill-mask', model: 'capitals-bert' });
  });

  it('with proofs over WebRTC: whatever the owner’s links are, P1 and P2 have a key of their own', async () => {
    const model = await load('tiny-gpt2', { protocol: '3pc_malicious', transport: 'webrtc', buckets: [8] });
    const { ids, cost } = await model.generate('The king', { maxNewTokens: 2 });
    expect(ids).toHaveLength(2);
    // A segment for each of the two steps.
    expect(cost.proofs?.provers).toMatchObject([
      { prover: 1, segments: 2 },
      { prover: 2, segments: 2 },
    ]);
    expect(cost.proofs?.soundness).toBeLessThanOrEqual(-46);
  }, 240_000);

  it('with secret weights and a credential downloads nothing more, and answers the same', async () => {
    const credential = await demo.credential('capitals-bert');
    const [open, secret] = [
      await load('capitals-bert'),
      await load('capitals-bert', { weights: 'secret', credential }),
    ];
    expect(secret.downloadedBytes).toBe(open.downloadedBytes);
    const [one, two] = [await open.predict(TEXT), await secret.predict(TEXT)];
    expect(two.predictions[0].token).toBe('paris');
    expect(two.predictions[0].score).toBeCloseTo(one.predictions[0].score, 2);
  });

  it('with secret weights refuses no credential before anything is downloaded, and that of another model before a party is asked', async () => {
    const events: ProgressEvent[] = [];
    const progress_callback = (event: ProgressEvent): unknown => events.push(event);
    await failure('ERR_CREDENTIAL_MISSING', () =>
      load('capitals-bert', { deployment: 'http://127.0.0.1:1/tercet.json', weights: 'secret', progress_callback }),
    );
    await failure('ERR_CREDENTIAL_SHARING', async () =>
      load('capitals-bert', { weights: 'secret', credential: await demo.credential('sst2-bert'), progress_callback }),
    );
    expect(events).toEqual([]);
    await failure('ERR_ARGUMENT', async () =>
      load('capitals-bert', { credential: await demo.credential('capitals-bert') }),
    );
  });

  it('goes on with a text in aby3, by parties that serve it, and says what that took', async () => {
    const model = await load('tiny-gpt2', { protocol: 'aby3', transport: 'websocket', buckets: [8] });
    expect((await model.health()).map(({ protocols }) => protocols?.includes('aby3'))).toEqual([true, true]);
    const { ids, cost } = await model.generate('The king', { maxNewTokens: 2 });
    const plain = await (await load('tiny-gpt2', { buckets: [8] })).generate('The king', { maxNewTokens: 2 });
    expect(ids).toEqual(plain.ids);
    expect(cost.proofs?.provers.map(({ prover }) => prover)).toEqual([0, 1, 2]);
    expect(cost.onlineRounds).toBeGreaterThan(50);
    expect(plain.cost.onlineRounds).toBe(2);
  }, 120_000);

  it('refuses an unknown model, a protocol that is none, and another document than the parties are', async () => {
    await failure('ERR_MODEL_NOT_FOUND', () => load('nobody'));
    await failure('ERR_ARGUMENT', () => load('capitals-bert', { protocol: '2pc' as 'aby3' }));
    const document = await loadDeployment(deployment);
    const [one, two] = document.parties;
    const base = { ...document, models: new URL('models', deployment).href };
    // Control: the document itself works when it is given as an object.
    expect((await (await load('capitals-bert', { deployment: base })).predict(TEXT)).predictions[0].token).toBe(
      'paris',
    );
    const wrong: [string, typeof document, 1 | 2 | undefined][] = [
      ['ERR_IDENTITY_KEY', { ...base, parties: [one, { ...two, identity: 'ab'.repeat(32) }] }, 2],
      [
        'ERR_IDENTITY_PARTY',
        {
          ...base,
          parties: [
            { ...two, identity: one.identity },
            { ...one, identity: two.identity },
          ],
        },
        undefined,
      ],
      [
        'ERR_MODEL_HASH',
        { ...base, entries: base.entries.map((entry) => ({ ...entry, weights: { open: 'cd'.repeat(32) } })) },
        undefined,
      ],
    ];
    for (const [code, changed, party] of wrong) {
      const model = await load('capitals-bert', { deployment: changed });
      const error = await failure(code as 'ERR_IDENTITY_KEY', () => model.predict(TEXT));
      // Where both are wrong, either may be heard first.
      if (party !== undefined) expect(error.party, code).toBe(party);
      expect(error.message, code).toMatch(/party [12]/);
    }
  });
});

describe('a run', () => {
  it('that was prepared sends nothing ahead any more, one message out and one in, and says what left', async () => {
    const events: ProgressEvent[] = [];
    const model = await load('capitals-bert', { progress_callback: (event) => events.push(event) });
    expect(await model.check(TEXT)).toEqual({ tokens: 9, paddedTokens: 16, blanks: 1 });
    await model.prepare(9);
    const ahead = last(events, 'preprocess');
    expect(ahead).toMatchObject({ length: 16, done: true, ahead: true, progress: 1 });
    expect(ahead.links.p2.ahead).toBeGreaterThan(100_000);
    expect(ahead.links.p1.input + ahead.links.p2.input).toBe(0);
    const { predictions, cost, captured } = await model.predict(TEXT);
    expect(predictions[0]).toMatchObject({ token: 'paris', sequence: 'the capital of france is paris.' });
    expect(cost).toMatchObject({ tokens: 9, paddedTokens: 16, preparedAhead: true });
    expect(cost.links.p2.ahead).toBe(ahead.links.p2.ahead);
    expect(cost.links.p1.input).toBeGreaterThan(1000);
    expect(cost.links.p2.output).toBe(0);
    expect(cost.links.between.rounds).toBe(cost.links.between.totalRounds);
    // The two words of the token add up to one at its own row, and to nothing elsewhere.
    const sum = (words: readonly string[]) =>
      BigInt.asUintN(
        64,
        words.reduce((total, word) => total + BigInt(`0x${word}`), 0n),
      );
    expect([sum(captured.sum.words), sum(captured.sum.otherWords)]).toEqual([1n, 0n]);
    expect(captured.tokens.map(({ id }) => id)).toHaveLength(9);
    expect(new Set(captured.tokens.flatMap(({ p1, p2 }) => [p1, p2])).size).toBe(18);
    const layers = events.flatMap((event) => (event.status === 'layer' ? [event.layer] : []));
    expect(layers).toEqual([...layers].sort((a, b) => a - b));
    expect(events.map(({ status }) => status)).toEqual(
      expect.arrayContaining(['connect', 'handshake', 'preprocess', 'input', 'layer', 'reconstruct']),
    );
  });

  it('uses what was prepared once: the next run deals for itself, with other keys', async () => {
    const model = await load('capitals-bert');
    await model.prepare(9);
    const [first, second] = [await model.predict(TEXT), await model.predict(TEXT)];
    expect([first.cost.preparedAhead, second.cost.preparedAhead]).toEqual([true, false]);
    const keys = ({ captured }: typeof first) => captured.tokens.flatMap(({ p1, p2 }) => [p1, p2]);
    expect(keys(first).filter((key) => keys(second).includes(key))).toEqual([]);
  });

  it('of another length does not use what was prepared', async () => {
    const model = await load('sst2-bert');
    await model.prepare(9);
    const long = `A warm, funny film. ${'It goes on and on, and the story is good. '.repeat(3)}`;
    const { cost, label } = await model.classify(long);
    expect(cost).toMatchObject({ preparedAhead: false, paddedTokens: 64 });
    expect(label).toBe('POSITIVE');
  });

  it('gives one answer over WebRTC and WebSocket, and says which one carries it', async () => {
    const scores: number[] = [];
    for (const transport of ['webrtc', 'websocket'] as const) {
      const events: ProgressEvent[] = [];
      const model = await load('capitals-bert', { transport, progress_callback: (event) => events.push(event) });
      scores.push((await model.predict(TEXT)).predictions[0].score);
      expect(last(events, 'connect').transport).toBe(transport);
    }
    expect(scores[0]).toBeCloseTo(scores[1], 3);
  });

  it('that is aborted ends, and so does one while it is prepared; the parties go on', async () => {
    const control = new AbortController();
    const model = await load('capitals-bert', {
      progress_callback: ({ status }) => status === 'input' && control.abort(),
    });
    await failure('ERR_ABORTED', () => model.predict(TEXT, { signal: control.signal }));
    const early = new AbortController();
    const preparing = model.prepare(9, { signal: early.signal });
    early.abort();
    await failure('ERR_ABORTED', () => preparing);
    await failure('ERR_ABORTED', () => model.predict(TEXT, { signal: AbortSignal.abort() }));
    expect((await model.predict(TEXT)).predictions[0].token).toBe('paris');
  });

  it('that cannot work is refused before anything is sent', async () => {
    const events: ProgressEvent[] = [];
    const model = await load('capitals-bert', { progress_callback: (event) => events.push(event) });
    await failure('ERR_NO_MASK', () => model.predict('There is no blank here.'));
    await failure('ERR_TEXT_EMPTY', () => model.predict('   '));
    await failure('ERR_ARGUMENT', () => model.predict(TEXT, { topK: 0 }));
    await failure('ERR_ARGUMENT', () => model.prepare(100_000));
    expect((await model.check('There is no blank here.')).problem).toMatchObject({ code: 'ERR_NO_MASK' });
    expect(events.filter(({ status }) => status === 'connect')).toEqual([]);
    await model.dispose();
    await failure('ERR_STATE', () => model.predict(TEXT));
  });
});

describe('around it', () => {
  it('pipeline answers in the shapes of transformers.js', async () => {
    const fill = await pipeline('fill-mask', 'capitals-bert', { deployment, device: 'wasm' });
    models.push(fill.model);
    const answers = await fill(TEXT, { top_k: 2 });
    expect(answers).toHaveLength(2);
    expect(answers[0]).toMatchObject({
      token_str: 'paris',
      sequence: 'the capital of france is paris.',
      score: expect.any(Number),
    });
    const classify = await pipeline('sentiment-analysis', 'sst2-bert', { deployment, device: 'wasm' });
    models.push(classify.model);
    expect(await classify('A warm, funny and moving film.')).toEqual([
      { label: 'POSITIVE', score: expect.any(Number) },
    ]);
  });

  it('health names both parties, and capabilities say why a device is missing', async () => {
    const model = await load('capitals-bert');
    expect(await model.health()).toMatchObject([
      { party: 1, ok: true, device: 'wasm' },
      { party: 2, ok: true, device: 'wasm' },
    ]);
    const there = await capabilities();
    expect(there.wasm.ok).toBe(true);
    if (!there.webgpu.ok) expect(there.webgpu.detail).not.toBe('');
  });

  it('two owners at once both get their answers', async () => {
    const both = [await load('capitals-bert'), await load('sst2-bert')];
    const [capital, mood] = await Promise.all([
      both[0].predict(TEXT),
      both[1].classify('It is dull, and far too long.'),
    ]);
    expect([capital.predictions[0].token, mood.label]).toEqual(['paris', 'NEGATIVE']);
  });
});
