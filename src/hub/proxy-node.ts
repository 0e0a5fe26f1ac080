/**
 * Requests to a hub through the proxy that the environment names, as curl and Python do it: Node's own fetch does
 * not look at it.
 */
import { TercetError } from '../core/errors.ts';
import { Retryable } from './remote.ts';
import type { HubOptions } from './types.ts';

type Fetch = HubOptions['fetch'];

const VARIABLES = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'] as const;
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * `fetch`, by way of HTTP_PROXY and HTTPS_PROXY (or their names in small letters) for all hosts that NO_PROXY does
 * not name; the plain one where neither is set. A proxy sees the host of an encrypted request, not its content. Its
 * name and password, if the variable has them, appear in no error.
 *
 * @throws {TercetError} ERR_ARGUMENT, at the first request, when a variable holds no address of a proxy;
 * ERR_DOWNLOAD when the proxy does not answer or gives no tunnel
 */
export function proxiedFetch(environment: NodeJS.ProcessEnv = process.env): Fetch {
  const named = VARIABLES.find((name) => environment[name]);
  if (named === undefined) return (url, init) => fetch(url, init);
  let opened: Promise<Fetch> | undefined;
  return async (url, init) => {
    opened ??= throughProxy(environment);
    return (await opened)(url, init);
  };
}

async function throughProxy(environment: NodeJS.ProcessEnv): Promise<Fetch> {
  const of = (small: string) => environment[small] || environment[small.toUpperCase()] || '';
  const httpProxy = proxyAddress('HTTP_PROXY', of('http_proxy'));
  const httpsProxy = proxyAddress('HTTPS_PROXY', of('https_proxy'));
  const { ProxyAgent, fetch: fetchThrough } = await import('undici');
  // Plain http is asked for by its whole address, as proxies expect; https always goes through a tunnel.
  const through = (uri: string) => (uri === '' ? undefined : new ProxyAgent({ uri, proxyTunnel: false }));
  const [plain, encrypted] = [through(httpProxy), through(httpsProxy)];
  return async (url, init) => {
    const { protocol, hostname, port, host } = new URL(url);
    const [dispatcher, variable] = protocol === 'https:' ? [encrypted, 'HTTPS_PROXY'] : [plain, 'HTTP_PROXY'];
    // A hub on this machine is no business of a proxy.
    if (dispatcher === undefined || LOOPBACK.test(hostname) || isLeftOut(of('no_proxy'), hostname, port))
      return fetch(url, init);
    // The package is the implementation that Node 20 has built in, in just that version: later ones of 6 and 7 end the
    // process where a proxy closes the connection before a slow reader has all. Its types are its own.
    try {
      const answer = await fetchThrough(url, { ...init, dispatcher } as Parameters<typeof fetchThrough>[1]);
      return answer as unknown as Response;
    } catch (cause) {
      throw unreached(host, variable, cause);
    }
  };
}

/** What the proxy answered, which stands in the words of the causes only. */
function proxyStatus(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (/proxy authentication required/i.test(error.message)) return '407';
  return /Proxy response \((\d{3})\)/.exec(error.message)?.[1] ?? proxyStatus(error.cause);
}

function unreached(host: string, variable: string, cause: unknown): TercetError {
  const status = proxyStatus(cause);
  const said = status === undefined ? 'does not answer' : `answers ${status}`;
  const hint =
    status === '407'
      ? `give its name and password in ${variable}, as in http://name:password@proxy.example:3128`
      : `check ${variable}, or name the host in NO_PROXY if it is reached without a proxy`;
  return new Retryable('ERR_DOWNLOAD', `the proxy that leads to ${host} ${said}`, hint, { cause });
}

/** Whether NO_PROXY names the host, its domain, or all. */
function isLeftOut(noProxy: string, hostname: string, port: string): boolean {
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      const [, domain, at] = /^(?:\*?\.)?(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      if (entry === '*') return true;
      if (!domain || (at !== undefined && at !== port)) return false;
      return hostname === domain || hostname.endsWith(`.${domain}`);
    });
}

function proxyAddress(variable: string, value: string): string {
  if (value === '') return '';
  const address = /^[a-z][a-z\d+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  if (URL.canParse(address) && /^https?:/i.test(address)) return address;
  throw new TercetError(
    'ERR_ARGUMENT',
    `${variable} holds no address of a proxy`,
    'set it to for example http://proxy.example:3128, or unset it',
  );
}
