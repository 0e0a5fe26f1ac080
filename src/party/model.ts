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
export type ModelLocation = { readonly kind: 'folder'; readonly path: string } | { readonly kind: 'random'; readonly seed: number; readonly configPath: string };

export interface OpenedModel {
  readonly name: string;
  readonly config: BertConfig;
  /** Tokenizer and configuration files; absent for random weights. */
  readonly files: ModelFiles | undefined;
  /** Opens the weights: only compute parties and `--compare` do. */
  weights(): Promise<BertWeightSource>;
  /** SHA-256 that identifies the weights. */
  hash(): Promise<string>;
}

export async function openModel(location: ModelLocation): Promise<OpenedModel> {
  if (location.kind === 'random') {
    const config = await readConfig(location.configPath);
    const name = `random-${location.seed}`;
    return {
      name,
      config,
      files: undefined,
      weights: async () => randomBertWeights(config, location.seed),
      hash: async () => createHash('sha256').update(`${name} ${JSON.stringify(config)}`).digest('hex'),
    };
  }
  const files = await folderFiles(location.path);
  const config = await loadBertConfig(files);
  return { name: files.name, config, files, weights: () => loadBertWeights(files, config), hash: () => hashWeights(location.path) };
}

async function readConfig(path: string): Promise<BertConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new TercetError('ERR_MODEL_NOT_FOUND', 'the file given by --config cannot be read', 'give the path of a config.json', { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new TercetError('ERR_MODEL_CONFIG', 'the file given by --config is not JSON', 'give a config.json of a BERT model', { cause });
  }
  return parseBertConfig(json);
}

/** Hashes every weights file of a folder, in name order. */
async function hashWeights(path: string): Promise<string> {
  const hash = createHash('sha256');
  const names = (await readdir(path)).filter((name) => name.endsWith('.safetensors')).sort();
  for (const name of names) {
    hash.update(name);
    for await (const chunk of createReadStream(join(path, name))) hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}
