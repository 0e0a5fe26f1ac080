/**
 * A dealer as a daemon, before strangers: what the compute parties' own tests ask of them (provenance, budgets,
 * places, crowd) holds for it too. One world for all: whatever is done to it, it deals for the next owner.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { lostError } from '../../src/compute/kernels/webgpu/fault.ts';
import { WasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { sleep } from '../../src/core/abort.ts';
import { ERROR_CODES, TercetError } from '../../src/core/errors.ts';
import { isFinding } from '../../src/core/told.ts';
import { defaultLimits } from '../../src/daemon/budgets.ts';
import type { DaemonEnd } from '../../src/daemon/daemon.ts';
import { type PartyPlace, runDealer } from '../../src/daemon/dealer.ts';
import { loadServedModels } from '../../src/daemon/served-model.ts';
import { startGateway } from '../../src/net/gateway/gateway-node.ts';
import { openOwnerLink } from '../../src/net/gateway/owner-link.ts';
import { ensureIdentity, ensureOwnCertificate } from '../../src/net/identity/identity-node.ts';
import type { PartyIdentity } from '../../src/net/identity/identity.ts';
import type { WebSocketConstructor } from '../../src/net/websocket/link.ts';
import { nodeAnswerer, releaseWebRtc } from '../../src/net/webrtc/node.ts';
import type { Channel, EndId } from '../../src/net/wire/types.ts';
import { openModel } from '../../src/node/model.ts';
import { openTlsLink } from '../../src/node/tls-owner.ts';
import { Circuits } from '../../src/session/circuits.ts';
import { recvControl, sendControl } from '../../src/session/control.ts';
import { sendHandOver } from '../../src/session/dealing.ts';
import { ownerParameters } from '../../src/session/owner-parameters.ts';
import { OwnerSession } from '../../src/session/owner.ts';
import { priceOf } from '../../src/session/price.ts';
import { type Request, requestCode } from '../../src/session/request.ts';
import { failure } from '../failure.ts';
import { INPUT, MODEL, REQUEST } from '../session/harness.ts';
import { Parties, type RunningParty, randomSession } from './parties.ts';

const folder = mkdtempSync(join(tmpdir(), 'tercet-dealer-'));
const stop = new AbortController();
const failures: TercetError[] = [];
const at = { port: 0, url: '', watch: '' };
/** Where the compute parties are watched. */
const watched: string[] = [];
/** Where the dealer looks for the compute parties, at every dealing. */
const places: [PartyPlace, PartyPlace] = [{ url: '' }, { url: '' }];
let parties: Parties;
let identity: PartyIdentity;
let kernels: WasmKernels;
let end: Promise<DaemonEnd>;

beforeAll(async () => {
  parties = await Parties.start(() => ({
    watch: { host: '127.0.0.1', port: 0 },
    onWatch: (url) => watched.push(url),
  }));
  identity = await ensureIdentity(folder, 3);
  const { key, cert } = await ensureOwnCertificate(folder, 3);
  kernels = new WasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
  const { one, two } = parties;
  places[0] = { url: one.web.url };
  places[1] = { url: two.web.url };
  const { memory } = priceOf(MODEL.config, MODEL.plan, 'open', REQUEST);
  await new Promise<void>((onReady, reject) => {
    end = runDealer({
      ...{ host: '127.0.0.1', port: 0, identity, credentials: { own: { key, cert }, pins: {} } },
      parties: places,
      identities: [one.web.identity, two.web.identity],
      ...{ threads: 0, recvTimeoutMs: 20_000, maxSessions: 2, maxPerAddress: 2, signal: stop.signal },
      budgets: { memory: { session: 4 * memory, address: 1e9, total: 1e9 }, traffic: defaultLimits(8e9).traffic },
      web: { identity, host: '127.0.0.1', port: 0, origins: [], iceServers: [] },
      openKernels: async () => ({ kernels, summary: 'test', fallback: undefined, close: () => kernels.close() }),
      watch: { host: '127.0.0.1', port: 0 },
      onWatch: (url) => {
        at.watch = url;
      },
      onListening: (port) => {
        at.port = port;
      },
      onWeb: ({ url }) => {
        at.url = url;
      },
      onReady,
      onFailure: (error) => failures.push(error),
    });
    end.catch(reject);
  });
}, 60_000);

afterAll(async () => {
  stop.abort();
  await end;
  await parties.stop();
  await releaseWebRtc();
  rmSync(folder, { recursive: true });
});

