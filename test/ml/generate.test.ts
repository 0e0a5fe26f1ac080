import { describe, expect, it } from 'vitest';
import { Generation, type GenerationOptions, prepareGeneration } from '../../src/ml/tasks/generate.ts';
import { checkGenerationOptions } from '../../src/ml/tasks/generation-options.ts';
import { thrown } from '../failure.ts';
import { bertConfig, gpt2Config, loadGpt2 } from './tasks-fixtures.ts';

const tokenizer = await loadGpt2();
const V = tokenizer.vocabSize;
const config = gpt2Config(V);
const EOS = tokenizer.eosTokenId as number;
const check = (options: GenerationOptions, promptTokens = 4) =>
  checkGenerationOptions(options, promptTokens, tokenizer, config);
const ids = (text: string): number[] => tokenizer.encodeWord(text);

/** Logits that make one piece certain. */
function only(id: number, width = V): Float32Array {
  return new Float32Array(width).fill(-50).fill(50, id, id + 1);
}

/** Runs a generation whose model says these pieces. */
function generate(pieces: readonly number[], options: GenerationOptions, prompt = 'The') {
  const generation = new Generation(prepareGeneration(prompt, tokenizer, config, options), tokenizer);
  const texts: string[] = [];
  for (const id of pieces) {
    if (generation.done) break;
    texts.push(generation.step(only(id)).text);
  }
  return { texts, result: generation.result() };
}

describe('options', () => {
  it('default to greedy with 20 pieces, or what is left', () => {
    const plan = {
      doSample: false,
      temperature: 1,
      topK: undefined,
      topP: 1,
      repetitionPenalty: 1,
      seed: undefined,
      stop: [],
      eosTokenIds: [EOS],
    };
    expect(check({})).toMatchObject({ ...plan, maxNewTokens: 20 });
    expect(check({}, 20).maxNewTokens).toBe(4);
  });

  it('sample when anything of sampling is given, unless told not to', () => {
    expect(check({ temperature: 0.8, topP: 0.9, maxLength: 10 })).toMatchObject({
      doSample: true,
      temperature: 0.8,
      topP: 0.9,
      maxNewTokens: 6,
    });
    for (const options of [{ topK: 3 }, { topP: 0.5 }, { seed: 0 }, { doSample: true }])
      expect(check(options).doSample).toBe(true);
    expect(check({ temperature: 0 }).doSample).toBe(false);
    expect(check({ temperature: 0, topK: 4 }).doSample).toBe(false);
    expect(check({ temperature: 0.8, doSample: false }).doSample).toBe(false);
  });

  it('are refused by name', () => {
    const bad: GenerationOptions[] = [
      { temperature: -0.1 },
      { temperature: Number.NaN },
      { temperature: Number.POSITIVE_INFINITY },
      { temperature: 0, doSample: true },
      { topP: 0 },
      { topP: 1.01 },
      { topP: -1 },
      { topK: 0 },
      { topK: 1.5 },
      { repetitionPenalty: 0 },
      { repetitionPenalty: -1 },
      { seed: -1 },
      { seed: 0.5 },
      { seed: 2 ** 53 },
      { maxNewTokens: 0 },
      { maxNewTokens: 2.5 },
      { maxNewTokens: 21 },
      { maxLength: 25 },
      { maxLength: 4 },
      { maxLength: 0 },
      { maxLength: 10, maxNewTokens: 6 },
      { stop: '' },
      { stop: ['a', ''] },
      { stop: ['a'.repeat(1001)] },
      { stop: new Array<string>(65).fill('a') },
      { eosTokenId: V },
      { eosTokenId: [-1] },
      { eosTokenId: 1.5 },
      { topK: '5' as unknown as number },
      { doSample: 1 as unknown as boolean },
      { stop: [5 as unknown as string] },
    ];
    for (const options of bad) {
      const { message } = thrown('ERR_ARGUMENT', () => check(options));
      expect(
        Object.keys(options).some((name) => message.includes(name)),
        message,
      ).toBe(true);
    }
  });

  it('say how much room there is', () => {
    expect(thrown('ERR_ARGUMENT', () => check({ maxNewTokens: 21 }))).toMatchObject({ hint: 'give at most 20' });
    expect(thrown('ERR_ARGUMENT', () => check({ maxLength: 25 }))).toMatchObject({ hint: 'give at most 24' });
    expect(check({ maxNewTokens: 20 }).maxNewTokens).toBe(20);
    expect(check({ maxLength: 24 }).maxNewTokens).toBe(20);
    thrown('ERR_TOO_MANY_TOKENS', () => check({}, 24));
  });

  it('take one end, several or none', () => {
    expect(check({ eosTokenId: 7 }).eosTokenIds).toEqual([7]);
    expect(check({ eosTokenId: [7, 8] }).eosTokenIds).toEqual([7, 8]);
    expect(check({ eosTokenId: [] }).eosTokenIds).toEqual([]);
    expect(check({ stop: 'x' }).stop).toEqual(['x']);
  });
});

