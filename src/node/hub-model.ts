/**
 * A model on a hub, brought into a folder of this machine: configuration and tokenizer for a data owner, the
 * weights too for a compute party.
 */
import { TercetError } from '../core/errors.ts';
import { nodeHub } from '../hub/environment-node.ts';
import { HubModel } from '../hub/index.ts';
import { CONFIG_FILE } from '../ml/config-fields.ts';
import { OPTIONAL_OWNER_FILES } from '../ml/owner-files.ts';
import { isRecord, own, parseModelJson } from '../ml/json.ts';

export interface DownloadOptions {
  readonly weights: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onDownload?: ((file: string, loaded: number, total: number) => void) | undefined;
}

/** What may belong to a tokenizer; a model has some of these. */
const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
  'special_tokens_map.json',
  'added_tokens.json',
];
const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
/** Looked for only to say how to convert them. */
const PICKLE = 'pytorch_model.bin';

export interface DownloadedModel {
  readonly folder: string;
  /** The commit that all its files are of. */
  readonly commit: string;
}

/**
 * `org/name[@revision]` in a folder, with all that is wanted of it, from the hub that this machine's environment
 * names (`hub/environment-node.ts`).
 * @throws {TercetError} ERR_MODEL_NOT_FOUND, ERR_DOWNLOAD, ERR_INTEGRITY, ERR_MODEL_UNSUPPORTED (weights in another
 * format only), ERR_ABORTED
 */
export async function downloadedModel(
  name: string,
  { weights, signal, onDownload }: DownloadOptions,
): Promise<DownloadedModel> {
  const hub = nodeHub();
  const { store } = hub;
  const model = HubModel.open(name, {
    ...hub,
    signal,
    progress: (event) => {
      if (event.status === 'progress') onDownload?.(event.file, event.loaded, event.total);
    },
  });
  if (!(await model.ensure(CONFIG_FILE))) throw model.missing(CONFIG_FILE);
  for (const file of [...TOKENIZER_FILES, ...OPTIONAL_OWNER_FILES]) await model.ensure(file);
  if (weights) await ensureWeights(model, (file, commit) => store.read(model.key, commit, file));
  const { commit } = model;
  if (commit === undefined) throw model.missing(CONFIG_FILE);
  return { folder: store.folder(model.key, commit), commit };
}

async function ensureWeights(
  model: HubModel,
  read: (file: string, commit: string) => Promise<Uint8Array>,
): Promise<void> {
  if (await model.ensure(WEIGHTS)) return;
  if (await model.ensure(INDEX)) {
    for (const shard of shardsOf(await read(INDEX, model.commit ?? '')))
      if (!(await model.ensure(shard))) throw model.missing(shard);
    return;
  }
  if (await model.offers(PICKLE)) {
    const { repository } = model.id;
    throw new TercetError(
      'ERR_MODEL_UNSUPPORTED',
      `${repository} has its weights as ${PICKLE} only, a pickle, which can run code when it is opened`,
      `convert it: python -c "from transformers import AutoModel; AutoModel.from_pretrained('${repository}').save_pretrained('model', safe_serialization=True)", with the class that config.json names in place of AutoModel`,
    );
  }
  throw model.missing(WEIGHTS);
}

function shardsOf(index: Uint8Array): string[] {
  const json = parseModelJson(index, INDEX, 'ERR_MODEL_FORMAT');
  const map = isRecord(json) ? own(json, 'weight_map') : undefined;
  const names = isRecord(map) ? [...new Set(Object.values(map))] : [];
  if (names.length === 0 || !names.every((name) => typeof name === 'string')) {
    throw new TercetError('ERR_MODEL_FORMAT', `${INDEX} lists no shards`, 'get the model from its publisher again');
  }
  return names as string[];
}
