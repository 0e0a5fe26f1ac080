/**
 * Every task of the SDK in Node against two real parties: what a model answers is what the float reference says of
 * the same weights; batches, generated text, and what an early end leaves behind.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folderFiles } from '../../src/ml/files-node.ts';
import { loadModelConfig } from '../../src/ml/config.ts';
import { type WeightSource, loadWeights } from '../../src/ml/models/weights.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import type { TaskInput } from '../../src/ml/tasks/common.ts';
import { encodeSafetensors } from '../../src/ml/safetensors-encode.ts';
import { finishFeatures, prepareFeatures } from '../../src/ml/tasks/feature-extraction.ts';
import { finishEntities, prepareEntities } from '../../src/ml/tasks/named-entities.ts';
import { finishQuestion, prepareQuestion } from '../../src/ml/tasks/question-answering.ts';
import { finishNli, prepareNli } from '../../src/ml/tasks/zero-shot-nli.ts';
import { type Tokenizer, loadTokenizer } from '../../src/ml/tokenizers/tokenizer.ts';
import { type Model, type ProgressEvent, SecureTransformer, loadDeployment, pipeline } from '../../src/sdk/node.ts';
import type { LocalPage, LocalPageOptions } from '../../src/server/local-page.ts';
import { failure } from '../failure.ts';
import { ROOT, Workplace } from './command.ts';

const place = new Workplace();
const PROMPT = 'Once upon a time there was a little girl named';
const QUESTION = {
  question: 'Who built the bridge?',
  context: 'The old stone bridge in Marlow was built in 1783 by Thomas Hale. It crosses the river Wend.',
};
const NAMES = 'Maria Silva flew from Lisbon to Toronto with her brother Pedro.';
const REVIEWS = [
  'A warm, funny and moving film.',
  'It is dull, and far too long, and the story goes nowhere at all, whatever the actors try to do about it.',
  'Dull.',
  'The acting is good and I was happy.',
  'A bad film.',
];

let page: LocalPage;
let deployment: string;
const stop = new AbortController();
const models: Model[] = [];

/** A model folder with another head or other labels on the same weights. */
function variant(of: string, name: string, change: object): string {
  const [from, to] = [join(ROOT, 'models', of), join(place.folder, name)];
  mkdirSync(to);
  for (const file of ['tokenizer.json', 'vocab.txt', 'tokenizer_config.json', 'model.safetensors'])
    if (existsSync(join(from, file))) copyFileSync(join(from, file), join(to, file));
  const config = JSON.parse(readFileSync(join(from, 'config.json'), 'utf8')) as object;
  writeFileSync(join(to, 'config.json'), JSON.stringify({ ...config, ...change }));
  // Parties tell models apart by their weights files alone: one more, which nothing reads, makes these another model.
  writeFileSync(
    join(to, `${name}.safetensors`),
    encodeSafetensors([{ name, dtype: 'F32', shape: [1], data: Float32Array.of(0) }]),
  );
  return to;
}

const folders: Record<string, string> = {};

beforeAll(async () => {
  for (const name of ['capitals-bert', 'sst2-bert', 'squad-distilbert', 'wnut-roberta', 'tiny-gpt2'])
    folders[name] = join(ROOT, 'models', name);
  const labels = { id2label: { 0: 'contradiction', 1: 'entailment' }, label2id: { contradiction: 0, entailment: 1 } };
  folders['entailment'] = variant('sst2-bert', 'entailment', labels);
  // The compiled one starts the compiled parties.
  const { serveLocalPage } = (await import(pathToFileURL(join(ROOT, 'dist/server/local-page.js')).href)) as {
    serveLocalPage(options: LocalPageOptions): Promise<LocalPage>;
  };
  const certificates = join(place.home, 'certificates');
  page = await serveLocalPage({
    entry: join(ROOT, 'dist/cli/main.js'),
    models: Object.values(folders),
    vectors: [folders['sst2-bert']],
    port: 0,
    certificates,
    device: 'wasm',
    threads: 1,
    signal: stop.signal,
    debug: false,
  });
  page.failed.catch(() => undefined);
  deployment = `${page.url}tercet.json`;
}, 120_000);

afterAll(async () => {
  await Promise.all(models.map((model) => model.dispose()));
  await page.stop();
  place.close();
});

