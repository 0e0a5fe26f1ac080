/**
 * Certificates of a party that is left running: files that changed are shown from then on, and one that ends soon is
 * renewed where the authority's key is at hand. Else the operator reads when it ends, and what to do.
 *
 * Identities are pinned and never end; what follows them takes their place at SIGHUP alone.
 */
import { sleep } from '../core/abort.ts';
import { type TercetError, asTercetError } from '../core/errors.ts';
import { endOf } from '../net/tls/certificates.ts';
import { type Credentials, isPinned } from '../net/tls/credentials.ts';

/** What is shown now. */
export interface Shown {
  readonly credentials: Credentials;
  readonly webTls: { readonly key: string; readonly cert: string } | undefined;
}

export interface CertificateWatchOptions {
  shown(): Shown;
  /** Reads the files again. */
  read(): Promise<Shown>;
  /** Shows others from now on. */
  show(fresh: Shown): void;
  /** Renews the one for links in its file; absent: the authority is elsewhere. */
  readonly renew?: (() => Promise<void>) | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How often it looks (default: a minute). */
  readonly everyMs?: number;
  readonly signal: AbortSignal;
  /** When each ends, whenever it looks. */
  onEnds?(use: CertificateUse, until: Date): void;
  /** One ends soon, said once a day; or files cannot be read, or the renewal failed, said once. */
  onSoon(use: CertificateUse, until: Date): void;
  onFailure(error: TercetError): void;
}

export type CertificateUse = 'link' | 'web';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Looks until the signal. Never rejects. */
export async function watchCertificates(options: CertificateWatchOptions): Promise<void> {
  const { signal, everyMs = MINUTE_MS } = options;
  const watch = new Watch(options);
  while (!signal.aborted) {
    await watch.look();
    await sleep(everyMs, signal).catch(() => undefined);
  }
}

class Watch {
  readonly #options: CertificateWatchOptions;
  readonly #said = new Map<CertificateUse, number>();
  #failed: string | undefined;

  constructor(options: CertificateWatchOptions) {
    this.#options = options;
  }

  async look(): Promise<void> {
    try {
      await this.#reread();
      if (this.#options.renew !== undefined && this.#worthRenewing(this.#options.shown())) {
        await this.#options.renew();
        await this.#reread();
      }
      this.#failed = undefined;
    } catch (thrown) {
      const error = asTercetError(thrown);
      if (this.#failed !== error.message) this.#options.onFailure(error);
      this.#failed = error.message;
    }
    this.#tell();
  }

  async #reread(): Promise<void> {
    const { read, shown, show } = this.#options;
    const fresh = await read();
    if (JSON.stringify(certificatesOf(fresh)) !== JSON.stringify(certificatesOf(shown()))) show(fresh);
  }

  #tell(): void {
    const { shown, now, onEnds, onSoon } = this.#options;
    for (const [use, certificates] of Object.entries(certificatesOf(shown())) as [CertificateUse, string[]][]) {
      if (certificates.length === 0) continue;
      const { until } = endOf(certificates);
      onEnds?.(use, until);
      const said = this.#said.get(use) ?? Number.NEGATIVE_INFINITY;
      if (!this.#soon(certificates) || now() - said < DAY_MS) continue;
      this.#said.set(use, now());
      onSoon(use, until);
    }
  }

  /** A certificate does not outlive its authority, whose own end no renewal moves. */
  #worthRenewing({ credentials }: Shown): boolean {
    if (isPinned(credentials)) return false;
    const { cert, ca } = credentials;
    return this.#soon([cert]) && endOf([cert]).until < endOf([ca]).until;
  }

  /** In the last third of its time: a year's has four months, a day's has eight hours. */
  #soon(certificates: readonly string[]): boolean {
    if (certificates.length === 0) return false;
    const { from, until } = endOf(certificates);
    return until.getTime() - this.#options.now() < (until.getTime() - from.getTime()) / 3;
  }
}

/** The certificates that can end, PEM. */
function certificatesOf({ credentials, webTls }: Shown): Readonly<Record<CertificateUse, readonly string[]>> {
  return { link: linkOf(credentials), web: webTls === undefined ? [] : [webTls.cert] };
}

function linkOf(credentials: Credentials): readonly string[] {
  return isPinned(credentials) ? [] : [credentials.cert, credentials.ca];
}
