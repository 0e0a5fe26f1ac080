/** What the forward passes have in common, written on `Gates` alone: they cannot open a value. */
import { strided } from '../../compute/pattern.ts';
import { secureActivation, secureRelu, secureTanh } from '../../mpc/secure/activation.ts';
import type { RealPositions } from '../../mpc/secure/attention.ts';
import type { Gates, Wire } from '../../mpc/secure/gates.ts';
import { normalise } from '../../mpc/secure/normalise.ts';
import type { Guards } from './guards.ts';
import { classifierActivation, headActivation } from './head.ts';
import type { AffineMap, HeadParameters } from './parameters.ts';
import { LOGITS, type ModelRun, OUTPUT_FORM, REAL_BITS, REAL_WORDS, ROWS, rowScale } from './run.ts';

export function affine(gates: Gates, x: Wire, { weight, bias }: AffineMap): Wire {
  return gates.affine([{ x, weight }], bias);
}

/** Looked-up rows at the scale of sums, 32: a free multiplication. */
export function atSumScale(gates: Gates, x: Wire): Wire {
  return gates.scale(x, 1n << BigInt(32 - x.scale), 32);
}

/** (B·T, C) → (B·H, T, D). */
export function splitHeads(gates: Gates, x: Wire, sequences: number, heads: number): Wire {
  const [rows, C] = x.shape;
  const T = rows / sequences;
  const D = C / heads;
  return gates.gather(x, strided(0, [sequences, T * C], [heads, D], [T, C], [D, 1]), [sequences * heads, T, D]);
}

/** (B·H, T, D) → (B·T, C). */
export function mergeHeads(gates: Gates, x: Wire, sequences: number): Wire {
  const [all, T, D] = x.shape;
  const heads = all / sequences;
  return gates.gather(x, strided(0, [sequences, heads * T * D], [T, D], [heads, T * D], [D, 1]), [
    sequences * T,
    heads * D,
  ]);
}

/** Rows of (B·T, C) at one position of every sequence: (B, C). */
export function rowsAt(gates: Gates, x: Wire, sequences: number, position: number): Wire {
  const [rows, C] = x.shape;
  const T = rows / sequences;
  return gates.gather(x, strided(position * C, [sequences, T * C], [C, 1]), [sequences, C]);
}

/**
 * The rows that P0 chooses, (B·T, C) → (B·rows, C): a product with weights that nobody else knows. Without a head a
 * row is the mean of the first positions, and P0 chooses how many. So P0 gives whole numbers, which can be proved, and
 * never the fractions.
 */
export function chosenRows(gates: Gates, run: ModelRun, x: Wire): Wire {
  const { sequences, tokens, rows } = run;
  const C = x.shape[1];
  return gates.section('rows', () => {
    const drop = rowScale(run.config);
    const picked = gates.input(ROWS, [sequences, rows, tokens], 64, 0, 'units');
    const weights = drop === 0 ? picked : gates.means(picked, drop);
    const mixed = gates.reshape(gates.matmul(weights, gates.reshape(x, [sequences, tokens, C]), { drop }), [
      sequences * rows,
      C,
    ]);
    return drop === 0 ? mixed : gates.widen(mixed, 64);
  });
}

/** P0's word on which positions are text. */
export function realPositions(gates: Gates, sequences: number, tokens: number): RealPositions {
  return {
    bits: gates.input(REAL_BITS, [sequences, tokens], 1, 0),
    words: gates.input(REAL_WORDS, [sequences, tokens], 8, 0),
  };
}

/**
 * Opens the output to P0, rounded to the scale of its weights' mode by a free shift: error in (−1, 1) ulp of that
 * scale. x at scale 32.
 */
export function openLogits(gates: Gates, x: Wire): void {
  const { scale, k } = OUTPUT_FORM[gates.weights];
  gates.output(LOGITS, gates.reduce(gates.shift(x, x.scale - scale), k));
}

/** The head on normalised rows x (scale 16) → scale 32. @param text marks the rows of text, where not all are */
export function applyHead(
  gates: Gates,
  run: ModelRun,
  head: HeadParameters,
  x: Wire,
  guards?: Guards,
  text?: Wire,
): Wire {
  const logits = headOf(gates, run, head, x, guards);
  guards?.logits(logits, text);
  return logits;
}

function headOf(gates: Gates, run: ModelRun, head: HeadParameters, x: Wire, guards: Guards | undefined): Wire {
  const { plan, config } = run;
  switch (head.kind) {
    case 'masked-lm': {
      const before = affine(gates, x, head.dense);
      guards?.headActivation(before);
      const dense = secureActivation(gates, before, headActivation(config), plan.headActivation);
      return affine(
        gates,
        normalise(gates, gates.scale(dense, 65536n, 32), config.layerNormEps, plan.head, guards?.variance(plan.head)),
        head.decoder,
      );
    }
    case 'sequence-classification': {
      const pooled = affine(gates, x, head.pooler);
      guards?.headActivation(pooled);
      return affine(
        gates,
        classifierActivation(config) === 'relu' ? secureRelu(gates, pooled) : secureTanh(gates, pooled),
        head.classifier,
      );
    }
    case 'per-token':
      return affine(gates, x, head.classifier);
    case 'causal-lm':
      return affine(gates, x, head.decoder);
    case 'none':
      return gates.affine([{ x, weight: head.gamma, diagonal: true }], head.beta);
  }
}
