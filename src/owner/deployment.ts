/**
 * The deployment document: who the parties are, what they must prove, and which models they serve. Checked field by
 * field before it is believed.
 */
import { carriesTrust } from '../core/address.ts';
import { TercetError } from '../core/errors.ts';
import { isCommit, isHubId } from '../hub/id.ts';
import { type DownloadOptions, MAX_BYTES, downloadJson } from './download.ts';
import { MODEL_TASKS } from '../ml/tasks/table.ts';
import type { Deployment, HubPlace, ModelEntry, PartyAddress, PinnedFile, Task, Weights } from './types/index.ts';

export const DEPLOYMENT_FILE = 'tercet.json';

type Json = Readonly<Record<string, unknown>>;

const HEX64 = /^[0-9a-f]{64}$/;
/** A name, or `org/name` as on a hub. */
const ID = /^(?!.*\.\.)[\w][\w.-]{0,99}(\/[\w][\w.-]{0,99})?$/;
/** A name, or one in a folder: `1_Pooling/config.json`. */
const FILE = /^[\w-][\w.-]{0,100}(\/[\w-][\w.-]{0,100})?$/;

export interface LoadedDeployment {
  readonly deployment: Deployment;
  /** What relative addresses in it are relative to. */
  readonly base: string;
  readonly bytes: number;
}

/**
 * @param source the document, or its address; relative ones are resolved against `base`.
 * @throws {TercetError} ERR_INSECURE for an address where anybody on the way could change the identities in it;
 * ERR_DOWNLOAD, also where it redirects; ERR_MODEL_CONFIG naming the field that is wrong.
 */
export async function loadDeployment(
  source: Deployment | string | URL,
  base: string,
  options: DownloadOptions,
): Promise<LoadedDeployment> {
  if (typeof source === 'object' && !(source instanceof URL))
    return { deployment: parseDeployment(source), base, bytes: 0 };
  if (!URL.canParse(source, base))
    throw new TercetError(
      'ERR_ARGUMENT',
      'the deployment is no address',
      "give for example 'https://page.example/tercet.json'",
    );
  const url = new URL(source, base).href;
  // SECURITY: the identities that parties must prove come from here. test/sdk/deployment.test.ts.
  if (!carriesTrust(url)) {
    throw new TercetError(
      'ERR_INSECURE',
      `${DEPLOYMENT_FILE} would come over a connection that anybody on the way can change`,
      'serve it at an https: address (http: only on this machine)',
    );
  }
  const { json, bytes } = await downloadJson(url, DEPLOYMENT_FILE, options);
  return { deployment: parseDeployment(json), base: url, bytes };
}

export function parseDeployment(json: unknown): Deployment {
  const document = record(json, 'the document');
  if (document['version'] !== 1) throw wrong('version', 'expected 1');
  const parties = list(document['parties'], 'parties');
  if (parties.length !== 2) throw wrong('parties', 'expected two');
  const iceServers = document['iceServers'] === undefined ? [] : list(document['iceServers'], 'iceServers');
  const [one, two] = [party(parties[0], 'parties[0]'), party(parties[1], 'parties[1]')];
  // One party in both places holds both keys of every pair: it reads the text.
  if (one.identity === two.identity)
    throw wrong('parties[1].identity', 'expected another identity than that of parties[0]');
  if (placeOf(one) === placeOf(two)) throw wrong('parties[1].url', 'expected another address than that of parties[0]');
  return {
    version: 1,
    parties: [one, two],
    models: text(document['models'], 'models'),
    entries: list(document['entries'], 'entries').map((entry, i) => modelEntry(entry, `entries[${i}]`)),
    iceServers: iceServers.map((server, i) => iceServer(server, `iceServers[${i}]`)),
  };
}

function party(json: unknown, where: string): PartyAddress {
  const fields = record(json, where);
  const url = text(fields['url'], `${where}.url`);
  if (!carriesTrust(url)) throw wrong(`${where}.url`, 'expected an https: address (http: only for this machine)');
  const identity = text(fields['identity'], `${where}.identity`);
  if (!HEX64.test(identity)) throw wrong(`${where}.identity`, 'expected 64 hex digits');
  return { url, identity, ...optional(fields, 'operator', where), ...optional(fields, 'place', where) };
}

