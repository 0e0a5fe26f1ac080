/** A model in a local folder, in the layout of the Hugging Face hub. The only file of `src/ml` that imports Node. */

import { open, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { TercetError } from '../core/errors.ts';
import { checkFileName, fileNotFound, type ModelFiles } from './files.ts';

/**
 * Opens the model folder `dir`.
 *
 * Symbolic links inside it are followed (the hub's own cache is made of them): the folder's owner is trusted, the
 * names in its files are not.
 * @throws {TercetError} ERR_MODEL_NOT_FOUND when there is no such folder; its methods throw it for a file that is
 * missing.
 */
export async function folderFiles(dir: string): Promise<ModelFiles> {
  const root = resolve(dir);
  const name = basename(root);
  if (!(await isKind(root, 'directory'))) {
    throw new TercetError(
      'ERR_MODEL_NOT_FOUND',
      (await isKind(root, 'file'))
        ? `the model path is a file, not a folder: ${root}`
        : `there is no model folder at ${root}`,
      'give a folder with config.json, tokenizer.json (or vocab.txt), tokenizer_config.json and model.safetensors, or org/name of one on a hub (openai-community/gpt2, not gpt2)',
    );
  }
  const locate = async (file: string): Promise<string> => {
    const path = join(root, checkFileName(file));
    if (!(await isKind(path, 'file'))) throw fileNotFound(name, file);
    return path;
  };
  return {
    name,
    has: (file) => isKind(join(root, checkFileName(file)), 'file'),
    async read(file) {
      const path = await locate(file);
      return reading(file, async () => {
        const bytes = await readFile(path);
        return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      });
    },
    async size(file) {
      return (await stat(await locate(file))).size;
    },
    async readRange(file, from, to) {
      const path = await locate(file);
      return reading(file, () => readRange(path, from, to));
    },
  };
}

async function isKind(path: string, kind: 'file' | 'directory'): Promise<boolean> {
  try {
    const found = await stat(path);
    return kind === 'file' ? found.isFile() : found.isDirectory();
  } catch {
    return false;
  }
}

async function readRange(path: string, from: number, to: number): Promise<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    const out = new Uint8Array(to - from);
    // One read gives at most 2 GiB, and may give less than asked.
    for (let at = 0; at < out.length; ) {
      const { bytesRead } = await handle.read(out, at, Math.min(out.length - at, 1 << 30), from + at);
      if (bytesRead === 0) throw new Error('file became shorter');
      at += bytesRead;
    }
    return out;
  } finally {
    await handle.close();
  }
}

async function reading<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new TercetError(
      'ERR_MODEL_FORMAT',
      `${file} cannot be read`,
      'check its permissions, and that nothing else is writing to it',
      { cause },
    );
  }
}
