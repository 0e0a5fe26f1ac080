/** The files of a model that a data owner needs: all of them public, none of them weights. */

import { CONFIG_FILE } from './config-fields.ts';
import { GENERATION_FILE, MODULES_FILE, type ModelFiles, POOLING_FILE } from './files.ts';
import { tokenizerFiles } from './tokenizers/source.ts';

/** What a model may have beside its configuration and its tokenizer, for its data owners. */
export const OPTIONAL_OWNER_FILES: readonly string[] = [GENERATION_FILE, MODULES_FILE, POOLING_FILE];

/** The names of those that are there. @throws {TercetError} as tokenizerFiles */
export async function ownerFiles(files: ModelFiles): Promise<string[]> {
  const there = await Promise.all(OPTIONAL_OWNER_FILES.map((file) => files.has(file)));
  return [CONFIG_FILE, ...(await tokenizerFiles(files)), ...OPTIONAL_OWNER_FILES.filter((_, i) => there[i])];
}
