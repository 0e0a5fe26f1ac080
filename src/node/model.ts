/**
 * Loading the model that a party works with, in Node: from a folder in the Hugging Face layout, a hub, or seeded
 * random weights of an architecture.
 */
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TercetError } from '../core/errors.ts';
import { type ModelConfig, parseModelConfig } from '../ml/config.ts';
import { CONFIG_FILE } from '../ml/config-fields.ts';
import { modelTypeOf, namesNoHead } from '../ml/heads.ts';
import type { Head } from '../ml/model-types.ts';
import { folderFiles } from '../ml/files-node.ts';
import type { ModelFiles } from '../ml/files.ts';
import { parseModelJson } from '../ml/json.ts';
import { headByWeights } from '../ml/models/head-by-weights.ts';
import { randomWeights } from '../ml/models/random.ts';
import { type WeightSource, loadWeights } from '../ml/models/weights.ts';
import { openTensors } from '../ml/safetensors.ts';
import { type Task, headOf } from '../ml/tasks/table.ts';
import { hashFiles } from './hash-files.ts';
import { type DownloadOptions, downloadedModel } from './hub-model.ts';
import { sharingOf } from './sharing.ts';

/** Where a model comes from. */
export type ModelLocation =
  | { readonly kind: 'folder'; readonly path: string; readonly task?: Task | undefined }
  /**
   * `org/name`, or `org/name@revision`. `task`: what it is for, where its files leave that open; feature-extraction
   * takes any model, without its head.
   */
  | { readonly kind: 'hub'; readonly id: string; readonly task?: Task | undefined }
  | { readonly kind: 'random'; readonly seed: number; readonly configPath: string };

export interface OpenedModel {
  readonly name: string;
  readonly config: ModelConfig;
  /** `config.json` as it stands. */
  readonly rawConfig: unknown;
  /** The folder of its files; absent for random weights. */
  readonly folder: string | undefined;
  /** Tokenizer and configuration files; absent for random weights. */
  readonly files: ModelFiles | undefined;
  /** Name of the sharing, where the folder is the owner's part of one: then it holds no weights. */
  readonly sharing: string | undefined;
  /** Opens the weights: only compute parties and `--compare` do. */
  weights(): Promise<WeightSource>;
  /** SHA-256 that identifies the weights; the files are read for it once. */
  hash(): Promise<string>;
  /** Whether the files still have that hash: they are read again. */
  unchanged(): Promise<boolean>;
}

export interface OpenOptions {
  /** Whether the weights are wanted too: a data owner downloads none. */
  readonly weights: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onDownload?: DownloadOptions['onDownload'];
}

export async function openModel(
  location: ModelLocation,
  options: OpenOptions = { weights: true },
): Promise<OpenedModel> {
  if (location.kind === 'random') return openRandom(location);
  const path = location.kind === 'hub' ? (await downloadedModel(location.id, options)).folder : location.path;
  const files = await folderFiles(path);
  const said = parseModelJson(await files.read(CONFIG_FILE), CONFIG_FILE, 'ERR_MODEL_CONFIG');
  const head =
    (location.task === undefined ? undefined : headOf(location.task)) ??
    (namesNoHead(said) ? await headInFolder(files, said) : undefined);
  const config = parseModelConfig(said, head);
  // Whoever gets this file cannot ask the weights.
  const rawConfig: unknown = head === undefined ? said : { ...(said as object), architectures: [config.architecture] };
  const name = location.kind === 'hub' ? location.id : files.name;
  const sharing = await sharingOf(files);
  let first: Promise<string> | undefined;
  const hash = () => {
    first ??= hashModel(path, config);
    return first;
  };
  return {
    name,
    config,
    rawConfig,
    folder: path,
    files,
    sharing,
    weights: () => loadWeights(files, config),
    hash,
    unchanged: async () => (await hashModel(path, config)) === (await hash()),
  };
}

/** By the names in the weights; undefined where the folder has none, as a data owner's. */
async function headInFolder(files: ModelFiles, config: unknown): Promise<Head | undefined> {
  try {
    return headByWeights(modelTypeOf(config), [...(await openTensors(files)).entries.keys()]);
  } catch (error) {
    if (error instanceof TercetError && error.code === 'ERR_MODEL_NOT_FOUND') return undefined;
    throw error;
  }
}

async function openRandom({ seed, configPath }: Extract<ModelLocation, { kind: 'random' }>): Promise<OpenedModel> {
  const rawConfig = await readConfig(configPath);
  const config = parseModelConfig(rawConfig);
  const name = `random-${seed}`;
  return {
    name,
    config,
    rawConfig,
    folder: undefined,
    files: undefined,
    sharing: undefined,
    weights: async () => randomWeights(config, seed),
    hash: async () =>
      createHash('sha256')
        .update(`${name} ${JSON.stringify(config)}`)
        .digest('hex'),
    unchanged: async () => true,
  };
}

async function readConfig(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new TercetError(
      'ERR_MODEL_NOT_FOUND',
      'the file given by --architecture cannot be read',
      'give the path of a config.json',
      { cause },
    );
  }
  try {
    return parseModelJson(new TextEncoder().encode(text), 'the file given by --architecture', 'ERR_MODEL_CONFIG');
  } catch (cause) {
    throw new TercetError(
      'ERR_MODEL_CONFIG',
      'the file given by --architecture is not JSON',
      'give a config.json of a model',
      { cause },
    );
  }
}

/**
 * One hash over the checked configuration and the weights files of a folder, in name order: one checkpoint under
 * two heads is two models.
 */
async function hashModel(path: string, config: ModelConfig): Promise<string> {
  const names = (await readdir(path)).filter((name) => name.endsWith('.safetensors')).sort();
  const hash = createHash('sha256').update(
    `${JSON.stringify(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)))}\n`,
  );
  const hashes = await hashFiles(names.map((name) => join(path, name)));
  for (const [i, name] of names.entries()) hash.update(`${name} ${hashes[i]}\n`);
  return hash.digest('hex');
}
