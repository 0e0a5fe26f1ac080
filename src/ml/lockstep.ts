/**
 * One reading of the weights for several forward passes at once. Decoding and transposing a checkpoint takes longer
 * than a short text's products, so it is done once for all samples and not once for each.
 */
import type { TensorName, WeightSource } from './models/weights.ts';
import { transpose } from './models/weight-layouts.ts';

export interface Lockstep {
  /** The weights as every pass sees them: a tensor comes when all passes have asked for it. */
  readonly source: WeightSource;
  /** Keeps the transpose of a tensor for as long as some pass holds the tensor. */
  readonly transpose: typeof transpose;
}

/** One tensor that some passes wait for. */
interface Round {
  waiting: number;
  readonly tensor: Promise<Float32Array>;
  readonly start: () => void;
}

/**
 * Weights for `passes` forward passes that ask for the same tensors in the same order, as passes of one model do.
 * Each tensor is read once, when the last pass asks for it, so that about one layer is in memory at a time. The
 * passes share what they get and must not write to it. A pass that ends early leaves the others waiting: run all of
 * them under one `Promise.all`.
 */
export function lockstep(source: WeightSource, passes: number): Lockstep {
  const rounds = new Map<TensorName, Round>();
  const turned = new WeakMap<Float32Array, Float32Array>();
  const round = (name: TensorName): Round => {
    let start: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      start = resolve;
    });
    return { waiting: 0, start, tensor: asked.then(() => source.tensor(name)) };
  };
  return {
    source: {
      config: source.config,
      label: source.label,
      tiedDecoder: source.tiedDecoder,
      tensor(name) {
        const now = rounds.get(name) ?? round(name);
        rounds.set(name, now);
        if (++now.waiting === passes) {
          rounds.delete(name);
          now.start();
        }
        return now.tensor;
      },
    },
    transpose(w, rows, cols) {
      const known = turned.get(w) ?? transpose(w, rows, cols);
      turned.set(w, known);
      return known;
    },
  };
}
