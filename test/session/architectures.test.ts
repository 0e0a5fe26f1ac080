/**
 * Every architecture and head, privately among three parties in one process, against the float reference: alone,
 * padded, in batches, and token by token.
 */
import type { RunShape } from '../../src/ml/models/run.ts';
import { describe, expect, it } from 'vitest';
import { type ModelConfig, parseModelConfig } from '../../src/ml/config.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import type { WeightSource } from '../../src/ml/models/weights.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import type { TaskInput } from '../../src/ml/tasks/common.ts';
import { Circuits } from '../../src/session/circuits.ts';
import type { Request } from '../../src/session/request.ts';
import { prepared, servedModel } from './harness.ts';

const SIZES = {
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 24,
  vocab_size: 40,
  layer_norm_eps: 1e-5,
};
const bert = { model_type: 'bert', hidden_act: 'gelu', max_position_embeddings: 24, type_vocab_size: 2, ...SIZES };
const roberta = { ...bert, model_type: 'roberta', max_position_embeddings: 26, type_vocab_size: 1, pad_token_id: 1 };
const distilbert = {
  model_type: 'distilbert',
  activation: 'gelu',
  dim: 16,
  n_layers: 2,
  n_heads: 2,
  hidden_dim: 24,
  vocab_size: 40,
  max_position_embeddings: 24,
};
const gpt2 = {
  model_type: 'gpt2',
  activation_function: 'gelu_new',
  n_embd: 16,
  n_layer: 2,
  n_head: 2,
  n_positions: 24,
  vocab_size: 40,
  layer_norm_epsilon: 1e-5,
};

const LABELS = { id2label: { '0': 'O', '1': 'B-X', '2': 'I-X' } };
const TEXTS = [
  [2, 9, 4, 17, 3],
  [2, 30, 31, 7, 8, 22, 3],
];
const SHAPE: RunShape = { sequences: 1, tokens: 8, rows: 0, padded: true, pair: false, steps: 0 };
/** Absolute error of an output of these small models: a few layers of fixed point at scale 16. */
const TOLERANCE = 4e-3;

function configOf(json: object): ModelConfig {
  return parseModelConfig(json);
}

async function privately(source: WeightSource, shape: RunShape, texts: readonly TaskInput[]): Promise<Float32Array> {
  const model = await servedModel(source);
  const request: Request = { model: model.hash, protocol: '3pc_semi_honest', weights: 'open', ...shape };
  const { session, ends } = await prepared({ request, model });
  const { logits } = await session.run(texts);
  expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
  return logits;
}

function expectClose(got: Float32Array, want: ArrayLike<number>): void {
  expect(got.length).toBe(want.length);
  let worst = 0;
  for (let i = 0; i < got.length; i++) worst = Math.max(worst, Math.abs(got[i] - want[i]));
  expect(worst).toBeLessThan(TOLERANCE);
}

