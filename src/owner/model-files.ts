/**
 * The public files of a model, for its data owner: from beside the deployment or from a hub, and what the
 * deployment pins either way.
 */
import { abortedError } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import type { Fetch } from './download.ts';
import { downloadPinned } from './pinned-download.ts';
import type { Environment } from './environment.ts';
import type { Deployment, HubSource, ModelEntry, PinnedFile, PretrainedOptions } from './types/index.ts';

interface ReadFile {
  readonly bytes: Uint8Array;
  /** Bytes that came over the network for it: none for what was kept. */
  readonly downloaded: number;
}

/**
 * Reads one file. @throws {TercetError} ERR_MODEL_CONFIG when the deployment does not list it, ERR_DOWNLOAD,
 * ERR_INTEGRITY, ERR_MODEL_NOT_FOUND, ERR_ABORTED
 */
export type ReadPinned = (file: string, onProgress: (loaded: number, total: number) => void) => Promise<ReadFile>;

interface Network {
  readonly fetch: Fetch;
  readonly signal: AbortSignal | undefined;
}

function pinOf({ id, files }: ModelEntry, file: string): PinnedFile {
  if (Object.hasOwn(files, file)) return files[file];
  throw new TercetError(
    'ERR_MODEL_CONFIG',
    `the deployment lists no ${file} for ${id}`,
    'tell the operator of this page',
  );
}

/** @param base what the deployment's addresses are relative to */
export function besideDeployment(
  { models }: Deployment,
  entry: ModelEntry,
  base: string,
  network: Network,
): ReadPinned {
  return async (file, onProgress) => {
    const pin = pinOf(entry, file);
    const address = `${models.replace(/\/?$/, '/')}${entry.id}/${file}`;
    if (!URL.canParse(address, base))
      throw new TercetError(
        'ERR_ARGUMENT',
        'the files of the deployment are at no address',
        "give its own address, or a whole one as 'models'",
      );
    const url = new URL(address, base).href;
    const bytes = await downloadPinned(url, file, pin, { ...network, onProgress });
    return { bytes, downloaded: bytes.length };
  };
}

/**
 * @throws {TercetError} ERR_ARGUMENT when the option is none, or when the deployment does not say where on a hub
 * the model is
 */
export async function onHub(
  entry: ModelEntry,
  option: NonNullable<PretrainedOptions['hub']>,
  environment: Pick<Environment, 'fetch' | 'hub'>,
  signal?: AbortSignal,
): Promise<ReadPinned> {
  const { endpoint, offline } = sourceOf(option);
  const place = entry.hub;
  if (place === undefined) {
    throw new TercetError(
      'ERR_ARGUMENT',
      `the deployment does not say where on a hub ${entry.id} is`,
      'leave hub out, or let the operator make the deployment with `tercet site --model org/name`',
    );
  }
  const [here, { hubFiles }] = await Promise.all([environment.hub(), import('../hub/download.ts')]);
  const watched = new Map<string, { downloaded: number; tell(loaded: number, total: number): void }>();
  const files = hubFiles(`${place.repository}@${place.commit}`, {
    fetch: environment.fetch,
    ...here,
    endpoint: endpoint ?? here.endpoint,
    // A place that forbids it is not overruled by a caller.
    offline: offline === true || here.offline === true,
    pins: entry.files,
    signal,
    progress(event) {
      const file = watched.get(event.file);
      if (event.status !== 'progress' || file === undefined) return;
      file.downloaded = event.loaded;
      file.tell(event.loaded, event.total);
    },
  });
  return async (file, onProgress) => {
    // Nothing that is not pinned is taken from a hub.
    pinOf(entry, file);
    if (signal?.aborted === true) throw abortedError();
    const watch = { downloaded: 0, tell: onProgress };
    watched.set(file, watch);
    return { bytes: await files.read(file), downloaded: watch.downloaded };
  };
}

/** Checked, for callers without types. */
function sourceOf(option: unknown): { readonly endpoint?: string | undefined; readonly offline?: boolean | undefined } {
  if (option === true) return {};
  const { endpoint, offline, ...rest } =
    typeof option === 'object' && option !== null && !Array.isArray(option) ? (option as HubSource) : { nothing: true };
  const fits =
    Object.keys(rest).length === 0 &&
    ['string', 'undefined'].includes(typeof endpoint) &&
    ['boolean', 'undefined'].includes(typeof offline);
  if (!fits)
    throw new TercetError(
      'ERR_ARGUMENT',
      'hub is no hub to load from',
      "give true, or { endpoint: 'https://…', offline: false }",
    );
  return { endpoint, offline };
}
