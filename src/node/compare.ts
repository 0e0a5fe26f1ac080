/**
 * The plaintext model beside the private run. It reads the text and the weights in one process, so it runs only
 * when `--compare` asked for it.
 */
import type { RingKernels } from '../compute/kernels/types.ts';
import { WasmKernels } from '../compute/kernels/wasm/kernels.ts';
import type { ModelConfig } from '../ml/config.ts';
import type { Head } from '../ml/model-types.ts';
import { outputShape } from '../ml/models/run.ts';
import { type WeightSource, tensorNames } from '../ml/models/weights.ts';
import { runFloat } from '../ml/reference/float.ts';
import type { TaskInput } from '../ml/tasks/common.ts';
import { wasmKernels } from './kernels.ts';

export interface Comparison {
  readonly maxAbsLogitError: number;
  /**
   * Whether every choice is the same that is made by the largest output: of a row of logits, of the start and the
   * end of an answer; of hidden states, whether the cosine is at least 0.999.
   */
  readonly argmaxEqual: boolean;
  /** |difference| of every output. */
  readonly errors: Float32Array;
  /** The plaintext model's outputs, in the shape of the private ones. */
  readonly outputs: readonly Float32Array[];
  /** Time of the forward passes alone, weights in memory, with the same workers and SIMD. */
  readonly plaintextMs: number;
}

const SAME_DIRECTION = 0.999;

/** The kernels that the plaintext model runs on: the run's own where they have SIMD of this machine, else new ones. */
export async function plaintextKernels(own: RingKernels, threads: number): Promise<WasmKernels> {
  return own instanceof WasmKernels ? own : wasmKernels(threads);
}

/**
 * @param outputs of every input; of a generated text, the logits of every step.
 * @param picked the tokens that followed the prompt, one for every step but the last.
 */
export async function compareWithPlaintext(
  source: WeightSource,
  inputs: readonly TaskInput[],
  outputs: readonly Float32Array[],
  picked: readonly number[],
  kernels: WasmKernels,
): Promise<Comparison> {
  const { head } = source.config;
  const cached = await cacheWeights(source);
  const start = performance.now();
  const plain =
    head === 'causal-lm'
      ? await generatedOutputs(cached, inputs[0].inputIds, picked, kernels)
      : await Promise.all(inputs.map((input) => plainOutput(cached, input, kernels)));
  const plaintextMs = performance.now() - start;
  const errors = Float32Array.from(
    outputs.flatMap((own, i) => Array.from(own, (value, j) => Math.abs(value - plain[i][j]))),
  );
  const { width } = outputShape({ config: source.config, sequences: 1, tokens: 1, rows: 1 });
  return {
    maxAbsLogitError: errors.reduce((most, error) => Math.max(most, error), 0),
    errors,
    argmaxEqual: outputs.every((own, i) => sameChoices(head, own, plain[i], width)),
    outputs: plain,
    plaintextMs,
  };
}

async function plainOutput(
  source: WeightSource,
  { inputIds, typeIds, rows, pooling }: TaskInput,
  kernels: WasmKernels,
): Promise<Float32Array> {
  const { head, hiddenSize: C } = source.config;
  const { logits } = await runFloat(source, inputIds, {
    tokenTypeIds: typeIds,
    positions: head === 'masked-lm' ? rows : undefined,
    matmul: (a, b, m, k, n) => kernels.matmulF32(a, b, m, k, n),
  });
  if (head !== 'none' || (pooling ?? 'none') === 'none') return logits;
  if (pooling === 'cls') return logits.slice(0, C);
  return Float32Array.from(
    { length: C },
    (_, c) => inputIds.reduce((sum, _id, t) => sum + logits[t * C + c], 0) / inputIds.length,
  );
}

/** Logits of the prompt's last position and of every position behind it, in one pass. */
async function generatedOutputs(
  source: WeightSource,
  prompt: readonly number[],
  picked: readonly number[],
  kernels: WasmKernels,
): Promise<Float32Array[]> {
  const V = source.config.vocabSize;
  const positions = Array.from({ length: picked.length + 1 }, (_, i) => prompt.length - 1 + i);
  const { logits } = await runFloat(source, [...prompt, ...picked], {
    positions,
    matmul: (a, b, m, k, n) => kernels.matmulF32(a, b, m, k, n),
  });
  return positions.map((_, i) => logits.slice(i * V, (i + 1) * V));
}

function argmax(values: Float32Array, from: number, stride: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (values[from + i * stride] > values[from + best * stride]) best = i;
  return best;
}

/** Where the outputs lie that a head chooses among: first, stride and count of each choice. */
function choicesOf(head: Head, length: number, width: number): (readonly [number, number, number])[] {
  const rows = length / width;
  // An answer's start and end are columns; all other choices are made within rows.
  return head === 'question-answering'
    ? Array.from({ length: width }, (_, c) => [c, width, rows] as const)
    : Array.from({ length: rows }, (_, r) => [r * width, 1, width] as const);
}

function sameChoices(head: Head, own: Float32Array, plain: Float32Array, width: number): boolean {
  if (head === 'none') return cosine(own, plain) >= SAME_DIRECTION;
  return choicesOf(head, own.length, width).every((choice) => argmax(own, ...choice) === argmax(plain, ...choice));
}

/**
 * How far apart the plaintext outputs are between which a choice fell otherwise: the most of all choices, 0 where all
 * are the same. A head without choices has none.
 */
export function marginOf(
  config: ModelConfig,
  outputs: readonly Float32Array[],
  plain: readonly Float32Array[],
): number {
  const { width } = outputShape({ config, sequences: 1, tokens: 1, rows: 1 });
  if (config.head === 'none') return 0;
  return outputs.reduce((most, own, i) => {
    const apart = choicesOf(config.head, own.length, width).map((choice) => {
      const [first, stride] = choice;
      return plain[i][first + stride * argmax(plain[i], ...choice)] - plain[i][first + stride * argmax(own, ...choice)];
    });
    return Math.max(most, ...apart);
  }, 0);
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] ** 2;
    bb += b[i] ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

/** Reads every tensor first, so that the time of the forward pass is not the time of reading files. */
async function cacheWeights(source: WeightSource): Promise<WeightSource> {
  const tensors = new Map<string, Float32Array>();
  const cached: WeightSource = {
    config: source.config,
    label: source.label,
    tiedDecoder: source.tiedDecoder,
    async tensor(name) {
      const known = tensors.get(name) ?? (await source.tensor(name));
      tensors.set(name, known);
      return known;
    },
  };
  for (const name of tensorNames(source.config)) await cached.tensor(name);
  return cached;
}
