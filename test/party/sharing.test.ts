/** Parts of a sharing as files: every file counts for the name, and the masks of the weights are masks. */
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { wordsFrom } from '../../src/compute/ring.ts';
import { folderFiles } from '../../src/ml/files-node.ts';
import { openBytes } from '../../src/ml/files.ts';
import { parameterEncoder } from '../../src/ml/models/folding.ts';
import { listParameters } from '../../src/ml/models/parameters.ts';
import { openSafetensors } from '../../src/ml/safetensors.ts';
import { type OpenedModel, openModel } from '../../src/node/model.ts';
import { loadShares, shareModel } from '../../src/node/shares.ts';
import { sharingHash } from '../../src/net/enrolment/credential.ts';
import { Issuer } from '../../src/node/issuer.ts';
import { sharingOf } from '../../src/node/sharing.ts';
import { maskParameter } from '../../src/session/secret-parameters.ts';
import { failure } from '../failure.ts';
import { seeded } from '../support/simulate.ts';

const CONFIG = {
  model_type: 'bert',
  architectures: ['BertForMaskedLM'],
  hidden_act: 'gelu',
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 12,
  vocab_size: 20,
  max_position_embeddings: 8,
  type_vocab_size: 2,
  layer_norm_eps: 1e-5,
};

const kernels = new ReferenceKernels();
const root = mkdtempSync(join(tmpdir(), 'tercet-sharing-'));
const [first, second] = [join(root, 'first'), join(root, 'second')];
let model: OpenedModel;
let name: string;

beforeAll(async () => {
  writeFileSync(join(root, 'config.json'), JSON.stringify(CONFIG));
  const signal = new AbortController().signal;
  model = await openModel(
    { kind: 'random', seed: 3, configPath: join(root, 'config.json') },
    { weights: true, signal },
  );
  name = await shareModel(model, first, kernels, signal);
  await shareModel(model, second, kernels, signal);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const changed = (part: string, change: (folder: string) => void): string => {
  const folder = mkdtempSync(join(root, 'changed-'));
  cpSync(join(first, part), folder, { recursive: true });
  change(folder);
  return folder;
};
/** Another number in a JSON file, which stays a valid one. */
const edit = (file: string, from: string, to: string) => (folder: string) => {
  const text = readFileSync(join(folder, file), 'utf8');
  expect(text).toContain(from);
  writeFileSync(join(folder, file), text.replace(from, to));
};

describe('a part of a sharing', () => {
  it('loads under the name that it was given, at both parties and at the owner: the control of all below', async () => {
    expect((await loadShares(1, join(first, 'p1'), kernels)).hash).toBe(name);
    expect((await loadShares(2, join(first, 'p2'), kernels)).hash).toBe(name);
    expect(await sharingOf(await folderFiles(join(first, 'owner')))).toBe(name);
    expect((await Issuer.open(first)).sharing).toBe(name);
    expect(readFileSync(join(first, 'owner', 'hash'), 'utf8').trim()).toBe(name);
  });

  const copy = (part: string, file: string) => (folder: string) => cpSync(join(second, part, file), join(folder, file));
  const CHANGES: readonly [string, (folder: string) => void][] = [
    ['another ε in config.json', edit('config.json', '0.00001', '0.05')],
    ['a blank behind config.json', (folder) => appendFileSync(join(folder, 'config.json'), ' ')],
    ['another range in plan.json', (folder) => swapRange(folder)],
    ['a blank behind plan.json', (folder) => appendFileSync(join(folder, 'plan.json'), ' ')],
    ['a seed of another sharing', copy('p1', 'seed')],
    ['weights of another sharing', copy('p1', 'masked.safetensors')],
  ];
  it.each(CHANGES)('with %s is refused with ERR_MODEL_HASH', async (_what, change) => {
    await failure('ERR_MODEL_HASH', () => loadShares(1, changed('p1', change), kernels));
  });

  it('of an owner, with another ε in config.json, is refused with ERR_MODEL_HASH', async () => {
    const folder = changed('owner', edit('config.json', '0.00001', '0.05'));
    await failure('ERR_MODEL_HASH', async () => sharingOf(await folderFiles(folder)));
  });

  it.each([
    ['seeds of another sharing', 'seeds'],
    ['the enrolment key of another sharing', 'enrolment.key'],
  ])('of an issuer, with %s, enrols nobody', async (_what, file) => {
    const folder = mkdtempSync(join(root, 'issuer-'));
    cpSync(join(first, 'issuer'), join(folder, 'issuer'), { recursive: true });
    cpSync(join(second, 'issuer', file), join(folder, 'issuer', file));
    await failure('ERR_MODEL_HASH', async () =>
      (await Issuer.open(folder)).enrol('alice', 1, join(folder, 'alice.json')),
    );
  });

  it('of a version that did not name them all is refused by that, not as damaged', async () => {
    const folder = changed('p1', edit('share.json', '"version": 5', '"version": 2'));
    expect((await failure('ERR_MODEL_FORMAT', () => loadShares(1, folder, kernels))).message).toMatch(
      /another version.*no enrolment key/,
    );
  });

  it('is named by every one of its hashes', () => {
    const hashes = { masked: 'a', seeds: ['b', 'c'] as const, config: 'd', plan: 'e', enrolment: 'f' };
    const names = [
      hashes,
      { ...hashes, masked: 'x' },
      { ...hashes, seeds: ['x', 'c'] as const },
      { ...hashes, seeds: ['b', 'x'] as const },
      { ...hashes, config: 'x' },
      { ...hashes, plan: 'x' },
      { ...hashes, enrolment: 'x' },
      { ...hashes, config: 'e', plan: 'd' },
    ].map(sharingHash);
    expect(new Set(names).size).toBe(names.length);
  });
});

function swapRange(folder: string): void {
  const file = join(folder, 'plan.json');
  const plan = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...plan, embedding: plan.embedding === 'fine' ? 'broad' : 'fine' }));
}

