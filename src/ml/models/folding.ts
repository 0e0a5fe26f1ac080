/**
 * From the tensors of a checkpoint to the parameters of the secure forward (`parameters.ts`): LayerNorms folded
 * into their consumers, matrices turned to (in, out), everything rounded to integers, round(value · 2^scale).
 */
import { type Fold, plainFold } from '../../compute/fold.ts';
import { TercetError, invariant } from '../../core/errors.ts';
import type { Parameter } from '../../mpc/secure/gates.ts';
import type { ModelConfig } from '../config.ts';
import { type TensorName, type WeightSource, tensorShape } from './weights.ts';

/**
 * An affine map with the LayerNorm before it folded in, before rounding: its matrix as stored, (out, in), and one
 * factor for every input.
 */
export class FoldedMap {
  readonly rows: number;
  readonly cols: number;
  readonly bias: Float64Array;
  readonly #fold: Fold;
  readonly #stored: Float32Array;
  readonly #factors: Float64Array;

  constructor(fold: Fold, stored: Float32Array, factors: Float64Array, bias: Float64Array) {
    this.rows = factors.length;
    this.cols = bias.length;
    this.bias = bias;
    this.#fold = fold;
    this.#stored = stored;
    this.#factors = factors;
  }

  /** The matrix, (in, out), rounded at the parameter's scale. @throws {TercetError} ERR_RANGE */
  encoded({ name, scale }: Parameter): Int32Array {
    const encoded = this.#fold.encode(this.#stored, this, this.#factors, scale);
    if (encoded === undefined) throw tooLarge(name, scale, 32);
    return encoded;
  }

  /** The squared Euclidean norm of every output's weights. */
  squares(): Float64Array {
    return this.#fold.squares(this.#stored, this, this.#factors);
  }

  /** Gram matrix ŴᵀŴ (D × D) of one head, its bias as one more row (for the input (y, 1)). */
  headGram(head: number, D: number): Float64Array {
    return this.#fold.gram(this.#stored, this, this.#factors, this.bias, head * D, D);
  }
}

interface Norm {
  readonly gamma: TensorName;
  readonly beta: TensorName;
}

/** Where the pieces of an affine map come from. */
interface MapSource {
  readonly weight: TensorName;
  readonly bias: TensorName | undefined;
  /** The LayerNorm whose γ, β this map absorbs. */
  readonly after?: Norm;
  /** β of a residual that is added to the result. */
  readonly residual?: TensorName;
  /** Whether the result is for LayerNorms alone, so that the mean of its rows is taken out. */
  readonly centred?: boolean;
  readonly factor?: number;
}

function norm(at: 'embeddings.ln' | 'final.ln' | `layers.${number}.ln${1 | 2}`): Norm {
  return { gamma: `${at}Gamma` as TensorName, beta: `${at}Beta` as TensorName };
}

/** The LayerNorm that feeds layer i of an encoder (or the head, for i = layers). */
function encoderNormBefore(i: number): Norm {
  return i === 0 ? norm('embeddings.ln') : norm(`layers.${i - 1}.ln2`);
}

/** The LayerNorm whose rows the head reads. */
export function lastNorm(config: ModelConfig): Norm {
  return config.modelType === 'gpt2' ? norm('final.ln') : encoderNormBefore(config.layers);
}

function layerSources(config: ModelConfig, i: number): [string, MapSource][] {
  const at = `layers.${i}` as const;
  const gpt2 = config.modelType === 'gpt2';
  const before = gpt2 ? norm(`${at}.ln1`) : encoderNormBefore(i);
  const middle = gpt2 ? norm(`${at}.ln2`) : norm(`${at}.ln1`);
  const factor = 8 / Math.sqrt(config.hiddenSize / config.heads);
  const centred = true;
  return [
    [`${at}.q`, { weight: `${at}.wq`, bias: `${at}.bq`, after: before, factor }],
    [`${at}.k`, { weight: `${at}.wk`, bias: `${at}.bk`, after: before }],
    [`${at}.v`, { weight: `${at}.wv`, bias: `${at}.bv`, after: before }],
    [`${at}.o`, { weight: `${at}.wo`, bias: `${at}.bo`, centred, ...(gpt2 ? {} : { residual: before.beta }) }],
    [`${at}.inner`, { weight: `${at}.w1`, bias: `${at}.b1`, after: middle }],
    [`${at}.outer`, { weight: `${at}.w2`, bias: `${at}.b2`, centred, ...(gpt2 ? {} : { residual: middle.beta }) }],
  ];
}

