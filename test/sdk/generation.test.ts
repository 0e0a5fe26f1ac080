/**
 * Generated text through the SDK, on real sessions in one process: the pieces of the float reference, streams,
 * early ends, and what is refused before it is sent.
 */
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/core/errors.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import type { ProgressEvent } from '../../src/owner/types/index.ts';
import { failure } from '../failure.ts';
import { type MemorySite, memorySite } from './memory-site.ts';

const count = (events: readonly ProgressEvent[], status: ProgressEvent['status']) =>
  events.filter((event) => event.status === status).length;

/** The likeliest pieces behind a prompt, by the float reference. */
async function greedy({ source, tokenizer }: MemorySite, prompt: string, pieces: number): Promise<number[]> {
  const ids = [...tokenizer.encode(prompt, { allowMask: false }).ids];
  const start = ids.length;
  while (ids.length < start + pieces) {
    const { logits } = await runFloat(source, ids, { positions: [ids.length - 1] });
    const next = logits
      .subarray(0, tokenizer.vocabSize)
      .reduce((best, value, i, all) => (value > all[best] ? i : best), 0);
    if (next === tokenizer.eosTokenId) break;
    ids.push(next);
  }
  return ids.slice(start);
}

describe('a generator', () => {
  it('adds the pieces of the float reference, tells of each, and counts all steps', { timeout: 120_000 }, async () => {
    const site = await memorySite('writer');
    const model = await site.load();
    expect(site.fetched.toSorted((a, b) => a.localeCompare(b))).toEqual([
      'config.json',
      'merges.txt',
      'tokenizer_config.json',
      'vocab.json',
    ]);
    const expected = await greedy(site, 'the cat', 4);
    const stream = model.generate('the cat', { maxNewTokens: 4 });
    const pieces: string[] = [];
    for await (const text of stream) pieces.push(text);
    const result = await stream;
    expect(result.ids).toEqual(expected);
    expect(result.reason).toBe('length');
    expect(pieces.join('')).toBe(result.text);
    expect(result.generated_text).toBe(`the cat${result.text}`);
    expect(result.pieceMs).toHaveLength(4);
    const { links, timing } = result.cost;
    expect(links.between.rounds).toBe(links.between.totalRounds);
    const tokens = site.events.flatMap((event) => (event.status === 'token' ? [event] : []));
    expect(tokens.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(tokens.map(({ text }) => text).join('')).toBe(result.text);
    expect(count(site.events, 'reconstruct')).toBe(4);
    expect(count(site.events, 'input')).toBe(4);
    expect(count(site.events, 'layer')).toBeGreaterThanOrEqual(4);
    expect(timing.totalMs).toBeGreaterThanOrEqual(timing.inputMs + timing.computeMs + timing.outputMs);
    expect(result.captured.tokens.map(({ text }) => text)).toEqual(['the', 'Ġ', 'c', 'a', 't']);
    expect(await Promise.all(site.ends)).toEqual(['answered', 'answered']);
  });

  it('runs once, whoever iterates or waits, drawn or not', { timeout: 120_000 }, async () => {
    const site = await memorySite('writer');
    const model = await site.load();
    const options = { maxNewTokens: 3, temperature: 1.5, seed: 11 };
    const stream = model.generate('the', options);
    const collect = async () => {
      let all = '';
      for await (const text of stream) all += text;
      return all;
    };
    const [one, two, result] = await Promise.all([collect(), collect(), stream]);
    expect([one, two]).toEqual([result.text, result.text]);
    expect(await collect()).toBe(result.text);
    expect(site.ends).toHaveLength(2);
  });

  it('prepared for more pieces serves fewer, and not more', { timeout: 180_000 }, async () => {
    const site = await memorySite('writer');
    const model = await site.load();
    await model.prepare(4, { maxNewTokens: 5 });
    const fewer = await model.generate('the', { maxNewTokens: 2 });
    expect(fewer.ids).toEqual(await greedy(site, 'the', 2));
    expect(fewer.cost.preparedAhead).toBe(true);
    expect(await Promise.all(site.ends)).toEqual(['answered', 'answered']);
    await model.prepare(4, { maxNewTokens: 2 });
    const more = await model.generate('the', { maxNewTokens: 3 });
    expect(more.cost.preparedAhead).toBe(false);
    expect(more.ids).toEqual(await greedy(site, 'the', 3));
    expect((await Promise.all(site.ends)).filter((end) => end === 'discarded')).toHaveLength(2);
  });

  it('that is left early ends at all parties, and they go on serving', { timeout: 120_000 }, async () => {
    const site = await memorySite('writer');
    const model = await site.load();
    const stream = model.generate('the cat', { maxNewTokens: 12 });
    for await (const _ of stream) break;
    await failure('ERR_ABORTED', async () => await stream);
    expect(count(site.events, 'token')).toBeLessThan(12);
    const ends = await Promise.all(site.ends);
    expect(ends).toHaveLength(2);
    expect((await model.generate('the', { maxNewTokens: 1 })).ids).toEqual(await greedy(site, 'the', 1));
  });

  it('that is aborted rejects for those who iterate and those who wait', { timeout: 120_000 }, async () => {
    const site = await memorySite('writer');
    const control = new AbortController();
    const model = await site.load({ progress_callback: ({ status }) => status === 'token' && control.abort() });
    const stream = model.generate('the cat', { maxNewTokens: 12, signal: control.signal });
    const iterated = failure('ERR_ABORTED', async () => {
      for await (const _ of stream);
    });
    await Promise.all([iterated, failure('ERR_ABORTED', async () => await stream)]);
    await Promise.all(site.ends);
    expect((await model.generate('the', { maxNewTokens: 1 })).ids).toHaveLength(1);
    await model.dispose();
    await failure('ERR_STATE', async () => await model.generate('the'));
  });

  it('pads a prompt no further than the pieces behind it leave room, and refuses what cannot be', {
    timeout: 120_000,
  }, async () => {
    const site = await memorySite('writer');
    const model = await site.load();
    // 17 positions and 14 more would be padded to a bucket of 32, and the model has 32 in all.
    const prompt = 'x'.repeat(17);
    await model.prepare(17, { maxNewTokens: 3 });
    const { cost, ids } = await model.generate(prompt, { maxNewTokens: 3, maxLength: 30 });
    expect(cost).toMatchObject({ paddedTokens: 30, preparedAhead: true });
    expect(ids).toEqual(await greedy(site, prompt, 3));
    const both = await model.generate('the', { maxNewTokens: 20, maxLength: 3 });
    expect(both.ids).toHaveLength(2);
    const before = site.ends.length;
    const cases: [ErrorCode, string, object][] = [
      ['ERR_ARGUMENT', 'the', { temperature: -1 }],
      ['ERR_ARGUMENT', 'the', { topP: 0 }],
      ['ERR_ARGUMENT', 'the', { topK: 0 }],
      ['ERR_ARGUMENT', 'the', { maxNewTokens: 0 }],
      ['ERR_ARGUMENT', 'the', { maxNewTokens: 40 }],
      ['ERR_ARGUMENT', 'the', { maxNewTokens: 2.5, maxLength: 10 }],
      ['ERR_ARGUMENT', 'the', { maxLength: 1 }],
      ['ERR_ARGUMENT', 'the', { repetitionPenalty: 0 }],
      ['ERR_TEXT_EMPTY', '', {}],
      ['ERR_TOO_MANY_TOKENS', 'x'.repeat(32), {}],
    ];
    for (const [code, text, options] of cases) {
      const stream = model.generate(text, options);
      await failure(code, async () => {
        for await (const _ of stream);
      });
      await failure(code, async () => await stream);
    }
    await failure('ERR_ARGUMENT', () => model.prepare(20, { maxNewTokens: 20 }));
    await failure('ERR_ARGUMENT', () => model.prepare(4, { maxNewTokens: 0 }));
    await failure('ERR_ARGUMENT', () => model.prepare(4, { sequences: 2 }));
    expect(site.ends).toHaveLength(before);
  });
});
