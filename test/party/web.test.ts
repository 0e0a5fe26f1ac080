/** A party behind its gateway serves the request that its handshake signed, and no other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIdentity } from '../../src/net/identity/identity.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import { openOwnerLink } from '../../src/net/gateway/owner-link.ts';
import { releaseWebRtc } from '../../src/net/webrtc/node.ts';
import { Budgets, defaultLimits } from '../../src/daemon/budgets.ts';
import { toHex } from '../../src/core/bytes.ts';
import { linkName } from '../../src/session/binding.ts';
import { Sessions } from '../../src/daemon/sessions.ts';
import { type WebAddress, serveBrowsers } from '../../src/daemon/web.ts';
import { recvControl, sendControl } from '../../src/session/control.ts';
import { type Request, SESSION_VERSION, requestCode } from '../../src/session/request.ts';
import { failure } from '../failure.ts';
import { NodeWebSocket } from '../net/owner-links.ts';
import { MODEL, REQUEST, kernels } from '../session/harness.ts';

const failures: unknown[] = [];
const stop = new AbortController();
let served: { readonly address: WebAddress; close(): Promise<void> };
let sessions: Sessions;

beforeAll(async () => {
  const other = { ...MODEL, name: 'other', hash: 'ef'.repeat(32) };
  const models = [MODEL, other];
  // The other compute party: a link that stays open and says nothing.
  const connectPeer = async () => memoryPair(1, 2, { timeoutMs: 10_000 })[0];
  const budgets = new Budgets(1, defaultLimits(4e9));
  sessions = new Sessions({
    id: 1,
    models,
    kernels,
    signal: stop.signal,
    maxSessions: 8,
    budgets,
    connectPeer,
    onFailure: (error) => failures.push(error),
  });
  const options = { identity: await createIdentity(), host: '127.0.0.1', port: 0, origins: [], iceServers: [] };
  served = await serveBrowsers(1, options, {
    models,
    kernels,
    sessions,
    protocols: ['3pc_semi_honest'],
    recvTimeoutMs: 10_000,
    onRefused: (error) => failures.push(error),
  });
});
afterAll(async () => {
  stop.abort();
  await served.close();
  await sessions.idle();
  await releaseWebRtc();
});

/** Signs for one request and asks for another; what the party says to that. */
async function ask(signed: Request, asked: Request): Promise<unknown> {
  const link = await openOwnerLink({
    party: 1,
    address: served.address,
    session: crypto.getRandomValues(new Uint8Array(16)),
    modelHash: signed.model as string,
    requestCode: requestCode(signed),
    transport: 'websocket',
    WebSocket: NodeWebSocket,
  });
  try {
    const links = { '1': toHex(linkName(link.pairKey)), '2': '00'.repeat(32) };
    await sendControl(link.channel, 'request', {
      version: SESSION_VERSION,
      ...asked,
      model: asked.model ?? null,
      links,
    });
    return await recvControl(link.channel, 'offer');
  } finally {
    link.channel.abort(new Error('seen enough'));
  }
}

describe('a request over a browser’s link', () => {
  it('is served as it was signed: the control', async () => {
    await expect(ask(REQUEST, { ...REQUEST })).resolves.toBeDefined();
    const party = await (await fetch(`${served.address.url}/v1/party`)).json();
    expect(party).toMatchObject({ protocols: ['3pc_semi_honest'] });
  });

  it('that is beyond the limit of a session is refused by the handshake: no link, no session, and the owner is told what to do', async () => {
    const refused = await failure('ERR_TOO_LARGE', () => ask({ ...REQUEST, sequences: 100_000 }, REQUEST));
    expect(refused).toMatchObject({ party: 1, hint: 'shorten the text or split the batch' });
  });

  it.each<[string, Partial<Request>]>([
    ['more tokens', { tokens: 9 }],
    ['more masks', { rows: 2 }],
    ['without padding', { padded: false }],
    ['another of the party’s models', { model: 'ef'.repeat(32) }],
  ])('that asks for something else than was signed is refused with ERR_PEER_MISMATCH: %s', async (_what, change) => {
    await failure('ERR_PEER_MISMATCH', () => ask(REQUEST, { ...REQUEST, ...change }));
  });
});
