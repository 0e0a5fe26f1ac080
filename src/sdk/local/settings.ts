/**
 * Settings below the options of code: a file that the caller names, and over it the environment, as the command line
 * takes them (docs/CONFIGURATION.md). What the caller gives wins over both.
 */
import { checkEnvironment, refuseSettings } from '../../core/environment-node.ts';
import { TercetError } from '../../core/errors.ts';
import type { Protocol } from '../../owner/types/index.ts';

/** What a setting gives, by the name that `tercet infer` has for it. */
export type Read<T> = Readonly<Record<string, (value: string) => Partial<T>>>;

/** Those of a run, which all callers read alike. */
export interface RunSettings {
  readonly protocol?: Protocol;
  readonly securityLevel?: 128 | 256;
  readonly device?: 'auto' | 'wasm' | 'native' | 'webgpu';
}

/** Their values were checked by the schema. */
export const RUN: Read<RunSettings> = {
  protocol: (value) => ({ protocol: value as NonNullable<RunSettings['protocol']> }),
  securityLevel: (value) => ({ securityLevel: value === '256' ? 256 : 128 }),
  device: (value) => ({ device: value as NonNullable<RunSettings['device']> }),
};

/**
 * The options, and for those that were not given what the settings say. Without `config` settings of the environment
 * are refused: they would be dropped. One that `who` has no option for is said as a warning of the process.
 * @throws {TercetError} ERR_ARGUMENT; what `readConfig` throws for settings that are wrong, or less than asked for
 */
export async function withSettings<T extends { readonly config?: string }>(
  options: T,
  who: string,
  read: Read<T>,
): Promise<T> {
  checkEnvironment(process.env);
  const { config } = options;
  if (config === undefined) {
    refuseSettings(process.env);
    return options;
  }
  if (typeof config !== 'string' || config === '')
    throw new TercetError('ERR_ARGUMENT', 'config expected the path of a file', 'for example tercet.yaml');
  const [{ told }, { readConfig }] = await Promise.all([
    import('../../config/effective.ts'),
    import('../../config/read-node.ts'),
  ]);
  const { flags, variables, notices } = told(readConfig(config, process.env), 'infer', who);
  const settings: Partial<T> = {};
  const dropped = [...notices];
  for (const [flag, { value }] of flags) {
    if (Object.hasOwn(read, flag)) Object.assign(settings, read[flag](String(value)));
    else dropped.push(`the setting of ${flag} changes nothing for ${who}`);
  }
  for (const variable of variables.keys()) dropped.push(`${who} sets no ${variable}: set it in the environment`);
  for (const line of dropped) process.emitWarning(line, 'TercetWarning');
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { ...settings, ...(given as T) };
}
