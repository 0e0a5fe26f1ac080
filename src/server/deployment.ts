/** Writes the deployment document of a set of models and parties: what `tercet.json` says, with every public file pinned by SHA-256. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { TercetError } from '../core/errors.ts';
import { CONFIG_FILE } from '../ml/config.ts';
import { TOKENIZER_CONFIG_FILE, TOKENIZER_FILE } from '../ml/tokenizers/tokenizer.ts';
import { openModel } from '../party/model.ts';
import { parseDeployment } from '../sdk/deployment.ts';
import type { Deployment, ModelEntry, PartyAddress, PinnedFile, Task } from '../sdk/types.ts';

export interface PublishedModel {
  /** Model folder in the Hugging Face layout. Its weights are hashed and never served. */
  readonly folder: string;
  /** The model owner's sharing (`tercet model share`), if it is also served with secret weights. */
  readonly shares?: string;
}

/** A file that the page's server hands out. */
export interface PublicFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface WrittenDeployment {
  readonly document: Deployment;
  /** By address path, like `models/capitals-bert/config.json`. */
  readonly files: ReadonlyMap<string, PublicFile>;
}

const EXAMPLES: Readonly<Record<Task, ModelEntry['examples']>> = {
  'fill-mask': [
    { label: 'a capital', text: 'The capital of France is [MASK].' },
    { label: 'another way round', text: 'Tokyo is the capital of [MASK].' },
    { label: 'a smaller country', text: 'The capital of Iceland is [MASK].' },
  ],
  'text-classification': [
    { label: 'a kind review', text: 'A warm, funny and moving film.' },
    { label: 'an unkind one', text: 'It is dull, and far too long.' },
    { label: 'a mixed one', text: 'The acting is fine but the story goes nowhere.' },
  ],
};
const TITLES: Readonly<Record<Task, string>> = { 'fill-mask': 'fills in a blank', 'text-classification': 'tells praise from blame' };
const MODELS = 'models';

export async function writeDeployment(
  parties: readonly [PartyAddress, PartyAddress],
  models: readonly PublishedModel[],
  iceServers: readonly RTCIceServer[] = [],
): Promise<WrittenDeployment> {
  const files = new Map<string, PublicFile>();
  const entries: ModelEntry[] = [];
  for (const model of models) entries.push(await publish(model, files));
  // Through the reader's own checks: what is written here must be what it accepts.
  return { document: parseDeployment({ version: 1, parties, models: MODELS, entries, iceServers }), files };
}

async function publish({ folder, shares }: PublishedModel, files: Map<string, PublicFile>): Promise<ModelEntry> {
  const model = await openModel({ kind: 'folder', path: folder });
  const id = basename(folder);
  const task: Task = model.config.architecture === 'BertForMaskedLM' ? 'fill-mask' : 'text-classification';
  const pins: Record<string, PinnedFile> = {};
  const add = async (name: string, path: string) => {
    const bytes = await read(path);
    pins[name] = { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
    files.set(`${MODELS}/${id}/${name}`, { path, bytes });
  };
  for (const name of [CONFIG_FILE, TOKENIZER_FILE, TOKENIZER_CONFIG_FILE]) await add(name, join(folder, name));
  const weights: { open: string; secret?: string } = { open: await model.hash() };
  if (shares !== undefined) {
    await add('owner.seeds', join(shares, 'owner', 'seeds'));
    weights.secret = new TextDecoder().decode(await read(join(shares, 'owner', 'hash'))).trim();
  }
  return { id, task, title: TITLES[task], weights, files: pins, examples: EXAMPLES[task] };
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new TercetError(
      'ERR_MODEL_NOT_FOUND',
      `${basename(path)} of a model to publish cannot be read`,
      'give a model folder, and a folder made by tercet model share',
      { cause },
    );
  }
}
