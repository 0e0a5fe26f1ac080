/** The plaintext model beside the private run. It reads the text and the weights in one process, so it runs only when `--compare` asked for it. */
import type { WasmKernels } from '../compute/kernels/wasm/pool.ts';
import { type BertWeightSource, bertTensorNames } from '../ml/models/bert-weights.ts';
import { bertFloat } from '../ml/reference/bert-float.ts';
import type { OwnerInput } from '../session/inputs.ts';

export interface Comparison {
  readonly maxAbsLogitError: number;
  readonly argmaxEqual: boolean;
  /** The plaintext model's logits, in the shape of the private ones. */
  readonly logits: Float32Array;
  /** Time of the forward pass alone, weights in memory, with the same workers and SIMD. */
  readonly plaintextMs: number;
}

function argmax(row: Float32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i;
  return best;
}

export async function compareWithPlaintext(source: BertWeightSource, input: OwnerInput, logits: Float32Array, kernels: WasmKernels): Promise<Comparison> {
  const cached = await cacheWeights(source);
  const start = performance.now();
  const plain = await bertFloat(cached, input.inputIds, {
    ...(input.maskPositions.length > 0 ? { positions: input.maskPositions } : {}),
    matmul: (a, b, m, k, n) => kernels.matmulF32(a, b, m, k, n),
  });
  const plaintextMs = performance.now() - start;
  const rows = Math.max(1, input.maskPositions.length);
  const width = logits.length / rows;
  let maxAbsLogitError = 0;
  for (let i = 0; i < logits.length; i++) maxAbsLogitError = Math.max(maxAbsLogitError, Math.abs(logits[i] - plain.logits[i]));
  const best = Array.from({ length: rows }, (_, r) => [logits, plain.logits].map((all) => argmax(all.subarray(r * width, (r + 1) * width))));
  return {
    maxAbsLogitError,
    argmaxEqual: best.every(([own, other]) => own === other),
    logits: plain.logits,
    plaintextMs,
  };
}

/** Reads every tensor first, so that the time of the forward pass is not the time of reading files. */
async function cacheWeights(source: BertWeightSource): Promise<BertWeightSource> {
  const tensors = new Map<string, Float32Array>();
  const cached: BertWeightSource = {
    config: source.config,
    label: source.label,
    tiedDecoder: source.tiedDecoder,
    async tensor(name) {
      const known = tensors.get(name) ?? (await source.tensor(name));
      tensors.set(name, known);
      return known;
    },
  };
  for (const name of bertTensorNames(source.config)) await cached.tensor(name);
  return cached;
}
