/** Loading the model that a party works with, in Node: from a folder in the Hugging Face layout, or seeded random weights of an architecture. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TercetError } from '../core/errors.ts';
import { type BertConfig, loadBertConfig, parseBertConfig } from '../ml/config.ts';
import { folderFiles } from '../ml/files-node.ts';
import type { ModelFiles } from '../ml/files.ts';
import { randomBertWeights } from '../ml/models/bert-random.ts';
import { type BertWeightSource, loadBertWeights } from '../ml/models/bert-weights.ts';

/** Where a model comes from. */
export type ModelLocation =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'random'; readonly seed: number; readonly configPath: string };

export interface OpenedModel {
  readonly name: string;
  readonly config: BertConfig;
  /** `config.json` as it stands. */
  readonly rawConfig: unknown;
  /** Tokenizer and configuration files; absent for random weights. */
  readonly files: ModelFiles | undefined;
  /** Opens the weights: only compute parties and `--compare` do. */
  weights(): Promise<BertWeightSource>;
  /** SHA-256 that identifies the weights. */
  hash(): Promise<string>;
}

export async function openModel(location: ModelLocation): Promise<OpenedModel> {
  if (location.kind === 'random') {
    const rawConfig = await readConfig(location.configPath);
    const config = parseBertConfig(rawConfig);
    const name = `random-${location.seed}`;
    return {
      name,
      config,
      rawConfig,
      files: undefined,
      weights: async () => randomBertWeights(config, location.seed),
      hash: async () =>
        createHash('sha256')
          .update(`${name} ${JSON.stringify(config)}`)
          .digest('hex'),
    };
  }
  const files = await folderFiles(location.path);
  const config = await loadBertConfig(files);
  const rawConfig: unknown = JSON.parse(new TextDecoder().decode(await files.read('config.json')));
  return { name: files.name, config, rawConfig, files, weights: () => loadBertWeights(files, config), hash: () => hashWeights(location.path) };
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
    throw new TercetError('ERR_MODEL_CONFIG', 'the file given by --config is not JSON', 'give a config.json of a BERT model', { cause });
  }
}

/** SHA-256 of a file, streamed. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** One hash over the weights files of a folder, in name order. */
async function hashWeights(path: string): Promise<string> {
  const names = (await readdir(path)).filter((name) => name.endsWith('.safetensors')).sort();
  const hash = createHash('sha256');
  for (const name of names) hash.update(`${name} ${await hashFile(join(path, name))}\n`);
  return hash.digest('hex');
}