describe('a generation', () => {
  it('reads the last position of its prompt', () => {
    const input = prepareGeneration('The good', tokenizer, config);
    expect(input.inputIds).toEqual(ids('The good'));
    expect(input.rows).toEqual([input.inputIds.length - 1]);
    expect(input.typeIds).toBeUndefined();
  });

  it('refuses another model, an empty prompt and one that is too long', () => {
    thrown('ERR_MODEL_UNSUPPORTED', () => prepareGeneration('The', tokenizer, bertConfig('BertForMaskedLM')));
    thrown('ERR_TEXT_EMPTY', () => prepareGeneration(' ', tokenizer, config));
    thrown('ERR_TOO_MANY_TOKENS', () => prepareGeneration('!?'.repeat(13), tokenizer, config));
    thrown('ERR_TOO_MANY_TOKENS', () => prepareGeneration('!?'.repeat(12), tokenizer, config));
  });

  it('ends after as many pieces as were asked for', () => {
    const { result } = generate([...ids(' good'), ...ids(' bad'), ...ids(' is')], { maxNewTokens: 2 });
    expect(result).toEqual({
      text: ' good bad',
      generated_text: 'The good bad',
      ids: [...ids(' good'), ...ids(' bad')],
      reason: 'length',
    });
  });

  it('ends at an end-of-text piece, which is not in the answer', () => {
    expect(generate([...ids(' good'), EOS], {}).result).toEqual({
      text: ' good',
      generated_text: 'The good',
      ids: ids(' good'),
      reason: 'eos',
    });
    const [bad] = ids(' bad');
    expect(generate([...ids(' good'), bad], { eosTokenId: [EOS, bad] }).result.reason).toBe('eos');
    expect(generate([EOS, ...ids(' good')], { eosTokenId: [], maxNewTokens: 2 }).result).toMatchObject({
      text: ' good',
      reason: 'length',
    });
  });

  it('ends before a stop text, and shows what was held back when there is none', () => {
    expect(generate([...ids(' good'), ...ids(' bad')], { stop: ['d b'] })).toMatchObject({
      texts: [' goo', ''],
      result: { text: ' goo', reason: 'stop' },
    });
    expect(generate([...ids(' good'), EOS], { stop: ['d b'] })).toMatchObject({
      texts: [' goo', 'd'],
      result: { text: ' good', reason: 'eos' },
    });
    expect(generate([...ids(' good')], { stop: 'd b', maxNewTokens: 1 })).toMatchObject({
      texts: [' good'],
      result: { reason: 'length' },
    });
  });

  it('is fed what it chose', () => {
    const generation = new Generation(prepareGeneration('The', tokenizer, config, { maxNewTokens: 2 }), tokenizer);
    expect(generation.lastId).toBeUndefined();
    expect(generation.inputIds).toEqual(ids('The'));
    thrown('ERR_STATE', () => generation.result());
    const [good] = ids(' good');
    expect(generation.step(only(good))).toEqual({ text: ' good', reason: undefined });
    expect(generation.lastId).toBe(good);
    expect(generation.inputIds).toEqual([...ids('The'), good]);
    expect(generation.step(only(good, V + 5)).reason).toBe('length');
    expect(generation.done).toBe(true);
    thrown('ERR_STATE', () => generation.step(only(good)));
  });

  it('penalizes what the prompt and the answer have', () => {
    const [good] = ids(' good');
    const [bad] = ids(' bad');
    const generation = new Generation(
      prepareGeneration('The good', tokenizer, config, { repetitionPenalty: 2, maxNewTokens: 2 }),
      tokenizer,
    );
    const logits = new Float32Array(V);
    logits[good] = 3;
    logits[bad] = 2;
    expect(generation.step(logits).text).toBe(' bad');
    expect(generation.step(logits).text).toBe(' good');
  });

  it('repeats itself with a seed', () => {
    const run = (seed: number): readonly number[] => {
      const generation = new Generation(
        prepareGeneration('The', tokenizer, config, { seed, maxNewTokens: 20 }),
        tokenizer,
      );
      while (!generation.done) generation.step(new Float32Array(V));
      return generation.result().ids;
    };
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  it('refuses logits of another width', () => {
    const generation = new Generation(prepareGeneration('The', tokenizer, config), tokenizer);
    thrown('ERR_SHAPE', () => generation.step(new Float32Array(V - 1)));
    thrown('ERR_RANGE', () => generation.step(new Float32Array(V).fill(Number.NaN)));
  });
});
