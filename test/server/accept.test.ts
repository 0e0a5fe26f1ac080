/**
 * What fails at a listening server later, like a connection for which no descriptor is left, ends no process: Node
 * throws an `error` that nobody hears.
 */
import { Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseDeployment } from '../../src/owner/deployment.ts';
import { serviceLog } from '../../src/operate/service-log.ts';
import { serveWatch } from '../../src/operate/watch.ts';
import { startGateway } from '../../src/rest/server.ts';
import { serveSite } from '../../src/server/site.ts';

const PLACE = { host: '127.0.0.1', port: 0 };
const EXHAUSTED = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' });

afterEach(() => vi.restoreAllMocks());

async function site() {
  const party = (key: string) => ({ url: `https://${key}.example`, identity: key.repeat(64) });
  const document = parseDeployment({
    version: 1,
    parties: [party('a'), party('b')],
    models: 'models',
    entries: [],
    iceServers: [],
  });
  return serveSite({ ...PLACE, app: join(import.meta.dirname, '../browser/page'), document, files: new Map() });
}

async function gateway() {
  const { url, close } = await startGateway({
    ...PLACE,
    models: [],
    version: '0.0.0',
    log: serviceLog('error', () => undefined),
  }).then((started) => ({ url: `${started.url}/livez`, close: () => started.close(0) }));
  return { url, close };
}

async function watch() {
  const { url, close } = await serveWatch({
    ...PLACE,
    metrics: { text: async () => '' },
    ready: async () => true,
  });
  return { url: `${url}/livez`, close };
}

describe('a connection that cannot be accepted', () => {
  it('ends a server without a listener for it', () => {
    expect(() => new Server().emit('error', EXHAUSTED)).toThrow('EMFILE');
  });

  it.each([
    ['the page', site],
    ['the gateway', gateway],
    ['health and metrics', watch],
  ])('leaves %s serving', async (_, start) => {
    const listen = vi.spyOn(Server.prototype, 'listen');
    const { url, close } = await start();
    const servers = listen.mock.contexts as Server[];
    expect(servers.length).toBeGreaterThan(0);
    for (const server of servers) for (let i = 0; i < 2; i++) server.emit('error', EXHAUSTED);
    expect((await fetch(url)).status).toBeLessThan(500);
    await close();
  });
});