function headSources(config: ModelConfig): [string, MapSource][] {
  const after = lastNorm(config);
  switch (config.head) {
    case 'masked-lm':
      return [
        ['head.dense', { weight: 'mlm.dense', bias: 'mlm.denseBias', after }],
        [
          'head.decoder',
          { weight: 'mlm.decoder', bias: 'mlm.decoderBias', after: { gamma: 'mlm.lnGamma', beta: 'mlm.lnBeta' } },
        ],
      ];
    case 'sequence-classification':
      return [
        ['head.pooler', { weight: 'classifier.pooler', bias: 'classifier.poolerBias', after }],
        ['head.classifier', { weight: 'classifier.weight', bias: 'classifier.bias' }],
      ];
    case 'question-answering':
    case 'token-classification':
      return [['head.classifier', { weight: 'perToken.weight', bias: 'perToken.bias', after }]];
    case 'causal-lm':
      return [['head.decoder', { weight: 'lm.decoder', bias: undefined, after }]];
    case 'none':
      return [];
  }
}

function mapSources(config: ModelConfig): Map<string, MapSource> {
  return new Map([
    ...Array.from({ length: config.layers }, (_, i) => layerSources(config, i)).flat(),
    ...headSources(config),
  ]);
}

function meanOf(values: ArrayLike<number>, from = 0, to = values.length): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i];
  return sum / (to - from);
}

/** Rows of `cols` values without their means: a LayerNorm does not notice. */
function centredRows(values: Float32Array, cols: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let from = 0; from < values.length; from += cols) {
    const mean = meanOf(values, from, from + cols);
    for (let i = from; i < from + cols; i++) out[i] = values[i] - mean;
  }
  return out;
}

/** An (out, in) matrix whose results have no mean. */
function centredColumns(stored: Float32Array, rows: number): Float32Array {
  const cols = stored.length / rows;
  const means = new Float64Array(rows);
  for (let from = 0; from < stored.length; from += rows)
    for (let r = 0; r < rows; r++) means[r] += stored[from + r] / cols;
  const out = new Float32Array(stored.length);
  for (let from = 0; from < stored.length; from += rows)
    for (let r = 0; r < rows; r++) out[from + r] = stored[from + r] - means[r];
  return out;
}

/** Reads one affine map with its folded LayerNorm. */
export async function foldedMap(source: WeightSource, name: string, fold: Fold = plainFold): Promise<FoldedMap> {
  const map = mapSources(source.config).get(name);
  invariant(map !== undefined, `no affine map is called ${name}`);
  const [cols, rows] = tensorShape(source.config, map.weight);
  const whole = await source.tensor(map.weight);
  const stored = map.centred === true ? centredColumns(whole, rows) : whole;
  const bias = map.bias === undefined ? new Float64Array(cols) : Float64Array.from(await source.tensor(map.bias));
  const gamma = map.after === undefined ? undefined : await source.tensor(map.after.gamma);
  const beta = map.after === undefined ? undefined : Float64Array.from(await source.tensor(map.after.beta));
  const residual = map.residual === undefined ? undefined : await source.tensor(map.residual);
  const factor = map.factor ?? 1;
  const factors = Float64Array.from({ length: rows }, (_, r) => (gamma === undefined ? 1 : gamma[r]) * factor);
  const sums = beta === undefined ? bias : fold.bias(stored, { rows, cols }, beta, bias);
  const folded = sums.map((sum, c) => sum * factor + (residual === undefined ? 0 : residual[c]));
  const mean = map.centred === true ? meanOf(folded) : 0;
  return new FoldedMap(
    fold,
    stored,
    factors,
    folded.map((value) => value - mean),
  );
}

