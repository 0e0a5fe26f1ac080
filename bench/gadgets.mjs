// What each gadget costs, in an older version and in this one, kept in bench/results/gadgets.json:
// `node bench/gadgets.mjs --old FOLDER` after `npm run build` in both. Nothing is run: circuits declare it.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { keepResults } from '../dist/bench/rows.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({ options: { old: { type: 'string' }, out: { type: 'string' } } });
if (values.old === undefined) throw new Error('--old FOLDER is missing: a built checkout of the older version');

/** Rows of a LayerNorm and of attention. */
const N = 128;
/** Elements of everything else: so many that what a circuit has once, a base of 4 KB, is nothing. */
const ELEMENTS = 2 ** 20;
const x = (g, k = 64) => g.input('x', [ELEMENTS], k, 32);
const heads = (g) => ['q', 'k', 'v'].map((name) => g.input(name, [1, N, 64], 64, 32));

/** Name, of what the figures are, and how it is built. */
const GADGETS = [
  ...['narrow', 'wide', 'far'].map((range) => [
    `GeLU, ${range}`,
    'element',
    ELEMENTS,
    (g, { activation }) => activation.secureGelu(g, x(g), range),
  ]),
  ['tanh', 'element', ELEMENTS, (g, { activation }) => activation.secureTanh(g, x(g))],
  ['ReLU', 'element', ELEMENTS, (g, { activation }) => activation.secureRelu(g, x(g))],
  ['sign of 25 bits', 'element', ELEMENTS, (g, { compare }) => compare.isNegative(g, x(g, 25))],
  ['truncation by 16 bits', 'element', ELEMENTS, (g) => g.truncate(x(g), 16)],
  [
    'LayerNorm of 768',
    'row',
    N,
    (g, { normalise }) =>
      (normalise.normaliseCentred ?? normalise.normalise)(g, g.input('x', [N, 768], 64, 32), 1e-12, 'normal'),
  ],
  [
    'attention, 128 keys, head of 64',
    'row',
    N,
    (g, { attention }) => {
      const [q, k, v] = heads(g);
      attention.attend(g, q, attention.attentionKeys(g, k), attention.attentionValues(g, v), 8);
    },
  ],
];

async function versionOf(root) {
  const load = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
  const [{ CircuitBuilder }, activation, compare, normalise, attention] = await Promise.all([
    load('mpc/protocol/semi-honest/circuit.js'),
    ...['activation', 'compare', 'normalise', 'attention'].map((name) => load(`mpc/secure/${name}.js`)),
  ]);
  const commit = execFileSync('git', ['rev-parse', '--short=7', 'HEAD'], { cwd: root }).toString().trim();
  return { commit, CircuitBuilder, secure: { activation, compare, normalise, attention } };
}

/** Bytes of one element or row, and rounds. */
function costOf({ CircuitBuilder, secure }, build, count, widening) {
  const builder = new CircuitBuilder('open', widening === undefined ? undefined : { widening });
  build(builder, secure);
  const cost = builder.finish().cost;
  const each = (bytes) => Math.round((1000 * bytes) / count) / 1000;
  return {
    ownerBytes: each((cost.p0ToP1Ahead ?? 0) + cost.p0ToP2Ahead),
    betweenBytes: each(Object.entries(cost).reduce((sum, [way, v]) => sum + (/^p[12]ToP[12]/.test(way) ? v : 0), 0)),
    rounds: cost.rounds,
  };
}

const [old, now] = [await versionOf(values.old), await versionOf(ROOT)];
const rows = GADGETS.map(([name, unit, count, build]) => ({
  name,
  unit,
  before: { commit: old.commit, ...costOf(old, build, count) },
  lan: { commit: now.commit, ...costOf(now, build, count, 'dealer') },
  wanCloud: { commit: now.commit, ...costOf(now, build, count, 'ot') },
}));
for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
if (values.out !== undefined)
  keepResults(values.out, 'gadgets', rows, 'node bench/gadgets.mjs --old FOLDER --out bench/results/gadgets.json');
