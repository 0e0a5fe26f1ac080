/**
 * The forward pass of BERT on secret tensors, written on `Gates` alone: it cannot open a value.
 *
 * T tokens, M masked positions, C hidden size, H heads, D head width, F feed-forward size, V vocabulary, L labels. Activations between layers are
 * normalised rows (scale 16); residual sums stay at scale 32. The last layer runs only for the rows that the head reads: the masked ones, by a
 * one-hot product with positions that P0 alone knows, or the first.
 */
import { invariant } from '../../core/errors.ts';
import { type GeluRange, secureGelu, secureTanh } from '../../mpc/secure/activation.ts';
import { type RealPositions, attend } from '../../mpc/secure/attention.ts';
import type { Gates, Wire } from '../../mpc/secure/gates.ts';
import { type NormaliseRange, normalise } from '../../mpc/secure/normalise.ts';
import type { BertConfig } from '../config.ts';
import { bertParameters, type LayerParameters } from './bert-parameters.ts';

/** What the weights allow: public, computed by whoever knows them (`ml/ranges.ts`). */
export interface BertPlan {
  readonly gelu: readonly GeluRange[];
  readonly headGelu: GeluRange;
  readonly treeBits: readonly (8 | 9)[];
  /** Resolution of the LayerNorms: two of every layer, the embeddings', the head's. */
  readonly residual: readonly ('normal' | 'coarse')[];
  readonly embedding: NormaliseRange;
  readonly head: NormaliseRange;
}

export interface BertRun {
  readonly config: BertConfig;
  readonly plan: BertPlan;
  /** T, public. */
  readonly tokens: number;
  /** M, public; their positions are not. */
  readonly masks: number;
  /** Whether the T positions end in padding, of a length that P0 alone knows. */
  readonly padded: boolean;
}

/** Names of P0's inputs and of the output. */
export const TOKENS = 'tokens';
export const MASK_ROWS = 'mask rows';
export const REAL_BITS = 'real bits';
export const REAL_WORDS = 'real words';
export const LOGITS = 'logits';

/** Logits leave at this scale in Z_2^32. */
export const LOGIT_SCALE = 16;

/** (T, C) → (H, T, D). */
function splitHeads(gates: Gates, x: Wire, heads: number): Wire {
  const [T, C] = x.shape;
  const D = C / heads;
  const index = new Uint32Array(T * C);
  for (let h = 0; h < heads; h++) for (let t = 0; t < T; t++) for (let d = 0; d < D; d++) index[(h * T + t) * D + d] = t * C + h * D + d;
  return gates.gather(x, index, [heads, T, D]);
}

/** (H, T, D) → (T, C). */
function mergeHeads(gates: Gates, x: Wire): Wire {
  const [heads, T, D] = x.shape;
  const C = heads * D;
  const index = new Uint32Array(T * C);
  for (let t = 0; t < T; t++) for (let h = 0; h < heads; h++) for (let d = 0; d < D; d++) index[t * C + h * D + d] = (h * T + t) * D + d;
  return gates.gather(x, index, [T, C]);
}

/** One encoder layer. `rows` are the positions whose output is wanted (all of x, or a selection of it); x feeds keys and values. */
function encoderLayer(gates: Gates, run: BertRun, i: number, p: LayerParameters, x: Wire, rows: Wire, real: RealPositions | undefined): Wire {
  const { heads, layerNormEps } = run.config;
  const context = gates.section('attention', () => {
    const q = splitHeads(gates, gates.affine([{ x: rows, weight: p.wq }], p.bq), heads);
    const k = splitHeads(gates, gates.affine([{ x, weight: p.wk }], p.bk), heads);
    const v = splitHeads(gates, gates.affine([{ x, weight: p.wv }], p.bv), heads);
    return mergeHeads(gates, attend(gates, q, k, v, run.plan.treeBits[i], real));
  });
  const middle = gates.section('attention output', () => {
    const sum = gates.affine(
      [
        { x: context, weight: p.wo },
        { x: rows, weight: p.residual1, diagonal: true },
      ],
      p.bo,
    );
    return normalise(gates, sum, layerNormEps, run.plan.residual[2 * i]);
  });
  const inner = gates.section('feed-forward', () => secureGelu(gates, gates.affine([{ x: middle, weight: p.w1 }], p.b1), run.plan.gelu[i]));
  return gates.section('feed-forward output', () => {
    const sum = gates.affine(
      [
        { x: inner, weight: p.w2 },
        { x: middle, weight: p.residual2, diagonal: true },
      ],
      p.b2,
    );
    return normalise(gates, sum, layerNormEps, run.plan.residual[2 * i + 1]);
  });
}

/** The rows that the head reads: M masked ones, secretly selected, or the first row. (T, C) → (M, C) or (1, C). */
function headRows(gates: Gates, run: BertRun, x: Wire): Wire {
  const [T, C] = x.shape;
  if (run.config.architecture === 'BertForSequenceClassification') {
    return gates.gather(
      x,
      Uint32Array.from({ length: C }, (_, c) => c),
      [1, C],
    );
  }
  return gates.section('masked rows', () => {
    const select = gates.reshape(gates.input(MASK_ROWS, [run.masks, T], 64, 0), [1, run.masks, T]);
    return gates.reshape(gates.matmul(select, gates.reshape(x, [1, T, C])), [run.masks, C]);
  });
}

/** Builds the circuit from P0's tokens (and mask positions) to the logits. */
export function buildBert(gates: Gates, run: BertRun): void {
  const { config, plan, tokens } = run;
  const parameters = bertParameters(config);
  const embedded = gates.section('embeddings', () => {
    const words = gates.scale(gates.lookup(TOKENS, parameters.word, tokens), 256n, 32);
    return normalise(gates, gates.addParameter(words, parameters.position(tokens)), config.layerNormEps, plan.embedding);
  });
  const real = run.padded ? { bits: gates.input(REAL_BITS, [tokens], 1, 0), words: gates.input(REAL_WORDS, [tokens], 8, 0) } : undefined;
  let x = embedded;
  parameters.layers.forEach((layer, i) => {
    x = gates.section(`layer ${i + 1}/${config.layers}`, () =>
      encoderLayer(gates, run, i, layer, x, i === config.layers - 1 ? headRows(gates, run, x) : x, real),
    );
  });
  const logits = gates.section('head', () => {
    const { mlm, classifier } = parameters;
    if (mlm !== undefined) {
      const dense = secureGelu(gates, gates.affine([{ x, weight: mlm.dense }], mlm.denseBias), plan.headGelu);
      const hidden = normalise(gates, gates.scale(dense, 65536n, 32), config.layerNormEps, plan.head);
      return gates.affine([{ x: hidden, weight: mlm.decoder }], mlm.decoderBias);
    }
    invariant(classifier !== undefined, 'the model has no head');
    const pooled = secureTanh(gates, gates.affine([{ x, weight: classifier.pooler }], classifier.poolerBias));
    return gates.affine([{ x: pooled, weight: classifier.weight }], classifier.bias);
  });
  gates.output(LOGITS, gates.reduce(gates.shift(logits, 32 - LOGIT_SCALE), 32));
}