// ── the masks themselves ─────────────────────────────────────────────────────

/** M − W of every parameter: what L1 + L2 must be. */
async function masksOf(folder: string): Promise<bigint[][]> {
  const store = await openSafetensors(await openBytes(await folderFiles(folder), 'masked.safetensors'));
  const encode = parameterEncoder(await model.weights());
  const masks: bigint[][] = [];
  for (const parameter of listParameters(model.config)) {
    const { bytes } = await store.raw(parameter.name);
    const clear = wordsFrom(Array.from(await encode(parameter), BigInt), 64);
    masks.push(
      Array.from(new BigUint64Array(bytes.slice().buffer), (m, i) => BigInt.asUintN(64, m - BigInt(clear.data[i]))),
    );
  }
  return masks;
}

describe('the masks of secret weights', () => {
  it('hide every word: no word of M is a word of W, and no two words have one mask, in one sharing or in two', async () => {
    const [masks, others] = [(await masksOf(join(first, 'p1'))).flat(), (await masksOf(join(second, 'p1'))).flat()];
    expect(masks.length).toBeGreaterThan(500);
    // A chance repeat among some 1500 words of 64 bits: 6e-14.
    expect(masks).not.toContain(0n);
    expect(new Set([...masks, ...others]).size).toBe(masks.length + others.length);
    // The numbers are small against the ring: high bits of a mask are those of M. Half of them are ones.
    const ones = masks.filter((mask) => mask >> 63n === 1n).length;
    expect(Math.abs(ones - masks.length / 2)).toBeLessThan(6 * Math.sqrt(masks.length / 4));
  });

  it('need both seeds: another one of either side changes every word of M, and each side has a mask of its own', async () => {
    const seeds = [seeded(32, 5, 51), seeded(32, 5, 52)] as const;
    const words = wordsFrom(
      Array.from({ length: 40 }, (_, i) => i),
      64,
    );
    for (const number of [0, 1, 9]) {
      const masked = async (one: Uint8Array, two: Uint8Array) =>
        [...(await maskParameter(kernels, [one, two], number, words)).data].map(BigInt);
      const base = await masked(...seeds);
      for (const other of [await masked(seeded(32, 6, 51), seeds[1]), await masked(seeds[0], seeded(32, 6, 52))]) {
        expect(other.filter((word, i) => word === base[i])).toEqual([]);
      }
    }
  });
});
