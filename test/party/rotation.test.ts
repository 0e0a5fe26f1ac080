/**
 * Both parties change their keys while owners are served: who accepts the old key and the new one loses no session, and
 * who accepts the old one alone is told so.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { afterAll, expect, it } from 'vitest';
import { openOwnerLink } from '../../src/net/gateway/owner-link.ts';
import { ensureIdentity, ensureOwnCertificate } from '../../src/net/identity/identity-node.ts';
import type { Pin } from '../../src/net/identity/pin.ts';
import type { WebSocketConstructor } from '../../src/net/websocket/link.ts';
import { KeyManager } from '../../src/node/key-manager.ts';
import { requestCode } from '../../src/session/request.ts';
import { failure } from '../failure.ts';
import { Parties, randomSession } from './parties.ts';

const root = mkdtempSync(join(tmpdir(), 'tercet-rotation-'));
afterAll(() => rmSync(root, { recursive: true }));

const UNTIL = '9999-01-01T00:00Z';
const folder = (id: 1 | 2) => join(root, `operator-${id}`);
const keys = (id: 1 | 2) => new KeyManager(folder(id));

it('no session fails, and the old key is the party’s no more', { timeout: 300_000 }, async () => {
  const rotating = { 1: await keys(1).rotateSigningKeys(1), 2: await keys(2).rotateSigningKeys(2) };
  const pin = (id: 1 | 2): Exclude<Pin, string> => ({
    identity: rotating[id].current,
    next: { identity: rotating[id].next, until: UNTIL },
  });
  const credentials = async (id: 1 | 2) => {
    const { key, cert } = await ensureOwnCertificate(folder(id), id);
    return { own: { key, cert }, pins: { [3 - id]: pin(id === 1 ? 2 : 1) } };
  };
  const identities = { 1: await ensureIdentity(folder(1), 1), 2: await ensureIdentity(folder(2), 2) };
  const own = { 1: await credentials(1), 2: await credentials(2) };
  const reload: Record<number, () => Promise<void>> = {};
  const parties = await Parties.start((id) => ({
    credentials: own[id],
    identity: identities[id],
    web: { identity: identities[id], host: '127.0.0.1', port: 0, origins: [], iceServers: [] },
    renew: async () => ({
      credentials: await credentials(id),
      webTls: undefined,
      identity: await ensureIdentity(folder(id), id),
    }),
    onReloadable: (read) => {
      reload[id] = read;
    },
  }));
  try {
    // What owners pin: both keys.
    for (const id of [1, 2] as const) Object.assign(parties.parties[id - 1].web, pin(id));
    let [served, going] = [0, true];
    const owners = [0, 1].map(async () => {
      while (going) {
        await parties.serves();
        served += 1;
      }
    });
    owners.forEach((owner) => void owner.catch(() => undefined));
    const another = async () => {
      const before = served;
      while (served === before) await Promise.race([new Promise((resolve) => setTimeout(resolve, 5)), ...owners]);
    };
    // A reload is over when those who began before it are: under load it is not waited for.
    const reloads: Promise<void>[] = [];
    for (const id of [1, 2] as const) {
      await another();
      expect((await keys(id).promote(id)).current).toBe(rotating[id].next);
      reloads.push(reload[id]());
    }
    await another();
    going = false;
    await Promise.all([...owners, ...reloads]);
    await parties.serves();
    expect(parties.one.failures).toEqual([]);
    expect(parties.two.failures).toEqual([]);
    const link = (id: 1 | 2, identity: string) =>
      openOwnerLink({
        ...{ party: id, address: { url: parties.parties[id - 1].web.url, identity }, session: randomSession() },
        ...{ modelHash: parties.model, requestCode: requestCode(parties.request), transport: 'websocket' as const },
        WebSocket: WebSocket as unknown as WebSocketConstructor,
      });
    for (const id of [1, 2] as const) {
      await failure('ERR_IDENTITY_KEY', link(id, rotating[id].current));
      (await link(id, rotating[id].next)).channel.abort(new Error('control'));
      await keys(id).revoke(id);
    }
  } finally {
    await parties.stop();
  }
});
