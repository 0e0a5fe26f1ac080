// How a run grows with the length of its text and with the texts of a table, kept in bench/results/growth.json:
// `node bench/growth.mjs` after `npm run build`. BERT-base dimensions, random weights, open, plan `lan`. About five
// minutes on two quiet cores; `--lengths 16,32` and `--texts 1,4` take less.
//
// A law is fitted to each quantity: least squares of the relative error. By length T: a + b·T + c·T² (scores grow as
// T², all else as T), rounds a + b·log2 T (the maximum is a tree). By texts: a + b·n. With the law goes the largest
// relative error that it leaves, so a reader sees where it does not hold.
//   --out FILE     where rows are kept ('-': nowhere)  --note TEXT  kept with them: what else the machine did
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { keepResults } from '../dist/bench/rows.js';
import { fitted } from './least-squares.mjs';
import { withParties } from './parties.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    lengths: { type: 'string', default: '16,32,64,128,256,512' },
    texts: { type: 'string', default: '1,4,16' },
    out: { type: 'string', default: join(ROOT, 'bench/results/growth.json') },
    note: { type: 'string' },
  },
});
const numbers = (list) => list.split(',').map(Number);
/** Tokens of each text of a table. */
const TABLE_TOKENS = 16;

const QUANTITIES = {
  cpuS: ({ cpuS }) => Object.values(cpuS).reduce((total, seconds) => total + seconds, 0),
  seconds: ({ timing }) => (timing.preprocessMs + timing.onlineMs) / 1e3,
  ownerBytes: ({ cost }) => cost.p0.sentBytes,
  betweenBytes: ({ cost }) => cost.p1.sentBytes + cost.p2.sentBytes - cost.p0.receivedBytes,
  peakBytes: ({ peakBytes }) => Math.max(peakBytes.p1, peakBytes.p2),
  rounds: ({ cost }) => cost.rounds,
};
const rowOf = (name, shape, result) => ({
  suite: 'growth',
  name,
  ...shape,
  ...Object.fromEntries(Object.entries(QUANTITIES).map(([key, of]) => [key, Number(of(result).toPrecision(5))])),
});

const BY_LENGTH = { constant: () => 1, tokens: (t) => t, tokensSquared: (t) => t * t };
const ROUNDS_BY_LENGTH = { constant: () => 1, log2Tokens: Math.log2 };
const BY_TEXTS = { constant: () => 1, texts: (n) => n };

/** The law of every quantity over rows that differ in `x`. Fewer rows than terms: none. */
const lawsOf = (rows, x, termsOf) =>
  Object.fromEntries(
    Object.keys(QUANTITIES)
      .filter((key) => rows.length > Object.keys(termsOf(key)).length)
      .map((key) => [
        key,
        fitted(
          rows.map((row) => [row[x], row[key]]),
          termsOf(key),
        ),
      ]),
  );

const command = ['node bench/growth.mjs', ...process.argv.slice(2)].join(' ');
const lengths = [];
const tables = [];
const keep = () => {
  if (values.out === '-') return;
  const laws = [
    {
      suite: 'growth',
      name: 'law by tokens',
      laws: lawsOf(lengths, 'tokens', (key) => (key === 'rounds' ? ROUNDS_BY_LENGTH : BY_LENGTH)),
    },
    { suite: 'growth', name: 'law by texts', laws: lawsOf(tables, 'texts', () => BY_TEXTS) },
  ];
  keepResults(values.out, 'growth', [...lengths, ...tables, ...laws], command, values.note);
};

await withParties({ model: 'bert-base', weights: 'open' }, async ({ measured }) => {
  const one = async (rows, name, tokens, texts) => {
    process.stderr.write(`  ${name}\n`);
    const result = await measured({ plan: 'lan', tokens, sequences: texts, newTokens: 1 });
    rows.push(rowOf(name, { tokens, texts }, result));
    process.stdout.write(`${JSON.stringify(rows.at(-1))}\n`);
    // After every row, so that what ends early has kept what it measured.
    keep();
  };
  for (const tokens of numbers(values.lengths)) await one(lengths, `${tokens} tokens`, tokens, 1);
  for (const texts of numbers(values.texts))
    await one(tables, `${texts} × ${TABLE_TOKENS} tokens`, TABLE_TOKENS, texts);
});
