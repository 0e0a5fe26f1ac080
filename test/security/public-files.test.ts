/**
 * Which files of a sharing may ever be public. Every file that `tercet model share` and `tercet owner` write is in
 * the table, the page's server is asked for all of them, and the attack that the seeds of a public sharing allow is
 * run: by what one compute party holds, and one GET.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RingKernels } from '../../src/compute/kernels/types.ts';
import type { Vector, Words } from '../../src/compute/ring.ts';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { openBytes } from '../../src/ml/files.ts';
import { folderFiles } from '../../src/ml/files-node.ts';
import { parameterEncoder } from '../../src/ml/models/folding.ts';
import { listParameters } from '../../src/ml/models/parameters.ts';
import { openSafetensors } from '../../src/ml/safetensors.ts';
import { createIdentity } from '../../src/net/identity/identity.ts';
import { Issuer } from '../../src/node/issuer.ts';
import { type OpenedModel, openModel } from '../../src/node/model.ts';
import { shareModel } from '../../src/node/shares.ts';
import { parseDeployment } from '../../src/owner/deployment.ts';
import { type WrittenDeployment, writeDeployment } from '../../src/server/deployment.ts';
import { type Site, serveSite } from '../../src/server/site.ts';
import { weightMask } from '../../src/session/secret-parameters.ts';
import { failure } from '../failure.ts';
import { TINY } from '../ml/tiny-bert.ts';
import { ROOT } from '../cli/command.ts';

/** `public`: anybody may have it. Everything else is for whom it names, and for nobody else. */
const TABLE: Readonly<
  Record<string, 'public' | 'party 1' | 'party 2' | 'both parties' | "the model's owner" | 'one data owner'>
> = {
  'owner/config.json': 'public',
  'owner/hash': 'public',
  'owner/share.json': 'public',
  'owner/tokenizer_config.json': 'public',
  'owner/vocab.txt': 'public',
  'p1/config.json': 'public',
  'p1/share.json': 'public',
  'p2/config.json': 'public',
  'p2/share.json': 'public',
  'issuer/share.json': 'public',
  // Bounds of the weights in a few bits; the parties tell it to data owners.
  'p1/plan.json': 'public',
  'p2/plan.json': 'public',
  // Random ids, and how many were revoked.
  'p1/revoked.json': 'both parties',
  'p2/revoked.json': 'both parties',
  'issuer/revoked.json': 'both parties',
  // With both seeds it is the weights.
  'p1/masked.safetensors': 'both parties',
  'p2/masked.safetensors': 'both parties',
  'p1/seed': 'party 1',
  'p2/seed': 'party 2',
  'issuer/seeds': "the model's owner",
  'issuer/enrolment.key': "the model's owner",
  'issuer/enrolled.json': "the model's owner",
  'alice.credential.json': 'one data owner',
};

const place = mkdtempSync(join(tmpdir(), 'tercet-public-'));
const folder = join(place, 'model');
const shares = join(place, 'sharing');
const page = join(place, 'page');
const kernels: RingKernels = new ReferenceKernels();
const sites: Site[] = [];
let model: OpenedModel;
let written: WrittenDeployment;

const file = (path: string): Buffer => readFileSync(join(shares, path));

