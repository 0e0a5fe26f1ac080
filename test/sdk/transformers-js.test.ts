/**
 * `pipeline` beside that of transformers.js, on the same checkpoints in the clear: what goes in, and keys, their order,
 * types, lists and numbers of what comes out. Where the two differ on purpose is in docs/TASKS.md.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { pipelineWith } from '../../src/sdk/pipeline.ts';
import { type Checkpoint, clearModel } from '../support/clear-model.ts';
import { transformersPipeline } from '../support/transformers-js.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCUMENT = readFileSync(`${ROOT}docs/TASKS.md`, 'utf8');

const models = new Map<string, Promise<Checkpoint>>();
/** Other heads and labels on the weights of a classifier. */
const CHANGES: Readonly<Record<string, object>> = {
  encoder: { architectures: ['BertModel'], id2label: undefined, label2id: undefined },
  entailment: {
    id2label: { 0: 'contradiction', 1: 'entailment' },
    label2id: { contradiction: 0, entailment: 1 },
  },
};
function checkpoint(name: string): Promise<Checkpoint> {
  const made = models.get(name) ?? clearModel(`${ROOT}models/${name in CHANGES ? 'sst2-bert' : name}`, CHANGES[name]);
  models.set(name, made);
  return made;
}

/** Keys that differ on purpose. */
const DEVIATIONS: Readonly<Record<string, readonly string[]>> = {
  'fill-mask': ['sequence'],
  'token-classification': ['start', 'end'],
  'question-answering': ['start', 'end'],
};

/** Keys in their order, numbers to three digits, words in small letters. */
function shown(result: unknown, without: readonly string[]): unknown {
  if (typeof result === 'string') return result.toLowerCase();
  if (typeof result === 'number') return Number.isInteger(result) ? result : `about ${result.toFixed(3)}`;
  if (Array.isArray(result)) return result.map((one) => shown(one, without));
  if (typeof result !== 'object' || result === null) return result;
  const { dims, type, size, data } = result as Record<string, unknown>;
  if (dims !== undefined) {
    const { tolist } = result as { tolist(): unknown };
    return { dims, type, size, kind: data?.constructor.name, list: shown(tolist.call(result), without) };
  }
  return Object.entries(result).flatMap(([key, value]) =>
    without.includes(key) ? [] : [[key, shown(value, without)]],
  );
}

const REVIEWS = ['A warm, funny and moving film.', 'Dull.'];
const CAPITALS = ['The capital of France is [MASK].', 'The capital of Spain is [MASK].'];
const [QUESTION, CONTEXT] = ['Who built the bridge?', 'The stone bridge in Marlow was built by Thomas Hale.'];
const NAMES = 'Maria Silva flew from Lisbon to Toronto.';
const PROMPT = 'Once upon a time there was a little girl named';

/** Each task with what a user of transformers.js passes. */
const CALLS = [
  ['fill-mask', 'capitals-bert', [CAPITALS[0]]],
  ['fill-mask', 'capitals-bert', [CAPITALS, { topk: 2 }]],
  ['text-classification', 'sst2-bert', [REVIEWS[0]]],
  ['text-classification', 'sst2-bert', [REVIEWS[0], { topk: 2 }]],
  ['text-classification', 'sst2-bert', [REVIEWS]],
  ['text-classification', 'sst2-bert', [REVIEWS, { topk: null }]],
  ['zero-shot-classification', 'entailment', [REVIEWS[0], ['good', 'dull']]],
  ['zero-shot-classification', 'entailment', [REVIEWS, ['good', 'dull'], { multi_label: true }]],
  ['zero-shot-classification', 'entailment', [REVIEWS, 'good', { hypothesis_template: 'It is {}.' }]],
  ['question-answering', 'squad-distilbert', [QUESTION, CONTEXT]],
  ['question-answering', 'squad-distilbert', [QUESTION, CONTEXT, { topk: 2 }]],
  ['token-classification', 'wnut-roberta', [NAMES]],
  ['token-classification', 'wnut-roberta', [[NAMES, 'Nobody.'], { ignore_labels: [] }]],
  ['text-generation', 'tiny-gpt2', [PROMPT, { max_new_tokens: 4, do_sample: false }]],
  ['text-generation', 'tiny-gpt2', [[PROMPT], { max_new_tokens: 2, do_sample: false, return_full_text: false }]],
  ['feature-extraction', 'encoder', [REVIEWS[1]]],
  ['feature-extraction', 'encoder', [REVIEWS, { pooling: 'mean', normalize: true }]],
  ['feature-extraction', 'encoder', [REVIEWS, { pooling: 'cls' }]],
] as const;

describe('what transformers.js says, pipeline says', () => {
  it.each(CALLS.map((call, i) => [i + 1, ...call] as const))('%i: %s on %s', async (_, task, name, args) => {
    const { folder, source, model } = await checkpoint(name);
    const theirs = transformersPipeline(task, folder, source, CHANGES[name]);
    const ours = (await pipelineWith(async () => model)(task, name)) as unknown as typeof theirs;
    const without = DEVIATIONS[task] ?? [];
    const [own, other] = [await ours(...args), await theirs(...args)];
    // The second best answer of a question is no part of a word here: their keys are alike.
    const seconds = task === 'question-answering' && Array.isArray(own) && Array.isArray(other);
    if (seconds) expect(own.length).toBe((other as unknown[]).length);
    const [left, right] = seconds ? [own[0], (other as unknown[])[0]] : [own, other];
    expect(shown(left, without)).toEqual(shown(right, without));
  });

  it('and where it does not, docs/TASKS.md says so', () => {
    const rows = DOCUMENT.split('### As transformers.js has them')[1].split('\n');
    for (const [task, keys] of Object.entries(DEVIATIONS))
      for (const key of keys)
        expect(
          rows.find((line) => line.startsWith(`| ${task}`)),
          task,
        ).toContain(`\`${key}\``);
  });

  it('would be told apart from another answer', async () => {
    const { folder, source, model } = await checkpoint('sst2-bert');
    const theirs = transformersPipeline('text-classification', folder, source);
    const ours = await pipelineWith(async () => model)('text-classification', 'sst2-bert');
    expect(shown(await ours(REVIEWS[0]), [])).not.toEqual(shown(await theirs(REVIEWS[1]), []));
  });
});
