/**
 * Writes the deployment document of a set of models and parties: what `tercet.json` says, with every public file
 * pinned by SHA-256.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { TercetError } from '../core/errors.ts';
import { folderFiles } from '../ml/files-node.ts';
import { ownerFiles } from '../ml/owner-files.ts';
import { type Task, taskOf } from '../ml/tasks/table.ts';
import { loadTokenizer } from '../ml/tokenizers/tokenizer.ts';
import { openModel } from '../node/model.ts';
import { sharingOf } from '../node/sharing.ts';
import type { IceServer } from '../net/webrtc/types.ts';
import { parseDeployment } from '../owner/deployment.ts';
import type { Deployment, HubPlace, ModelEntry, PartyAddress, PinnedFile } from '../owner/types/index.ts';
import { examplesFor, titleOf } from './examples.ts';

export interface PublishedModel {
  /** Model folder in the Hugging Face layout. Its weights are hashed and never served. */
  readonly folder: string;
  /** What pages call it, like `org/name`; the folder's own name when absent. */
  readonly id?: string;
  /**
   * What it is published for, where its files leave that open; feature-extraction takes any model, without its
   * head.
   */
  readonly task?: Task | undefined;
  /** Where the folder came from, for pages that load from there too. */
  readonly hub?: HubPlace | undefined;
  /**
   * The model owner's sharing (`tercet model share`), if it is also served with secret weights; of it only
   * `owner/share.json` is read.
   */
  readonly shares?: string | undefined;
}

/** A file that the page's server hands out. */
interface PublicFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface WrittenDeployment {
  readonly document: Deployment;
  /** By address path, like `models/capitals-bert/config.json`. */
  readonly files: ReadonlyMap<string, PublicFile>;
}

const MODELS = 'models';

export async function writeDeployment(
  parties: readonly [PartyAddress, PartyAddress],
  models: readonly PublishedModel[],
  {
    iceServers = [],
    dealer,
    maxCharacters,
  }: {
    readonly iceServers?: readonly IceServer[];
    readonly dealer?: PartyAddress | undefined;
    readonly maxCharacters?: number | undefined;
  } = {},
): Promise<WrittenDeployment> {
  const files = new Map<string, PublicFile>();
  const entries: ModelEntry[] = [];
  for (const model of models) entries.push(await publish(model, files));
  // Through the reader's own checks: what is written here must be what it accepts.
  const document = parseDeployment({
    version: 1,
    parties,
    dealer,
    models: MODELS,
    entries,
    iceServers,
    maxCharacters,
  });
  return { document, files };
}

async function publish(
  { folder, shares, hub, task: wanted, id: named = basename(folder) }: PublishedModel,
  files: Map<string, PublicFile>,
): Promise<ModelEntry> {
  const model = await openModel({ kind: 'folder', path: folder, task: wanted });
  const task = taskOf(model.config.head);
  // One folder may be published twice, with its head and without it.
  const id = wanted === 'feature-extraction' ? `${named}-vectors` : named;
  const sources = await folderFiles(folder);
  const pins: Record<string, PinnedFile> = {};
  const add = async (name: string, path: string) => {
    const bytes = await read(path);
    pins[name] = { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
    files.set(`${MODELS}/${id}/${name}`, { path, bytes });
  };
  for (const name of await ownerFiles(sources)) await add(name, join(folder, name));
  const weights: { open: string; secret?: string } = { open: await model.hash() };
  // Its name, and no file of it: what opens secret weights reaches enrolled owners only.
  if (shares !== undefined) weights.secret = await sharingNamed(shares);
  const { maskToken = '' } = await loadTokenizer(sources);
  return {
    id,
    task,
    title: titleOf(id, task),
    weights,
    files: pins,
    examples: examplesFor(task, maskToken),
    hub,
  };
}

async function sharingNamed(shares: string): Promise<string> {
  const sharing = await sharingOf(await folderFiles(join(shares, 'owner')));
  if (sharing !== undefined) return sharing;
  throw new TercetError(
    'ERR_MODEL_NOT_FOUND',
    'the folder of a sharing has no share.json',
    'give a folder made by tercet model share',
  );
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
