/** Fields of `config.json`, read one by one: a value of the right type and size, or an error that names the key. */
import { TercetError } from '../core/errors.ts';
import { quote, typeName } from './describe.ts';
import { own } from './json.ts';

export const CONFIG_FILE = 'config.json';

/** Other names that the library reads for the same key. */
const ALSO: Readonly<Record<string, string>> = {
  dim: 'hidden_size',
  n_layers: 'num_hidden_layers',
  n_heads: 'num_attention_heads',
  n_embd: 'hidden_size',
  n_layer: 'num_hidden_layers',
  n_head: 'num_attention_heads',
  n_positions: 'max_position_embeddings',
};

export function configError(what: string, hint = 'take the config.json that belongs to the weights'): TercetError {
  return new TercetError('ERR_MODEL_CONFIG', `${CONFIG_FILE} ${what}`, hint);
}

export function unsupported(key: string, value: unknown, hint: string): TercetError {
  const shown =
    typeof value === 'string'
      ? quote(value)
      : typeof value === 'boolean' || typeof value === 'number'
        ? String(value)
        : typeName(value);
  return new TercetError('ERR_MODEL_UNSUPPORTED', `${CONFIG_FILE} has ${key} ${shown}`, hint);
}

/** An integer from 1 to `cap`. @throws {TercetError} ERR_MODEL_CONFIG */
export function size(json: Record<string, unknown>, key: string, cap: number, absent: number): number {
  const said = stated(json, key);
  const value = said === undefined ? absent : said;
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw configError(`has ${key} of type ${typeName(value)}, expected an integer`);
  if (value < 1 || value > cap) throw configError(`has ${key} ${value}, expected 1 to ${cap}`);
  return value;
}

/**
 * What the file says under a key or its other name. undefined where it says nothing; null is a value, of the wrong
 * type.
 */
function stated(json: Record<string, unknown>, key: string): unknown {
  const [value, also] = [own(json, key), Object.hasOwn(ALSO, key) ? own(json, ALSO[key]) : undefined];
  if (value !== undefined && also !== undefined && value !== also)
    throw configError(`has ${key} and ${ALSO[key]}, which differ`);
  return value === undefined ? also : value;
}

export function parseEps(json: Record<string, unknown>, key: string, cap: number, absent: number): number {
  const value = own(json, key) === undefined ? absent : own(json, key);
  if (typeof value !== 'number') throw configError(`has ${key} of type ${typeName(value)}, expected a number`);
  if (!(value > 0 && value <= cap)) throw configError(`has ${key} ${value}, expected above 0 and at most ${cap}`);
  return value;
}

export function flag(json: Record<string, unknown>, key: string, absent: boolean): boolean {
  const value = own(json, key) ?? absent;
  if (typeof value !== 'boolean') throw configError(`has ${key} of type ${typeName(value)}, expected a boolean`);
  return value;
}

/** Refuses every value of a key but one. @throws {TercetError} ERR_MODEL_CONFIG, ERR_MODEL_UNSUPPORTED */
export function optionalValue(
  json: Record<string, unknown>,
  key: string,
  allowed: string | number | boolean,
  hint: string,
): void {
  const value = own(json, key);
  if (value === undefined || value === null || value === allowed) return;
  if (typeof value !== typeof allowed)
    throw configError(`has ${key} of type ${typeName(value)}, expected a ${typeof allowed}`);
  throw unsupported(key, value, hint);
}
