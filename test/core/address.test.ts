/** Which addresses carry trust: one table, and everybody who decides by it. */
import { afterEach, describe, expect, it } from 'vitest';
import { carriesTrust, isLoopback } from '../../src/core/address.ts';
import { endpointOf } from '../../src/hub/remote.ts';
import { startGateway } from '../../src/net/gateway/gateway-node.ts';
import { createIdentity } from '../../src/net/identity/identity.ts';
import { endpointUrl } from '../../src/net/signalling/client.ts';
import { loadDeployment, parseDeployment } from '../../src/owner/deployment.ts';
import { type Site, type SiteOptions, serveSite } from '../../src/server/site.ts';
import { failure, thrown } from '../failure.ts';

const TRUSTED = [
  'https://alder.example',
  'https://192.0.2.7:8443/below',
  'http://127.0.0.1:8420',
  'http://127.9.9.9',
  'http://localhost:1',
  'http://[::1]:1/x',
];
const OPEN = [
  'http://alder.example',
  'http://192.0.2.7',
  'http://0.0.0.0:1',
  'http://10.0.0.1',
  'http://127.0.0.1.example',
  'http://localhost.example',
  'http://127.0.0.1@alder.example',
  'https://alder.example@birch.example',
  'ws://127.0.0.1',
  'ftp://alder.example',
  'javascript:alert(1)',
  '/tercet.json',
  '',
];
/** Of those, what has the form of a hub's endpoint. */
const OPEN_HUBS = OPEN.filter((address) => address.startsWith('http'));

const DOCUMENT = {
  version: 1,
  parties: [
    { url: 'https://alder.example', identity: 'ab'.repeat(32) },
    { url: 'https://birch.example', identity: 'cd'.repeat(32) },
  ],
  models: 'models',
  entries: [],
} as const;
const served = async () => new Response(JSON.stringify(DOCUMENT), { headers: { 'content-type': 'application/json' } });

describe('an address carries trust', () => {
  it.each(TRUSTED)('if it is encrypted or this machine: %s', async (address) => {
    expect(carriesTrust(address)).toBe(true);
    expect(endpointUrl(address, 1, '/x').href).toContain('/x');
    expect(endpointOf({ endpoint: address, token: 'hf_x' })).toBe(address);
    expect(
      (await loadDeployment(`${address}/tercet.json`, 'http://127.0.0.1/', { fetch: served })).deployment.parties[0]
        .url,
    ).toBe('https://alder.example');
    const parties = [{ ...DOCUMENT.parties[0], url: address }, DOCUMENT.parties[1]];
    expect(parseDeployment({ ...DOCUMENT, parties }).parties[0].url).toBe(address);
  });

  it.each(OPEN)('else it is refused wherever trust comes from it: %s', async (address) => {
    expect(carriesTrust(address)).toBe(false);
    thrown('ERR_ARGUMENT', () => endpointUrl(address, 1, '/x'));
    const parties = [{ ...DOCUMENT.parties[0], url: address }, DOCUMENT.parties[1]];
    thrown('ERR_MODEL_CONFIG', () => parseDeployment({ ...DOCUMENT, parties }));
  });

  it.each(OPEN_HUBS)('and nothing is asked for there: %s', async (address) => {
    let asked = 0;
    const fetch = () => {
      asked++;
      return served();
    };
    await failure('ERR_INSECURE', () => loadDeployment(`${address}/tercet.json`, 'http://127.0.0.1/', { fetch }));
    thrown('ERR_INSECURE', () => endpointOf({ endpoint: address, token: 'hf_x' }));
    // Control: without a token nothing is given away, and what comes is held to pins or to hashes.
    if (!address.includes('@')) expect(endpointOf({ endpoint: address })).toBe(address);
    expect(asked).toBe(0);
  });

  it('also for a relative address of a page that does not carry it, and not over a redirect', async () => {
    await failure('ERR_INSECURE', () => loadDeployment('/tercet.json', 'http://192.0.2.7/', { fetch: served }));
    await failure('ERR_ARGUMENT', () => loadDeployment('http://', 'http://127.0.0.1/', { fetch: served }));
    const redirects: unknown[] = [];
    const fetch = (_url: string, init?: RequestInit) => {
      redirects.push(init?.redirect);
      return served();
    };
    await loadDeployment('/tercet.json', 'https://page.example/', { fetch });
    expect(redirects).toEqual(['error']);
  });

  it.each([
    ['localhost', true],
    ['127.0.0.1', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['192.0.2.7', false],
    ['alder.example', false],
  ])('a server on %s is on this machine alone: %s', (host, local) => expect(isLoopback(host)).toBe(local));
});

describe('a server that anybody reaches', () => {
  const sites: Site[] = [];
  afterEach(async () => {
    for (const site of sites.splice(0)) await site.close();
  });
  const serve = async (options: Partial<SiteOptions>): Promise<Site> => {
    const site = await serveSite({
      document: parseDeployment(DOCUMENT),
      files: new Map(),
      app: 'e2e/pages/worker',
      host: '127.0.0.1',
      port: 0,
      ...options,
    });
    sites.push(site);
    return site;
  };

  it('needs TLS, or the word of whoever runs it that a proxy has it', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.7'])
      expect((await failure('ERR_ARGUMENT', () => serve({ host }))).message).toContain('without TLS');
    expect((await fetch(`${(await serve({})).url}tercet.json`)).status).toBe(200);
    expect((await serve({ host: '0.0.0.0', behindProxy: true })).url).toMatch(/^http:/);
    const { createCertificates } = await import('../../src/net/tls/certificates.ts');
    const [{ key, cert }] = (await createCertificates()).parties;
    expect((await serve({ host: '0.0.0.0', tls: { key, cert } })).url).toMatch(/^https:/);
    await failure('ERR_ARGUMENT', () => serve({ host: '0.0.0.0', tls: { key, cert }, behindProxy: true }));
    await failure('ERR_ARGUMENT', () => serve({ host: '0.0.0.0', tls: { key, cert: 'x' } }));
  });

  it('as the gateway of a party does', async () => {
    const identity = await createIdentity();
    const gateway = {
      party: 1,
      identity,
      origins: [],
      describe: () => ({ version: '', device: '', models: [] }),
      health: () => ({ ok: true }),
      admit: () => undefined,
      onOwner: () => undefined,
    } as const;
    await failure('ERR_ARGUMENT', () => startGateway({ ...gateway, host: '0.0.0.0' }));
    await (await startGateway(gateway)).close();
  });
});
