/**
 * The parameters of a BERT as the secure forward uses them: named, shaped, scaled, with every LayerNorm's γ and β folded into its consumers.
 *
 * A normalised row y stands for γ∘y + β, so a consumer W, b of it becomes diag(γ)·W and b + βW, and a residual connection carries γ∘y + β. The
 * factor 8/√D of attention is in W_Q (`mpc/secure/attention.ts`). Matrices are (in, out). Integers are round(value · 2^scale).
 */
import { TercetError } from '../../core/errors.ts';
import type { Parameter } from '../../mpc/secure/gates.ts';
import type { BertConfig } from '../config.ts';
import type { BertTensorName, BertWeightSource } from './bert-weights.ts';

const WEIGHT = 16;
/** Products of two scale-16 numbers; biases are added to those. */
const PRODUCT = 32;
/** Word embeddings: looked up exactly (a one-hot has scale 0), finer than weights because LayerNorm magnifies them. */
const EMBEDDING = 24;

export interface BertParameters {
  readonly word: Parameter;
  /** Position and token-type rows of the first T positions, flat. */
  readonly position: (tokens: number) => Parameter;
  readonly layers: readonly LayerParameters[];
  readonly mlm?: { readonly dense: Parameter; readonly denseBias: Parameter; readonly decoder: Parameter; readonly decoderBias: Parameter };
  readonly classifier?: { readonly pooler: Parameter; readonly poolerBias: Parameter; readonly weight: Parameter; readonly bias: Parameter };
}

export interface LayerParameters {
  readonly wq: Parameter;
  readonly bq: Parameter;
  readonly wk: Parameter;
  readonly bk: Parameter;
  readonly wv: Parameter;
  readonly bv: Parameter;
  readonly wo: Parameter;
  readonly bo: Parameter;
  /** γ of the LayerNorm before the attention block, for the residual. */
  readonly residual1: Parameter;
  readonly w1: Parameter;
  readonly b1: Parameter;
  readonly w2: Parameter;
  readonly b2: Parameter;
  readonly residual2: Parameter;
}

export function bertParameters(config: BertConfig): BertParameters {
  const { hiddenSize: C, intermediateSize: F, vocabSize: V, numLabels: L } = config;
  const matrix = (name: string, rows: number, cols: number): Parameter => ({ name, rows, cols, scale: WEIGHT });
  const bias = (name: string, cols: number): Parameter => ({ name, rows: 1, cols, scale: PRODUCT });
  const row = (name: string): Parameter => ({ name, rows: 1, cols: C, scale: WEIGHT });
  const layers = Array.from({ length: config.layers }, (_, i): LayerParameters => {
    const at = `layers.${i}`;
    return {
      wq: matrix(`${at}.wq`, C, C),
      bq: bias(`${at}.bq`, C),
      wk: matrix(`${at}.wk`, C, C),
      bk: bias(`${at}.bk`, C),
      wv: matrix(`${at}.wv`, C, C),
      bv: bias(`${at}.bv`, C),
      wo: matrix(`${at}.wo`, C, C),
      bo: bias(`${at}.bo`, C),
      residual1: row(`${at}.residual1`),
      w1: matrix(`${at}.w1`, C, F),
      b1: bias(`${at}.b1`, F),
      w2: matrix(`${at}.w2`, F, C),
      b2: bias(`${at}.b2`, C),
      residual2: row(`${at}.residual2`),
    };
  });
  const common = {
    word: { name: 'embeddings.word', rows: V, cols: C, scale: EMBEDDING },
    position: (tokens: number): Parameter => ({ name: 'embeddings.position', rows: 1, cols: tokens * C, scale: PRODUCT }),
    layers,
  };
  if (config.architecture === 'BertForMaskedLM') {
    return {
      ...common,
      mlm: {
        dense: matrix('mlm.dense', C, C),
        denseBias: bias('mlm.denseBias', C),
        decoder: matrix('mlm.decoder', C, V),
        decoderBias: bias('mlm.decoderBias', V),
      },
    };
  }
  return {
    ...common,
    classifier: {
      pooler: matrix('classifier.pooler', C, C),
      poolerBias: bias('classifier.poolerBias', C),
      weight: matrix('classifier.weight', C, L),
      bias: bias('classifier.bias', L),
    },
  };
}

