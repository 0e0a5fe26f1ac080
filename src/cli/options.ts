/**
 * Parsing of what the user typed: every value checked here, with an error that says what was expected. Exit code 2
 * for all of it.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { carriesTrust } from '../core/address.ts';
import { TercetError } from '../core/errors.ts';
import { checkPrivate } from '../core/private-file-node.ts';
import { isHubId } from '../hub/id.ts';
import type { Limits, Scope } from '../daemon/budgets.ts';
import { RANGES, RECV_TIMEOUT_MS, type Ranges, embeddedModel } from '../node/defaults.ts';
import { isPublicKey } from '../net/identity/identity.ts';
import { type Pin, identitiesOf } from '../net/identity/pin.ts';
import { PROFILE_NAMES } from '../net/simulated/profiles.ts';
import { protocolWithProofs } from '../mpc/protocol/registry.ts';
import type { ProtocolId } from '../mpc/protocol/types.ts';
import type { ModelLocation } from '../node/model.ts';
import { DEVICES, type Device } from '../node/devices.ts';
import { TASKS, type Task, taskNamed } from '../ml/tasks/table.ts';
import { MAX_BATCH } from '../owner/batch-size.ts';
import type { SecurityLevel, WeightMode } from '../session/request.ts';
import { RUN_PLANS, type RunPlan } from '../session/run-plan.ts';
import { MAX_TEXT_CHARACTERS, MOST_TEXT_CHARACTERS } from '../ml/text.ts';

function usage(what: string, hint: string): TercetError {
  return new TercetError('ERR_ARGUMENT', what, hint);
}

export function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  if (!(allowed as readonly string[]).includes(value))
    throw usage(`--${name} expected one of ${allowed.join(', ')}`, `for example --${name} ${allowed[0]}`);
  return value as T;
}

export function integer(name: string, value: string, min: number, max: number): number {
  const n = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
  if (!(n >= min && n <= max))
    throw usage(`--${name} expected an integer from ${min} to ${max}`, `for example --${name} ${min}`);
  return n;
}

export const MAX_CHARACTERS_HELP = `longest text that is taken, in characters (default: ${MAX_TEXT_CHARACTERS})`;

/** Of `--max-characters`. */
export function maxCharacters(value: string | undefined): number | undefined {
  return value === undefined ? undefined : integer('max-characters', value, 1, MOST_TEXT_CHARACTERS);
}

export function decimal(name: string, value: string): number {
  const n = /^-?\d{1,6}(\.\d{1,9})?$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isNaN(n)) throw usage(`--${name} expected a number`, `for example --${name} 0.8`);
  return n;
}

/** A comma-separated list of words, without empty ones. */
export function list(name: string, value: string): string[] {
  const words = value.split(',').map((word) => word.trim());
  if (words.some((word) => word === ''))
    throw usage(`--${name} expected words between commas`, `for example --${name} "sports,politics"`);
  return words;
}

/**
 * `session=2,address=4,total=8` in GB, some or all of them, over the defaults; `none`: no limit. What is not named
 * is lowered to what is.
 */
export function limits(name: string, value: string | undefined, defaults: Limits): Limits {
  if (value === undefined) return defaults;
  if (value === 'none')
    return { session: Number.POSITIVE_INFINITY, address: Number.POSITIVE_INFINITY, total: Number.POSITIVE_INFINITY };
  const given: Partial<Record<Scope, number>> = {};
  for (const part of list(name, value)) {
    const [, scope, number] = /^(session|address|total)=(\d{1,9}(?:\.\d{1,6})?)$/.exec(part) ?? [];
    const bytes = Number(number) * 1e9;
    if (scope === undefined || !(bytes > 0) || Object.hasOwn(given, scope)) {
      throw usage(
        `--${name} expected limits in GB, each of session, address and total once, or "none"`,
        `for example --${name} session=2,address=4,total=8`,
      );
    }
    given[scope as Scope] = bytes;
  }
  const total = given.total ?? Math.max(defaults.total, given.address ?? 0, given.session ?? 0);
  const address = given.address ?? Math.min(total, Math.max(defaults.address, given.session ?? 0));
  const session = given.session ?? Math.min(address, defaults.session);
  if (session > address || address > total)
    throw usage(`--${name} expected session ≤ address ≤ total`, `for example --${name} session=2,address=4,total=8`);
  return { session, address, total };
}

/** `--network-timeout`: seconds, in milliseconds here. */
export function networkTimeout(value: string | undefined): number {
  return value === undefined ? RECV_TIMEOUT_MS : 1000 * integer('network-timeout', value, 1, 3600);
}

