/**
 * Measured ranges that are kept for the next start: the same plan with and without them, nothing measured twice,
 * and no file is believed that is not whole, of this user, and of this model. What a false one could do is tested
 * at the end: it cannot take a check away.
 */
import { SEMI_HONEST } from '../../src/mpc/protocol/registry.ts';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type MeasuredRanges, checkedPlan } from '../../src/ml/checked-plan.ts';
import { parseModelConfig } from '../../src/ml/config.ts';
import { folderFiles } from '../../src/ml/files-node.ts';
import { type ModelFiles, memoryFiles } from '../../src/ml/files.ts';
import { MEASUREMENT } from '../../src/ml/checked-plan.ts';
import { measuredRanges } from '../../src/ml/measured-ranges.ts';
import type { ModelPlan } from '../../src/ml/models/plan.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import type { WeightSource } from '../../src/ml/models/weights.ts';
import { provedRanges } from '../../src/ml/ranges.ts';
import { measurementsIn } from '../../src/node/measurements.ts';
import { planOf } from '../../src/node/model-plan.ts';
import { wholeVariance, wrappingVariance } from '../../src/mpc/secure/normalise.ts';

const CONFIG = parseModelConfig({
  model_type: 'bert',
  architectures: ['BertForMaskedLM'],
  hidden_act: 'gelu',
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 64,
  vocab_size: 7387,
  max_position_embeddings: 24,
  type_vocab_size: 2,
  layer_norm_eps: 1e-5,
});

/** Weights that prove too little: the queries of one layer are large. */
function source(read: { count: number } = { count: 0 }): WeightSource {
  const small = randomWeights(CONFIG, 3);
  return {
    ...small,
    tensor: async (name) => {
      read.count++;
      const factor = name === 'layers.0.wq' ? 60 : name.includes('Gamma') ? 1 : 12;
      return (await small.tensor(name)).map((v) => v * factor);
    },
  };
}

const root = mkdtempSync(join(tmpdir(), 'tercet-measured-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const capitals = await folderFiles(fileURLToPath(new URL('../../models/capitals-bert', import.meta.url)));
const tokenizer = new Map([
  ['vocab.txt', await capitals.read('vocab.txt')],
  ['tokenizer_config.json', await capitals.read('tokenizer_config.json')],
]);
const model = (hash: string, files: ModelFiles = memoryFiles('planted', tokenizer)) => ({
  config: CONFIG,
  files,
  hash: async () => hash,
});
const [ONE, OTHER] = ['ab'.repeat(32), 'cd'.repeat(32)];

/** What the proof alone reads. */
const proof = { count: 0 };
const reach = await provedRanges(source(proof));
const plain = await planOf({ ...model(ONE), files: undefined }, source());

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(root, 'cache-'));
});
const fileIn = () => join(folder, readdirSync(folder)[0]);

/** A start with the cache: its plan, and whether it measured. */
async function start(of = model(ONE)): Promise<{ plan: ModelPlan; measured: boolean }> {
  const read = { count: 0 };
  const plan = await planOf(of, source(read), { measurements: measurementsIn(folder) });
  expect(read.count).toBeGreaterThanOrEqual(proof.count);
  return { plan, measured: read.count > proof.count };
}

describe('a second start', () => {
  it('measures nothing, reads what the proof reads, and has the same plan', async () => {
    const [first, second] = [await start(), await start()];
    expect([first.measured, second.measured]).toEqual([true, false]);
    expect(second.plan).toEqual(first.plan);
    expect(first.plan.basis).toBe('measured');
    expect(plain.basis).toBe('measured');
    // Another width of gadgets is planned from the same measurement.
    const read = { count: 0 };
    await planOf(model(ONE), source(read), { ranges: 'wide', measurements: measurementsIn(folder) });
    expect(read.count).toBe(proof.count);
  });

  it('of other weights, of another tokenizer or without a folder measures itself', async () => {
    await start();
    expect((await start(model(OTHER))).measured).toBe(true);
    const settings = new Map(tokenizer).set(
      'tokenizer_config.json',
      new TextEncoder().encode('{"tokenizer_class":"BertTokenizer","do_lower_case":true,"strip_accents":false}'),
    );
    expect((await start(model(ONE, memoryFiles('planted', settings)))).measured).toBe(true);
    expect(readdirSync(folder).length).toBe(3);
    expect((await start({ ...model(ONE), files: undefined } as never)).measured).toBe(true);
    expect(readdirSync(folder).length).toBe(3);
  });

  it('without a cache that can be written has the same plan', async () => {
    const { plan } = await start();
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'a file');
    expect(await start()).toEqual({ plan, measured: true });
  });

  it('leaves a folder and a file that only this user reads', async () => {
    const made = join(folder, 'made');
    folder = made;
    await start();
    expect([statSync(made).mode & 0o777, statSync(fileIn()).mode & 0o777]).toEqual([0o700, 0o600]);
  });
});

/** The file with other content and a digest that fits it, as only its owner's programs write it. */
function forge(change: (ranges: MeasuredRanges) => unknown): void {
  const key = readdirSync(folder)[0].slice(0, 64);
  const json = JSON.stringify(change(JSON.parse(readFileSync(fileIn(), 'utf8').split('\n')[1]) as MeasuredRanges));
  writeFileSync(fileIn(), `${createHash('sha256').update(`${key}\n${json}`).digest('hex')}\n${json}`);
}

