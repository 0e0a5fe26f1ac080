/**
 * Which shapes of a run a model takes: asked by the owner before it sends, and by a party of everything that
 * arrives.
 */
import type { RunShape } from '../../src/ml/models/run.ts';
import { describe, expect, it } from 'vitest';
import { type ModelConfig, parseModelConfig } from '../../src/ml/config.ts';
import {
  type Request,
  checkShape,
  misfit,
  mostSequences,
  requestCode,
  requestOfCode,
  shapeFor,
} from '../../src/session/request.ts';
import { failure } from '../failure.ts';
import { REQUEST, prepared } from './harness.ts';

const bert = (architecture: string): ModelConfig =>
  parseModelConfig({
    ...{
      architectures: [architecture],
      model_type: 'bert',
      hidden_act: 'gelu',
      hidden_size: 16,
      num_hidden_layers: 1,
      num_attention_heads: 2,
    },
    ...{ intermediate_size: 24, vocab_size: 40, max_position_embeddings: 64, type_vocab_size: 2, layer_norm_eps: 1e-5 },
  });
const gpt2 = parseModelConfig({
  ...{
    architectures: ['GPT2LMHeadModel'],
    model_type: 'gpt2',
    activation_function: 'gelu_new',
    n_embd: 16,
    n_layer: 1,
    n_head: 2,
  },
  ...{ n_positions: 64, vocab_size: 40, layer_norm_epsilon: 1e-5 },
});
const MASKED = bert('BertForMaskedLM');
const SHAPE: RunShape = { sequences: 1, tokens: 16, rows: 1, padded: true, pair: false, steps: 0 };

describe('a shape', () => {
  it.each<[string, ModelConfig, Partial<RunShape>]>([
    ['more positions than the model has', MASKED, { tokens: 65 }],
    ['no position', MASKED, { tokens: 0, rows: 0 }],
    ['no sequence', MASKED, { sequences: 0 }],
    ['more sequences than its widest vector has room for', MASKED, { sequences: 2 ** 28 / (16 * 2 * 16) + 1 }],
    [
      'more rows of the vocabulary than a vector has room for',
      MASKED,
      { rows: 16, sequences: 2 ** 28 / (16 * 40) + 1 },
    ],
    ['more rows than positions', MASKED, { rows: 17 }],
    ['a masked language model without a mask', MASKED, { rows: 0 }],
    ['steps of an encoder', MASKED, { steps: 1 }],
    ['rows of a classifier', bert('BertForSequenceClassification'), { rows: 1 }],
    ['rows of a head on every token', bert('BertForQuestionAnswering'), { rows: 1 }],
    ['token types of a model without', gpt2, { pair: true }],
    ['more steps than positions are left', gpt2, { steps: 49 }],
    ['several prompts that go on', gpt2, { sequences: 2, steps: 1 }],
    ['a padded prompt whose end is not chosen in secret', gpt2, { rows: 0 }],
    ['a prompt of public length whose end is', gpt2, { padded: false }],
  ])('with %s is refused', async (_what, config, change) => {
    expect(misfit(config, { ...SHAPE, ...change })).toEqual(expect.any(String));
    await failure('ERR_SHAPE', () => checkShape(config, { ...SHAPE, ...change }));
  });

  it('that a model takes is taken', () => {
    expect(misfit(MASKED, SHAPE)).toBeUndefined();
    expect(misfit(bert('BertForQuestionAnswering'), { ...SHAPE, rows: 0, pair: true })).toBeUndefined();
    expect(misfit(gpt2, { ...SHAPE, steps: 48 })).toBeUndefined();
    expect(misfit(bert('BertModel'), { ...SHAPE, rows: 0, sequences: 4 })).toBeUndefined();
  });

  it('follows from a task and the head of a model, and always fits it', () => {
    const needs = { sequences: 1, tokens: 16, secretRows: 0, padded: true, pair: true, steps: 4 };
    for (const config of [
      MASKED,
      gpt2,
      bert('BertForSequenceClassification'),
      bert('BertForTokenClassification'),
      bert('BertModel'),
    ]) {
      for (const padded of [true, false])
        expect(misfit(config, shapeFor(config, { ...needs, padded }))).toBeUndefined();
    }
  });

  it('has as many sequences as the model has room for, and not a fixed number', () => {
    const most = mostSequences(MASKED, SHAPE);
    expect(most).toBe(2 ** 28 / (16 * 32));
    expect(misfit(MASKED, { ...SHAPE, sequences: most })).toBeUndefined();
    // Twice the positions: four times the scores.
    expect(mostSequences(MASKED, { ...SHAPE, tokens: 64 })).toBe(2 ** 28 / (64 * 2 * 64));
  });

  it('stands in 32 bytes, and nothing but its own code is read as one', () => {
    const request = {
      protocol: '3pc_semi_honest',
      weights: 'secret',
      sequences: 300,
      tokens: 70_000,
      rows: 3,
      padded: true,
      pair: true,
      steps: 9,
    } as const;
    const code = requestCode(request);
    expect(code).toMatch(/^[0-9a-f]{64}$/);
    expect(requestOfCode(code)).toEqual({ ...request, dealt: false });
    // Whether somebody deals in the owner's place; who, stands in the request.
    const dealt = requestCode({ ...request, dealer: 'd1'.repeat(32) });
    expect(requestOfCode(dealt)).toEqual({ ...request, dealt: true });
    // How widenings get the wrap; words of who deals are what a request without it asks for.
    const transfers = requestCode({ ...request, widening: 'ot' });
    expect(requestOfCode(transfers)).toEqual({ ...request, dealt: false, widening: 'ot' });
    expect(requestCode({ ...request, widening: 'dealer' })).toBe(code);
    const changed = (at: number, byte: string) => code.slice(0, 2 * at) + byte + code.slice(2 * at + 2);
    // Another version, protocol, kind of weights or flag; a byte behind the end; a hash; too short.
    for (const other of [
      changed(0, '63'),
      changed(1, '03'),
      changed(2, '02'),
      changed(3, '10'),
      changed(31, '01'),
      'ab'.repeat(32),
      code.slice(2),
      `${code}00`,
    ]) {
      expect(requestOfCode(other), other).toBeUndefined();
    }
  });

  it('is all in the code that parties sign', () => {
    const changes: Partial<Request>[] = [
      { dealer: 'd1'.repeat(32) },
      { sequences: 2 },
      { tokens: 17 },
      { rows: 2 },
      { padded: false },
      { pair: true },
      { steps: 1 },
      { weights: 'secret' },
      { widening: 'ot' },
    ];
    const hashes = [REQUEST, ...changes.map((change) => ({ ...REQUEST, ...change }))].map(requestCode);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('that does not fit never reaches a party of an honest owner', async () => {
    await failure('ERR_SHAPE', () => prepared({ request: { ...REQUEST, rows: 0 } }));
    // Control: the same request as it should be is prepared.
    const { session } = await prepared();
    await session.discard();
  });
});
