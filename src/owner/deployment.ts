/**
 * The deployment document: who the parties are, what they must prove, and which models they serve. Checked field by
 * field before it is believed.
 */
import { carriesTrust } from '../core/address.ts';
import { TercetError } from '../core/errors.ts';
import {
  type Refusal,
  type Schema,
  count,
  hex,
  list,
  named,
  object,
  oneOf,
  optional,
  readJson,
  refused,
  text,
  textThat,
} from '../core/json.ts';
import { isCommit, isHubId } from '../hub/id.ts';
import { identitiesOf } from '../net/identity/pin.ts';
import { type DownloadOptions, MAX_BYTES, downloadJson } from './download.ts';
import { MODEL_TASKS } from '../ml/tasks/table.ts';
import { MOST_TEXT_CHARACTERS } from '../ml/text.ts';
import type { Deployment, PartyAddress, Task } from './types/index.ts';

export const DEPLOYMENT_FILE = 'tercet.json';

/** A name, or `org/name` as on a hub. */
const ID = /^(?!.*\.\.)[\w][\w.-]{0,99}(\/[\w][\w.-]{0,99})?$/;
/** A name, or one in a folder: `1_Pooling/config.json`. */
const FILE = /^[\w-][\w.-]{0,100}(\/[\w-][\w.-]{0,100})?$/;
const ADDRESS = 'expected an https: address (http: only for this machine)';

const MOST = 1000;
const MOST_WORDS = 2000;
const WORDS = text(MOST_WORDS);
const HASH = hex(32);

const PARTY = object({
  url: textThat((url) => url.length <= MOST_WORDS && carriesTrust(url), ADDRESS),
  identity: HASH,
  next: optional(object({ identity: HASH, until: textThat((time) => Date.parse(time) > 0, 'expected a time') })),
  operator: optional(WORDS),
  place: optional(WORDS),
});

const HUB = object({
  repository: textThat((name) => isHubId(name) && !name.includes('@'), 'expected org/name'),
  commit: textThat(isCommit, 'expected 40 hex digits'),
});

const ENTRY = object({
  id: textThat((id) => ID.test(id), 'expected letters, digits, dots and dashes, or org/name'),
  task: oneOf(MODEL_TASKS),
  title: WORDS,
  weights: object({ open: optional(HASH), secret: optional(HASH) }),
  files: named(
    object({ sha256: HASH, bytes: count(MAX_BYTES, `expected a number of bytes up to ${MAX_BYTES}`) }),
    MOST,
    wrongName,
  ),
  examples: list(object({ label: WORDS, text: WORDS, question: optional(WORDS) }), MOST),
  hub: optional(HUB),
});

const ICE_ADDRESSES: Schema<string[]> = list(
  textThat((url) => /^(stun|turns?):/.test(url), 'expected stun: or turn: addresses'),
  MOST,
);
const ICE_SERVER = object({
  // One address, or several.
  urls: (urls, at) => ICE_ADDRESSES(Array.isArray(urls) ? urls : [urls], at),
  username: optional(WORDS),
  credential: optional(WORDS),
});

const DOCUMENT = object({
  version: oneOf([1]),
  parties: list(PARTY, 2, 2, 'expected two'),
  dealer: optional(PARTY),
  models: WORDS,
  entries: list(ENTRY, MOST),
  iceServers: optional(list(ICE_SERVER, MOST)),
  maxCharacters: optional(count(MOST_TEXT_CHARACTERS)),
});

const REFUSAL: Refusal = {
  code: 'ERR_MODEL_CONFIG',
  what: DEPLOYMENT_FILE,
  hint: 'take the document that `tercet site` writes',
};

export interface LoadedDeployment {
  readonly deployment: Deployment;
  /** What relative addresses in it are relative to. */
  readonly base: string;
  readonly bytes: number;
}

/**
 * @param source the document, or its address; relative ones are resolved against `base`.
 * @throws {TercetError} ERR_ARGUMENT for what is no whole address; ERR_INSECURE for one where anybody on the way could
 * change the identities in it; ERR_DOWNLOAD, also where it redirects; ERR_MODEL_CONFIG naming the field that is wrong.
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
      "give a whole one, for example 'https://page.example/tercet.json': a program has no page to add",
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
  const document = readJson(DOCUMENT, json, REFUSAL);
  const [one, two] = document.parties;
  // One party in both places holds both keys of every pair: it reads the text.
  const same = (a: PartyAddress, b: PartyAddress) => identitiesOf(a).some((key) => identitiesOf(b).includes(key));
  if (same(one, two))
    throw refused(REFUSAL, 'parties[1].identity', 'expected another identity than that of parties[0]');
  if (placeOf(one) === placeOf(two))
    throw refused(REFUSAL, 'parties[1].url', 'expected another address than that of parties[0]');
  const { dealer } = document;
  for (const [i, party] of document.parties.entries()) {
    // A dealer holds the keys of both pairs: with what one party sees it reads the text.
    if (dealer !== undefined && same(dealer, party))
      throw refused(REFUSAL, 'dealer.identity', `expected another identity than that of parties[${i}]`);
    if (dealer !== undefined && placeOf(dealer) === placeOf(party))
      throw refused(REFUSAL, 'dealer.url', `expected another address than that of parties[${i}]`);
  }
  for (const [i, { task, examples }] of document.entries.entries())
    for (const [j, { question }] of examples.entries())
      checkQuestion(task, question, `entries[${i}].examples[${j}].question`);
  return { ...document, parties: [one, two], iceServers: document.iceServers ?? [] };
}

/** What an address comes down to: what links are opened below. */
function placeOf({ url }: PartyAddress): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replace(/\/+$/, '')}`;
}

/** A question belongs to question answering, and there every example has one. */
function checkQuestion(task: Task, question: string | undefined, where: string): void {
  if ((task === 'question-answering') === (question !== undefined)) return;
  throw refused(REFUSAL, where, question === undefined ? 'expected a text' : `expected none for ${task}`);
}

/** What is wrong with the name of a public file, if anything is. */
function wrongName(name: string): string | undefined {
  if (!FILE.test(name)) return 'has a name that is no plain file name';
  // Written by a version that handed the seeds of secret weights to everybody.
  if (name === 'owner.seeds')
    return 'lists owner.seeds, which opens the weights to everybody who asks: share the model again';
  return undefined;
}
