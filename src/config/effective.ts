/**
 * What is in force: the file below the environment below the flags. Security that was asked for and cannot be given
 * is refused here, for every command, before anything starts.
 */
import { TercetError } from '../core/errors.ts';
import { protocolWithProofs } from '../mpc/protocol/registry.ts';
import type { ConfiguredCommand } from './commands.ts';
import { SETTINGS, SIZE } from './schema.ts';
import type { Source, Values } from './sources.ts';

/** A value, and who set it. */
interface InForce {
  readonly value: unknown;
  readonly source: Source;
}

/** By path of the setting; what nobody set is absent. */
export type Effective = ReadonlyMap<string, InForce>;

/**
 * The later source wins, setting by setting.
 * @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE, ERR_INSECURE, ERR_ARGUMENT for what this version cannot give and for
 * settings that contradict each other
 */
export function effective(file: Values, environment: Values): Effective {
  const inForce = new Map<string, InForce>();
  for (const [path, value] of file) inForce.set(path, { value, source: 'file' });
  for (const [path, value] of environment) inForce.set(path, { value, source: 'environment' });
  refuseLess(inForce);
  return inForce;
}

/** Nobody gets less than they asked for. */
function refuseLess(inForce: Effective): void {
  const value = (path: string) => inForce.get(path)?.value;
  const protocol = value('security.protocol');
  if (protocol !== undefined) protocolWithProofs(String(protocol));
  if (value('security.tls_enabled') === false)
    throw new TercetError(
      'ERR_INSECURE',
      'security.tls_enabled false: parties never talk without TLS',
      'remove the setting; on one machine certificates are made without being asked for',
    );
  if (value('privacy.differential_privacy') === true)
    throw new TercetError(
      'ERR_ARGUMENT',
      'privacy.differential_privacy is not in this version',
      'remove the setting: answers would carry no noise',
    );
  const device = value('performance.device');
  const gpu = value('performance.gpu_acceleration');
  if (device !== undefined && gpu !== undefined && (device === 'wasm') === gpu)
    throw new TercetError(
      'ERR_ARGUMENT',
      'performance.device and performance.gpu_acceleration contradict each other',
      'set one of them',
    );
}

/** How a value reads as the option that it stands for; where nothing is said here, as itself. */
const AS_FLAG: Readonly<Record<string, (value: never) => string | readonly string[] | boolean>> = {
  'performance.gpu_acceleration': (on: boolean) => (on ? 'auto' : 'wasm'),
  'performance.memory_limit': (size: string) => `total=${gigabytes(size)}`,
  'networking.peers': (peers: readonly string[]) => peers.join(','),
  'models.preload_models': (models: readonly string[]) => models,
  'debugging.debug_mode': (on: boolean) => on,
};

const UNITS: Readonly<Record<string, number>> = { KB: 1e-6, MB: 1e-3, GB: 1, TB: 1e3 };

/** `512MB` in GB, without a float's noise. */
function gigabytes(size: string): number {
  const [, number, unit] = SIZE.exec(size) ?? [];
  return Number((Number(number) * UNITS[unit]).toFixed(6));
}

/** What a command is told in place of the flags that the user did not give. */
export interface Told {
  /** By name of the option, as the parser has it. */
  readonly flags: ReadonlyMap<
    string,
    { readonly value: string | readonly string[] | boolean; readonly source: Source }
  >;
  /** Variables of the process and of the parties that it starts. */
  readonly variables: ReadonlyMap<string, string>;
  /** A line for each setting that changes nothing here. */
  readonly notices: readonly string[];
}

/**
 * @param command undefined for one that takes no settings: then only what would be dropped is said
 * @example
 * told(effective(fromYaml('networking: {port: 8001}', 'tercet.yaml'), new Map()), 'party').flags.get('port');
 * // { value: '8001', source: 'file' }
 */
export function told(inForce: Effective, command: ConfiguredCommand | undefined, name = `tercet ${command}`): Told {
  const flags = new Map<string, { value: string | readonly string[] | boolean; source: Source }>();
  const variables = new Map<string, string>();
  const notices: string[] = [];
  for (const { path, meta } of SETTINGS) {
    const set = inForce.get(path);
    if (set === undefined) continue;
    const by = set.source === 'environment' ? meta.env : path;
    const flag = command === undefined ? undefined : meta.flags?.[command];
    if (meta.inert !== undefined) notices.push(`${by} changes nothing: ${meta.inert}`);
    else if (meta.variable !== undefined) variables.set(meta.variable, String(set.value));
    else if (flag !== undefined) flags.set(flag, { value: asFlag(path, set.value), source: set.source });
    else if (command !== undefined && path === LEVEL && set.value === 256) throw notHere(command);
    else if (meta.checked === undefined) notices.push(`${by} changes nothing for ${name}`);
  }
  return { flags, variables, notices };
}

const LEVEL = 'security.security_level';

/** SECURITY: a party serves what owners ask for, so a level that is set there would be dropped. */
function notHere(command: string): TercetError {
  return new TercetError(
    'ERR_ARGUMENT',
    `${LEVEL} 256 is nothing that tercet ${command} can hold`,
    'set it where runs are asked for: tercet infer or tercet serve',
  );
}

function asFlag(path: string, value: unknown): string | readonly string[] | boolean {
  return AS_FLAG[path]?.(value as never) ?? String(value);
}