async function load(id: string, options: Parameters<typeof SecureTransformer.fromPretrained>[1] = {}): Promise<Model> {
  const model = await SecureTransformer.fromPretrained(id, {
    deployment,
    device: 'wasm',
    transport: 'websocket',
    ...options,
  });
  models.push(model);
  return model;
}

interface Oracle {
  readonly source: WeightSource;
  readonly tokenizer: Tokenizer;
  /** What the model gives for an input, in the clear. */
  logits(input: TaskInput): Promise<Float32Array>;
}

async function oracle(id: string): Promise<Oracle> {
  const files = await folderFiles(folders[id]);
  const source = await loadWeights(files, await loadModelConfig(files));
  const logits = async ({ inputIds, typeIds }: TaskInput) =>
    (await runFloat(source, inputIds, typeIds === undefined ? {} : { tokenTypeIds: typeIds })).logits;
  return { source, tokenizer: await loadTokenizer(files), logits };
}

async function greedy({ source, tokenizer }: Oracle, prompt: string, pieces: number): Promise<number[]> {
  const ids = [...tokenizer.encode(prompt, { allowMask: false }).ids];
  const start = ids.length;
  while (ids.length < start + pieces) {
    const { logits } = await runFloat(source, ids, { positions: [ids.length - 1] });
    ids.push(
      logits.subarray(0, tokenizer.vocabSize).reduce((best, value, i, all) => (value > all[best] ? i : best), 0),
    );
  }
  return ids.slice(start);
}

describe('the deployment', () => {
  it('names the task of every model, pins what an owner needs, and has examples that work', async () => {
    const { entries } = await loadDeployment(deployment);
    expect(entries.map(({ id, task }) => [id, task])).toEqual([
      ['capitals-bert', 'fill-mask'],
      ['sst2-bert', 'text-classification'],
      ['squad-distilbert', 'question-answering'],
      ['wnut-roberta', 'token-classification'],
      ['tiny-gpt2', 'text-generation'],
      ['entailment', 'text-classification'],
      ['sst2-bert-vectors', 'feature-extraction'],
    ]);
    for (const { id, files, examples } of entries) {
      expect(Object.keys(files), id).not.toContain('model.safetensors');
      expect(examples.length, id).toBeGreaterThanOrEqual(2);
      const model = await load(id);
      for (const { text, question } of examples) {
        const check = await model.check(question === undefined ? text : { question, context: text });
        expect(check.problem, `${id}: ${text}`).toBeUndefined();
      }
      await model.dispose();
    }
  });
});

describe('a batch', () => {
  it('of mixed lengths answers in order as each text does alone, in as many runs as asked for', async () => {
    const model = await load('sst2-bert');
    const { results, costs } = await model.classifyBatch(REVIEWS, { batchSize: 3 });
    expect(costs).toHaveLength(2);
    expect(results.map(({ label }) => label)).toEqual(['POSITIVE', 'NEGATIVE', 'NEGATIVE', 'POSITIVE', 'NEGATIVE']);
    // The longest of the first run, and the last of the second.
    for (const i of [1, 4]) expect(results[i].score).toBeCloseTo((await model.classify(REVIEWS[i])).score, 2);
  });
});

describe('a question', () => {
  it('gets the answer that the model gives in the clear, prepared ahead or not', async () => {
    const model = await load('squad-distilbert');
    const { tokenizer, source, logits } = await oracle('squad-distilbert');
    const input = prepareQuestion(QUESTION.question, QUESTION.context, tokenizer, source.config);
    const [expected] = finishQuestion(await logits(input), input);
    await model.prepare(input.inputIds.length);
    const { answer, score, start, end, cost } = await model.answerQuestion(QUESTION);
    expect([answer, start, end]).toEqual([expected.answer, expected.start, expected.end]);
    expect(answer).toBe(QUESTION.context.slice(start, end));
    expect(score).toBeCloseTo(expected.score, 2);
    expect(cost.preparedAhead).toBe(true);
    const pipe = await pipeline('question-answering', 'squad-distilbert', {
      deployment,
      device: 'wasm',
      transport: 'websocket',
    });
    models.push(pipe.model);
    expect(await pipe(QUESTION.question, QUESTION.context)).toEqual({
      answer,
      start,
      end,
      score: expect.closeTo(score, 2),
    });
  });
});

