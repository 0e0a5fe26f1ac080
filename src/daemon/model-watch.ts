/**
 * Models of a party that is left running: whose files changed are loaded again, as at SIGHUP. A change is taken when it
 * has not changed further until the next look, so a copy that is under way is not read half.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../core/abort.ts';
import { type TercetError, asTercetError } from '../core/errors.ts';
import { REVOKED } from '../node/sharing.ts';
import type { ModelSource } from './served-model.ts';

export interface ModelWatchOptions {
  readonly sources: readonly ModelSource[];
  /** Loads all models again. @throws {TercetError} for what cannot be loaded; then the old ones are served on */
  reload(): Promise<void>;
  /** How often it looks (default: a minute). */
  readonly everyMs?: number | undefined;
  readonly signal: AbortSignal;
  /** They were loaded again. */
  onReloaded?(): void;
  /** Said once for each change. */
  onFailure(error: TercetError): void;
}

const MINUTE_MS = 60_000;

/** Looks until the signal. Never rejects. */
export async function watchModels(options: ModelWatchOptions): Promise<void> {
  const { sources, signal, everyMs = MINUTE_MS } = options;
  let taken = await stateOf(sources);
  let seen = taken;
  while (!signal.aborted) {
    await sleep(everyMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    const now = await stateOf(sources);
    const settled = now === seen;
    seen = now;
    if (!settled || now === taken) continue;
    // What cannot be read is tried again when it changes again.
    taken = now;
    try {
      await options.reload();
      options.onReloaded?.();
    } catch (error) {
      options.onFailure(asTercetError(error));
    }
  }
}

/** Changes with every file of every model that is on this machine. Those of a hub are pinned by their revision. */
async function stateOf(sources: readonly ModelSource[]): Promise<string> {
  const files: string[] = [];
  for (const source of sources) {
    if (source.weights === 'secret') files.push(...(await within(source.folder)));
    else if (source.model.kind === 'folder') files.push(...(await within(source.model.path)));
    else if (source.model.kind === 'random') files.push(source.model.configPath);
  }
  return (await Promise.all(files.map(markOf))).join('\n');
}

async function within(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  // Revoked credentials are read when they are asked for.
  return names.filter((name) => name !== REVOKED).map((name) => join(folder, name));
}

async function markOf(path: string): Promise<string> {
  try {
    const { size, mtimeMs, ino } = await stat(path);
    return [path, size, mtimeMs, ino].join(' ');
  } catch {
    return path;
  }
}
