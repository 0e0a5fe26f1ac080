/** Parsing of what the user typed: every value checked here, with an error that says what was expected. Exit code 2 for all of it. */
import { existsSync } from 'node:fs';
import { TercetError } from '../core/errors.ts';
import { isHubId } from '../hub/index.ts';
import { embeddedModel } from '../party/defaults.ts';
import { PROFILE_NAMES } from '../net/profiles.ts';
import type { ModelLocation } from '../party/model.ts';
import { DEVICES, type Device } from '../party/node-kernels.ts';
import { RANGES, type Ranges } from '../party/planned.ts';
import { TASKS, type Task } from '../party/task.ts';
import type { WeightMode } from '../session/request.ts';

function usage(what: string, hint: string): TercetError {
  return new TercetError('ERR_ARGUMENT', what, hint);
}

export function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  if (!(allowed as readonly string[]).includes(value)) throw usage(`--${name} expected one of ${allowed.join(', ')}`, `for example --${name} ${allowed[0]}`);
  return value as T;
}

export function integer(name: string, value: string, min: number, max: number): number {
  const n = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
  if (!(n >= min && n <= max)) throw usage(`--${name} expected an integer from ${min} to ${max}`, `for example --${name} ${min}`);
  return n;
}

export function decimal(name: string, value: string): number {
  const n = /^-?\d{1,6}(\.\d{1,9})?$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isNaN(n)) throw usage(`--${name} expected a number`, `for example --${name} 0.8`);
  return n;
}

/** A comma-separated list of words, without empty ones. */
export function list(name: string, value: string): string[] {
  const words = value.split(',').map((word) => word.trim());
  if (words.some((word) => word === '')) throw usage(`--${name} expected words between commas`, `for example --${name} "sports,politics"`);
  return words;
}

export const parseTask = (value: string): Task => oneOf('task', value, TASKS);
export const parseWeights = (value: string): WeightMode => oneOf('weights', value, ['open', 'secret']);
export const parseRanges = (value: string): Ranges => oneOf('ranges', value, RANGES);
export const parseDevice = (value: string): Device => oneOf('device', value, DEVICES);
export const parseProfile = (value: string): string => oneOf('profile', value, PROFILE_NAMES);

/** `HOST:PORT`, IPv6 hosts in brackets. Port 0, where it is allowed, means any free one. */
export function parseAddress(name: string, value: string, lowest = 1): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:]+)):(\d{1,5})$/.exec(value);
  const port = Number(match?.[3]);
  if (match === null || port < lowest || port > 65535) throw usage(`--${name} expected HOST:PORT`, `for example --${name} 127.0.0.1:7001`);
  return { host: match[1] ?? match[2], port };
}

/** `https://HOST[:PORT]`, `https://*.HOST` for all below it; plain `http:` only for this machine. It becomes part of a page's policy, so nothing else may be in it. */
export function parseHubOrigin(value: string): string {
  if (/^https:\/\/(\*\.)?[\w-]+(\.[\w-]+)*(:\d{1,5})?$/.test(value) || /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/.test(value)) return value;
  throw usage('--hub-origins expected an origin', 'for example --hub-origins https://huggingface.co --hub-origins "https://*.hf.co"');
}

/** How gadgets are chosen for a model whose weights alone prove no ranges. */
export const RANGES_HELP = 'auto: gadgets by what samples need; wide: the widest, which refuse fewer texts and cost more';

export interface ModelFlags {
  readonly model?: string;
  readonly randomWeights?: string;
  readonly config?: string;
}

/** A folder that is there, or else `org/name` on the hub. */
export function namedModel(name: string): ModelLocation {
  return isHubId(name) && !existsSync(name) ? { kind: 'hub', id: name } : { kind: 'folder', path: name };
}

/** A folder, a model on the hub, seeded random weights with a configuration, or the embedded model of the task. */
export function modelLocation(flags: ModelFlags, task: Task): ModelLocation {
  if (flags.randomWeights !== undefined) {
    if (flags.model !== undefined) throw usage('--model and --random-weights exclude each other', 'give one of them');
    if (flags.config === undefined) throw usage('--random-weights needs --config', 'give the path of a config.json');
    return { kind: 'random', seed: integer('random-weights', flags.randomWeights, 0, 2 ** 32 - 1), configPath: flags.config };
  }
  if (flags.config !== undefined) throw usage('--config belongs to --random-weights', 'a model folder has its own config.json');
  return flags.model === undefined ? { kind: 'folder', path: embeddedModel(task) } : namedModel(flags.model);
}
