// Bytes and rounds of runs by their circuits alone: what `bench/growth.mjs` keeps of every size without running it.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { planOf } from '../dist/node/model-plan.js';
import { openModel } from '../dist/node/model.js';
import { circuitFor } from '../dist/session/circuit-for.js';
import { shapeFor } from '../dist/session/request.js';
import { WIDENINGS } from '../dist/session/run-plan.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A function of tokens and texts, for BERT-base with open weights and plan `lan`; payload, without frame headers. */
export async function declaredOf() {
  const configPath = join(ROOT, 'bench/configs/bert-base.json');
  const opened = await openModel({ kind: 'random', seed: 1, configPath }, { weights: true });
  const ranges = await planOf(opened, await opened.weights());
  return (tokens, texts) => {
    const needs = { sequences: texts, tokens, secretRows: 0, padded: false, pair: false, steps: 0 };
    const request = {
      protocol: '3pc_semi_honest',
      weights: 'open',
      widening: WIDENINGS.lan,
      ...shapeFor(opened.config, needs),
    };
    const { cost } = circuitFor(opened.config, ranges, request, 0);
    return {
      ownerBytes: cost.p0ToP1Ahead + cost.p0ToP2Ahead + cost.p0ToP1Input + cost.p0ToP2Input,
      betweenBytes: cost.p2ToP1Ahead + cost.p1ToP2Ahead + cost.p1ToP2 + cost.p2ToP1,
      rounds: cost.rounds,
    };
  };
}