const asked = (): Request => ({ ...parties.request, dealer: identity.publicKey });

/** A link of an owner to the dealer that has said nothing yet. */
async function stranger(
  session = randomSession(),
  request = asked(),
): Promise<{ channel: Channel; pairKey: Uint8Array }> {
  return openOwnerLink({
    party: 3,
    ...{ address: { url: at.url, identity: identity.publicKey }, session },
    ...{ modelHash: parties.model, requestCode: requestCode(request), transport: 'websocket' },
    WebSocket: WebSocket as unknown as WebSocketConstructor,
  });
}

/** An owner whose run is dealt. @throws what it fails with */
async function deals(): Promise<void> {
  const session = randomSession();
  const [one, two] = await Promise.all(([1, 2] as const).map((party) => parties.link(party, session, asked())));
  const dealer = await stranger(session);
  const { config } = await openModel(parties.location, { weights: false });
  const owner = await OwnerSession.open({
    ...{ config, request: asked(), session, kernels: parties.one.kernels },
    parameters: ownerParameters(config, undefined),
    channels: new Map<EndId, Channel>([
      [1, one.channel],
      [2, two.channel],
      [3, dealer.channel],
    ]),
    pairKeys: [one.pairKey, two.pairKey],
    now: () => performance.now(),
    peakMemory: () => 0,
  });
  await owner.prepare();
  expect((await owner.run(INPUT)).logits).toHaveLength(config.vocabSize);
}

const failed = (code: string) => ({ failed: { code, message: 'bye', hint: 'x' } });

/** A compute party that lies: to whoever deals it says, in its own name, that it failed with a code. */
async function liar(party: RunningParty, code: () => string) {
  return startGateway({
    ...{ party: party.id, identity: party.identity, host: '127.0.0.1', port: 0, origins: [] },
    describe: () => ({ version: '0', device: 'none', models: [] }),
    health: () => ({ ok: true, status: 'ready' }),
    admit: () => undefined,
    dealerOf: () => identity.publicKey,
    answerer: nodeAnswerer({ bindAddress: '127.0.0.1', ports: undefined, iceServers: [] }),
    recvTimeoutMs: 5_000,
    onOwner: ({ channel }) => void sendControl(channel, 'dealt', failed(code())).catch(() => undefined),
    onRefused: () => undefined,
  });
}

it('a dealer counts what it deals, by party and phase, and answers whoever watches it', async () => {
  const metrics = async (base = at.watch) => (await fetch(`${base}/metrics`)).text();
  const ahead = async (base: string, direction: string, party: number) => {
    const sample = `mpc_link_bytes_total{direction="${direction}",party="${party}",phase="ahead"} `;
    const line = (await metrics(base)).split('\n').find((each) => each.startsWith(sample));
    return Number(line?.slice(sample.length) ?? 0);
  };
  const dealt = async () => [await ahead(at.watch, 'sent', 1), await ahead(at.watch, 'sent', 2)];
  const taken = async () => [await ahead(watched[0], 'received', 3), await ahead(watched[1], 'received', 3)];
  const before = [...(await dealt()), ...(await taken())];
  await deals();
  const [{ config, plan }] = await loadServedModels(1, [{ weights: 'open', model: parties.location }], kernels);
  const { cost } = (await new Circuits().get(config, plan, asked(), 0)).circuit;
  expect(cost.p0ToP2Ahead).toBeGreaterThan(0);
  await expect
    .poll(async () => [...(await dealt()), ...(await taken())], { timeout: 20_000 })
    .toEqual(
      [cost.p0ToP1Ahead, cost.p0ToP2Ahead, cost.p0ToP1Ahead, cost.p0ToP2Ahead].map((bytes, i) => before[i] + bytes),
    );
  await expect.poll(() => metrics(), { timeout: 20_000 }).toMatch(/^mpc_sessions_total\{outcome="answered"\} [1-9]/m);
  expect(await metrics()).toMatch(/^mpc_places\{state="max"\} 2$/m);
  for (const path of ['livez', 'readyz']) expect((await fetch(`${at.watch}/${path}`)).status).toBe(200);
});

