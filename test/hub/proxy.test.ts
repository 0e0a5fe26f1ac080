/**
 * Requests through the proxy that the environment names: plain http by its whole address, https in a tunnel, and
 * what goes past it.
 */
import { type IncomingMessage, type Server, createServer, request } from 'node:http';
import { type AddressInfo, createServer as createRawServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sleep } from '../../src/core/abort.ts';
import { proxiedFetch } from '../../src/hub/proxy-node.ts';
import { failure } from '../failure.ts';

/** A name that only the proxy knows. */
const HUB = 'http://hub.corp.invalid';
let proxy: Server;
let hub: Server;
let seen: string[];

const port = (server: Server) => (server.address() as AddressInfo).port;
const listen = (server: Server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

beforeEach(async () => {
  seen = [];
  hub = createServer((_request, response) => response.end('from the hub'));
  proxy = createServer((asked, response) => {
    seen.push(`${asked.method} ${asked.url} ${asked.headers['proxy-authorization'] ?? ''}`.trim());
    request({ host: '127.0.0.1', port: port(hub), path: '/' }, (answer: IncomingMessage) =>
      answer.pipe(response),
    ).end();
  });
  proxy.on('connect', (asked, socket) => {
    seen.push(`CONNECT ${asked.url}`);
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  await Promise.all([listen(hub), listen(proxy)]);
});

afterEach(() => {
  for (const server of [hub, proxy]) {
    server.closeAllConnections();
    server.close();
  }
});

const at = () => `http://127.0.0.1:${port(proxy)}`;

describe('the proxy of the environment', () => {
  it.each(['HTTP_PROXY', 'http_proxy'])('carries requests (%s), which fail without it', async (name) => {
    const response = await proxiedFetch({ [name]: at() })(`${HUB}/a/b`);
    expect(await response.text()).toBe('from the hub');
    expect(seen).toEqual([`GET ${HUB}/a/b`]);
    await expect(proxiedFetch({})(`${HUB}/a/b`)).rejects.toThrow();
    expect(seen).toHaveLength(1);
  });

  it('is told its name and password, and is asked for a tunnel where the request is encrypted', async () => {
    const named = `http://ann:secret@127.0.0.1:${port(proxy)}`;
    await proxiedFetch({ http_proxy: named })(HUB);
    expect(seen).toEqual([`GET ${HUB}/ Basic ${Buffer.from('ann:secret').toString('base64')}`]);
    const error = await proxiedFetch({ HTTPS_PROXY: named })('https://hub.corp.invalid/').catch(
      (thrown: unknown) => thrown,
    );
    expect(seen.at(-1)).toBe('CONNECT hub.corp.invalid:443');
    expect(error).toMatchObject({
      code: 'ERR_DOWNLOAD',
      message: 'the proxy that leads to hub.corp.invalid answers 502',
      hint: expect.stringContaining('HTTPS_PROXY') as string,
    });
    expect(String((error as Error).stack) + String((error as Error).cause)).not.toContain('secret');
  });

  it('is named as what refused, with the variable that is to be mended', async () => {
    proxy.removeAllListeners('request');
    proxy.on('request', (_asked, response) => response.writeHead(407, { 'proxy-authenticate': 'Basic' }).end());
    const asks = () => proxiedFetch({ HTTP_PROXY: at() })(HUB);
    const error = await failure('ERR_DOWNLOAD', asks, /the proxy that leads to hub\.corp\.invalid answers 407/);
    expect(error.hint).toContain('name and password in HTTP_PROXY');
  });

  it('is left out for hosts of NO_PROXY, for this machine, and for the scheme that has none', async () => {
    const local = `http://127.0.0.1:${port(hub)}/`;
    expect(await (await proxiedFetch({ HTTP_PROXY: at() })(local)).text()).toBe('from the hub');
    await expect(proxiedFetch({ HTTP_PROXY: at(), NO_PROXY: 'other.example,.corp.invalid' })(HUB)).rejects.toThrow();
    await expect(proxiedFetch({ HTTPS_PROXY: at() })(HUB)).rejects.toThrow();
    expect(seen).toEqual([]);
    await proxiedFetch({ HTTP_PROXY: at(), NO_PROXY: 'other.example' })(HUB);
    expect(seen).toHaveLength(1);
  });

  it('may close the connection while a slow reader is behind: all of the file comes, and nothing else falls', async () => {
    // Node's fetch and this one must both stand it: an assertion in a socket's listener would end the process.
    const size = 65_536;
    const closing = createRawServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\nConnection: close\r\n\r\n`);
        socket.end(Buffer.alloc(size));
      });
    });
    await new Promise<void>((resolve) => closing.listen(0, '127.0.0.1', resolve));
    const { port: at } = closing.address() as AddressInfo;
    const response = await proxiedFetch({ HTTP_PROXY: `http://127.0.0.1:${at}` })(`${HUB}/large`);
    await sleep(300);
    closing.close();
    expect((await response.arrayBuffer()).byteLength).toBe(size);
  });

  it('must be an address', async () => {
    const error = await failure('ERR_ARGUMENT', () => proxiedFetch({ HTTP_PROXY: 'ftp://ann:secret@proxy' })(HUB));
    expect(error.line()).not.toContain('secret');
    expect(await (await proxiedFetch({ HTTP_PROXY: at().slice('http://'.length) })(HUB)).text()).toBe('from the hub');
  });
});