describe('encoders', () => {
  it.each([
    ['bert', 'BertForMaskedLM', bert, [2]],
    ['roberta', 'RobertaForMaskedLM', roberta, [1, 3]],
    ['distilbert', 'DistilBertForMaskedLM', distilbert, [3]],
    ['bert with gelu_new', 'BertForMaskedLM', { ...bert, hidden_act: 'gelu_new' }, [1]],
    ['bert with relu', 'BertForMaskedLM', { ...bert, hidden_act: 'relu' }, [1]],
  ] as const)('%s fills masks', { timeout: 60_000 }, async (_name, architecture, json, rows) => {
    const source = randomWeights(configOf({ ...json, architectures: [architecture] }), 5);
    const logits = await privately(source, { ...SHAPE, rows: rows.length }, [{ inputIds: TEXTS[0], rows: [...rows] }]);
    expectClose(logits, (await runFloat(source, TEXTS[0], { positions: [...rows] })).logits);
  });

  it.each([
    ['bert', 'BertForSequenceClassification', bert],
    ['roberta', 'RobertaForSequenceClassification', roberta],
    ['distilbert', 'DistilBertForSequenceClassification', distilbert],
  ] as const)(
    '%s classifies a batch of mixed lengths as it does each alone',
    { timeout: 60_000 },
    async (_name, architecture, json) => {
      const source = randomWeights(configOf({ ...json, ...LABELS, architectures: [architecture] }), 6);
      const logits = await privately(
        source,
        { ...SHAPE, sequences: 2 },
        TEXTS.map((inputIds) => ({ inputIds, rows: [] })),
      );
      const alone = await Promise.all(TEXTS.map(async (ids) => [...(await runFloat(source, ids)).logits]));
      expectClose(logits, alone.flat());
    },
  );

  it.each([
    ['bert', 'BertForQuestionAnswering', bert, true],
    ['bert', 'BertForTokenClassification', { ...bert, ...LABELS }, false],
    ['roberta', 'RobertaForTokenClassification', { ...roberta, ...LABELS }, false],
    ['distilbert', 'DistilBertForQuestionAnswering', distilbert, false],
  ] as const)('%s scores every token (%s)', { timeout: 60_000 }, async (_name, architecture, json, pair) => {
    const source = randomWeights(configOf({ ...json, architectures: [architecture] }), 7);
    const inputIds = TEXTS[1];
    const typeIds = [0, 0, 0, 1, 1, 1, 1];
    const logits = await privately(source, { ...SHAPE, pair }, [{ inputIds, typeIds, rows: [] }]);
    const want = await runFloat(source, inputIds, pair ? { tokenTypeIds: typeIds } : {});
    expectClose(logits.slice(0, want.logits.length), want.logits);
  });

  it('a model without a head gives the mean and the first of its last states', { timeout: 60_000 }, async () => {
    const source = randomWeights(configOf({ ...bert, architectures: ['BertModel'] }), 8);
    const inputIds = TEXTS[0];
    const logits = await privately(source, { ...SHAPE, sequences: 2, rows: 1 }, [
      { inputIds, rows: [], pooling: 'mean' },
      { inputIds, rows: [], pooling: 'cls' },
    ]);
    const { logits: states } = await runFloat(source, inputIds);
    const mean = Array.from(
      { length: 16 },
      (_, c) => inputIds.reduce((sum, _id, t) => sum + states[t * 16 + c], 0) / inputIds.length,
    );
    expectClose(logits, [...mean, ...states.slice(0, 16)]);
  });
});

