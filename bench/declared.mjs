// What a run costs by its circuit, kept in bench/results/declared.json: `node bench/declared.mjs` after
// `npm run build`. Nothing is run and nothing is timed, so every machine writes the same rows.
//
// For every plan, and with a dealer: bytes on every link (payload, without frame headers), rounds, seconds of a
// page's uplink at home rates, prepared and not, and the price of what servers send.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keepResults } from '../dist/bench/rows.js';
import { planOf } from '../dist/node/model-plan.js';
import { openModel } from '../dist/node/model.js';
import { circuitFor } from '../dist/session/circuit-for.js';
import { shapeFor } from '../dist/session/request.js';
import { WIDENINGS } from '../dist/session/run-plan.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Dollars of a gigabyte that a server sends: an assumption, near the list prices of large clouds. */
const DOLLARS_PER_GIGABYTE = 0.08;
const UPLINK_MBIT = [10, 20, 50];
const MODELS = [
  { model: 'bert-base', lengths: [16, 128], steps: 0 },
  { model: 'gpt2', lengths: [128], steps: 1 },
];
const WAYS = [
  { plan: 'lan' },
  { plan: 'wan-cloud' },
  { plan: 'lan', dealer: true },
  { plan: 'wan-cloud', dealer: true },
];

/** One run, or one more token behind a prompt of so many. */
function costOf({ config, ranges, length, steps, weights, way }, padded) {
  const needs = { sequences: 1, tokens: length, secretRows: 0, padded, pair: false, steps };
  const request = {
    protocol: '3pc_semi_honest',
    weights,
    widening: WIDENINGS[way.plan],
    ...shapeFor(config, needs),
  };
  return circuitFor(config, ranges, request, steps).cost;
}

/** To four digits: a prepared run's is some milliseconds. */
const seconds = (bytes, mbit) => Number(((8 * bytes) / (mbit * 1e6)).toPrecision(4));

function rowOf(asked) {
  const { model, length, steps, weights, way } = asked;
  const cost = costOf(asked, false);
  const ahead = cost.p0ToP1Ahead + cost.p0ToP2Ahead;
  const input = cost.p0ToP1Input + cost.p0ToP2Input;
  const between = cost.p2ToP1Ahead + cost.p1ToP2Ahead + cost.p1ToP2 + cost.p2ToP1;
  // With a dealer the owner sends its input, and the keys (and seeds) that it hands over, some hundred bytes.
  const owner = way.dealer ? { ahead: 0, input } : { ahead, input };
  const dealer = way.dealer ? ahead : 0;
  const served = between + cost.p1ToP0 + dealer;
  // A page pads its text, so that nobody learns how long it is.
  const page = costOf(asked, true);
  const pageInput = page.p0ToP1Input + page.p0ToP2Input;
  const pageAhead = way.dealer ? 0 : page.p0ToP1Ahead + page.p0ToP2Ahead;
  const pageUplink = Object.fromEntries(
    UPLINK_MBIT.map((mbit) => [
      `${mbit}Mbit`,
      { prepared: seconds(pageInput, mbit), notPrepared: seconds(pageAhead + pageInput, mbit) },
    ]),
  );
  return {
    suite: 'declared',
    name: `${model}/${steps > 0 ? `token behind ${length}` : length}/${weights}/${way.plan}${way.dealer ? '/dealer' : ''}`,
    model,
    tokens: length,
    ...(steps > 0 ? { perToken: true } : {}),
    weights,
    plan: way.plan,
    dealer: way.dealer === true,
    ownerAheadBytes: owner.ahead,
    ownerInputBytes: owner.input,
    ownerDownBytes: cost.p1ToP0,
    dealerBytes: dealer,
    betweenBytes: between,
    rounds: cost.rounds,
    pageUplinkS: pageUplink,
    egressDollars: Number(((served / 1e9) * DOLLARS_PER_GIGABYTE).toPrecision(3)),
  };
}

const rows = [];
for (const { model, lengths, steps } of MODELS) {
  const configPath = join(ROOT, `bench/configs/${model}.json`);
  const opened = await openModel({ kind: 'random', seed: 1, configPath }, { weights: true });
  const ranges = await planOf(opened, await opened.weights());
  for (const length of lengths)
    for (const weights of ['open', 'secret'])
      for (const way of WAYS) {
        rows.push(rowOf({ model, config: opened.config, ranges, length, steps, weights, way }));
        process.stdout.write(`${JSON.stringify(rows.at(-1))}\n`);
      }
}
keepResults(
  join(ROOT, 'bench/results/declared.json'),
  'declared',
  rows,
  'node bench/declared.mjs',
  `${DOLLARS_PER_GIGABYTE} dollars a gigabyte that a server sends`,
);