describe('a dealer deals for the next owner', () => {
  it('after one has reported every code there is, none of which becomes its own fault', {
    timeout: 180_000,
  }, async () => {
    await deals();
    for (const code of ERROR_CODES) {
      const { channel } = await stranger();
      await sendControl(channel, 'hand-over', failed(code));
      await channel.ended;
      // A gateway takes so many new links a second.
      await sleep(100);
    }
    expect(failures).toHaveLength(ERROR_CODES.length);
    for (const { kind } of failures) expect(['peer', 'io']).toContain(kind);
    await deals();
  });

  it('after a compute party has failed with what would end a process, in words of a table', async () => {
    const { kernels: theirs } = parties.one;
    const scope = theirs.scope.bind(theirs);
    const fault = new TercetError('ERR_DEVICE_LOST', 'for this session alone', 'x');
    theirs.scope = () => Object.assign(scope(), { selectionTable: () => Promise.reject(fault) });
    const { message } = await failure('ERR_PEER_FAILED', deals);
    expect(message).not.toContain('for this session alone');
    theirs.scope = scope;
    await deals();
  });

  it('after both compute parties have reported every code there is, none of which becomes its own fault', {
    timeout: 180_000,
  }, async () => {
    const honest = [...places] as const;
    let said = '';
    const liars = [await liar(parties.one, () => said), await liar(parties.two, () => said)] as const;
    const { config, plan } = MODEL;
    const { hash } = await new Circuits().get(config, plan, asked(), 0);
    const before = failures.length;
    try {
      for (const [i, { url }] of liars.entries()) places[i] = { url };
      for (const code of ERROR_CODES) {
        said = code;
        const { channel } = await stranger();
        const secrets = { keys: [new Uint8Array(32), new Uint8Array(32)] as const, seeds: undefined };
        await sendHandOver(channel, { request: asked(), config, plan, circuit: hash }, secrets);
        const error: unknown = await recvControl(channel, 'dealt').catch((thrown: unknown) => thrown);
        expect(error, code).toBeInstanceOf(TercetError);
        await channel.ended;
        await sleep(100);
      }
    } finally {
      for (const [i, place] of honest.entries()) places[i] = place;
      for (const one of liars) await one.close();
    }
    const theirs = failures.slice(before);
    expect(theirs).toHaveLength(ERROR_CODES.length);
    for (const error of theirs) {
      // The liar's own words, or that it speaks of another.
      expect(error.message).toMatch(/bye|says party/);
      expect(['peer', 'io']).toContain(error.kind);
      expect(isFinding(error)).toBe(false);
      expect([1, 2]).toContain(error.party);
    }
    await deals();
  });

  it('while silent owners hold all its places: who waited longest gives way', async () => {
    const silent = [await stranger(), await stranger()];
    await sleep(2100);
    await deals();
    expect(failures.map(({ code }) => code)).toContain('ERR_PEER_LET_GO');
    for (const { channel } of silent) channel.abort(new TercetError('ERR_ABORTED', 'the test is over', 'x'));
  });

  it('while more silent connections than it takes stand at its port', async () => {
    const sockets: Socket[] = [];
    for (let i = 0; i < 72; i++) {
      const socket = connect(at.port, '127.0.0.1');
      socket.on('error', () => undefined);
      sockets.push(socket);
      await once(socket, 'connect');
    }
    const credentials = { pins: { 3: identity.publicKey } } as const;
    const address = { host: '127.0.0.1', port: at.port };
    const link = await openTlsLink(
      { addresses: [address, address], dealer: address, credentials },
      {
        ...{ party: 3, session: randomSession(), modelHash: parties.model, requestCode: requestCode(asked()) },
        ...{ credential: undefined, signal: stop.signal },
      },
    );
    link.channel.abort(new TercetError('ERR_ABORTED', 'that was all', 'x'));
    for (const socket of sockets) socket.destroy();
    await deals();
  });

  it('and goes to nobody for a run beyond its budgets', async () => {
    const request = { ...asked(), sequences: 64 };
    const { channel } = await stranger(randomSession(), request);
    const keys = [new Uint8Array(32), new Uint8Array(32)] as const;
    const secrets = { keys, seeds: undefined };
    // Beyond any other circuit: were it priced later, this would be another error.
    await sendHandOver(channel, { request, config: MODEL.config, plan: MODEL.plan, circuit: 'none' }, secrets);
    await failure('ERR_TOO_LARGE', () => recvControl(channel, 'dealt'));
    await deals();
  });

  it('and ends with its device’s own fault, so that it is started again', async () => {
    kernels.fault.raise(lostError('unknown', 'gone'));
    // A dealer that went on would never end.
    const ended = await Promise.race([end, sleep(10_000)]);
    expect(ended?.deviceFault?.code).toBe('ERR_DEVICE_LOST');
  });
});
