/**
 * The frame's end of the way to the page around it. That page may be hostile.
 *
 * Security: only the window that the frame stands in is listened to, once, and only if it answers the greeting of
 * this document. What comes over its port is read by shape and length, and no more often than a person could cause
 * it: a page that floods is not listened to any more, and the card goes on without it.
 */
import { type Look, type Setup, type ToFrame, type ToHost, COLOURS, VERSION } from '../messages.ts';

/** Messages at once, and for each second. */
const BURST = 60;
const RATE = 10;
const MOST_CHARACTERS = 2000;
const MOST_STRINGS = 500;

export interface Host {
  /** As the browser tells it; `null` for a page without one. */
  readonly origin: string;
  readonly setup: Setup;
  readonly look: Look;
  tell(message: ToHost): void;
  /** Called once; messages wait for it. */
  listen(on: (message: ToFrame) => void): void;
}

export function meetHost(met: (host: Host) => void): void {
  const nonce = crypto.randomUUID();
  const greeted = ({ data, source, origin, ports }: MessageEvent<Record<string, unknown> | null>): void => {
    if (source !== parent || parent === self || data === null || typeof data !== 'object') return;
    if (data['tercet'] !== 'connect' || data['version'] !== VERSION || data['nonce'] !== nonce) return;
    const [port] = ports;
    const setup = setupOf(data['setup']);
    const look = lookOf(data['look']);
    if (port === undefined || ports.length !== 1 || setup === undefined || look === undefined) return;
    // One answer for one greeting: what comes later, or comes again, meets nobody.
    removeEventListener('message', greeted);
    met({ origin, setup, look, tell: (message) => port.postMessage(message), listen: (on) => listen(port, on) });
  };
  addEventListener('message', greeted);
  // Says nothing, so anybody may read it.
  parent.postMessage({ tercet: 'hello', version: VERSION, nonce }, '*');
}

function listen(port: MessagePort, on: (message: ToFrame) => void): void {
  let left = BURST;
  let at = performance.now();
  port.onmessage = ({ data, ports }: MessageEvent<unknown>) => {
    for (const extra of ports) extra.close();
    const now = performance.now();
    left = Math.min(BURST, left + ((now - at) / 1e3) * RATE) - 1;
    at = now;
    if (left < 0) {
      port.onmessage = null;
      port.close();
      return;
    }
    const message = messageOf(data);
    if (message !== undefined) on(message);
  };
}

// ── shapes ───────────────────────────────────────────────────────────────────

function recordOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= MOST_CHARACTERS;

export function setupOf(value: unknown): Setup | undefined {
  const { model, task, deployment, device, shareResult, page, attributes } = recordOf(value) ?? {};
  if (!isText(model) || !isText(task) || !isText(deployment) || !isText(device) || !isText(page)) return undefined;
  const named = Array.isArray(attributes) ? attributes.slice(0, MOST_STRINGS).filter(isText) : [];
  return { model, task, deployment, device, page, shareResult: shareResult === true, attributes: named };
}

export function lookOf(value: unknown): Look | undefined {
  const { theme, lang, dir, disabled, strings, colours } = recordOf(value) ?? {};
  if (!isText(theme) || !isText(lang) || !isText(dir)) return undefined;
  const known = (name: string): boolean => (COLOURS as readonly string[]).includes(name) || name === 'radius';
  return {
    theme,
    lang,
    dir,
    disabled: disabled === true,
    strings: textsOf(strings, () => true),
    colours: textsOf(colours, known),
  };
}

function textsOf(value: unknown, wanted: (name: string) => boolean): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, text] of Object.entries(recordOf(value) ?? {}).slice(0, MOST_STRINGS))
    if (isText(name) && isText(text) && wanted(name)) found[name] = text;
  return found;
}

export function messageOf(value: unknown): ToFrame | undefined {
  const { op, call, look } = recordOf(value) ?? {};
  if (op === 'abort' || op === 'reset') return { op };
  if (op === 'run' || op === 'prepare')
    return typeof call === 'number' && Number.isSafeInteger(call) ? { op, call } : undefined;
  const checked = op === 'look' ? lookOf(look) : undefined;
  return checked === undefined ? undefined : { op: 'look', look: checked };
}