/** All parameters of the architecture, positions for the longest text, in a fixed order: the order of shared weights and of their masks. */
export function listParameters(config: BertConfig): Parameter[] {
  const all = bertParameters(config);
  return [
    all.word,
    all.position(config.maxPositions),
    ...all.layers.flatMap((layer) => Object.values(layer) as Parameter[]),
    ...Object.values(all.mlm ?? all.classifier ?? {}),
  ];
}

/** A real matrix with its bias, (in, out), in float64: what a parameter is before rounding. */
export interface FoldedMap {
  readonly weight: Float64Array;
  readonly bias: Float64Array;
  readonly rows: number;
  readonly cols: number;
}

/** Affine maps by the name of their weight, and where their pieces come from. */
interface MapSource {
  readonly weight: BertTensorName;
  readonly bias: BertTensorName;
  /** The LayerNorm whose γ, β this map absorbs. */
  readonly after?: { readonly gamma: BertTensorName; readonly beta: BertTensorName };
  /** β of a residual that is added to the result. */
  readonly residual?: BertTensorName;
  readonly factor?: number;
}

/** The LayerNorm that feeds layer i (or the head, for i = layers). */
function normBefore(i: number): { gamma: BertTensorName; beta: BertTensorName } {
  const at = i === 0 ? ('embeddings.ln' as const) : (`layers.${i - 1}.ln2` as const);
  return { gamma: `${at}Gamma` as BertTensorName, beta: `${at}Beta` as BertTensorName };
}

function mapSources(config: BertConfig): Map<string, MapSource> {
  const sources = new Map<string, MapSource>();
  for (let i = 0; i < config.layers; i++) {
    const at = `layers.${i}` as const;
    const before = normBefore(i);
    const middle = { gamma: `${at}.ln1Gamma` as const, beta: `${at}.ln1Beta` as const };
    sources.set(`${at}.wq`, { weight: `${at}.wq`, bias: `${at}.bq`, after: before, factor: 8 / Math.sqrt(config.hiddenSize / config.heads) });
    sources.set(`${at}.wk`, { weight: `${at}.wk`, bias: `${at}.bk`, after: before });
    sources.set(`${at}.wv`, { weight: `${at}.wv`, bias: `${at}.bv`, after: before });
    sources.set(`${at}.wo`, { weight: `${at}.wo`, bias: `${at}.bo`, residual: before.beta });
    sources.set(`${at}.w1`, { weight: `${at}.w1`, bias: `${at}.b1`, after: middle });
    sources.set(`${at}.w2`, { weight: `${at}.w2`, bias: `${at}.b2`, residual: middle.beta });
  }
  const last = normBefore(config.layers);
  sources.set('mlm.dense', { weight: 'mlm.dense', bias: 'mlm.denseBias', after: last });
  sources.set('mlm.decoder', { weight: 'mlm.decoder', bias: 'mlm.decoderBias', after: { gamma: 'mlm.lnGamma', beta: 'mlm.lnBeta' } });
  sources.set('classifier.pooler', { weight: 'classifier.pooler', bias: 'classifier.poolerBias', after: last });
  sources.set('classifier.weight', { weight: 'classifier.weight', bias: 'classifier.bias' });
  return sources;
}

/** Names of a map's bias parameter. */
function biasName(weight: string): string {
  return weight === 'classifier.weight' ? 'classifier.bias' : weight.startsWith('layers') ? weight.replace('.w', '.b') : `${weight}Bias`;
}

