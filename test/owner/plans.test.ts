/**
 * The data owner's engine without parties: names of tasks, plans of every task, the one loop of generated text, and
 * what a run's steps add up to.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ModelConfig } from '../../src/ml/config.ts';
import { folderFiles } from '../../src/ml/files-node.ts';
import { TASKS, headsFor, modelTasksFor, taskNamed, taskOf } from '../../src/ml/tasks/table.ts';
import { openModel } from '../../src/node/model.ts';
import { stepCosts, totalsOf } from '../../src/owner/cost.ts';
import { type Decoder, continueText, greedyDecoder } from '../../src/owner/decoder.ts';
import { planIds, spreadIds } from '../../src/owner/id-plan.ts';
import { shapeOfPlan } from '../../src/owner/runner.ts';
import { planTask } from '../../src/owner/task-plans.ts';
import { loadTextContext } from '../../src/owner/text-context.ts';
import type { OwnerResult } from '../../src/session/owner.ts';
import { failure } from '../failure.ts';

const folder = (name: string) => join(import.meta.dirname, '../../models', name);

async function reader(name: string) {
  const { config } = await openModel({ kind: 'folder', path: folder(name) });
  return loadTextContext(await folderFiles(folder(name)), config);
}

describe('the table of tasks', () => {
  it('knows every task by one name, and by the other names of transformers.js', () => {
    expect(TASKS).toHaveLength(7);
    for (const task of TASKS) expect(taskNamed(task)).toBe(task);
    expect(['ner', 'sentiment-analysis', 'embeddings'].map(taskNamed)).toEqual([
      'token-classification',
      'text-classification',
      'feature-extraction',
    ]);
    expect(['', 'toString', 'zero-shot'].map(taskNamed)).toEqual([undefined, undefined, undefined]);
  });

  it('gives every head one task, and zero-shot classification two kinds of models', () => {
    const heads = new Set(TASKS.flatMap(headsFor));
    expect(heads.size).toBe(6);
    expect(new Set([...heads].map(taskOf)).size).toBe(6);
    expect(modelTasksFor('zero-shot-classification')).toEqual(['text-classification', 'fill-mask']);
    for (const task of TASKS.filter((name) => name !== 'zero-shot-classification'))
      expect(modelTasksFor(task)).toEqual([task]);
  });
});

describe('plans', () => {
  it('of zero-shot classification take a word for a label, and refuse what the model has no use for', async () => {
    const known = await reader('capitals-bert');
    const options = {
      labels: ['France', 'the land of Rome'],
      verbalizers: { France: 'paris', 'the land of Rome': 'rome' },
    };
    const { inputs, finish } = planTask('zero-shot-classification', known, ['A text.', 'Another one.'], options);
    expect(inputs).toHaveLength(2);
    const logits = new Float32Array(known.config.vocabSize);
    logits[known.tokenizer.encodeWord('rome')[0]] = 9;
    expect(finish([logits, logits]).map(({ labels }) => labels?.[0].label)).toEqual(
      new Array(2).fill('the land of Rome'),
    );
    const { verbalizers: _, ...without } = options;
    await failure('ERR_ARGUMENT', () => planTask('zero-shot-classification', known, ['A text.'], without));
    await failure('ERR_ARGUMENT', () =>
      planTask('zero-shot-classification', known, ['A text.'], { ...options, multiLabel: true }),
    );
  });

  it('say which of several texts is refused, and a single one without a number', async () => {
    const known = await reader('sst2-bert');
    await failure('ERR_TEXT_EMPTY', () => planTask('text-classification', known, ['good', ''], {}), /text 2 of 2: /);
    await failure('ERR_TEXT_EMPTY', () => planTask('text-classification', known, [''], {}), /EMPTY: the text/);
  });

  it('of a text that goes on take one prompt', async () => {
    const known = await reader('tiny-gpt2');
    await failure('ERR_ARGUMENT', () => planTask('text-generation', known, ['one', 'two'], {}));
    const { decoder } = planTask('text-generation', known, ['The king'], { generation: { maxNewTokens: 5 } });
    expect(decoder?.steps).toBe(4);
  });

  it('of ids have the shape that a text of that length would have, unpadded, and say nothing', async () => {
    const shape = async (name: string, tokens: number, sequences: number, newTokens?: number) => {
      const { config } = await openModel({ kind: 'folder', path: folder(name) });
      const plan = planIds(config, spreadIds(config, tokens, sequences), { newTokens });
      expect(plan.finish([])).toEqual(new Array(sequences).fill({}));
      const terms = { protocol: '3pc_semi_honest', weights: 'open' } as const;
      return shapeOfPlan({ config, terms, buckets: undefined, runMemory: Number.POSITIVE_INFINITY }, plan);
    };
    const plain = { padded: false, pair: false, steps: 0 };
    expect(await shape('capitals-bert', 9, 1)).toEqual({ ...plain, sequences: 1, tokens: 9, rows: 1 });
    expect(await shape('sst2-bert', 16, 3)).toEqual({ ...plain, sequences: 3, tokens: 16, rows: 0 });
    expect(await shape('tiny-gpt2', 7, 1, 4)).toEqual({ ...plain, sequences: 1, tokens: 7, rows: 0, steps: 3 });
  });

  it('of ids end where the model has no positions left', async () => {
    const { config } = await openModel({ kind: 'folder', path: folder('tiny-gpt2') });
    const steps = (tokens: number) => planIds(config, spreadIds(config, tokens, 1), { newTokens: 8 }).decoder?.steps;
    expect([config.maxPositions - 3, config.maxPositions].map(steps)).toEqual([2, 0]);
    const ids = spreadIds({ vocabSize: 50 } as ModelConfig, 40, 2);
    expect(ids.flat().every((id) => Number.isInteger(id) && id >= 0 && id < 50)).toBe(true);
    expect(new Set(ids.flat()).size).toBeGreaterThan(40);
  });
});

/** A step's result with these times, after so many bytes of P0. */
function result(step: number, preprocessMs: number, sentBytes: number, logits: readonly number[] = []): OwnerResult {
  const report = {
    sentBytes,
    receivedBytes: 0,
    peakMemoryBytes: 0,
    device: 'none',
    links: { '1': {}, '2': { x: sentBytes } },
  };
  const timing = { agreeMs: 5, preprocessMs, onlineMs: 30, inputMs: 10, computeMs: 15, outputMs: 5 };
  return {
    logits: Float32Array.from(logits),
    step,
    rounds: 7,
    onlineRounds: 1,
    timing,
    reports: [report, report, report],
  };
}

