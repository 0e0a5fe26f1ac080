/**
 * Where the checkpoints of the transformers library keep a tensor: under which names, of which shape, and how it
 * becomes the canonical one.
 *
 * BERT, RoBERTa and DistilBERT store matrices (out, in) and q, k and v apart. GPT-2 stores them (in, out), with q,
 * k and v side by side in one. RoBERTa's position table has rows that no text uses.
 */

import { invariant } from '../../core/errors.ts';
import type { ModelConfig } from '../config.ts';
import type { ModelType } from '../model-types.ts';
import { splitName, type TensorName, tensorShape } from './weight-names.ts';

/** One tensor as stored. */
export interface StoredTensor {
  /** Names under which it may lie, the one that counts first. */
  readonly names: readonly string[];
  readonly shape: readonly number[];
  /** From the stored values to the canonical ones; may return its argument. */
  readonly convert: (stored: Float32Array) => Float32Array;
}

interface Layout {
  /** What stands before the names of everything but the head; checkpoints of the bare model lack it. */
  readonly base: string;
  /** What stands, after the base, before a layer's number. */
  readonly layers: string;
  /** Modules of a layer by `q`, `k`, `v`, `o`, `1`, `2`, `ln1`, `ln2`. */
  readonly parts: Readonly<Record<string, string>>;
  /** All other tensors by canonical name; `+` stands for the base. */
  readonly others: Readonly<Record<string, string>>;
  /**
   * Names that go before those of `others`. A decoder that is not tied has a bias of its own beside the head's, and
   * the decoder's is the one that the library adds.
   */
  readonly preferred: Readonly<Record<string, string>>;
}

const BERT_EMBEDDINGS = {
  'embeddings.word': '+embeddings.word_embeddings.weight',
  'embeddings.position': '+embeddings.position_embeddings.weight',
  'embeddings.tokenType': '+embeddings.token_type_embeddings.weight',
  'embeddings.lnGamma': '+embeddings.LayerNorm.weight',
  'embeddings.lnBeta': '+embeddings.LayerNorm.bias',
};

const BERT_PARTS = {
  q: 'attention.self.query',
  k: 'attention.self.key',
  v: 'attention.self.value',
  o: 'attention.output.dense',
  '1': 'intermediate.dense',
  '2': 'output.dense',
  ln1: 'attention.output.LayerNorm',
  ln2: 'output.LayerNorm',
};

/** `head.name` of each key, as modules with a weight and a bias. */
function modules(
  group: string,
  table: Readonly<Record<string, readonly [weight: string, bias: string]>>,
): Record<string, string> {
  const pairs = Object.entries(table).flatMap(([module, [weight, bias]]) => [
    [`${group}.${weight}`, `${module}.weight`],
    [`${group}.${bias}`, `${module}.bias`],
  ]);
  return Object.fromEntries(pairs) as Record<string, string>;
}

const LAYOUTS: Readonly<Record<ModelType, Layout>> = {
  bert: {
    base: 'bert.',
    layers: 'encoder.layer.',
    parts: BERT_PARTS,
    others: {
      ...BERT_EMBEDDINGS,
      ...modules('mlm', {
        'cls.predictions.transform.dense': ['dense', 'denseBias'],
        'cls.predictions.transform.LayerNorm': ['lnGamma', 'lnBeta'],
      }),
      'mlm.decoder': 'cls.predictions.decoder.weight',
      'mlm.decoderBias': 'cls.predictions.bias',
      ...modules('classifier', { '+pooler.dense': ['pooler', 'poolerBias'], classifier: ['weight', 'bias'] }),
    },
    preferred: { 'cls.predictions.bias': 'cls.predictions.decoder.bias' },
  },
  roberta: {
    base: 'roberta.',
    layers: 'encoder.layer.',
    parts: BERT_PARTS,
    others: {
      ...BERT_EMBEDDINGS,
      ...modules('mlm', { 'lm_head.dense': ['dense', 'denseBias'], 'lm_head.layer_norm': ['lnGamma', 'lnBeta'] }),
      'mlm.decoder': 'lm_head.decoder.weight',
      'mlm.decoderBias': 'lm_head.bias',
      ...modules('classifier', {
        'classifier.dense': ['pooler', 'poolerBias'],
        'classifier.out_proj': ['weight', 'bias'],
      }),
    },
    preferred: { 'lm_head.bias': 'lm_head.decoder.bias' },
  },
  distilbert: {
    base: 'distilbert.',
    layers: 'transformer.layer.',
    parts: {
      q: 'attention.q_lin',
      k: 'attention.k_lin',
      v: 'attention.v_lin',
      o: 'attention.out_lin',
      '1': 'ffn.lin1',
      '2': 'ffn.lin2',
      ln1: 'sa_layer_norm',
      ln2: 'output_layer_norm',
    },
    others: {
      ...BERT_EMBEDDINGS,
      ...modules('mlm', {
        vocab_transform: ['dense', 'denseBias'],
        vocab_layer_norm: ['lnGamma', 'lnBeta'],
        vocab_projector: ['decoder', 'decoderBias'],
      }),
      ...modules('classifier', { pre_classifier: ['pooler', 'poolerBias'], classifier: ['weight', 'bias'] }),
    },
    preferred: {},
  },
  gpt2: {
    base: 'transformer.',
    layers: 'h.',
    parts: {
      q: 'attn.c_attn',
      k: 'attn.c_attn',
      v: 'attn.c_attn',
      o: 'attn.c_proj',
      '1': 'mlp.c_fc',
      '2': 'mlp.c_proj',
      ln1: 'ln_1',
      ln2: 'ln_2',
    },
    others: {
      'embeddings.word': '+wte.weight',
      'embeddings.position': '+wpe.weight',
      ...modules('final', { '+ln_f': ['lnGamma', 'lnBeta'] }),
      'lm.decoder': 'lm_head.weight',
    },
    preferred: {},
  },
};

