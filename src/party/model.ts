/** Loading the model that a party works with, in Node: from a folder in the Hugging Face layout, a hub, or seeded random weights of an architecture. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TercetError } from '../core/errors.ts';
import { type ModelConfig, loadModelConfig, parseModelConfig } from '../ml/config.ts';
import { folderFiles } from '../ml/files-node.ts';
import type { ModelFiles } from '../ml/files.ts';
import { randomWeights } from '../ml/models/random.ts';
import { type WeightSource, loadWeights } from '../ml/models/weights.ts';
import { downloadedModel } from './hub-model.ts';
import { sharingOf } from './sharing.ts';

/** Where a model comes from. */
export type ModelLocation =
  | { readonly kind: 'folder'; readonly path: string }
  /** `org/name`, or `org/name@revision`. */
  | { readonly kind: 'hub'; readonly id: string }
  | { readonly kind: 'random'; readonly seed: number; readonly configPath: string };

export interface OpenedModel {
  readonly name: string;
  readonly config: ModelConfig;
  /** `config.json` as it stands. */
  readonly rawConfig: unknown;
  /** Tokenizer and configuration files; absent for random weights. */
  readonly files: ModelFiles | undefined;
  /** Name of the sharing, where the folder is the owner's part of one: then it holds no weights. */
  readonly sharing: string | undefined;
  /** Opens the weights: only compute parties and `--compare` do. */
  weights(): Promise<WeightSource>;
  /** SHA-256 that identifies the weights. */
  hash(): Promise<string>;
}

export interface OpenOptions {
  /** Whether the weights are wanted too: a data owner downloads none. */
  readonly weights: boolean;
  readonly signal?: AbortSignal;
  onDownload?(file: string, loaded: number, total: number): void;
}

export async function openModel(location: ModelLocation, options: OpenOptions = { weights: true }): Promise<OpenedModel> {
  if (location.kind === 'random') return openRandom(location);
  const path = location.kind === 'hub' ? (await downloadedModel(location.id, options)).folder : location.path;
  const files = await folderFiles(path);
  const config = await loadModelConfig(files);
  const rawConfig: unknown = JSON.parse(new TextDecoder().decode(await files.read('config.json')));
  const name = location.kind === 'hub' ? location.id : files.name;
  const sharing = await sharingOf(files);
  return { name, config, rawConfig, files, sharing, weights: () => loadWeights(files, config), hash: () => hashModel(path, config) };
}

async function openRandom({ seed, configPath }: Extract<ModelLocation, { kind: 'random' }>): Promise<OpenedModel> {
  const rawConfig = await readConfig(configPath);
  const config = parseModelConfig(rawConfig);
  const name = `random-${seed}`;
  return {
    name,
    config,
    rawConfig,
    files: undefined,
    sharing: undefined,
    weights: async () => randomWeights(config, seed),
    hash: async () =>
      createHash('sha256')
        .update(`${name} ${JSON.stringify(config)}`)
        .digest('hex'),
  };
}

async function readConfig(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new TercetError('ERR_MODEL_NOT_FOUND', 'the file given by --config cannot be read', 'give the path of a config.json', { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TercetError('ERR_MODEL_CONFIG', 'the file given by --config is not JSON', 'give a config.json of a model', { cause });
  }
}

/** SHA-256 of a file, streamed. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** One hash over the checked configuration and the weights files of a folder, in name order: one checkpoint under two heads is two models. */
async function hashModel(path: string, config: ModelConfig): Promise<string> {
  const names = (await readdir(path)).filter((name) => name.endsWith('.safetensors')).sort();
  const hash = createHash('sha256').update(`${JSON.stringify(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)))}\n`);
  for (const name of names) hash.update(`${name} ${await hashFile(join(path, name))}\n`);
  return hash.digest('hex');
}
