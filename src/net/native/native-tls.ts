/**
 * TLS in a thread of Rust (`native/src/tls`), where the library of the processor was built: sockets, records and frames
 * are its work, and this thread gets whole messages.
 *
 * What is believed and what is said stays here: pins, names of parties, greetings, errors and time-outs are those of
 * Node's TLS, by the same code. SECURITY: keys cross to the library in one buffer, which is wiped; what TLS exports is
 * asked for each time. test/net/tls.test.ts and test/net/credentials.test.ts, which try both.
 */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { concatBytes } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';
import { type Credentials, isPinned } from '../tls/credentials.ts';

/** What the thread tells of a link: its kind and up to three values of it (`native/src/tls/glue.rs`). */
export type Told = (kind: string, ...values: readonly unknown[]) => void;

/** Orders to a link, by number. */
export const ORDER = { want: 0, frames: 1, write: 2, pause: 3, taken: 4, end: 5, destroy: 6 } as const;
export type Order = (typeof ORDER)[keyof typeof ORDER];

interface Hub {
  open(link: number, fd: number, name: Uint8Array, chain: Uint8Array, key: Uint8Array, roots?: Uint8Array): unknown;
  order(link: number, order: Order, ...values: readonly unknown[]): void;
  exported(link: number, label: Uint8Array, context: Uint8Array): Uint8Array | undefined;
  hold(held: boolean): void;
  close(): void;
}

/** What the library gives: a thread for links, whose news the callback hears. */
export type Links = (told: (link: number, ...news: Parameters<Told>) => void) => Hub;

const NONE = new Uint8Array(0);
/** How long `close` waits for links that are closing. */
const LINGER_MS = 2_000;

export class NativeTls {
  readonly #hub: Hub;
  readonly #links = new Map<number, Told>();
  #next = 0;
  #idle: () => void = () => undefined;

  constructor(links: Links) {
    this.#hub = links((link, kind, ...values) => this.#links.get(link)?.(kind, ...values));
  }

  /** Links that are open. */
  get size(): number {
    return this.#links.size;
  }

  /**
   * Begins a handshake on a connection. The descriptor is the caller's to close.
   * @param name that of the listening party, to a connector; none to a listener
   * @returns its number, for `order` and `exported`
   * @throws an error with a code, for credentials that the library cannot use
   */
  open(fd: number, credentials: Credentials, name: string | undefined, told: Told): number {
    const link = this.#next++;
    const shown = isPinned(credentials) ? credentials.own : credentials;
    const key = shown === undefined ? NONE : privateKey(shown.key);
    const roots = isPinned(credentials) ? undefined : authorities(credentials.ca);
    const chain = shown === undefined ? NONE : concatBytes(certificatesOf(shown.cert).map(({ raw }) => raw));
    try {
      const code = this.#hub.open(link, fd, new TextEncoder().encode(name ?? ''), chain, key, roots);
      if (typeof code === 'string') throw Object.assign(new Error(code), { code });
    } finally {
      key.fill(0);
    }
    if (this.#links.size === 0) this.#hub.hold(true);
    this.#links.set(link, told);
    return link;
  }

  order(link: number, order: Order, ...values: readonly unknown[]): void {
    if (this.#links.has(link)) this.#hub.order(link, order, ...values);
  }

  /** RFC 8446, 7.5: 32 bytes. Undefined when the link is gone. */
  exported(link: number, label: string, context: Uint8Array): Uint8Array | undefined {
    return this.#hub.exported(link, new TextEncoder().encode(label), context);
  }

  /** Hears nothing of a link any more. */
  forget(link: number): void {
    if (!this.#links.delete(link) || this.#links.size > 0) return;
    this.#hub.hold(false);
    this.#idle();
  }

  /** Ends the thread, when the links that are closing have closed or after two seconds. */
  async close(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    if (this.#links.size > 0)
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
        timer = setTimeout(resolve, LINGER_MS);
      });
    clearTimeout(timer);
    this.#hub.close();
    for (const told of [...this.#links.values()]) told('closed');
  }
}

/**
 * @param library the file of the library
 * @throws {TercetError} ERR_DEVICE_UNAVAILABLE for one that does not load, or has no TLS
 */
export function loadTls(library: string): NativeTls {
  const addon: { readonly exports: { links?: Links } } = { exports: {} };
  try {
    process.dlopen(addon, library);
  } catch (cause) {
    throw noTls('the native library that was built does not load here', cause);
  }
  const { links } = addon.exports;
  if (links === undefined) throw noTls('the native library has no TLS');
  return new NativeTls(links);
}

function noTls(what: string, cause?: unknown): TercetError {
  return new TercetError('ERR_DEVICE_UNAVAILABLE', what, 'run npm run build:native on this machine', { cause });
}

function certificatesOf(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** PKCS #8. Whoever asks wipes it. */
function privateKey(pem: string): Uint8Array {
  return createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' });
}

/** Those that may issue, and are in their time: the library looks at names and keys of authorities alone. */
function authorities(pem: string): Uint8Array {
  const now = Date.now();
  const good = certificatesOf(pem).filter(
    ({ ca, validFrom, validTo }) => ca && Date.parse(validFrom) <= now && now <= Date.parse(validTo),
  );
  return concatBytes(good.map(({ raw }) => raw));
}
