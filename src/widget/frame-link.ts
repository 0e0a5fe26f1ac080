/**
 * The host page's end of a frame: makes it, waits for its greeting, and answers once with a port.
 *
 * Security: only the frame that was made here, at the widget's own origin, is answered, and only it can read the
 * answer. A frame that was made by a page without an origin (`sandbox`) has none either: then its window alone tells.
 */
import { type Connect, type Hello, type ToFrame, type ToHost, VERSION } from './messages.ts';

/** What the frame may do: compute and open links in windows of their own. It cannot move the page that it stands on. */
const SANDBOX = 'allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox';

export class FrameLink {
  readonly frame: HTMLIFrameElement;
  readonly #origin: string;
  readonly #connect: () => Pick<Connect, 'setup' | 'look'>;
  readonly #told: (message: ToHost) => void;
  #port: MessagePort | undefined;
  readonly #queue: ToFrame[] = [];

  constructor(
    url: URL,
    title: string,
    connect: () => Pick<Connect, 'setup' | 'look'>,
    told: (message: ToHost) => void,
  ) {
    this.#origin = self.origin === 'null' ? 'null' : url.origin;
    this.#connect = connect;
    this.#told = told;
    this.frame = document.createElement('iframe');
    this.frame.setAttribute('part', 'frame');
    // Of its own origin a frame with these rights could take the sandbox off.
    if (url.origin !== self.origin) this.frame.setAttribute('sandbox', SANDBOX);
    this.frame.referrerPolicy = 'no-referrer';
    this.frame.title = title;
    addEventListener('message', this.#greeted);
    this.frame.src = url.href;
  }

  send(message: ToFrame): void {
    if (this.#port === undefined) this.#queue.push(message);
    else this.#port.postMessage(message);
  }

  close(): void {
    removeEventListener('message', this.#greeted);
    this.#port?.close();
    this.#port = undefined;
    this.frame.remove();
  }

  readonly #greeted = ({ data, source, origin }: MessageEvent<Partial<Hello> | null>): void => {
    const window = this.frame.contentWindow;
    if (window === null || source !== window || origin !== this.#origin) return;
    if (data?.tercet !== 'hello' || data.version !== VERSION || typeof data.nonce !== 'string') return;
    // A frame that was loaded again greets again: what it knew is gone, and so is its old port.
    this.#port?.close();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = (event: MessageEvent<ToHost>) => this.#told(event.data);
    const answer: Connect = { tercet: 'connect', version: VERSION, nonce: data.nonce, ...this.#connect() };
    window.postMessage(answer, this.#origin === 'null' ? '*' : this.#origin, [port2]);
    for (const message of this.#queue.splice(0)) port1.postMessage(message);
  };
}
