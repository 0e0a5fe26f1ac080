/**
 * The parameters of a model as the secure forward uses them: named, shaped, scaled, with every LayerNorm's γ and β
 * folded into its consumers.
 *
 * A normalised row y stands for γ∘y + β, so a consumer W, b of it becomes diag(γ)·W and b + βW, and a residual
 * connection carries γ∘y + β. What a LayerNorm reads has no mean: embeddings and the last map of a block are centred,
 * and the mean of a residual is subtracted. The factor 8/√D of attention is in W_Q (`mpc/secure/attention.ts`).
 * Matrices are (in, out). Where the values come from: `folding.ts`.
 */
import type { Parameter } from '../../mpc/secure/gates.ts';
import type { ModelConfig } from '../config.ts';

const WEIGHT = 16;
/** Products of two scale-16 numbers; biases are added to those. */
const PRODUCT = 32;
/**
 * Rows that are looked up, exactly (a one-hot has scale 0): finer than weights because LayerNorm magnifies them, and as
 * coarse as leaves nearly all entries of a trained model, below ¼, in the first layer of their panel.
 */
const LOOKUP = 17;
/** The step between token types. */
const STEP = 24;

/** An affine map x·W + b. */
export interface AffineMap {
  readonly weight: Parameter;
  readonly bias: Parameter;
}

/** A residual γ∘y: γ, and γ/C as a column, which gives the mean of γ∘y. */
export interface Residual {
  readonly gamma: Parameter;
  readonly mean: Parameter;
}

export interface LayerParameters {
  readonly q: AffineMap;
  readonly k: AffineMap;
  readonly v: AffineMap;
  readonly o: AffineMap;
  readonly inner: AffineMap;
  readonly outer: AffineMap;
  /**
   * γ of the LayerNorm before the attention block and before the feed-forward block, for the residuals of an
   * encoder. GPT-2's residual stream has none.
   */
  readonly residuals: readonly [Residual, Residual] | undefined;
}

export type HeadParameters =
  | { readonly kind: 'masked-lm'; readonly dense: AffineMap; readonly decoder: AffineMap }
  | { readonly kind: 'sequence-classification'; readonly pooler: AffineMap; readonly classifier: AffineMap }
  | { readonly kind: 'per-token'; readonly classifier: AffineMap }
  | { readonly kind: 'causal-lm'; readonly decoder: AffineMap }
  /** γ and β of the last LayerNorm. */
  | { readonly kind: 'none'; readonly gamma: Parameter; readonly beta: Parameter };

export interface EmbeddingParameters {
  /** (V, C), looked up. */
  readonly word: Parameter;
  /** Encoders: position rows, and those of token type 0, of the first T positions, flat. */
  readonly position: ((tokens: number) => Parameter) | undefined;
  /** GPT-2: (positions, C), looked up, because a position tells how long the text before it is. */
  readonly positionTable: Parameter | undefined;
  /** BERT: the row of token type 1 less that of type 0. */
  readonly typeStep: Parameter | undefined;
}

export interface ModelParameters {
  readonly embeddings: EmbeddingParameters;
  readonly layers: readonly LayerParameters[];
  readonly head: HeadParameters;
}

function map(name: string, rows: number, cols: number): AffineMap {
  return { weight: { name, rows, cols, scale: WEIGHT }, bias: { name: `${name}.bias`, rows: 1, cols, scale: PRODUCT } };
}

function row(name: string, cols: number, scale = WEIGHT): Parameter {
  return { name, rows: 1, cols, scale };
}

function residual(name: string, cols: number): Residual {
  return { gamma: row(name, cols), mean: { name: `${name}.mean`, rows: cols, cols: 1, scale: WEIGHT } };
}

function layerParameters({ modelType, hiddenSize: C, intermediateSize: F }: ModelConfig, i: number): LayerParameters {
  const at = `layers.${i}`;
  return {
    q: map(`${at}.q`, C, C),
    k: map(`${at}.k`, C, C),
    v: map(`${at}.v`, C, C),
    o: map(`${at}.o`, C, C),
    inner: map(`${at}.inner`, C, F),
    outer: map(`${at}.outer`, F, C),
    residuals: modelType === 'gpt2' ? undefined : [residual(`${at}.residual1`, C), residual(`${at}.residual2`, C)],
  };
}

function headParameters({ head, hiddenSize: C, vocabSize: V, numLabels: L }: ModelConfig): HeadParameters {
  switch (head) {
    case 'masked-lm':
      return { kind: head, dense: map('head.dense', C, C), decoder: map('head.decoder', C, V) };
    case 'sequence-classification':
      return { kind: head, pooler: map('head.pooler', C, C), classifier: map('head.classifier', C, L) };
    case 'question-answering':
    case 'token-classification':
      return { kind: 'per-token', classifier: map('head.classifier', C, L) };
    case 'causal-lm':
      return { kind: head, decoder: map('head.decoder', C, V) };
    case 'none':
      return { kind: head, gamma: row('head.gamma', C), beta: row('head.beta', C, PRODUCT) };
  }
}

/** The parameters of an architecture. */
export function modelParameters(config: ModelConfig): ModelParameters {
  const { modelType, hiddenSize: C, vocabSize: V, maxPositions: P } = config;
  const gpt2 = modelType === 'gpt2';
  const lookup = (name: string, rows: number): Parameter => ({ name, rows, cols: C, scale: LOOKUP, lookup: true });
  return {
    embeddings: {
      word: lookup('embeddings.word', V),
      position: gpt2 ? undefined : (tokens) => row('embeddings.position', tokens * C, PRODUCT),
      positionTable: gpt2 ? lookup('embeddings.positionTable', P) : undefined,
      typeStep: config.typeVocabSize > 1 ? row('embeddings.typeStep', C, STEP) : undefined,
    },
    layers: Array.from({ length: config.layers }, (_, i) => layerParameters(config, i)),
    head: headParameters(config),
  };
}

function both({ weight, bias }: AffineMap): Parameter[] {
  return [weight, bias];
}

function parametersOfHead(head: HeadParameters): Parameter[] {
  switch (head.kind) {
    case 'masked-lm':
      return [...both(head.dense), ...both(head.decoder)];
    case 'sequence-classification':
      return [...both(head.pooler), ...both(head.classifier)];
    case 'per-token':
      return both(head.classifier);
    case 'causal-lm':
      return both(head.decoder);
    case 'none':
      return [head.gamma, head.beta];
  }
}

/**
 * All parameters of the architecture, positions for the longest text, in a fixed order: the order of shared weights
 * and of their masks.
 */
export function listParameters(config: ModelConfig): Parameter[] {
  const { embeddings, layers, head } = modelParameters(config);
  const { word, position, positionTable, typeStep } = embeddings;
  const optional = [position?.(config.maxPositions), positionTable, typeStep].filter(
    (parameter) => parameter !== undefined,
  );
  const maps = ({ q, k, v, o, inner, outer }: LayerParameters) => [q, k, v, o, inner, outer].flatMap(both);
  return [
    word,
    ...optional,
    ...layers.flatMap((layer) => [
      ...maps(layer),
      ...(layer.residuals ?? []).flatMap(({ gamma, mean }) => [gamma, mean]),
    ]),
    ...parametersOfHead(head),
  ];
}
