/**
 * The forward pass of BERT, RoBERTa and DistilBERT on secret tensors, for a batch of sequences.
 *
 * B sequences, T tokens, C hidden size, H heads, D head width, F feed-forward size. Activations between layers are
 * normalised rows (scale 16); residual sums stay at scale 32. The last layer runs only for the rows that the head
 * reads: the chosen ones, by a product with weights that P0 alone knows, or the first.
 */
import { secureActivation } from '../../mpc/secure/activation.ts';
import { type RealPositions, attend, attentionKeys, attentionValues } from '../../mpc/secure/attention.ts';
import type { AffineTerm, Gates, Parameter, Wire } from '../../mpc/secure/gates.ts';
import { type NormaliseRange, normaliseCentred } from '../../mpc/secure/normalise.ts';
import type { EmbeddingParameters, LayerParameters, Residual } from './parameters.ts';
import { modelParameters } from './parameters.ts';
import {
  affine,
  applyHead,
  atSumScale,
  chosenRows,
  mergeHeads,
  openLogits,
  realPositions,
  rowsAt,
  splitHeads,
} from './parts.ts';
import { Guards } from './guards.ts';
import { type BuildParts, type ModelRun, TOKENS, TYPES } from './run.ts';

/** The checks of a circuit, and which of all positions are text, where some are padding. */
interface Guard {
  readonly guards: Guards;
  readonly text: Wire | undefined;
}

/** Word, position and token type rows, normalised: (B·T, C). */
function embed(
  gates: Gates,
  run: ModelRun,
  { word, position, typeStep }: EmbeddingParameters,
  guard: Guard | undefined,
): Wire {
  const { config, plan, sequences, tokens } = run;
  const count = sequences * tokens;
  const words = atSumScale(gates, gates.lookup(TOKENS, word, count));
  let sum = position === undefined ? words : gates.addParameter(words, position(tokens));
  if (run.pair && typeStep !== undefined) {
    const types = gates.scale(gates.input(TYPES, [count], 64, 0, 'bits'), 256n, 8);
    const x = gates.repeat(types, config.hiddenSize);
    sum = gates.add(sum, gates.affine([{ x, weight: typeStep, diagonal: true }]));
  }
  return normaliseCentred(
    gates,
    sum,
    config.layerNormEps,
    plan.embedding,
    guard?.guards.variance(plan.embedding, guard.text),
  );
}

/** What is known of the positions of a layer: which are text, and the checks. */
interface Places {
  readonly real: RealPositions | undefined;
  readonly guard: Guard | undefined;
}

/**
 * One layer. `rows` are the positions whose output is wanted (all of x, or a choice of it, which is text); x feeds
 * keys and values.
 */
function encoderLayer(
  gates: Gates,
  run: ModelRun,
  i: number,
  p: LayerParameters,
  x: Wire,
  rows: Wire,
  { real, guard }: Places,
): Wire {
  const { config, plan, sequences, tokens } = run;
  const guards = guard?.guards;
  const text = rows === x ? guard?.text : undefined;
  const [before, middle] = p.residuals as readonly [Residual, Residual];
  const blockEnd = (term: AffineTerm, bias: Parameter, residual: Residual, y: Wire, range: NormaliseRange) => {
    const sum = gates.affine([term, { x: y, weight: residual.gamma, diagonal: true }], bias);
    const mean = gates.affine([{ x: y, weight: residual.mean }]);
    const centred = gates.sub(sum, gates.reshape(gates.repeat(mean, config.hiddenSize), sum.shape));
    return normaliseCentred(gates, centred, config.layerNormEps, range, guards?.variance(range, text));
  };
  const context = gates.section('attention', () => {
    const q = splitHeads(gates, affine(gates, rows, p.q), sequences, config.heads);
    const k = splitHeads(gates, affine(gates, x, p.k), sequences, config.heads);
    const values = affine(gates, x, p.v);
    guards?.value(i, values, tokens, guard?.text);
    const v = splitHeads(gates, values, sequences, config.heads);
    const mask = real === undefined ? undefined : { real };
    const context = attend(
      gates,
      q,
      attentionKeys(gates, k),
      attentionValues(gates, v),
      plan.treeBits[i],
      mask,
      guards?.spread(i, text),
    );
    return mergeHeads(gates, context, sequences);
  });
  const attended = gates.section('attention output', () =>
    blockEnd({ x: context, weight: p.o.weight }, p.o.bias, before, rows, plan.norms[2 * i]),
  );
  const inner = gates.section('feed-forward', () => {
    const before = affine(gates, attended, p.inner);
    guards?.activation(i, before, text);
    return secureActivation(gates, before, config.activation, plan.activation[i]);
  });
  return gates.section('feed-forward output', () =>
    blockEnd({ x: inner, weight: p.outer.weight }, p.outer.bias, middle, attended, plan.norms[2 * i + 1]),
  );
}

/**
 * The rows that are wanted of the last layer. A mean is taken behind it, because it mixes rows of its output.
 * `encoder` in session/price.ts counts the same rows.
 */
function wantedRows(gates: Gates, run: ModelRun, x: Wire): Wire {
  const { head } = run.config;
  if (head === 'sequence-classification') return rowsAt(gates, x, run.sequences, 0);
  if (head === 'masked-lm') return chosenRows(gates, run, x);
  head satisfies 'question-answering' | 'token-classification' | 'causal-lm' | 'none';
  return x;
}

/** Builds the circuit from P0's tokens to the logits, a layer between two yields. */
export function* buildEncoder(gates: Gates, run: ModelRun): BuildParts {
  const { config, sequences, tokens } = run;
  const { embeddings, layers, head } = modelParameters(config);
  const guards = Guards.of(gates, run);
  const positions = () => (run.padded ? realPositions(gates, sequences, tokens) : undefined);
  // Checks of the embeddings ask for them first; without checks the order is that of older versions.
  const early = guards === undefined ? undefined : positions();
  const guard = guards === undefined ? undefined : { guards, text: early?.bits };
  let x = gates.section('embeddings', () => embed(gates, run, embeddings, guard));
  const real = guards === undefined ? positions() : early;
  let text = guard?.text;
  yield;
  for (const [i, layer] of layers.entries()) {
    x = gates.section(`layer ${i + 1}/${config.layers}`, () => {
      const rows = i === config.layers - 1 ? wantedRows(gates, run, x) : x;
      if (rows !== x) text = undefined;
      return encoderLayer(gates, run, i, layer, x, rows, { real, guard });
    });
    yield;
  }
  gates.section('head', () => {
    const mixed = config.head === 'none' && run.rows > 0;
    const rows = mixed ? chosenRows(gates, run, x) : x;
    openLogits(gates, applyHead(gates, run, head, rows, guards, mixed ? undefined : text));
  });
  guards?.open();
}
