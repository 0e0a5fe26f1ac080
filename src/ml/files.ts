/**
 * Where a model's files come from, seen from the code that reads them: a folder (files-node.ts), memory, a web server
 * or a cache.
 *
 * Imports nothing of Node. Every implementation refuses names that leave the model.
 */

import { TercetError } from '../core/errors.ts';
import { quote } from './describe.ts';

/** What a model may say of generated text. */
export const GENERATION_FILE = 'generation_config.json';
/** What an embedding model may say of the steps behind its layers, and of its mean. */
export const MODULES_FILE = 'modules.json';
export const POOLING_FILE = '1_Pooling/config.json';

export interface ModelFiles {
  /** What to call the model in messages and results: the folder's or the model's name. */
  readonly name: string;
  /** Whether the file is there. */
  has(file: string): Promise<boolean>;
  /**
   * The whole file.
   * @throws {TercetError} ERR_MODEL_NOT_FOUND when it is not there.
   */
  read(file: string): Promise<Uint8Array>;
  /** Length in bytes; implemented together with `readRange`. */
  size?(file: string): Promise<number>;
  /** The bytes [from, to), in memory of their own, so that one tensor of a large file costs one tensor of memory. */
  readRange?(file: string, from: number, to: number): Promise<Uint8Array>;
}

/**
 * A file at random access: `read(from, to)` gives the bytes [from, to), 0 ≤ from ≤ to ≤ size, in memory of their
 * own.
 */
export interface ByteSource {
  readonly name: string;
  readonly size: number;
  read(from: number, to: number): Promise<Uint8Array>;
}

/**
 * Returns `file` if it is a plain relative path (`model.safetensors`, `onnx/model.json`).
 *
 * Names come from callers and from the model's own index file, so they are untrusted: `..`, absolute paths, drive
 * letters and backslashes are refused.
 * @throws {TercetError} ERR_MODEL_FORMAT.
 */
export function checkFileName(file: string): string {
  const ok = typeof file === 'string' && file.length <= 255 && /^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/.test(file);
  if (!ok) {
    throw new TercetError(
      'ERR_MODEL_FORMAT',
      `${quote(String(file))} is not a file name inside a model`,
      'use plain names such as model.safetensors',
    );
  }
  return file;
}

/** Random access to `file`: by ranges where `files` can, else over the whole file read once. */
export async function openBytes(files: ModelFiles, file: string): Promise<ByteSource> {
  if (files.size && files.readRange) {
    const size = await files.size(file);
    return {
      name: file,
      size,
      read: (from, to) => (files.readRange as NonNullable<ModelFiles['readRange']>)(file, from, to),
    };
  }
  return bytesSource(file, await files.read(file));
}

/** Random access to bytes in memory. Every read copies, so a tensor never aliases the file. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  return { name, size: bytes.length, read: async (from, to) => Uint8Array.from(bytes.subarray(from, to)) };
}

/** A model whose files are in memory: for tests, and for files that a browser has fetched. */
export function memoryFiles(name: string, contents: ReadonlyMap<string, Uint8Array>): ModelFiles {
  const get = (file: string): Uint8Array => {
    const bytes = contents.get(checkFileName(file));
    if (bytes === undefined) throw fileNotFound(name, file);
    return bytes;
  };
  return { name, has: async (file) => contents.has(checkFileName(file)), read: async (file) => get(file) };
}

/** The one error for a file that a model does not have. */
export function fileNotFound(model: string, file: string): TercetError {
  return new TercetError(
    'ERR_MODEL_NOT_FOUND',
    `model ${quote(model)} has no file ${file}`,
    'a model folder needs config.json, tokenizer.json (or vocab.txt), tokenizer_config.json and model.safetensors',
  );
}
