/** Settings from a file and from the environment, each read by its type, none dropped. */
import { parseDocument } from 'yaml';
import { TercetError } from '../core/errors.ts';
import { quote } from '../ml/describe.ts';
import { Config, SETTINGS, type Setting } from './schema.ts';

/** Where a value came from; the environment wins over the file, and a flag over both. */
export type Source = 'file' | 'environment';

/** By path of the setting. */
export type Values = ReadonlyMap<string, unknown>;

/** Longest file that is read, in characters: a configuration has some hundred lines. */
const MAX_FILE = 1_000_000;

/**
 * What a YAML file sets.
 * @param where the file as the user named it, for messages
 * @throws {TercetError} ERR_ARGUMENT for what is no YAML, an unknown name (with the known ones), a wrong type. Values
 * are not repeated: they may be secrets.
 */
export function fromYaml(text: string, where: string): Values {
  if (text.length > MAX_FILE)
    throw refused(`${where} has more than ${MAX_FILE} characters`, 'this is no configuration');
  const document = parseDocument(text, { uniqueKeys: true, strict: true });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = error.linePos?.[0].line;
    throw refused(
      `${where} is no YAML${line === undefined ? '' : `: line ${line} cannot be read`}`,
      'see tercet config schema',
    );
  }
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 0 });
  } catch {
    throw refused(`${where} uses aliases`, 'write each value out: a few lines of aliases can stand for gigabytes');
  }
  if (content === null || content === undefined) return new Map();
  return checked(content, where);
}

/** The same of an object, as `fromYaml` reads it. */
function checked(content: unknown, where: string): Values {
  const result = Config.safeParse(withoutEmptySections(content));
  if (!result.success) throw explained(result.error.issues[0], where);
  const values = new Map<string, unknown>();
  for (const [section, settings] of Object.entries(result.data))
    for (const [name, value] of Object.entries(settings ?? {}))
      if (value !== undefined) values.set(`${section}.${name}`, value);
  return values;
}

/** A section whose name stands alone holds nothing. */
function withoutEmptySections(content: unknown): unknown {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return content;
  return Object.fromEntries(
    Object.entries(content).filter(([name, value]) => value !== null || !(name in Config.shape)),
  );
}

/** Reads the file that a `…_FILE` variable names. */
export type ReadSecret = (path: string) => string;

/**
 * What `MPC_…` variables set. An empty one sets nothing.
 * @throws {TercetError} ERR_ARGUMENT for an unknown `MPC_…` name, a value that is none, or a secret given twice
 */
export function fromEnvironment(environment: NodeJS.ProcessEnv, readSecret: ReadSecret): Values {
  const values = new Map<string, unknown>();
  for (const [name, text] of Object.entries(environment)) {
    if (!text || !/^MPC_[A-Z0-9_]+$/.test(name)) continue;
    const { setting, file } = named(name);
    if (values.has(setting.path))
      throw refused(`${setting.meta.env} and ${setting.meta.env}_FILE are both set`, 'unset one of them');
    values.set(setting.path, typed(setting, file ? readSecret(text).trim() : text, name));
  }
  return values;
}

function named(name: string): { readonly setting: Setting; readonly file: boolean } {
  const setting = SETTINGS.find(({ meta }) => meta.env === name);
  if (setting !== undefined) return { setting, file: false };
  const secret = SETTINGS.find(({ meta }) => meta.secret === true && `${meta.env}_FILE` === name);
  if (secret !== undefined) return { setting: secret, file: true };
  throw refused(
    `${name} is set, and there is no such setting`,
    'unset it; tercet config schema lists all that there are',
  );
}

/** A value from words, as the environment has it. */
function typed(setting: Setting, text: string, where: string): unknown {
  for (const candidate of readings(text)) {
    const result = setting.type.safeParse(candidate);
    if (result.success) return result.data;
  }
  throw refused(`${where} expected ${setting.meta.expects}`, 'tercet config check shows what is in force');
}

/** What a word may mean: itself, a switch, a number, a list. The type takes one of them. */
function* readings(text: string): Generator<unknown> {
  const word = text.trim();
  if (/^(true|1|yes|on)$/i.test(word)) yield true;
  if (/^(false|0|no|off)$/i.test(word)) yield false;
  if (/^-?\d{1,15}(\.\d{1,15})?(e-?\d{1,3})?$/i.test(word)) yield Number(word);
  yield word;
  yield word.toLowerCase();
  yield word.split(',').map((part) => part.trim());
}

interface Issue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly keys?: readonly string[];
}

function explained(issue: Issue, where: string): TercetError {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const [key] = issue.keys ?? [];
    const known = path === '' ? Object.keys(Config.shape) : namesIn(path);
    return refused(
      `${where}: ${path === '' ? 'there is no section' : `${path} has no setting`} ${quote(key ?? '')}`,
      `${path === '' ? 'its sections are' : 'it has'} ${known.join(', ')}`,
    );
  }
  const setting = SETTINGS.find((known) => path === known.path || path.startsWith(`${known.path}.`));
  if (setting === undefined)
    return refused(`${where}: ${path || 'the file'} is no section of settings`, 'see tercet config schema');
  return refused(`${where}: ${setting.path} expected ${setting.meta.expects}`, 'see tercet config schema');
}

function namesIn(section: string): string[] {
  return SETTINGS.filter(({ path }) => path.startsWith(`${section}.`)).map(({ path }) =>
    path.slice(section.length + 1),
  );
}

function refused(what: string, hint: string): TercetError {
  return new TercetError('ERR_ARGUMENT', what, hint);
}
