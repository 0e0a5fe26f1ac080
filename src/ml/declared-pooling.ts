/**
 * How an embedding model makes one vector of a text, as sentence-transformers writes it down: `modules.json` lists
 * the steps behind the layers, `1_Pooling/config.json` says which mean. A caller's options go before it.
 */

import { TercetError } from '../core/errors.ts';
import { quote, typeName } from './describe.ts';
import { MODULES_FILE, type ModelFiles, POOLING_FILE } from './files.ts';
import { isRecord, own, parseModelJson } from './json.ts';
import type { Pooling } from './tasks/feature-extraction.ts';

export interface DeclaredPooling {
  readonly pooling: Exclude<Pooling, 'none'> | undefined;
  readonly normalize: boolean | undefined;
  /** Why what is declared cannot be done here: an error unless the caller says how to pool. */
  readonly problem: string | undefined;
}

/** @throws {TercetError} ERR_MODEL_CONFIG for files that are damaged */
export async function declaredPooling(files: ModelFiles): Promise<DeclaredPooling> {
  const modules = (await files.has(MODULES_FILE)) ? moduleTypes(await json(files, MODULES_FILE)) : undefined;
  const pooling = (await files.has(POOLING_FILE)) ? poolingMode(await json(files, POOLING_FILE)) : undefined;
  const strange = modules?.find((type) => !['Transformer', 'Pooling', 'Normalize'].includes(type));
  const problem =
    strange !== undefined
      ? `${MODULES_FILE} has a step ${quote(strange)} behind the layers`
      : modules?.includes('Pooling') === true && pooling === undefined
        ? `${MODULES_FILE} has a pooling whose settings are not in ${POOLING_FILE}`
        : pooling !== undefined && pooling !== 'mean' && pooling !== 'cls'
          ? `${POOLING_FILE} asks for ${pooling}`
          : undefined;
  return {
    pooling: pooling === 'mean' || pooling === 'cls' ? pooling : undefined,
    normalize: modules?.includes('Normalize'),
    problem,
  };
}

/**
 * What the caller asks for, else what the files declare, else the mean, of length one.
 * @throws {TercetError} ERR_MODEL_UNSUPPORTED where the files declare what cannot be done here and the caller does
 * not say how to pool
 */
export function poolingFor(
  declared: DeclaredPooling,
  asked: { readonly pooling?: Pooling | undefined; readonly normalize?: boolean | undefined },
): { readonly pooling: Pooling; readonly normalize: boolean } {
  if (declared.problem !== undefined && asked.pooling === undefined)
    throw new TercetError(
      'ERR_MODEL_UNSUPPORTED',
      `${declared.problem}, which this version does not do`,
      'say how to pool instead: mean, cls or none (--pooling mean)',
    );
  return {
    pooling: asked.pooling ?? declared.pooling ?? 'mean',
    normalize: asked.normalize ?? declared.normalize ?? true,
  };
}

async function json(files: ModelFiles, file: string): Promise<unknown> {
  return parseModelJson(await files.read(file), file, 'ERR_MODEL_CONFIG');
}

function wrong(file: string, what: string): TercetError {
  return new TercetError('ERR_MODEL_CONFIG', `${file} ${what}`, 'take the file from the model again');
}

/** `sentence_transformers.models.Pooling` → Pooling; newer files have longer paths. */
function moduleTypes(value: unknown): string[] {
  if (!Array.isArray(value)) throw wrong(MODULES_FILE, `is ${typeName(value)}, not a list`);
  return (value as unknown[]).map((entry) => {
    const type = isRecord(entry) ? own(entry, 'type') : undefined;
    if (typeof type !== 'string') throw wrong(MODULES_FILE, 'has a step without a type');
    return type.slice(type.lastIndexOf('.') + 1);
  });
}

const MODES: Readonly<Record<string, string>> = {
  pooling_mode_cls_token: 'cls',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_max_tokens: 'max',
  pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len',
  pooling_mode_weightedmean_tokens: 'weightedmean',
  pooling_mode_lasttoken: 'lasttoken',
};

/** The one mode, or all of several, joined, which this version does not do. */
function poolingMode(value: unknown): string {
  if (!isRecord(value)) throw wrong(POOLING_FILE, `is ${typeName(value)}, not an object`);
  const named = own(value, 'pooling_mode');
  const flags = Object.keys(MODES).filter((key) => own(value, key) === true);
  if (typeof named === 'string') return named;
  if (flags.length > 0) return flags.map((key) => MODES[key]).join(' and ');
  // sentence-transformers' own default.
  return 'mean';
}