/** Reads one affine map with its folded LayerNorm. HF stores (out, in); the result is (in, out). */
export async function foldedMap(source: BertWeightSource, name: string): Promise<FoldedMap> {
  const map = mapSources(source.config).get(name);
  if (map === undefined) throw new TercetError('ERR_INTERNAL', `no affine map is called ${name}`, 'this is a bug in Tercet, please report it');
  const stored = await source.tensor(map.weight);
  const bias = Float64Array.from(await source.tensor(map.bias));
  const cols = bias.length;
  const rows = stored.length / cols;
  const gamma = map.after === undefined ? undefined : await source.tensor(map.after.gamma);
  const beta = map.after === undefined ? undefined : await source.tensor(map.after.beta);
  const residual = map.residual === undefined ? undefined : await source.tensor(map.residual);
  const factor = map.factor ?? 1;
  const weight = new Float64Array(rows * cols);
  // A block of columns at a time: the transposition would otherwise miss the cache on every write (measured: 4 times slower on the decoder).
  for (let block = 0; block < cols; block += 32) {
    const end = Math.min(block + 32, cols);
    for (let r = 0; r < rows; r++) {
      const g = (gamma === undefined ? 1 : gamma[r]) * factor;
      const b = beta === undefined ? 0 : beta[r];
      for (let c = block; c < end; c++) {
        const w = stored[c * rows + r];
        bias[c] += b * w;
        weight[r * cols + c] = w * g;
      }
    }
  }
  for (let c = 0; c < cols; c++) bias[c] = bias[c] * factor + (residual === undefined ? 0 : residual[c]);
  return { weight, bias, rows, cols };
}

/** Encoded integers of a parameter. 32-bit where the scale allows it (weights), 64-bit for biases and positions. */
export type EncodedParameter = Int32Array | BigInt64Array;

function encode32(values: ArrayLike<number>, scale: number, name: string): Int32Array {
  const out = new Int32Array(values.length);
  const factor = 2 ** scale;
  for (let i = 0; i < values.length; i++) {
    const v = Math.round(values[i] * factor);
    if (!(Math.abs(v) < 2 ** 31)) throw tooLarge(name, scale, 32);
    out[i] = v;
  }
  return out;
}

function encode64(values: ArrayLike<number>, scale: number, name: string): BigInt64Array {
  const out = new BigInt64Array(values.length);
  const factor = 2 ** scale;
  for (let i = 0; i < values.length; i++) {
    const v = Math.round(values[i] * factor);
    if (!(Math.abs(v) < 2 ** 53)) throw tooLarge(name, scale, 53);
    out[i] = BigInt(v);
  }
  return out;
}

function tooLarge(name: string, scale: number, bits: number): TercetError {
  return new TercetError(
    'ERR_RANGE',
    `a weight of ${name} does not fit ${bits} bits at scale ${scale}`,
    'the checkpoint has weights far beyond any trained BERT; check the file',
  );
}

/**
 * An encoder of the parameters of one source. It keeps the last affine map, because a bias follows its weight; reads only what a parameter is made of.
 * The encoder throws ERR_RANGE for weights beyond the fixed-point domain.
 */
export function parameterEncoder(source: BertWeightSource): (parameter: Parameter) => Promise<EncodedParameter> {
  const sources = mapSources(source.config);
  let last: { readonly name: string; readonly map: FoldedMap } | undefined;
  const folded = async (name: string): Promise<FoldedMap> => {
    if (last?.name !== name) last = { name, map: await foldedMap(source, name) };
    return last.map;
  };
  return async ({ name, scale, cols }) => {
    if (name === 'embeddings.word') return encode32(await source.tensor('embeddings.word'), scale, name);
    if (name === 'embeddings.position') return encode64(await positions(source, cols), scale, name);
    const residual = /^layers\.(\d+)\.residual([12])$/.exec(name);
    if (residual !== null) {
      const i = Number(residual[1]);
      const gamma = residual[2] === '1' ? normBefore(i).gamma : (`layers.${i}.ln1Gamma` as const);
      return encode32(await source.tensor(gamma), scale, name);
    }
    for (const weight of sources.keys()) {
      if (name === weight) return encode32((await folded(weight)).weight, scale, name);
      if (name === biasName(weight)) return encode64((await folded(weight)).bias, scale, name);
    }
    throw new TercetError('ERR_INTERNAL', `no parameter is called ${name}`, 'this is a bug in Tercet, please report it');
  };
}

/** Position rows plus the row of token type 0 (single sequences), for the first `count / C` positions. */
async function positions(source: BertWeightSource, count: number): Promise<Float64Array> {
  const position = await source.tensor('embeddings.position');
  const type = await source.tensor('embeddings.tokenType');
  const C = source.config.hiddenSize;
  return Float64Array.from({ length: count }, (_, i) => position[i] + type[i % C]);
}
