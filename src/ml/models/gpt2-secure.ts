/**
 * The forward pass of GPT-2 on secret tensors: a prompt at once, then one position a step against the keys and
 * values that the parties kept.
 *
 * T positions of the prompt, C hidden size, H heads, D head width. The residual stream x stays at scale 32; every
 * block reads a normalised copy of it. Keys (Z_2^48, scale 16) and values (scale 12) are lifted when they are made
 * and kept as (positions, C): a step sends no message about the ones before it. The prompt is padded at its end,
 * where a causal mask hides it from the text; the steps, and the last row of the prompt, leave padding out by P0's
 * word. Positions are looked up like words, because that of a new token tells how long the prompt was.
 */
import { invariant } from '../../core/errors.ts';
import { secureActivation } from '../../mpc/secure/activation.ts';
import { VALUE_SCALE, valueRing } from '../../mpc/secure/attention-form.ts';
import { type AttentionMask, attend, attentionKeys, attentionValues } from '../../mpc/secure/attention.ts';
import type { Gates, Wire } from '../../mpc/secure/gates.ts';
import { type NormaliseRange, normaliseCentred } from '../../mpc/secure/normalise.ts';
import { Guards } from './guards.ts';
import { type LayerParameters, modelParameters } from './parameters.ts';
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
import { type BuildParts, type ModelRun, POSITIONS, TOKENS } from './run.ts';

/** Keys and values of one layer, (positions, C) each. */
interface Cache {
  readonly keys: Wire;
  readonly values: Wire;
}

const KEY_RING = 48;
const KEY_SCALE = 16;

function embed(gates: Gates, run: ModelRun, count: number): Wire {
  const { word, positionTable } = modelParameters(run.config).embeddings;
  const words = gates.lookup(TOKENS, word, count);
  const sum = positionTable === undefined ? words : gates.add(words, gates.lookup(POSITIONS, positionTable, count));
  return atSumScale(gates, sum);
}

/** The checks of a circuit, and which of the rows at hand are text, where some are padding. */
interface Guard {
  readonly guards: Guards;
  readonly text: Wire | undefined;
}

/** The query of normalised rows, by heads. */
function queryOf(gates: Gates, { sequences, config }: ModelRun, p: LayerParameters, rows: Wire): Wire {
  return splitHeads(gates, affine(gates, rows, p.q), sequences, config.heads);
}

/**
 * Keys and values of the residual rows x, lifted for the steps, if there are any, and where the same rows attend, their
 * query. In a step they depend on its own token alone.
 */
function attentionInputs(
  gates: Gates,
  run: ModelRun,
  i: number,
  p: LayerParameters,
  x: Wire,
  guard: Guard | undefined,
  attends: boolean,
): Cache & { readonly query: Wire | undefined } {
  const ready = (wire: Wire) => (run.steps > 0 ? gates.lift(wire) : wire);
  // The steps attend to these values too, among more of them.
  const positions = run.tokens + run.steps;
  const results = attends ? 3 : 2;
  const [keys, values, query] = blockOf(gates, `inputs ${results} ${positions}`, [x], guard, results, () => {
    const rows = gates.section('attention norm', () => norm(gates, run, x, run.plan.norms[2 * i], guard));
    return gates.section('attention', () => {
      const k = ready(attentionKeys(gates, affine(gates, rows, p.k)));
      const v = affine(gates, rows, p.v);
      guard?.guards.value(i, v, positions, guard.text);
      const cache = [k, ready(attentionValues(gates, v))];
      return attends ? [...cache, queryOf(gates, run, p, rows)] : cache;
    });
  });
  return { keys, values, query };
}

/** What a block attends to: keys and values, and which of them its rows see. */
interface Attended extends Cache {
  readonly mask: AttentionMask;
}

/** The two blocks of a layer on the residual rows x, given their query and what they attend to. */
function blocks(
  gates: Gates,
  run: ModelRun,
  i: number,
  p: LayerParameters,
  x: Wire,
  query: Wire,
  { keys, values, mask }: Attended,
  guard: Guard | undefined,
): Wire {
  const { config, plan, sequences } = run;
  const context = gates.section('attention', () => {
    const split = (of: Wire) => splitHeads(gates, of, sequences, config.heads);
    const check = guard?.guards.spread(i, guard.text);
    return attend(gates, query, split(keys), split(values), plan.treeBits[i], mask, check);
  });
  const [out] = blockOf(gates, 'behind attention', [x, context], guard, 1, () => {
    const merged = mergeHeads(gates, context, sequences);
    const attended = gates.section('attention output', () => gates.add(x, affine(gates, merged, p.o)));
    const middle = gates.section('feed-forward norm', () => norm(gates, run, attended, plan.norms[2 * i + 1], guard));
    const inner = gates.section('feed-forward', () => {
      const before = affine(gates, middle, p.inner);
      guard?.guards.activation(i, before, guard.text);
      return secureActivation(gates, before, config.activation, plan.activation[i]);
    });
    return [gates.section('feed-forward output', () => gates.add(attended, affine(gates, inner, p.outer)))];
  });
  return out;
}