describe('names', () => {
  it('are those that the model finds in the clear', async () => {
    const model = await load('wnut-roberta');
    const { tokenizer, source, logits } = await oracle('wnut-roberta');
    const input = prepareEntities(NAMES, tokenizer, source.config);
    const expected = finishEntities(await logits(input), input);
    const { entities } = await model.extractEntities(NAMES);
    expect(entities).toEqual(expected.map((entity) => ({ ...entity, score: expect.closeTo(entity.score, 2) })));
    expect(entities.map(({ text }) => text)).toContain('Lisbon');
    const pipe = await pipeline('ner', 'wnut-roberta', { deployment, device: 'wasm', transport: 'websocket' });
    models.push(pipe.model);
    const [list] = await pipe([NAMES], { aggregation_strategy: 'first' });
    const shown = expected.map(({ label, word, start, end, score }) => ({
      entity_group: label,
      word,
      start,
      end,
      score: expect.closeTo(score, 2),
    }));
    expect(list).toEqual(shown);
  });
});

describe('vectors', () => {
  it('are the means that the model has in the clear, in a batch and alone', async () => {
    // The layers of the classifier, without its head.
    const model = await load('sst2-bert-vectors');
    folders['encoder'] = variant('sst2-bert', 'encoder', {
      architectures: ['BertModel'],
      id2label: undefined,
      label2id: undefined,
      num_labels: undefined,
    });
    const { tokenizer, source } = await oracle('encoder');
    const { vectors } = await model.embed(REVIEWS.slice(0, 3));
    for (const [i, text] of REVIEWS.slice(0, 3).entries()) {
      const input = prepareFeatures(text, tokenizer, source.config, { pooling: 'none' });
      const { data: states, dims } = finishFeatures((await runFloat(source, input.inputIds)).logits, input);
      const mean = Array.from(
        { length: dims[1] },
        (_, c) => states.reduce((sum, value, at) => (at % dims[1] === c ? sum + value : sum), 0) / dims[0],
      );
      const length = Math.hypot(...mean);
      const cosine = mean.reduce((sum, value, c) => sum + (value / length) * vectors[i].data[c], 0);
      expect(cosine, text).toBeGreaterThan(0.9999);
      expect(Math.hypot(...vectors[i].data)).toBeCloseTo(1, 5);
    }
  });
});

describe('labels of the user’s own', () => {
  it('are told apart by a word, and by entailment', async () => {
    const cloze = await load('capitals-bert');
    const options = { template: 'the capital of {text} is {mask}.', labels: ['paris', 'tokyo', 'rome'] };
    const { label, labels } = await cloze.classify('japan', options);
    expect(label).toBe('tokyo');
    expect(labels.map((one) => one.label).sort()).toEqual(['paris', 'rome', 'tokyo']);
    expect((await cloze.classifyBatch(['japan', 'italy'], options)).results.map((result) => result.label)).toEqual([
      'tokyo',
      'rome',
    ]);
    await failure('ERR_ARGUMENT', () => cloze.classify('japan', { ...options, labels: ['paris', 'no single piece'] }));

    const model = await load('entailment');
    const { tokenizer, source, logits } = await oracle('entailment');
    const names = ['a good film', 'a dull film'];
    const input = prepareNli(REVIEWS[0], names, tokenizer, source.config);
    const expected = finishNli(
      Float32Array.from((await Promise.all(input.inputs.map(logits))).flatMap((row) => [...row])),
      input,
    );
    const pipe = await pipeline('zero-shot-classification', 'entailment', {
      deployment,
      device: 'wasm',
      transport: 'websocket',
    });
    models.push(pipe.model);
    const shown = await pipe(REVIEWS[0], names);
    expect(shown.sequence).toBe(REVIEWS[0]);
    expect(shown.labels).toEqual(expected.labels);
    for (const [i, score] of shown.scores.entries()) expect(score).toBeCloseTo(expected.scores[i], 2);
    expect((await model.classify(REVIEWS[0], { labels: names })).label).toBe(shown.labels[0]);
  });
});