describe('a file is measured anew and replaced', () => {
  const cases: Record<string, (file: string) => void> = {
    'that is torn': (file) => truncateSync(file, statSync(file).size - 9),
    'that is empty': (file) => truncateSync(file, 0),
    'that has one more byte': (file) => appendFileSync(file, ' '),
    'with one number changed': (file) =>
      writeFileSync(file, readFileSync(file, 'utf8').replace(/"logit":\d/, '"logit":9')),
    'that others may write': (file) => chmodSync(file, 0o620),
    'in a folder that others may write': (file) => chmodSync(join(file, '..'), 0o777),
    'that is a link': (file) => {
      renameSync(file, join(root, 'elsewhere'));
      symlinkSync(join(root, 'elsewhere'), file);
    },
    'that is a folder': (file) => {
      rmSync(file);
      mkdirSync(file);
    },
    'with a list too short': () => forge((ranges) => ({ ...ranges, spread: ranges.spread.slice(1) })),
    'with a negative number': () => forge((ranges) => ({ ...ranges, logit: -1 })),
    'with a number that is none': () => forge((ranges) => ({ ...ranges, value: ranges.value.map(String) })),
    'that leaves no plan': () => forge((ranges) => ({ ...ranges, spread: ranges.spread.map(() => 1e9) })),
    'that is null': () => forge(() => null),
  };
  let plan: ModelPlan;
  let [name, whole] = ['', Buffer.alloc(0)];
  beforeAll(async () => {
    folder = mkdtempSync(join(root, 'first-'));
    ({ plan } = await start());
    [name, whole] = [readdirSync(folder)[0], readFileSync(fileIn())];
  });
  it.each(Object.keys(cases))('%s', async (what) => {
    writeFileSync(join(folder, name), whole, { mode: 0o600 });
    // Positive control: untouched, it is taken.
    expect((await start()).measured).toBe(false);
    cases[what](fileIn());
    expect(await start()).toEqual({ plan, measured: true });
    if (what === 'that is a folder') return; // cannot be replaced, and is no failure
    expect(existsSync(fileIn()) && readFileSync(fileIn()).equals(whole)).toBe(true);
  });

  it('that was kept for other weights', async () => {
    await start();
    const one = fileIn();
    await start(model(OTHER));
    const [two] = readdirSync(folder).filter((file) => join(folder, file) !== one);
    copyFileSync(one, join(folder, two));
    expect((await start(model(OTHER))).measured).toBe(true);
    expect((await start(model(OTHER))).measured).toBe(false);
  });
});

describe('a measurement that is false, and whole', () => {
  /** What is checked, and what not. */
  const pattern = ({ checks }: ModelPlan) =>
    [checks?.activation, checks?.headActivation, checks?.spread, checks?.value, checks?.logit]
      .flat()
      .map((bits) => bits === null);
  const honest = async () => measuredRanges(source());

  it('takes no check away, and no bound: those follow from the weights', async () => {
    const ranges = await honest();
    const right = checkedPlan(CONFIG, reach, ranges, SEMI_HONEST.truncation);
    expect(pattern(right)).toContain(false);
    const scaled = (by: number): MeasuredRanges => ({
      ...ranges,
      activation: ranges.activation.map((v) => v * by),
      headActivation: ranges.headActivation * by,
      spread: ranges.spread.map((v) => v * by),
      value: ranges.value.map((v) => v * by),
      logit: ranges.logit * by,
    });
    for (const lie of [scaled(0), scaled(1e-6), { ...ranges, embeddingVariance: 0 }, { ...ranges, headVariance: 0 }]) {
      const plan = checkedPlan(CONFIG, reach, lie, SEMI_HONEST.truncation);
      // A dearer variant may prove what a cheaper one has to check, and never the other way round.
      pattern(plan).forEach((free, i) => {
        if (free) expect(pattern(right)[i]).toBe(true);
      });
      for (const [range, variance] of [
        [plan.embedding, reach.embeddingVariance],
        [plan.head, reach.headVariance],
        ...plan.norms.map((norm, i) => [norm, reach.variance[i]] as const),
      ] as const)
        expect(variance).toBeLessThan(
          Math.min(wholeVariance(CONFIG.hiddenSize), wrappingVariance(CONFIG.hiddenSize, range)),
        );
    }
  });

  it.each([
    { variance: 'embeddingVariance', least: 'leastEmbeddingVariance', norm: 'embedding' },
    { variance: 'headVariance', least: 'leastHeadVariance', norm: 'head' },
  ] as const)(
    'does not lift the bound of a LayerNorm by saying that it saw none: $norm',
    async ({ variance, least, norm }) => {
      const wraps = { ...reach, [variance]: 1.01 * wrappingVariance(CONFIG.hiddenSize, 'fine') };
      const lie = { ...(await honest()), [variance]: 0, [least]: 1e9 };
      expect(checkedPlan(CONFIG, wraps, lie, SEMI_HONEST.truncation)[norm]).not.toBe('fine');
    },
  );
});

it('a measurement that gives other numbers has another version', async () => {
  const ranges = await measuredRanges(source());
  const numbers = Object.entries(ranges).flatMap(([name, value]) => [
    name,
    ...[value].flat().map((v) => Number(v).toPrecision(5)),
  ]);
  expect([MEASUREMENT, createHash('sha256').update(numbers.join(' ')).digest('hex').slice(0, 16)]).toEqual([
    1,
    '798edfd12f4cc519',
  ]);
});
