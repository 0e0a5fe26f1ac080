/** Whether the compute parties and a chosen dealer are there, as their own health endpoints say. Nothing about a text is sent. */
import { TercetError, asTercetError } from '../core/errors.ts';
import { type Refusal, type Schema, object, oneOf, parseJson, readJson } from '../core/json.ts';
import { serverWords } from '../net/identity/identity-errors.ts';
import { acceptedOf } from '../net/identity/pin.ts';
import { endpointUrl } from '../net/signalling/client.ts';
import { downloadJson } from './download.ts';
import type { Environment } from './environment.ts';
import type { Deployment, PartyAddress, PartyHealth, ServersHealth } from './types/index.ts';

const TIMEOUT_MS = 4_000;
const MAX_HEALTH = 4096;
/** A party's own words, cut; what is no text says nothing. */
const said: Schema<string | undefined> = (value) => (typeof value === 'string' ? value.slice(0, 60) : undefined);
// What identity it shows is compared, not read.
const names: Schema<readonly string[] | undefined> = (value, at) =>
  Array.isArray(value) ? value.slice(0, 8).flatMap((name) => said(name, at) ?? []) : undefined;
const DESCRIPTION = object({ identity: (value) => value, device: said, version: said, protocols: names });
const LOAD = object({ status: oneOf(['free', 'busy', 'full']) });
const REFUSAL: Refusal = {
  code: 'ERR_DOWNLOAD',
  what: 'its description',
  hint: 'check that the address belongs to a Tercet party of the same version',
};
const OMIT = { credentials: 'omit', cache: 'no-store', redirect: 'error', referrerPolicy: 'no-referrer' } as const;

export async function serversHealth(
  { parties }: Deployment,
  dealer: PartyAddress | undefined,
  environment: Environment,
): Promise<ServersHealth> {
  const ask = (party: 1 | 2 | 3, address: PartyAddress) => healthOf(party, address, environment);
  const both = [ask(1, parties[0]), ask(2, parties[1])] as const;
  return dealer === undefined ? Promise.all(both) : Promise.all([...both, ask(3, dealer)]);
}

async function healthOf(party: 1 | 2 | 3, address: PartyAddress, environment: Environment): Promise<PartyHealth> {
  const start = environment.now();
  const { url } = address;
  try {
    const [{ json, milliseconds }, load] = await Promise.all([
      downloadJson(endpointUrl(url, party, '/v1/party').href, 'its description', {
        fetch: environment.fetch,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }).then(({ json }) => ({ json, milliseconds: environment.now() - start })),
      loadOf(party, url, environment),
    ]);
    const { identity: shown, device, version, protocols } = readJson(DESCRIPTION, json, REFUSAL);
    if (!(acceptedOf(address) as readonly unknown[]).includes(shown))
      throw new TercetError(
        'ERR_IDENTITY_KEY',
        `${serverWords(party)} shows another identity`,
        'do not continue; compare it with the operator',
        { party },
      );
    return {
      party,
      ok: true,
      milliseconds,
      device,
      version,
      protocols,
      load,
    };
  } catch (error) {
    return { party, ok: false, error: unreachable(party, asTercetError(error)) };
  }
}

/**
 * Whether it has a place for a run; 503 says "full" also through a proxy that keeps nothing of its words. A party
 * that does not say is not worse for it: the next run will tell.
 */
async function loadOf(party: 1 | 2 | 3, url: string, environment: Environment): Promise<PartyHealth['load']> {
  try {
    const address = endpointUrl(url, party, '/v1/health').href;
    const response = await environment.fetch(address, { ...OMIT, signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (response.status === 503) return 'full';
    return parseJson(LOAD, (await response.text()).slice(0, MAX_HEALTH), REFUSAL).status;
  } catch {
    return undefined;
  }
}

/** A party that gives no description is not there, whatever came in its place. */
function unreachable(party: 1 | 2 | 3, error: TercetError): TercetError {
  if (error.code !== 'ERR_DOWNLOAD') return error;
  return new TercetError(
    'ERR_PEER_UNREACHABLE',
    `${serverWords(party)} does not answer: ${error.message}`,
    'ask its operator whether it is up',
    {
      cause: error,
      party,
    },
  );
}