/** What an address comes down to: what links are opened below. */
function placeOf({ url }: PartyAddress): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replace(/\/+$/, '')}`;
}

function modelEntry(json: unknown, where: string): ModelEntry {
  const fields = record(json, where);
  const id = text(fields['id'], `${where}.id`);
  if (!ID.test(id)) throw wrong(`${where}.id`, 'expected letters, digits, dots and dashes, or org/name');
  const task = MODEL_TASKS.find((known) => known === fields['task']);
  if (task === undefined) throw wrong(`${where}.task`, `expected ${MODEL_TASKS.join(' or ')}`);
  const hashes = record(fields['weights'], `${where}.weights`);
  const weights: Partial<Record<Weights, string>> = {};
  for (const mode of ['open', 'secret'] as const) {
    const hash = hashes[mode];
    if (hash === undefined) continue;
    if (typeof hash !== 'string' || !HEX64.test(hash))
      throw wrong(`${where}.weights.${mode}`, 'expected 64 hex digits');
    weights[mode] = hash;
  }
  return {
    id,
    task,
    title: text(fields['title'], `${where}.title`),
    weights,
    files: Object.fromEntries(
      Object.entries(record(fields['files'], `${where}.files`)).map(([name, pin]) => [name, pinned(name, pin, where)]),
    ),
    examples: list(fields['examples'], `${where}.examples`).map((example, i) =>
      exampleOf(example, task, `${where}.examples[${i}]`),
    ),
    ...(fields['hub'] === undefined ? {} : { hub: hubPlace(fields['hub'], `${where}.hub`) }),
  };
}

function hubPlace(json: unknown, where: string): HubPlace {
  const fields = record(json, where);
  const [repository, commit] = [
    text(fields['repository'], `${where}.repository`),
    text(fields['commit'], `${where}.commit`),
  ];
  if (!isHubId(repository) || repository.includes('@')) throw wrong(`${where}.repository`, 'expected org/name');
  if (!isCommit(commit)) throw wrong(`${where}.commit`, 'expected 40 hex digits');
  return { repository, commit };
}

/** A question belongs to question answering, and there every example has one. */
function exampleOf(json: unknown, task: Task, where: string): ModelEntry['examples'][number] {
  const fields = record(json, where);
  const example = { label: text(fields['label'], `${where}.label`), text: text(fields['text'], `${where}.text`) };
  if (task === 'question-answering') return { ...example, question: text(fields['question'], `${where}.question`) };
  if (fields['question'] !== undefined) throw wrong(`${where}.question`, `expected none for ${task}`);
  return example;
}

function pinned(name: string, json: unknown, where: string): PinnedFile {
  const fields = record(json, `${where}.files`);
  const { sha256, bytes } = fields;
  if (!FILE.test(name)) throw wrong(`${where}.files`, 'has a name that is no plain file name');
  // Written by a version that handed the seeds of secret weights to everybody.
  if (name === 'owner.seeds')
    throw wrong(
      `${where}.files`,
      'lists owner.seeds, which opens the weights to everybody who asks: share the model again',
    );
  if (typeof sha256 !== 'string' || !HEX64.test(sha256))
    throw wrong(`${where}.files.${name}.sha256`, 'expected 64 hex digits');
  if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0 || bytes > MAX_BYTES)
    throw wrong(`${where}.files.${name}.bytes`, `expected a number of bytes up to ${MAX_BYTES}`);
  return { sha256, bytes };
}

function iceServer(json: unknown, where: string): RTCIceServer {
  const fields = record(json, where);
  const urls = fields['urls'];
  const all = Array.isArray(urls) ? urls : [urls];
  if (!all.every((url) => typeof url === 'string' && /^(stun|turns?):/.test(url)))
    throw wrong(`${where}.urls`, 'expected stun: or turn: addresses');
  return { urls: all as string[], ...optional(fields, 'username', where), ...optional(fields, 'credential', where) };
}

function optional<K extends string>(fields: Json, key: K, where: string): { readonly [P in K]?: string } {
  return fields[key] === undefined
    ? {}
    : ({ [key]: text(fields[key], `${where}.${key}`) } as { readonly [P in K]?: string });
}

function record(json: unknown, where: string): Json {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrong(where, 'expected an object');
  return json as Json;
}

function list(json: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(json) || json.length > 1000) throw wrong(where, 'expected a list');
  return json;
}

function text(json: unknown, where: string): string {
  if (typeof json !== 'string' || json.length > 2000) throw wrong(where, 'expected a text');
  return json;
}

function wrong(where: string, what: string): TercetError {
  return new TercetError(
    'ERR_MODEL_CONFIG',
    `${DEPLOYMENT_FILE}: ${where}: ${what}`,
    'take the document that `tercet site` writes',
  );
}
