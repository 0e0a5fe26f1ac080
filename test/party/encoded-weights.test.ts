/**
 * What a party keeps of a model for its next start: the same integers and bounds as without it, from whole files of
 * its own alone. Whatever else lies there is not taken: the party works from the model, and makes the file anew.
 */
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
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { parameterEncoder } from '../../src/ml/models/folding.ts';
import { listParameters } from '../../src/ml/models/parameters.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import { provedRanges } from '../../src/ml/ranges.ts';
import { cacheKey } from '../../src/node/cache-key.ts';
import { ENCODING, type KeepOptions, withEncodedWeights } from '../../src/node/encoded-weights.ts';
import { wasmFold } from '../../src/node/kernels.ts';
import { openModel } from '../../src/node/model.ts';
import { ARCHITECTURES } from '../support/architectures.ts';

const root = mkdtempSync(join(tmpdir(), 'tercet-encoded-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A model folder of its own, which tests may change. */
const MODEL = join(root, 'capitals-bert');
const SHIPPED = fileURLToPath(new URL('../../models/capitals-bert', import.meta.url));
mkdirSync(MODEL);
for (const name of readdirSync(SHIPPED)) copyFileSync(join(SHIPPED, name), join(MODEL, name));
const fold = await wasmFold();

let folder = '';
let state = '';
beforeEach(() => {
  folder = mkdtempSync(join(root, 'cache-'));
  state = mkdtempSync(join(root, 'state-'));
});
const kept = () => readdirSync(folder);
const file = () => join(folder, kept()[0]);

interface Start {
  /** Of bounds and all parameters. */
  readonly digest: string;
  /** Tensors that were read of the model. */
  readonly reads: number;
  /** What was loaded and turned out to be of another model. */
  readonly dropped: readonly string[];
}

/** A start of a party. `during` happens when half of the parameters are taken. */
async function start(options: KeepOptions = {}, during = () => {}, path = MODEL): Promise<Start> {
  const model = await openModel({ kind: 'folder', path });
  const weights = await model.weights();
  let reads = 0;
  const source: typeof weights = {
    ...weights,
    tensor: (name) => {
      reads++;
      return weights.tensor(name);
    },
  };
  const dropped: string[] = [];
  const digest = await withEncodedWeights(
    model,
    source,
    fold,
    async (encoded) => {
      const hash = createHash('sha256').update(JSON.stringify(encoded.reach));
      const parameters = listParameters(model.config);
      for (const [i, parameter] of parameters.entries()) {
        if (i === parameters.length >> 1) during();
        const values = await encoded.encode(parameter);
        if (options.panels === undefined) expect(values.length).toBe(parameter.rows * parameter.cols);
        hash.update(parameter.name).update(values);
      }
      return hash.digest('hex');
    },
    async (loaded) => void dropped.push(loaded),
    { folder, state, leastBytes: 0, ...options },
  );
  return { digest, reads, dropped };
}

/** Without anything kept. */
const plain = await (async () => {
  folder = state = root;
  return start({ leastBytes: Number.POSITIVE_INFINITY });
})();

describe('a second start', () => {
  it('reads no weight, and has the same integers and bounds', async () => {
    const [first, second] = [await start(), await start()];
    expect(first).toEqual(plain);
    expect(second).toEqual({ digest: plain.digest, reads: 0, dropped: [] });
    expect(plain.reads).toBeGreaterThan(0);
  });

  it('has them in memory that threads share, too', async () => {
    await start();
    expect(await start({ shared: true })).toEqual({ digest: plain.digest, reads: 0, dropped: [] });
  });

  it('has matrices in the order of the kernels, whole or with a damage', async () => {
    const panels = { rows: 256, columns: 4 };
    const [first, second] = [await start({ panels }), await start({ panels, shared: true })];
    expect(second).toEqual({ ...first, reads: 0 });
    expect(first.digest).not.toBe(plain.digest);
    const bytes = readFileSync(file());
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(file(), bytes);
    const third = await start({ panels, shared: true });
    expect([third.digest, third.reads > 0]).toEqual([first.digest, true]);
  });

  it('takes none in another order than it asks for, even under its name', async () => {
    const own = [{ rows: 256, columns: 4 }, { rows: 128, columns: 4 }, undefined] as const;
    const names: string[] = [];
    for (const panels of own) {
      await start({ panels });
      names.push(...kept().filter((name) => !names.includes(name)));
    }
    expect(names).toHaveLength(3);
    const [one, other] = names.map((name) => join(folder, name));
    writeFileSync(one, readFileSync(other));
    expect((await start({ panels: own[0] })).reads).toBeGreaterThan(0);
    expect((await start({ panels: own[1] })).reads).toBe(0); // positive control
  });

  it('leaves files and folders that only this user reads', async () => {
    folder = join(folder, 'made');
    state = join(state, 'made');
    await start();
    const mode = (path: string) => statSync(path).mode & 0o777;
    expect([mode(folder), mode(file()), mode(state), mode(join(state, 'cache.key'))]).toEqual([
      0o700, 0o600, 0o700, 0o600,
    ]);
  });

  it('has the integers of the other kinds of weights too', async () => {
    for (const [name, config] of ARCHITECTURES.filter(([, { hiddenSize }]) => hiddenSize === 24)) {
      const source = randomWeights(config, 5);
      const model = {
        config,
        folder: name,
        hash: async () => name,
        unchanged: async () => true,
      };
      const encode = parameterEncoder(source, fold);
      const reach = await provedRanges(source, fold);
      for (const again of [false, true]) {
        const from = again ? { ...source, tensor: () => Promise.reject(new Error('read')) } : source;
        await withEncodedWeights(
          model,
          from,
          fold,
          async (encoded) => {
            expect([encoded.kept, encoded.reach]).toEqual([again, reach]);
            for (const parameter of listParameters(config))
              expect(await encoded.encode(parameter)).toEqual(await encode(parameter));
          },
          () => Promise.reject(new Error('of another model')),
          { folder, state, leastBytes: 0 },
        );
      }
    }
  });
});

describe('nothing is kept', () => {
  it.each<[why: string, options: () => KeepOptions]>([
    ['of a small model', () => ({ leastBytes: 1 << 30 })],
    ['of a model beyond the limit', () => ({ mostBytes: 1 << 10 })],
    [
      'where the state folder is a file',
      () => {
        writeFileSync(join(state, 'file'), '');
        return { state: join(state, 'file') };
      },
    ],
    [
      'where others may write the state folder',
      () => {
        chmodSync(state, 0o777);
        return {};
      },
    ],
    [
      'where others may write the cache',
      () => {
        chmodSync(folder, 0o777);
        return {};
      },
    ],
    [
      'where the cache is a link',
      () => {
        symlinkSync(folder, join(state, 'link'));
        return { folder: join(state, 'link') };
      },
    ],
  ])('%s', async (_why, options) => {
    expect(await start(options())).toEqual(plain);
    expect(kept()).toEqual([]);
  });

  it('of a model whose file changes while it is read, or of a start that fails', async () => {
    const path = join(MODEL, 'model.safetensors');
    const whole = readFileSync(path);
    const other = Buffer.from(whole);
    other[other.length - 1] ^= 1;
    await start({}, () => writeFileSync(path, other));
    writeFileSync(path, whole);
    expect(kept()).toEqual([]);
    const failed = start({}, () => {
      throw new Error('stopped');
    });
    await expect(failed).rejects.toThrow('stopped');
    expect(kept()).toEqual([]);
    // Positive control.
    await start();
    expect(kept().length).toBe(1);
  });
});

describe('a file is not taken, and made anew', () => {
  const flip = (at: (size: number) => number) => (path: string) => {
    const bytes = readFileSync(path);
    bytes[at(bytes.length)] ^= 1;
    writeFileSync(path, bytes);
  };
  it.each<[what: string, spoil: (path: string) => void, all: boolean]>([
    ['that is torn', (path) => truncateSync(path, statSync(path).size - 9), true],
    ['that is empty', (path) => truncateSync(path, 0), true],
    ['that has one more byte', (path) => appendFileSync(path, ' '), true],
    ['with another salt', flip(() => 20), true],
    ['with another hash', flip(() => 50), true],
    ['with another bound', flip(() => 300), true],
    ['with one bit changed in its midst', flip((size) => size >> 1), false],
    ['with one bit changed in its last tag', flip((size) => size - 1), false],
    ['of zeros, as a crash may leave it', (path) => writeFileSync(path, Buffer.alloc(statSync(path).size)), true],
    ['of noise', (path) => writeFileSync(path, randomBytes(statSync(path).size)), true],
    ['that others may write', (path) => chmodSync(path, 0o620), true],
    [
      'that is a link',
      (path) => {
        renameSync(path, join(state, 'elsewhere'));
        symlinkSync(join(state, 'elsewhere'), path);
      },
      true,
    ],
  ])('%s', async (_what, spoil, all) => {
    await start();
    expect((await start()).reads).toBe(0); // positive control
    const name = file();
    spoil(name);
    const next = await start();
    expect(next.digest).toBe(plain.digest);
    // A damage in the midst is found when it is reached; what came before it was whole.
    expect(next.reads > 0 && next.reads <= plain.reads && (!all || next.reads === plain.reads)).toBe(true);
    await start();
    expect(await start()).toEqual({ digest: plain.digest, reads: 0, dropped: [] });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  it('that was kept for another model', async () => {
    await start();
    const own = file();
    const other = mkdtempSync(join(root, 'other-'));
    for (const name of readdirSync(MODEL)) copyFileSync(join(MODEL, name), join(other, name));
    const path = join(other, 'model.safetensors');
    const bytes = readFileSync(path);
    bytes[bytes.length - 3] ^= 1;
    writeFileSync(path, bytes);
    const changed = await start({}, undefined, other);
    expect(changed.reads).toBe(plain.reads);
    expect(kept().length).toBe(2);
    const theirs = join(folder, kept().find((name) => join(folder, name) !== own) as string);
    copyFileSync(own, theirs);
    // It has this party's tags: only the hash tells that it is of the first model.
    expect(await start({}, undefined, other)).toEqual({ ...changed, dropped: [plain.digest] });
    expect(changed.digest).not.toBe(plain.digest);
  });

  it('that was kept of a file which has the same size and time, and other bytes now', async () => {
    const path = join(MODEL, 'model.safetensors');
    const whole = readFileSync(path);
    const { atime, mtime } = statSync(path);
    await start();
    const bytes = Buffer.from(whole);
    bytes[bytes.length - 3] ^= 1;
    writeFileSync(path, bytes);
    utimesSync(path, atime, mtime);
    const next = await start();
    writeFileSync(path, whole);
    utimesSync(path, atime, mtime);
    expect([next.reads, next.digest === plain.digest]).toEqual([plain.reads, false]);
    expect(next.dropped).toEqual([plain.digest]);
    // The folder's file is of the last model that was there.
    expect((await start()).dropped.length).toBe(1);
    expect((await start()).reads).toBe(0); // positive control
  });

  it('that was sealed under another key', async () => {
    await start();
    const theirs = readFileSync(file());
    writeFileSync(join(state, 'cache.key'), randomBytes(32));
    rmSync(file());
    await start();
    expect((await start()).reads).toBe(0); // positive control
    writeFileSync(file(), theirs);
    expect(await start()).toEqual(plain);
  });

  it('when records change places', async () => {
    await start();
    const bytes = readFileSync(file());
    const { config } = await openModel({ kind: 'folder', path: MODEL });
    const lengths = listParameters(config).map(({ rows, cols, scale }) => rows * cols * (scale >= 32 ? 8 : 4) + 16);
    // q and k of a layer are of one size; each keeps its tag.
    const names = listParameters(config).map(({ name }) => name);
    const at = (name: string) =>
      32 + (1 << 16) + 16 + lengths.slice(0, names.indexOf(name)).reduce((sum, length) => sum + length, 0);
    const [q, k, length] = [at('layers.0.q'), at('layers.0.k'), lengths[names.indexOf('layers.0.q')]];
    const swapped = Buffer.from(bytes);
    swapped.set(bytes.subarray(q, q + length), k);
    swapped.set(bytes.subarray(k, k + length), q);
    writeFileSync(file(), swapped);
    const next = await start();
    expect([next.digest, next.reads > 0]).toEqual([plain.digest, true]);
  });
});

describe('the folder keeps to its limit', () => {
  it('what was used longest ago goes, and drafts that nobody finished', async () => {
    await start();
    const size = statSync(file()).size;
    const [own] = kept();
    const hour = Date.now() / 1000 - 7200;
    for (const [name, age] of [
      ['old.weights', 300],
      ['older.weights', 200],
      ['left.draft', 0],
      ['other.txt', 0],
    ] as const) {
      writeFileSync(join(folder, name), Buffer.alloc(name.endsWith('weights') ? size : 1));
      utimesSync(join(folder, name), hour + age, hour + age);
    }
    writeFileSync(join(folder, 'running.draft'), '');
    rmSync(join(folder, own));
    await start({ mostBytes: 2 * size });
    expect(kept().sort()).toEqual([own, 'old.weights', 'other.txt', 'running.draft'].sort());
    // What is taken counts as used.
    utimesSync(join(folder, own), hour, hour);
    await start();
    expect(statSync(join(folder, own)).mtimeMs).toBeGreaterThan((hour + 3600) * 1000);
  });
});

describe('the key', () => {
  it('is made once, also by processes that come at the same time', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => cacheKey(state)));
    expect(new Set(keys.map((key) => Buffer.from(key as Uint8Array).toString('hex'))).size).toBe(1);
    expect(await cacheKey(state)).toEqual(keys[0]);
    expect(kept()).toEqual([]);
    expect(readdirSync(state)).toEqual(['cache.key']);
  });

  it.each<[what: string, spoil: (path: string) => void]>([
    ['that others may read', (path) => chmodSync(path, 0o644)],
    ['of another length', (path) => appendFileSync(path, ' ')],
    [
      'that is a link',
      (path) => {
        renameSync(path, join(root, 'elsewhere'));
        symlinkSync(join(root, 'elsewhere'), path);
      },
    ],
  ])('%s is replaced', async (_what, spoil) => {
    const before = await cacheKey(state);
    spoil(join(state, 'cache.key'));
    const after = await cacheKey(state);
    expect(after?.length).toBe(32);
    expect(after).not.toEqual(before);
    expect(await cacheKey(state)).toEqual(after);
    expect(existsSync(join(state, 'cache.key'))).toBe(true);
  });
});

it('an encoding that gives other numbers has another version', async () => {
  // By architecture: a new head or type adds its own, and leaves the version.
  const found: Record<string, string> = {};
  for (const [name, config] of ARCHITECTURES.filter(([, { hiddenSize }]) => hiddenSize === 24)) {
    const source = randomWeights(config, 9);
    const reach = Object.entries(await provedRanges(source, fold));
    const digest = createHash('sha256').update(name);
    digest.update(reach.map(([of, v]) => `${of} ${[v].flat().map((x) => x.toPrecision(9))}`).join());
    const encode = parameterEncoder(source, fold);
    for (const parameter of listParameters(config)) digest.update(await encode(parameter));
    found[name] = digest.digest('hex').slice(0, 16);
  }
  expect([ENCODING, found]).toEqual([
    3,
    {
      BertForMaskedLM: '8f17b21a303596bd',
      BertForQuestionAnswering: 'a99df05a6e447a72',
      BertForSequenceClassification: 'd480a106524c5758',
      BertForTokenClassification: 'ae9c0cb3455a066a',
      BertModel: 'eb48e66a3980b2ee',
      DistilBertForMaskedLM: '5f598940d01b4072',
      DistilBertForQuestionAnswering: '489089c79517a4b0',
      DistilBertForSequenceClassification: 'c38b2697d4a4866c',
      DistilBertForTokenClassification: '21e7f4225c002534',
      DistilBertModel: '6d97017dd181eb6e',
      GPT2LMHeadModel: '01af91fa837ce69a',
      GPT2Model: '75acf987c161949e',
      RobertaForMaskedLM: '11f78c7f1a638cb6',
      RobertaForQuestionAnswering: '4f03f6d37754e1da',
      RobertaForSequenceClassification: 'a82c123c9622e4f0',
      RobertaForTokenClassification: 'd3c84ed7b19c4f25',
      RobertaModel: '069cbf44c511e6ea',
    },
  ]);
});