/** A task by its name, or by another one that transformers.js has for it. */
export const parseTask = (value: string): Task => taskNamed(value) ?? oneOf('task', value, TASKS);
export const parseWeights = (value: string): WeightMode => oneOf('weights', value, ['open', 'secret']);
export const parseLevel = (value: string): SecurityLevel =>
  oneOf('security-level', value, ['128', '256']) === '256' ? 256 : 128;
export const parsePlan = (value: string): RunPlan => oneOf('plan', value, RUN_PLANS);
export const parseRanges = (value: string): Ranges => oneOf('ranges', value, RANGES);
export const parseDevice = (value: string): Device => oneOf('device', value, DEVICES);
export const parseProfile = (value: string): string => oneOf('profile', value, PROFILE_NAMES);

/** What a party serves where nobody says it. */
export const PROTOCOLS: readonly ProtocolId[] = ['3pc_semi_honest', '3pc_malicious'];
/** Says what a user chooses between. */
export const PROTOCOL_HELP =
  '3pc_semi_honest: the parties follow the protocol, and may be curious; 3pc_malicious: one of them may do anything, its messages are proved, and a run that does not pass opens nothing; aby3: the same with the owner in the rounds, to compare with (docs/SECURITY.md)';
/** Texts of a list that share the rounds of one run. */
export const batchSize = (value: string): number => integer('batch-size', value, 1, MAX_BATCH);

/** The name of a bound, which is told apart from bits. */
export const LEVEL_HELP =
  'of 3pc_malicious: 128, where a wrong run passes with at most 2^-46, or 256, the name of 2^-63, at twice the bytes of proofs and some more computing';
export const PROTOCOLS_HELP = 'what owners may ask for, with commas between';

/** @throws {TercetError} ERR_ARGUMENT, ERR_PROTOCOL_UNAVAILABLE for what this version lacks */
export function parseProtocols(value: string): ProtocolId[] {
  const named = list('protocols', value).map(protocolWithProofs);
  if (new Set(named).size < named.length)
    throw usage('--protocols names one twice', `for example --protocols ${PROTOCOLS.join(',')}`);
  return named;
}

/** `HOST:PORT`, IPv6 hosts in brackets. Port 0, where it is allowed, means any free one. */
export function parseAddress(name: string, value: string, lowest = 1): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:]+)):(\d{1,5})$/.exec(value);
  const port = Number(match?.[3]);
  if (match === null || port < lowest || port > 65535)
    throw usage(`--${name} expected HOST:PORT`, `for example --${name} 127.0.0.1:7001`);
  return { host: match[1] ?? match[2], port };
}

/**
 * `https://HOST[:PORT]`, `https://*.HOST` for all below it; plain `http:` only for this machine. It becomes part of
 * a page's policy, so nothing else may be in it.
 */
export const parseHubOrigin = (value: string): string =>
  origin('--hub-origins', value, 'for example --hub-origins https://huggingface.co --hub-origins "https://*.hf.co"');

/** The same for `--widget-hosts`. */
export const parseWidgetHost = (value: string): string =>
  origin('--widget-hosts', value, 'for example --widget-hosts https://news.example');

function origin(option: string, value: string, example: string): string {
  if (
    /^https:\/\/(\*\.)?[\w-]+(\.[\w-]+)*(:\d{1,5})?$/.test(value) ||
    (/^http:\/\/[\w.[\]:]+$/.test(value) && carriesTrust(value))
  )
    return value;
  throw usage(`${option} expected an origin`, example);
}

/** `1=…,2=…` */
export function both(name: string, list: string): [string, string] {
  const match = /^1=([^,]+),2=([^,]+)$/.exec(list);
  if (match === null) throw usage(`--${name} expected 1=…,2=…`, 'name both parties');
  return [match[1], match[2]];
}

/** `HEX`, or `HEX+HEX@TIME` while a party changes its key: the old one is accepted until then, the new one from now on. */
export function parsePin(text: string): Exclude<Pin, string> | undefined {
  const [, identity, next, until] = /^([0-9a-f]{64})(?:\+([0-9a-f]{64})@([\dT:.Z+-]{4,40}))?$/.exec(text) ?? [];
  if (identity === undefined || identity === next || (until !== undefined && !(Date.parse(until) > 0)))
    return undefined;
  return next === undefined ? { identity } : { identity, next: { identity: next, until } };
}

