/**
 * The files of secret weights. The model owner writes one folder with a part for each party:
 *
 *   p1/, p2/   config.json, plan.json, masked.safetensors (M as I64, the same file in both), seed (32 bytes, this party's own)
 *   owner/     config.json, seeds (64 bytes), hash (SHA-256 of the masked file, which names this sharing): all that a data owner needs
 *
 * Every file is readable by its owner only. A part alone says nothing about the weights.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, link, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RingKernels } from '../compute/kernels/types.ts';
import { type Words, wordsFrom } from '../compute/ring.ts';
import { abortedError } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import { type BertConfig, loadBertConfig } from '../ml/config.ts';
import { folderFiles } from '../ml/files-node.ts';
import { openBytes } from '../ml/files.ts';
import { listParameters, parameterEncoder } from '../ml/models/bert-parameters.ts';
import type { BertPlan } from '../ml/models/bert-secure.ts';
import { bertPlan } from '../ml/ranges.ts';
import { openSafetensors } from '../ml/safetensors.ts';
import { safetensorsHeader } from '../ml/safetensors-encode.ts';
import type { ParameterView } from '../mpc/protocol/semi-honest/party.ts';
import { SharedParameters, maskParameter, ownerSeeds } from '../session/secret-parameters.ts';
import { type OpenedModel, hashFile } from './model.ts';

const MASKED = 'masked.safetensors';
const SEED = 'seed';
const PRIVATE = { mode: 0o600 };

/** Splits a model into `folder`. Holds one parameter at a time. @throws {TercetError} ERR_ARGUMENT when the folder exists. */
export async function shareModel(model: OpenedModel, folder: string, kernels: RingKernels, signal: AbortSignal): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (cause) {
    throw new TercetError('ERR_ARGUMENT', 'the folder for the shares cannot be made', 'give a new folder below one that exists', { cause });
  }
  try {
    const source = await model.weights();
    const seeds: [Uint8Array, Uint8Array] = [randomBytes(32), randomBytes(32)];
    const plan = JSON.stringify(await bertPlan(source));
    const config = JSON.stringify(model.rawConfig);
    for (const part of ['p1', 'p2', 'owner']) await mkdir(join(folder, part), { mode: 0o700 });
    const masked = await open(join(folder, 'p1', MASKED), 'wx', 0o600);
    try {
      await writeMasked(masked, model.config, parameterEncoder(source), seeds, kernels, signal);
    } finally {
      await masked.close();
    }
    await link(join(folder, 'p1', MASKED), join(folder, 'p2', MASKED));
    for (const id of [1, 2] as const) {
      await writeFile(join(folder, `p${id}`, SEED), seeds[id - 1], PRIVATE);
      await writeFile(join(folder, `p${id}`, 'plan.json'), plan, PRIVATE);
      await writeFile(join(folder, `p${id}`, 'config.json'), config, PRIVATE);
    }
    await writeFile(join(folder, 'owner', 'seeds'), ownerSeeds(seeds), PRIVATE);
    await writeFile(join(folder, 'owner', 'config.json'), config, PRIVATE);
    await writeFile(join(folder, 'owner', 'hash'), `${await hashFile(join(folder, 'p1', MASKED))}\n`, PRIVATE);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function writeMasked(
  file: FileHandle,
  config: BertConfig,
  encode: ReturnType<typeof parameterEncoder>,
  seeds: readonly [Uint8Array, Uint8Array],
  kernels: RingKernels,
  signal: AbortSignal,
): Promise<void> {
  const parameters = listParameters(config);
  await file.write(safetensorsHeader(parameters.map(({ name, rows, cols }) => ({ name, dtype: 'I64', shape: [rows, cols] }))));
  for (const [number, parameter] of parameters.entries()) {
    if (signal.aborted) throw abortedError();
    const encoded = await encode(parameter);
    const words: Words = encoded instanceof BigInt64Array ? { k: 64, data: new BigUint64Array(encoded.buffer) } : wordsFrom(encoded, 64);
    const { data } = await maskParameter(kernels, seeds, number, words);
    await file.write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
}

/** Loads a compute party's part. */
export async function loadShares(
  id: 1 | 2,
  folder: string,
  kernels: RingKernels,
): Promise<{ config: BertConfig; parameters: ParameterView; plan: BertPlan; hash: string }> {
  const files = await folderFiles(folder);
  const config = await loadBertConfig(files);
  const seed = await files.read(SEED);
  if (seed.length !== 32) throw new TercetError('ERR_MODEL_FORMAT', 'the seed of the shared weights has not 32 bytes', 'share the model again');
  const store = await openSafetensors(await openBytes(files, MASKED));
  const parameters = await SharedParameters.load(
    id,
    config,
    seed,
    async ({ name, rows, cols }) => {
      const { bytes, dtype } = await store.raw(name);
      if (dtype !== 'I64' || bytes.length !== 8 * rows * cols)
        throw new TercetError('ERR_MODEL_FORMAT', `the share of ${name} has the wrong type or size`, 'share the model again, with this config.json');
      return new BigUint64Array(bytes.buffer, bytes.byteOffset, rows * cols);
    },
    kernels,
  );
  const plan = JSON.parse(new TextDecoder().decode(await files.read('plan.json'))) as BertPlan;
  return { config, parameters, plan, hash: await hashFile(join(folder, MASKED)) };
}

/** Shares made for one local run, and removed after it. */
export interface PreparedShares {
  readonly seeds: Uint8Array;
  /** The whole sharing. */
  readonly root: string;
  folder(id: 1 | 2): string;
  remove(): Promise<void>;
}

/** Makes a sharing of the model in a temporary folder, as the model owner would: in a process of its own, so that P0 never holds a weight. */
export async function prepareShares(share: (folder: string) => Promise<void>, name = 'shares'): Promise<PreparedShares> {
  const parent = await mkdtemp(join(tmpdir(), 'tercet-'));
  const folder = join(parent, name);
  const remove = () => rm(parent, { recursive: true, force: true });
  try {
    await share(folder);
    return { seeds: await readFile(join(folder, 'owner', 'seeds')), root: folder, folder: (id) => join(folder, `p${id}`), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
