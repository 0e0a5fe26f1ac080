/**
 * How the widget starts workers, also where a page asks for Trusted Types, and in a frame that has no origin
 * (`sandbox`): no script is of its origin, so a worker of one line imports it.
 */

/** What a Trusted Types policy is asked for; not in every list of DOM types. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** Hosts write this name into `trusted-types` (docs/WIDGET.md). */
const POLICY = 'tercet';
const OWN = new URL(import.meta.url).origin;

let policy: { createScriptURL(url: string): string } | undefined;

/** Passes the widget's own scripts, and nothing else. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (trustedTypes === undefined) return url;
  policy ??= trustedTypes.createPolicy(POLICY, {
    createScriptURL(wanted) {
      if (new URL(wanted).origin === OWN || wanted.startsWith('blob:null/')) return wanted;
      throw new TypeError('no script of the widget');
    },
  });
  return policy.createScriptURL(url);
}

/** Its name is what bundlers look for, with the address of a script behind it. */
export class OwnWorker extends globalThis.Worker {
  constructor(url: URL | string, options: WorkerOptions = {}) {
    const script = String(url);
    if (self.origin !== 'null') super(trusted(script), options);
    // Chromium takes no module of such an address, but lets a classic script import one.
    else super(trusted(importing(script)), { ...options, type: 'classic' });
  }
}

/** The same for the worker that all frames of a page share; undefined where a browser has none. */
export const OwnSharedWorker =
  globalThis.SharedWorker === undefined
    ? undefined
    : class extends globalThis.SharedWorker {
        constructor(url: URL | string, options?: WorkerOptions) {
          super(trusted(String(url)), options);
        }
      };

/** For a realm that is the widget's alone: workers of the SDK are started the same way. */
export function startAllWorkersSo(): void {
  globalThis.Worker = OwnWorker;
}

/** A script that imports another one. Messages that come before that has listeners wait for it. */
function importing(script: string): string {
  const lines = `const early = [];
const keep = ({ data, ports }) => early.push({ data, ports: [...ports] });
addEventListener('message', keep);
import(${JSON.stringify(script)}).then(() => {
  removeEventListener('message', keep);
  for (const message of early) dispatchEvent(new MessageEvent('message', message));
}, (error) => setTimeout(() => { throw error; }));`;
  return URL.createObjectURL(new Blob([lines], { type: 'text/javascript' }));
}