/** `1=PIN,2=PIN`: what the two compute parties must prove. */
export function parseIdentities(name: string, list: string): [Exclude<Pin, string>, Exclude<Pin, string>] {
  const [one, two] = both(name, list).map(parsePin);
  if (one === undefined || two === undefined)
    throw usage(
      `--${name} expected 1=HEX,2=HEX of 64 lower-case digits, or OLD+NEW@TIME for a HEX`,
      'tercet identity prints that of a party',
    );
  const identities: [Exclude<Pin, string>, Exclude<Pin, string>] = [one, two];
  if (identitiesOf(one).some((key) => identitiesOf(two).includes(key)))
    throw usage(
      `--${name} names one identity for both parties`,
      'a party in both places would read the text: ask both operators',
    );
  return identities;
}

/** @throws {TercetError} ERR_ARGUMENT unless it is the identity of a dealer */
export function checkDealerIdentity(flag: string, value: string): void {
  if (!isPublicKey(value))
    throw usage(`${flag} expected 64 lower-case hex digits`, 'tercet identity --dealer prints them');
}

/**
 * What a dealer must prove, and that it is none of the compute parties.
 * @param parties their identities, as `--identities` has them
 */
export function parseDealerIdentity(value: string, parties: string | undefined): string {
  checkDealerIdentity('--dealer-identity', value);
  if (parties?.includes(value) === true)
    throw usage(
      '--dealer-identity is the identity of a compute party',
      'a compute party that deals would read the text: name a dealer that computes nothing',
    );
  return value;
}

/** The PEM text in a file that a flag names. */
export async function pem(name: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new TercetError('ERR_ARGUMENT', `the file given by --${name} cannot be read`, 'check the path', { cause });
  }
}

/** The same of a key, which is nobody else's. @throws {TercetError} ERR_INSECURE */
export async function keyPem(name: string, path: string): Promise<string> {
  const text = await pem(name, path);
  await checkPrivate(`--${name}`, path);
  return text;
}

/** The two files of `--NAME-cert` and `--NAME-key`, if they were given. */
export async function tlsFiles(
  name: string,
  cert: string | undefined,
  key: string | undefined,
): Promise<{ cert: string; key: string } | undefined> {
  if ((cert === undefined) !== (key === undefined))
    throw usage(`--${name}-cert and --${name}-key belong together`, 'give both');
  if (cert === undefined || key === undefined) return undefined;
  return { cert: await pem(`${name}-cert`, cert), key: await keyPem(`${name}-key`, key) };
}

export const METRICS_HELP = 'HOST:PORT of /metrics, /livez and /readyz, for operators (default: nowhere)';

/** Said wherever a dealer is chosen. */
export const DEALER_TRUST =
  'No two of the three servers may collude: the dealer alone learns nothing, the dealer and either compute party together learn the text, and secret weights too';

/** How gadgets are chosen for a model whose weights alone prove no ranges. */
export const RANGES_HELP =
  'auto: gadgets by what samples need; wide: the widest, which refuse fewer texts and cost more';

export interface ModelFlags {
  readonly model?: string | undefined;
  readonly randomWeights?: string | undefined;
  readonly architecture?: string | undefined;
}

/**
 * A folder that is there, or else `org/name` on the hub; with `#task` behind it, for that task, where its files
 * leave it open or need no head.
 */
export function namedModel(name: string): ModelLocation {
  const [, bare, task] = existsSync(name) ? [] : (/^(.+)#([a-z-]+)$/.exec(name) ?? []);
  if (bare !== undefined) return withTask(namedModel(bare), parseTask(task));
  return isHubId(name) && !existsSync(name) ? { kind: 'hub', id: name } : { kind: 'folder', path: name };
}

/** The same model for a task. */
export function withTask(location: ModelLocation, task: Task): ModelLocation {
  return location.kind === 'random' ? location : { ...location, task };
}

/** A folder, a model on the hub, seeded random weights with a configuration, or the embedded model of the task. */
export function modelLocation(flags: ModelFlags, task: Task): ModelLocation {
  if (flags.randomWeights !== undefined) {
    if (flags.model !== undefined) throw usage('--model and --random-weights exclude each other', 'give one of them');
    if (flags.architecture === undefined)
      throw usage('--random-weights needs --architecture', 'give the path of a config.json');
    return {
      kind: 'random',
      seed: integer('random-weights', flags.randomWeights, 0, 2 ** 32 - 1),
      configPath: flags.architecture,
    };
  }
  if (flags.architecture !== undefined)
    throw usage('--architecture belongs to --random-weights', 'a model folder has its own config.json');
  return flags.model === undefined ? { kind: 'folder', path: embeddedModel(task) } : namedModel(flags.model);
}