/** A block with its checks, of so many results. Whether there are any the model says; which rows count is an operand. */
function blockOf(
  gates: Gates,
  key: string,
  operands: readonly Wire[],
  guard: Guard | undefined,
  results: number,
  build: () => readonly Wire[],
): readonly Wire[] {
  if (guard === undefined) return gates.block(key, operands, build);
  return guard.guards.block(key, guard.text === undefined ? operands : [...operands, guard.text], results, build);
}

function norm(gates: Gates, { config }: ModelRun, x: Wire, range: NormaliseRange, guard: Guard | undefined): Wire {
  return normaliseCentred(gates, x, config.layerNormEps, range, guard?.guards.variance(range, guard.text));
}

function finish(gates: Gates, run: ModelRun, x: Wire, guard: Guard | undefined): void {
  const { config, plan } = run;
  gates.section('head', () => {
    const [rows] = blockOf(gates, 'norm', [x], guard, 1, () => [norm(gates, run, x, plan.head, guard)]);
    const mixed = config.head === 'none' && run.rows > 0;
    const read = mixed ? chosenRows(gates, run, rows) : rows;
    openLogits(
      gates,
      applyHead(gates, run, modelParameters(config).head, read, guard?.guards, mixed ? undefined : guard?.text),
    );
  });
  guard?.guards.open();
}

function keep(gates: Gates, i: number, { keys, values }: Cache): void {
  gates.keep(`keys ${i}`, keys);
  gates.keep(`values ${i}`, values);
}

/** The row of the residual stream that the head of a language model reads: the last of the text. */
function lastRows(gates: Gates, run: ModelRun, x: Wire): Wire {
  return run.rows > 0 ? chosenRows(gates, run, x) : rowsAt(gates, x, run.sequences, run.tokens - 1);
}

/** Builds the circuit of the whole prompt, a layer between two yields. */
export function* buildPrompt(gates: Gates, run: ModelRun): BuildParts {
  const { config, plan, sequences, tokens } = run;
  const { layers } = modelParameters(config);
  const guards = Guards.of(gates, run);
  let x = gates.section('embeddings', () => embed(gates, run, sequences * tokens));
  const languageModel = config.head === 'causal-lm';
  const real =
    run.padded && (languageModel || guards !== undefined) ? realPositions(gates, sequences, tokens) : undefined;
  // Behind the text a causal mask hides padding; only a last row that P0 chooses may look past itself.
  const lastMask: AttentionMask = languageModel && real !== undefined ? { real } : undefined;
  const guard = guards === undefined ? undefined : { guards, text: real?.bits };
  const chosen = guards === undefined ? undefined : { guards, text: undefined };
  yield;
  for (const [i, p] of layers.entries()) {
    x = gates.section(`layer ${i + 1}/${config.layers}`, () => {
      const all = !languageModel || i < config.layers - 1;
      const { keys, values, query } = attentionInputs(gates, run, i, p, x, guard, all);
      const cache = { keys, values };
      if (run.steps > 0) keep(gates, i, cache);
      if (query !== undefined) return blocks(gates, run, i, p, x, query, { ...cache, mask: 'causal' }, guard);
      const last = lastRows(gates, run, x);
      const normed = norm(gates, run, last, plan.norms[2 * i], chosen);
      const asks = gates.section('attention', () => queryOf(gates, run, p, normed));
      return blocks(gates, run, i, p, last, asks, { ...cache, mask: lastMask }, chosen);
    });
    yield;
  }
  finish(gates, run, x, languageModel ? chosen : guard);
}

/** Builds the circuit of step s ≥ 1: the s-th token behind the prompt. */
export function* buildStep(gates: Gates, run: ModelRun, step: number): BuildParts {
  const { config, tokens } = run;
  const before = tokens + step - 1;
  const C = config.hiddenSize;
  const guards = Guards.of(gates, run);
  const guard = guards === undefined ? undefined : { guards, text: undefined };
  let x = gates.section('embeddings', () => embed(gates, run, 1));
  const mask: AttentionMask = run.padded ? { real: realPositions(gates, 1, before + 1) } : undefined;
  yield;
  for (const [i, p] of modelParameters(config).layers.entries()) {
    x = gates.section(`layer ${i + 1}/${config.layers}`, () => {
      const { query, ...fresh } = attentionInputs(gates, run, i, p, x, guard, true);
      invariant(query !== undefined, 'a token attends');
      const cache: Cache = {
        keys: gates.concat([gates.kept(`keys ${i}`, [before, C], KEY_RING, KEY_SCALE), fresh.keys]),
        values: gates.concat([
          gates.kept(`values ${i}`, [before, C], valueRing(gates.rounding), VALUE_SCALE),
          fresh.values,
        ]),
      };
      if (step < run.steps) keep(gates, i, cache);
      return blocks(gates, run, i, p, x, query, { ...cache, mask }, guard);
    });
    yield;
  }
  finish(gates, run, x, guard);
}