describe('a generated text', () => {
  it('is that of the model in the clear, piece by piece, over both transports and with secret weights', async () => {
    const expected = await greedy(await oracle('tiny-gpt2'), PROMPT, 4);
    const secret = {
      weights: 'secret',
      credential: readFileSync(join(page.credentials, 'tiny-gpt2.credential.json')),
    } as const;
    for (const options of [{}, { transport: 'webrtc' }, secret] as const) {
      const model = await load('tiny-gpt2', options);
      const stream = model.generate(PROMPT, { maxNewTokens: 4 });
      let text = '';
      for await (const piece of stream) text += piece;
      const result = await stream;
      expect(result.ids).toEqual(expected);
      expect(result.text).toBe(text);
      expect(result.cost.links.between.rounds).toBe(result.cost.links.between.totalRounds);
      await model.dispose();
    }
  });

  it('uses what was prepared for more pieces, and stops at a stop text', async () => {
    const model = await load('tiny-gpt2');
    const whole = await model.generate(PROMPT, { maxNewTokens: 8 });
    const stop = whole.text.trim().split(' ')[1];
    await model.prepare(16, { maxNewTokens: 10 });
    const { text, reason, cost } = await model.generate(PROMPT, { maxNewTokens: 8, stop: [stop] });
    expect(reason).toBe('stop');
    expect(text).toBe(whole.text.slice(0, whole.text.indexOf(stop)));
    expect(cost.preparedAhead).toBe(true);
    const pipe = await pipeline('text-generation', 'tiny-gpt2', { deployment, device: 'wasm', transport: 'websocket' });
    models.push(pipe.model);
    const pieces: string[] = [];
    const sampled = {
      max_new_tokens: 4,
      do_sample: true,
      top_k: 5,
      seed: 3,
      callback_function: (piece: string) => pieces.push(piece),
    };
    const [{ generated_text }] = await pipe(PROMPT, sampled);
    expect(generated_text).toBe(PROMPT + pieces.join(''));
    // Rounding differs from run to run, so even a seeded text may turn out another one where two pieces are about
    // as likely.
    expect(await pipe([PROMPT], { max_new_tokens: 2, return_full_text: false })).toEqual([
      [{ generated_text: expect.stringMatching(/^.+$/) }],
    ]);
  });

  it('that is left early or aborted in its middle ends at all parties, and they go on serving', async () => {
    const events: ProgressEvent[] = [];
    const model = await load('tiny-gpt2', { progress_callback: (event) => events.push(event) });
    const left = model.generate(PROMPT, { maxNewTokens: 20 });
    for await (const _ of left) break;
    await failure('ERR_ABORTED', async () => await left);
    expect(events.filter(({ status }) => status === 'token').length).toBeLessThan(20);
    const control = new AbortController();
    const aborted = model.generate(PROMPT, { maxNewTokens: 20, signal: control.signal });
    await failure('ERR_ABORTED', async () => {
      let pieces = 0;
      for await (const _ of aborted) if (++pieces === 3) control.abort();
    });
    await failure('ERR_ABORTED', async () => await aborted);
    // More often than there are places for sessions, so that one that stayed behind would be missed.
    for (let i = 0; i < 9; i++) for await (const _ of model.generate(PROMPT, { maxNewTokens: 8 })) break;
    expect((await model.generate(PROMPT, { maxNewTokens: 2 })).ids).toHaveLength(2);
    expect((await (await load('sst2-bert')).classify(REVIEWS[0])).label).toBe('POSITIVE');
  });

  it('is refused before anything is sent when it cannot be', async () => {
    const events: ProgressEvent[] = [];
    const model = await load('tiny-gpt2', { progress_callback: (event) => events.push(event) });
    for (const options of [{ temperature: -1 }, { topP: 0 }, { maxNewTokens: 0 }, { maxNewTokens: 5000 }]) {
      await failure('ERR_ARGUMENT', async () => await model.generate(PROMPT, options));
    }
    await failure('ERR_MODEL_UNSUPPORTED', () => model.classify(PROMPT));
    const batch = await load('sst2-bert', { progress_callback: (event) => events.push(event) });
    await failure('ERR_ARGUMENT', () => batch.classifyBatch([]));
    const reader = await load('squad-distilbert', { progress_callback: (event) => events.push(event) });
    await failure('ERR_ARGUMENT', () => reader.answerQuestion({ context: QUESTION.context } as typeof QUESTION));
    await failure('ERR_TOO_MANY_TOKENS', () => reader.answerQuestion({ ...QUESTION, context: 'word '.repeat(600) }));
    expect(events.filter(({ status }) => status === 'connect')).toEqual([]);
  });
});
