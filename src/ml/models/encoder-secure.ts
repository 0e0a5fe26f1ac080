/**
 * The forward pass of BERT, RoBERTa and DistilBERT on secret tensors, for a batch of sequences.
 *
 * B sequences, T tokens, C hidden size, H heads, D head width, F feed-forward size. Activations between layers are normalised rows (scale 16); residual sums
 * stay at scale 32. The last layer runs only for the rows that the head reads: the chosen ones, by a product with weights that P0 alone knows, or the first.
 */
import { secureActivation } from '../../mpc/secure/activation.ts';
import { type RealPositions, attend, attentionKeys, attentionValues } from '../../mpc/secure/attention.ts';
import type { Gates, Wire } from '../../mpc/secure/gates.ts';
import { normalise } from '../../mpc/secure/normalise.ts';
import type { EmbeddingParameters, LayerParameters } from './parameters.ts';
import { modelParameters } from './parameters.ts';
import { affine, applyHead, chosenRows, mergeHeads, openLogits, realPositions, rowsAt, splitHeads } from './parts.ts';
import { type BuildParts, type ModelRun, TOKENS, TYPES } from './run.ts';

/** Word, position and token type rows, normalised: (B·T, C). */
function embed(gates: Gates, run: ModelRun, { word, position, typeStep }: EmbeddingParameters): Wire {
  const { config, plan, sequences, tokens } = run;
  const count = sequences * tokens;
  const words = gates.scale(gates.lookup(TOKENS, word, count), 256n, 32);
  let sum = position === undefined ? words : gates.addParameter(words, position(tokens));
  if (run.pair && typeStep !== undefined) {
    const types = gates.scale(gates.input(TYPES, [count], 64, 0), 256n, 8);
    const x = gates.repeat(types, config.hiddenSize);
    sum = gates.add(sum, gates.affine([{ x, weight: typeStep, diagonal: true }]));
  }
  return normalise(gates, sum, config.layerNormEps, plan.embedding);
}

/** One layer. `rows` are the positions whose output is wanted (all of x, or a choice of it); x feeds keys and values. */
function encoderLayer(gates: Gates, run: ModelRun, i: number, p: LayerParameters, x: Wire, rows: Wire, real: RealPositions | undefined): Wire {
  const { config, plan, sequences } = run;
  const [before, middle] = p.residuals as readonly [typeof p.q.weight, typeof p.q.weight];
  const context = gates.section('attention', () => {
    const q = splitHeads(gates, affine(gates, rows, p.q), sequences, config.heads);
    const k = splitHeads(gates, affine(gates, x, p.k), sequences, config.heads);
    const v = splitHeads(gates, affine(gates, x, p.v), sequences, config.heads);
    const mask = real === undefined ? undefined : { real };
    return mergeHeads(gates, attend(gates, q, attentionKeys(gates, k), attentionValues(gates, v), plan.treeBits[i], mask), sequences);
  });
  const attended = gates.section('attention output', () => {
    const terms = [
      { x: context, weight: p.o.weight },
      { x: rows, weight: before, diagonal: true },
    ];
    return normalise(gates, gates.affine(terms, p.o.bias), config.layerNormEps, plan.norms[2 * i]);
  });
  const inner = gates.section('feed-forward', () => secureActivation(gates, affine(gates, attended, p.inner), config.activation, plan.activation[i]));
  return gates.section('feed-forward output', () => {
    const terms = [
      { x: inner, weight: p.outer.weight },
      { x: attended, weight: middle, diagonal: true },
    ];
    return normalise(gates, gates.affine(terms, p.outer.bias), config.layerNormEps, plan.norms[2 * i + 1]);
  });
}

/** The rows that are wanted of the last layer. A mean is taken behind it, because it mixes rows of its output. */
function wantedRows(gates: Gates, run: ModelRun, x: Wire): Wire {
  if (run.config.head === 'sequence-classification') return rowsAt(gates, x, run.sequences, 0);
  return run.config.head === 'masked-lm' ? chosenRows(gates, run, x) : x;
}

/** Builds the circuit from P0's tokens to the logits, a layer between two yields. */
export function* buildEncoder(gates: Gates, run: ModelRun): BuildParts {
  const { config, sequences, tokens } = run;
  const { embeddings, layers, head } = modelParameters(config);
  let x = gates.section('embeddings', () => embed(gates, run, embeddings));
  const real = run.padded ? realPositions(gates, sequences, tokens) : undefined;
  yield;
  for (const [i, layer] of layers.entries()) {
    x = gates.section(`layer ${i + 1}/${config.layers}`, () =>
      encoderLayer(gates, run, i, layer, x, i === config.layers - 1 ? wantedRows(gates, run, x) : x, real),
    );
    yield;
  }
  gates.section('head', () => {
    const rows = config.head === 'none' && run.rows > 0 ? chosenRows(gates, run, x) : x;
    openLogits(gates, applyHead(gates, run, head, rows));
  });
}