describe('GPT-2', () => {
  const config = configOf({ ...gpt2, architectures: ['GPT2LMHeadModel'] });
  const source = randomWeights(config, 9);
  const prompt = [5, 11, 30, 2, 17];
  const following = [8, 23, 39, 1];

  it.each([
    ['a padded prompt', true, 8],
    ['a prompt of public length', false, prompt.length],
  ])(
    'goes on from %s token by token, each at the cost of one position',
    { timeout: 120_000 },
    async (_name, padded, tokens) => {
      const model = await servedModel(source);
      const shape = { ...SHAPE, tokens, padded, rows: padded ? 1 : 0, steps: following.length };
      const { session, ends, sent } = await prepared({
        request: { model: model.hash, protocol: '3pc_semi_honest', weights: 'open', ...shape },
        model,
      });
      let known = [...prompt];
      const expected = async () => (await runFloat(source, known, { positions: [known.length - 1] })).logits;
      const rows = padded ? [prompt.length - 1] : [];
      expectClose((await session.run([{ inputIds: prompt, rows }])).logits, await expected());
      const first = sent.length;
      for (const [i, tokenId] of following.entries()) {
        const result = await session.next({ tokenId, position: known.length });
        known = [...known, tokenId];
        expect(result.step).toBe(i + 1);
        expectClose(result.logits, await expected());
      }
      expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
      expect(sent.length).toBeGreaterThan(first);
      expect(session.more).toBe(false);
    },
  );

  it('says nothing of the prompt’s length but its bucket, neither with the prompt nor with a step', {
    timeout: 60_000,
  }, async () => {
    const model = await servedModel(source);
    const sizesFor = async (ids: readonly number[], padded: boolean): Promise<string[]> => {
      const sizes: string[] = [];
      const shape = { ...SHAPE, tokens: padded ? 8 : ids.length, padded, rows: padded ? 1 : 0, steps: 2 };
      const request: Request = { model: model.hash, protocol: '3pc_semi_honest', weights: 'open', ...shape };
      const { session } = await prepared({
        request,
        model,
        tap: ({ from, to }, tag, bytes) => void (from === 0 && sizes.push(`${to} ${tag} ${bytes.length}`)),
      });
      await session.run([{ inputIds: ids, rows: padded ? [ids.length - 1] : [] }]);
      for (const i of [0, 1]) await session.next({ tokenId: 8, position: ids.length + i });
      return [1, 2].flatMap((peer) => sizes.filter((line) => line.startsWith(`${peer} `)));
    };
    const [short, long] = [prompt.slice(0, 3), [...prompt, 9, 12]];
    expect(await sizesFor(long, true)).toEqual(await sizesFor(short, true));
    // Control: without padding the sizes tell them apart.
    expect(await sizesFor(long, false)).not.toEqual(await sizesFor(short, false));
  });

  it('parties build the circuit of the next token while they are at work on this one', {
    timeout: 60_000,
  }, async () => {
    const model = await servedModel(source);
    const events: string[] = [];
    class Watched extends Circuits {
      readonly #party: number;

      constructor(party: number) {
        super();
        this.#party = party;
      }

      override get(...asked: Parameters<Circuits['get']>): ReturnType<Circuits['get']> {
        events.push(`${this.#party} asks for ${asked[3]}`);
        return super.get(...asked);
      }
    }
    const { session, ends } = await prepared({
      request: { model: model.hash, protocol: '3pc_semi_honest', weights: 'open', ...SHAPE, rows: 1, steps: 1 },
      model,
      compute: (id) => ({ circuits: new Watched(id) }),
      tap: ({ from, to }, tag) => {
        events.push(`${from} to ${to}: ${tag}`);
      },
    });
    await session.run([{ inputIds: prompt, rows: [4] }]);
    await session.next({ tokenId: 8, position: 5 });
    await Promise.all(ends);
    const output = events.findIndex((event) => event.startsWith('1 to 0: output'));
    const rounds = events.slice(0, output).filter((event) => /^2 to 1: .*-21\//.test(event));
    for (const party of [1, 2]) {
      const asked = events.indexOf(`${party} asks for 1`);
      expect(asked).toBeGreaterThan(events.indexOf(`${party} asks for 0`));
      expect(asked).toBeLessThan(events.indexOf(rounds[rounds.length - 1]));
    }
    // Behind the last step there is none.
    expect(events.filter((event) => event.includes('asks for 2'))).toEqual([]);
  });

  it('an owner that has enough leaves in the middle, which is no failure', { timeout: 60_000 }, async () => {
    const model = await servedModel(source);
    const shape = { ...SHAPE, rows: 1, steps: 6 };
    const { session, ends } = await prepared({
      request: { model: model.hash, protocol: '3pc_semi_honest', weights: 'open', ...shape },
      model,
    });
    await session.run([{ inputIds: prompt, rows: [4] }]);
    await session.next({ tokenId: 8, position: 5 });
    expect(session.more).toBe(true);
    await session.discard();
    expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
  });

  it('gives hidden states of every position, in a batch', { timeout: 60_000 }, async () => {
    const headless = randomWeights(configOf({ ...gpt2, architectures: ['GPT2Model'] }), 10);
    const logits = await privately(
      headless,
      { ...SHAPE, sequences: 2, padded: false, tokens: 5 },
      [TEXTS[0], prompt].map((inputIds) => ({ inputIds, rows: [] })),
    );
    const want = await Promise.all([TEXTS[0], prompt].map(async (ids) => [...(await runFloat(headless, ids)).logits]));
    expectClose(logits, want.flat());
  });
});
