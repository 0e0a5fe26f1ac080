// How a run grows with the length of its text and with the texts of a table, kept in bench/results/growth.json:
// `node bench/growth.mjs` after `npm run build`. BERT-base dimensions, random weights, open, plan `lan`. About six
// minutes on two quiet cores, half of them for 512 tokens; `--lengths 16,32` and `--texts 1,4` take less.
//
// Bytes and rounds are declared: their rows come from the circuits, for every size, whatever is run. Time, CPU and
// memory come from runs. A law is fitted to each quantity: least squares of the relative error. By length T:
// a + b·T + c·T² (scores grow as T², all else as T), rounds a + b·log2 T (the maximum is a tree). By texts: a + b·n.
// With the law goes the largest relative error that it leaves, so a reader sees where it does not hold.
//   --lengths L    tokens of the runs of one text   --texts N   texts of the runs of a table, 16 tokens each
//   --out FILE     where rows are kept ('-': nowhere)  --note TEXT  kept with them: what else the machine did
//   --busy         others use the machine: time and CPU are left out, which would say what they did
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { keepResults } from '../dist/bench/rows.js';
import { declaredOf } from './declared-growth.mjs';
import { fitted } from './least-squares.mjs';
import { withParties } from './parties.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LENGTHS = [16, 32, 64, 128, 256, 512];
const TEXTS = [1, 4, 16];
const { values } = parseArgs({
  options: {
    lengths: { type: 'string', default: LENGTHS.join(',') },
    texts: { type: 'string', default: TEXTS.join(',') },
    out: { type: 'string', default: join(ROOT, 'bench/results/growth.json') },
    note: { type: 'string' },
    busy: { type: 'boolean', default: false },
  },
});
const numbers = (list) => list.split(',').map(Number);
/** Tokens of each text of a table. */
const TABLE_TOKENS = 16;

const TIMES = {
  cpuS: ({ cpuS }) => Object.values(cpuS).reduce((total, seconds) => total + seconds, 0),
  seconds: ({ timing }) => (timing.preprocessMs + timing.onlineMs) / 1e3,
};
const QUANTITIES = {
  ...(values.busy ? {} : TIMES),
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
const lawsOf = (rows, keys, x, termsOf) =>
  Object.fromEntries(
    keys
      .filter((key) => rows.length > Object.keys(termsOf(key)).length)
      .map((key) => [
        key,
        fitted(
          rows.map((row) => [row[x], row[key]]),
          termsOf(key),
        ),
      ]),
  );

const DECLARED = ['ownerBytes', 'betweenBytes', 'rounds'];
const MEASURED = Object.keys(QUANTITIES).filter((key) => !DECLARED.includes(key));
const declared = await declaredOf();
const declaredRow = (name, tokens, texts) => ({
  suite: 'growth',
  name,
  tokens,
  texts,
  declared: true,
  ...declared(tokens, texts),
});
const lengthName = (tokens) => `${tokens} tokens`;
const tableName = (texts) => `${texts} × ${TABLE_TOKENS} tokens`;
const declaredLengths = LENGTHS.map((tokens) => declaredRow(lengthName(tokens), tokens, 1));
const declaredTables = TEXTS.map((texts) => declaredRow(tableName(texts), TABLE_TOKENS, texts));

const command = ['node bench/growth.mjs', ...process.argv.slice(2)].join(' ');
const lengths = [];
const tables = [];
const keep = () => {
  if (values.out === '-') return;
  const byLength = (key) => (key === 'rounds' ? ROUNDS_BY_LENGTH : BY_LENGTH);
  const byTexts = () => BY_TEXTS;
  const laws = [
    {
      suite: 'growth',
      name: 'law by tokens',
      laws: {
        ...lawsOf(lengths, MEASURED, 'tokens', byLength),
        ...lawsOf(declaredLengths, DECLARED, 'tokens', byLength),
      },
    },
    {
      suite: 'growth',
      name: 'law by texts',
      laws: {
        ...lawsOf(tables, MEASURED, 'texts', byTexts),
        ...lawsOf(declaredTables, DECLARED, 'texts', byTexts),
      },
    },
  ];
  keepResults(
    values.out,
    'growth',
    [...declaredLengths, ...declaredTables, ...lengths, ...tables, ...laws],
    command,
    values.note,
  );
};

keep();
await withParties({ model: 'bert-base', weights: 'open' }, async ({ measured }) => {
  const one = async (rows, name, tokens, texts) => {
    process.stderr.write(`  ${name}\n`);
    try {
      rows.push(
        rowOf(name, { tokens, texts }, await measured({ plan: 'lan', tokens, sequences: texts, newTokens: 1 })),
      );
    } catch (error) {
      // The other sizes can still be measured: on a busy machine one run may exceed what parties wait for.
      process.stderr.write(`  ${name}: ${error.message}\n`);
      process.exitCode = 1;
      return;
    }
    process.stdout.write(`${JSON.stringify(rows.at(-1))}\n`);
    // After every row, so that what ends early has kept what it measured.
    keep();
  };
  for (const tokens of numbers(values.lengths)) await one(lengths, lengthName(tokens), tokens, 1);
  for (const texts of numbers(values.texts)) await one(tables, tableName(texts), TABLE_TOKENS, texts);
});