beforeAll(async () => {
  mkdirSync(page);
  writeFileSync(join(page, 'index.html'), '<!doctype html><title>page</title>');
  // The tokenizer of a real model, and random weights of a tiny one: what is shared does not matter here.
  cpSync(join(ROOT, 'models/capitals-bert'), folder, {
    recursive: true,
    filter: (path) => !path.endsWith('.safetensors'),
  });
  const config = { ...JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')), ...SMALL };
  writeFileSync(join(place, 'config.json'), JSON.stringify(config));
  const random = await openModel({ kind: 'random', seed: 3, configPath: join(place, 'config.json') });
  model = { ...random, files: await folderFiles(folder) };
  await shareModel(model, shares, kernels, new AbortController().signal);
  const issuer = await Issuer.open(shares);
  const { id } = await issuer.enrol('alice', 1, join(shares, 'alice.credential.json'));
  await issuer.revoke([id]);
  const parties = [
    { url: 'https://one.example', identity: (await createIdentity()).publicKey },
    { url: 'https://two.example', identity: (await createIdentity()).publicKey },
  ] as const;
  written = await writeDeployment(parties, [{ folder: join(ROOT, 'models/capitals-bert'), id: 'shared', shares }]);
}, 120_000);

afterAll(async () => {
  for (const site of sites) await site.close();
  rmSync(place, { recursive: true, force: true });
});

const SMALL = {
  hidden_size: TINY.hiddenSize,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 16,
};

async function serve(deployment: WrittenDeployment): Promise<string> {
  const site = await serveSite({ ...deployment, app: page, host: '127.0.0.1', port: 0 });
  sites.push(site);
  return site.url;
}

/** Every file of the sharing, as paths below its folder. */
function sharedFiles(): string[] {
  return readdirSync(shares, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(shares.length + 1))
    .toSorted((a, b) => (a < b ? -1 : 1));
}

/**
 * Files of the sharing that are not public and whose bytes, or seeds in them, the server gives to whoever asks: by
 * any name that it lists, or that somebody may guess.
 */
async function leaks(deployment: WrittenDeployment): Promise<string[]> {
  const url = await serve(deployment);
  const secret = sharedFiles().filter((path) => TABLE[path] !== 'public');
  const guesses = secret.flatMap((path) => {
    const name = path.split('/').at(-1) ?? '';
    return [
      path,
      name,
      `sharing/${path}`,
      `models/shared/${name}`,
      `models/shared/owner.${name}`,
      `models/shared/${path}`,
    ];
  });
  const found = new Set<string>();
  for (const path of new Set([...deployment.files.keys(), ...guesses])) {
    const response = await fetch(url + path);
    const body = Buffer.from(await response.arrayBuffer());
    for (const held of secret) {
      const bytes = file(held);
      if (response.ok && body.includes(bytes.subarray(0, 4096))) found.add(`${path} gives ${held}`);
    }
    for (const held of ['p1/seed', 'p2/seed', 'issuer/seeds'])
      if (body.includes(file(held)) || body.includes(file(held).toString('hex'))) found.add(`${path} gives ${held}`);
  }
  return [...found];
}

/** The deployment with one more file, as a mistake would serve it. */
function alsoServing(path: string, name: string): WrittenDeployment {
  return { ...written, files: new Map([...written.files, [name, { path, bytes: file(path) }]]) };
}

describe('the files of a sharing', () => {
  it('are all in the table, and the table holds no file that is not written', () => {
    expect(sharedFiles()).toEqual(Object.keys(TABLE).toSorted((a, b) => (a < b ? -1 : 1)));
  });

  it('a page is given those of its model alone: configuration and tokenizer', () => {
    expect([...written.files.keys()].sort()).toEqual(
      ['config.json', 'tokenizer_config.json', 'vocab.txt'].map((name) => `models/shared/${name}`),
    );
    for (const path of written.files.keys()) expect(TABLE[`owner/${path.split('/').at(-1)}`], path).toBe('public');
    expect(written.document.entries[0].weights.secret).toBe(file('owner/hash').toString('utf8').trim());
  });

  it('that are not public are not served, under any name', async () => {
    expect(await leaks(written)).toEqual([]);
  });

  it.each([
    ['issuer/seeds', 'models/shared/owner.seeds'],
    ['p1/seed', 'models/shared/seed'],
    ['alice.credential.json', 'models/shared/config-2.json'],
    ['p2/masked.safetensors', 'models/shared/model.safetensors'],
    ['issuer/enrolment.key', 'enrolment.key'],
  ])('planted: %s served as %s is found', async (path, name) => {
    expect(await leaks(alsoServing(path, name))).toContain(`${name} gives ${path}`);
  });

  it('a deployment that lists seeds is refused by whoever writes it and by whoever reads it', async () => {
    const [entry] = written.document.entries;
    const files = { ...entry.files, 'owner.seeds': { sha256: '00'.repeat(32), bytes: 64 } };
    const error = await failure('ERR_MODEL_CONFIG', () =>
      parseDeployment({ ...written.document, entries: [{ ...entry, files }] }),
    );
    expect(error.message).toContain('owner.seeds');
  });
});

describe('one curious compute party', () => {
  /**
   * What party 1 can do alone: it holds p1/, and asks the page's server for everything that might be seeds. Words
   * of the weights that it gets right, of all.
   */
  async function attack(deployment: WrittenDeployment): Promise<{ right: number; all: number }> {
    const url = await serve(deployment);
    const names = [
      ...deployment.files.keys(),
      'models/shared/owner.seeds',
      'models/shared/seeds',
      'owner.seeds',
      'owner/seeds',
      'issuer/seeds',
    ];
    const candidates: Uint8Array[] = [];
    for (const name of names) {
      const response = await fetch(url + name);
      const body = new Uint8Array(await response.arrayBuffer());
      if (response.ok && body.length === 64) candidates.push(body);
    }
    const own = new Uint8Array(file('p1/seed'));
    // Without seeds of others it has its own, and may guess that the other one is the same.
    candidates.push(Uint8Array.from([...own, ...own]));
    const store = await openSafetensors(await openBytes(await folderFiles(join(shares, 'p1')), 'masked.safetensors'));
    const encode = parameterEncoder(await model.weights());
    let best = { right: 0, all: 0 };
    for (const seeds of candidates) {
      let [right, all] = [0, 0];
      for (const [number, parameter] of listParameters(model.config).entries()) {
        if (parameter.rows * parameter.cols > 1000) continue;
        const { bytes } = await store.raw(parameter.name);
        const masked: Words = { k: 64, data: new BigUint64Array(bytes.slice().buffer) };
        let vector: Vector = masked;
        for (const seed of [seeds.slice(0, 32), seeds.slice(32)])
          vector = await kernels.sub(vector, await weightMask(kernels, seed, number, masked.data.length));
        const words = await kernels.read(vector);
        const truth = await encode(parameter);
        for (let i = 0; i < truth.length; i++, all++)
          if (BigInt.asIntN(64, BigInt(words.data[i])) === BigInt(truth[i])) right++;
      }
      if (right > best.right || best.all === 0) best = { right, all };
    }
    return best;
  }

  it('gets no word of the secret weights', async () => {
    const { right, all } = await attack(written);
    expect(all).toBeGreaterThan(500);
    expect(right).toBe(0);
  });

  it('got all of them where the seeds were served to everybody (positive control)', async () => {
    const { right, all } = await attack(alsoServing('issuer/seeds', 'models/shared/owner.seeds'));
    expect(right).toBe(all);
    expect(all).toBeGreaterThan(500);
  });
});