/** γ of a residual of an encoder, or of its mean: of the LayerNorm before its block. */
function residualGamma(name: string): TensorName | undefined {
  const match = /^layers\.(\d+)\.residual([12])(?:\.mean)?$/.exec(name);
  if (match === null) return undefined;
  const i = Number(match[1]);
  return match[2] === '1' ? encoderNormBefore(i).gamma : norm(`layers.${i}.ln1`).gamma;
}

/** Parameters that are no affine maps, in float64. */
async function plainValues(
  source: WeightSource,
  { name, rows, cols }: Parameter,
): Promise<ArrayLike<number> | undefined> {
  const { config } = source;
  const centred = async (tensor: TensorName) => centredRows(await source.tensor(tensor), config.hiddenSize);
  switch (name) {
    case 'embeddings.word':
      return centred('embeddings.word');
    case 'embeddings.positionTable':
      return centred('embeddings.position');
    case 'embeddings.position':
      return positions(source, cols);
    case 'embeddings.typeStep': {
      const types = await centred('embeddings.tokenType');
      return Float64Array.from({ length: cols }, (_, c) => types[cols + c] - types[c]);
    }
    case 'head.gamma':
      return source.tensor(lastNorm(config).gamma);
    case 'head.beta':
      return source.tensor(lastNorm(config).beta);
    default: {
      const gamma = residualGamma(name);
      if (gamma === undefined) return undefined;
      const values = await source.tensor(gamma);
      return name.endsWith('.mean') ? Float64Array.from(values, (value) => value / rows) : values;
    }
  }
}

/** Position rows plus the row of token type 0, where there are types, for the first `count / C` positions. */
async function positions(source: WeightSource, count: number): Promise<Float64Array> {
  const C = source.config.hiddenSize;
  const position = centredRows(await source.tensor('embeddings.position'), C);
  const type =
    source.config.typeVocabSize > 0 ? centredRows(await source.tensor('embeddings.tokenType'), C) : new Float32Array(C);
  return Float64Array.from({ length: count }, (_, i) => position[i] + type[i % C]);
}

/** Encoded integers of a parameter. 32-bit where the scale allows it (weights), 64-bit for biases and positions. */
export type EncodedParameter = Int32Array | BigInt64Array;

function encode32(values: ArrayLike<number>, { scale, name }: Parameter, fold: Fold): Int32Array {
  // Values that are no float32 (differences of them) are few.
  const encoded = values instanceof Float32Array ? fold.round(values, scale) : plainFold.round(values, scale);
  if (encoded === undefined) throw tooLarge(name, scale, 32);
  return encoded;
}

function encode64(values: ArrayLike<number>, { scale, name }: Parameter): BigInt64Array {
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
    'the checkpoint has weights far beyond any trained model; check the file',
  );
}

/** Scale of sums; what is added to them is encoded in 64 bits. */
const SUM_SCALE = 32;

/** Whether a parameter is encoded in 64 bits. */
export function isWide({ scale }: Parameter): boolean {
  return scale >= SUM_SCALE;
}

function encode(values: ArrayLike<number>, parameter: Parameter, fold: Fold): EncodedParameter {
  return isWide(parameter) ? encode64(values, parameter) : encode32(values, parameter, fold);
}

/** What it gives of a matrix of 32-bit entries is good until the second matrix behind it. */
export type ParameterEncoder = (parameter: Parameter) => Promise<EncodedParameter>;

/**
 * An encoder of the parameters of one source. It keeps the last affine map, because a bias follows its weight;
 * reads only what a parameter is made of. The encoder throws ERR_RANGE for weights beyond the fixed-point domain.
 */
export function parameterEncoder(source: WeightSource, fold: Fold = plainFold): ParameterEncoder {
  let last: { readonly name: string; readonly map: FoldedMap } | undefined;
  const folded = async (name: string): Promise<FoldedMap> => {
    if (last?.name !== name) last = { name, map: await foldedMap(source, name, fold) };
    return last.map;
  };
  return async (parameter) => {
    const plain = await plainValues(source, parameter);
    if (plain !== undefined) return encode(plain, parameter, fold);
    const { name } = parameter;
    if (name.endsWith('.bias')) return encode((await folded(name.slice(0, -'.bias'.length))).bias, parameter, fold);
    return (await folded(name)).encoded(parameter);
  };
}