/**
 * Where a checkpoint of `config` keeps the tensor `name`. @throws {TercetError} ERR_INTERNAL for a name that the
 * architecture does not have.
 */
export function storedTensor(config: ModelConfig, name: TensorName): StoredTensor {
  const layout = LAYOUTS[config.modelType];
  const { group, key, layer } = splitName(config, name);
  let today: string;
  if (layer !== undefined) {
    const isNorm = key.startsWith('ln');
    const isMatrix = isNorm ? key.endsWith('Gamma') : key.startsWith('w');
    today = `+${layout.layers}${layer}.${layout.parts[isNorm ? key.slice(0, 3) : key.slice(1)]}.${isMatrix ? 'weight' : 'bias'}`;
  } else if (group === 'perToken') {
    today = `${config.head === 'question-answering' ? 'qa_outputs' : 'classifier'}.${key}`;
  } else {
    today = layout.others[name];
  }
  const names = [...(Object.hasOwn(layout.preferred, today) ? [layout.preferred[today]] : []), today];
  if (/ln[12]?(Gamma|Beta)$/.test(key)) names.push(today.replace(/weight$/, 'gamma').replace(/bias$/, 'beta'));
  return {
    names: names.flatMap((each) => (each.startsWith('+') ? [layout.base + each.slice(1), each.slice(1)] : [each])),
    ...stored(config, name, layer === undefined ? name : key),
  };
}

/** The number of the layer that a stored tensor belongs to; undefined when it belongs to none. */
export function layerOf(config: ModelConfig, storedName: string): number | undefined {
  const { base, layers } = LAYOUTS[config.modelType];
  const rest = storedName.startsWith(base) ? storedName.slice(base.length) : storedName;
  const digits = rest.startsWith(layers) ? /^\d{1,9}(?=\.)/.exec(rest.slice(layers.length))?.[0] : undefined;
  return digits === undefined ? undefined : Number(digits);
}

/** `what`: the key of a layer's tensor, else the whole name. */
function stored(config: ModelConfig, name: TensorName, what: string): Pick<StoredTensor, 'shape' | 'convert'> {
  const shape = tensorShape(config, name);
  const C = config.hiddenSize;
  if (what === 'embeddings.position' && config.positionOffset > 0) {
    return {
      shape: [config.maxPositions + config.positionOffset, C],
      convert: (table) => table.slice(config.positionOffset * C),
    };
  }
  if (config.modelType !== 'gpt2') return { shape, convert: (values) => values };
  const third = ['q', 'k', 'v'].indexOf(what.slice(1));
  if (third >= 0) {
    if (what.startsWith('b')) return { shape: [3 * C], convert: (bias) => bias.slice(third * C, (third + 1) * C) };
    return { shape: [C, 3 * C], convert: (all) => transpose(columns(all, 3 * C, third * C, C), C, C) };
  }
  if (what === 'wo' || what === 'w1' || what === 'w2') {
    invariant(shape.length === 2, `${name} is a matrix`);
    const [outSize, inSize] = shape;
    return { shape: [inSize, outSize], convert: (values) => transpose(values, inSize, outSize) };
  }
  return { shape, convert: (values) => values };
}

/** The columns [from, from + count) of x (·,width), row-major, in memory of their own. */
export function columns(x: Float32Array, width: number, from: number, count: number): Float32Array {
  const rows = x.length / width;
  const out = new Float32Array(rows * count);
  for (let row = 0; row < rows; row++) out.set(x.subarray(row * width + from, row * width + from + count), row * count);
  return out;
}

/** w (rows, cols) → (cols, rows), in memory of its own. */
export function transpose(w: Float32Array, rows: number, cols: number): Float32Array {
  const out = new Float32Array(w.length);
  const BLOCK = 32; // keeps both sides of a block in the cache
  for (let r0 = 0; r0 < rows; r0 += BLOCK) {
    const r1 = Math.min(rows, r0 + BLOCK);
    for (let c0 = 0; c0 < cols; c0 += BLOCK) {
      const c1 = Math.min(cols, c0 + BLOCK);
      for (let r = r0; r < r1; r++) for (let c = c0; c < c1; c++) out[c * rows + r] = w[r * cols + c];
    }
  }
  return out;
}