describe('a text that goes on', () => {
  it('sends every token but the last, at its place behind the prompt, and tells of each step', async () => {
    const sent: unknown[] = [];
    const told: number[] = [];
    const logits = [
      [0, 9, 0],
      [0, 0, 9],
      [9, 0, 0],
    ];
    const continued = await continueText(greedyDecoder(3), result(0, 0, 0, logits[0]), 5, {
      onStep: (_text, index) => told.push(index),
      next: async (input) => {
        sent.push(input);
        return result(sent.length, 0, 0, logits[sent.length]);
      },
    });
    expect(sent).toEqual([
      { tokenId: 1, position: 5 },
      { tokenId: 2, position: 6 },
    ]);
    expect(continued.sent).toEqual([1, 2]);
    expect(continued.steps).toHaveLength(3);
    expect(told).toEqual([0, 1, 2]);
  });

  it('ends when the decoder has a reason, whatever it was dealt for; without a decoder there is one step', async () => {
    const stops: Decoder = { steps: 9, lastId: 4, step: () => ({ text: '.', reason: 'stop' }) };
    const next = () => Promise.reject(new Error('asked for more'));
    const hooks = { onStep: () => undefined, next };
    expect((await continueText(stops, result(0, 0, 0), 5, hooks)).steps).toHaveLength(1);
    expect((await continueText(undefined, result(0, 0, 0), 5, hooks)).steps).toHaveLength(1);
  });
});

describe('what a run took', () => {
  it('adds up times and rounds of its steps, what later ones were waited for included; bytes are counted through', () => {
    const steps = [result(0, 100, 1000), result(1, 8, 1500), result(2, 0, 1600)];
    const { timing, rounds, onlineRounds, reports } = totalsOf(steps);
    expect(timing).toEqual({ agreeMs: 5, preprocessMs: 108, onlineMs: 90, inputMs: 30, computeMs: 45, outputMs: 15 });
    expect([rounds, onlineRounds, reports[0].sentBytes]).toEqual([21, 3, 1600]);
    expect(stepCosts(steps).map(({ p0SentBytes, betweenBytes }) => [p0SentBytes, betweenBytes])).toEqual([
      [1000, 1000],
      [500, 500],
      [100, 100],
    ]);
  });
});
