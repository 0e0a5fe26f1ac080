/** Settings of this process: the file that the user named, and the environment. */
import { readFileSync, statSync } from 'node:fs';
import { TercetError } from '../core/errors.ts';
import { type Effective, effective } from './effective.ts';
import { fromEnvironment, fromYaml } from './sources.ts';

/** Longest file of one secret, in bytes. */
const MAX_SECRET = 10_000;

/**
 * @param file path of `tercet.yaml`; undefined: none
 * @throws {TercetError} ERR_ARGUMENT for a file that cannot be read and for what `fromYaml` and `fromEnvironment`
 * refuse, and the errors of `effective`
 */
export function readConfig(file: string | undefined, environment: NodeJS.ProcessEnv): Effective {
  const values = file === undefined ? new Map<string, unknown>() : fromYaml(readText('--config', file), '--config');
  return effective(
    values,
    fromEnvironment(environment, (path) => readSecret(path)),
  );
}

function readText(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new TercetError('ERR_ARGUMENT', `the file given by ${name} cannot be read`, 'check the path', { cause });
  }
}

/** A secret's file is the user's alone: one that others may read is no secret. */
function readSecret(path: string): string {
  const text = readText('a …_FILE variable', path);
  if (text.length > MAX_SECRET)
    throw new TercetError('ERR_ARGUMENT', 'the file given by a …_FILE variable is no secret', 'it holds one token');
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
    throw new TercetError(
      'ERR_INSECURE',
      'the file given by a …_FILE variable can be read by others',
      'run chmod 600 on it',
    );
  return text;
}
