/** Whether the compute parties are there, as their own health endpoints say. Nothing about a text is sent. */
import { TercetError, asTercetError } from '../core/errors.ts';
import { endpointUrl } from '../net/signalling/client.ts';
import { downloadJson } from './download.ts';
import type { Environment } from './environment.ts';
import type { Deployment, PartyHealth } from './types.ts';

const TIMEOUT_MS = 4_000;

export async function partiesHealth(deployment: Deployment, environment: Environment): Promise<readonly [PartyHealth, PartyHealth]> {
  return Promise.all([one(1, deployment, environment), one(2, deployment, environment)]);
}

async function one(party: 1 | 2, deployment: Deployment, environment: Environment): Promise<PartyHealth> {
  const { url, identity } = deployment.parties[party - 1];
  const start = environment.now();
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const [{ json, milliseconds }, full] = await Promise.all([
      downloadJson(endpointUrl(url, party, '/v1/party').href, 'its description', { fetch: environment.fetch, signal }).then(({ json }) => ({
        json,
        milliseconds: environment.now() - start,
      })),
      isFull(party, url, environment, signal),
    ]);
    const { identity: shown, device, version } = json as { readonly identity?: unknown; readonly device?: unknown; readonly version?: unknown };
    if (shown !== identity)
      throw new TercetError('ERR_IDENTITY_KEY', `party ${party} shows another identity`, 'do not continue; compare it with the operator', { party });
    return {
      party,
      ok: true,
      full,
      milliseconds,
      ...(typeof device === 'string' ? { device: device.slice(0, 60) } : {}),
      ...(typeof version === 'string' ? { version: version.slice(0, 60) } : {}),
    };
  } catch (error) {
    return { party, ok: false, error: unreachable(party, asTercetError(error)) };
  }
}

/** 503 is how it says so, also through a proxy that keeps nothing of its words. A party that does not say is not full: the next run will tell. */
async function isFull(party: 1 | 2, url: string, environment: Environment, signal: AbortSignal): Promise<boolean> {
  const response = await environment.fetch(endpointUrl(url, party, '/v1/health').href, { signal }).catch(() => undefined);
  await response?.body?.cancel().catch(() => undefined);
  return response?.status === 503;
}

/** A party that gives no description is not there, whatever came in its place. */
function unreachable(party: 1 | 2, error: TercetError): TercetError {
  if (error.code !== 'ERR_DOWNLOAD') return error;
  return new TercetError('ERR_PEER_UNREACHABLE', `party ${party} does not answer: ${error.message}`, 'ask its operator whether it is up', {
    cause: error,
    party,
  });
}
