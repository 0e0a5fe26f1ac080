/**
 * Where a card's party runs: in the one worker of its page, whose frames meet at a shared worker; where there is none
 * of that, in a worker of its own. What computes is the same.
 */
import type { PartyHome } from '../../sdk/worker/client.ts';
import { OwnSharedWorker as SharedWorker, OwnWorker as Worker } from './start-worker.ts';

export type ToSwitchboard =
  | { readonly op: 'join'; readonly page: string }
  | { readonly op: 'opened'; readonly member: number }
  | { readonly op: 'leave' };
export type FromSwitchboard =
  | { readonly op: 'lead' | 'party' | 'lost' }
  | { readonly op: 'open'; readonly member: number };

/** How a party came to run where it runs. */
export type PartyPlace = 'leading' | 'following' | 'alone';

/** So long the others of a page may take to answer. */
const ANSWER_MS = 2_000;

const startWorker = () =>
  new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'tercet-widget-party' });

/** @param page names the page, the same for all of its frames. @param told hears where the party runs */
export async function openParty(page: string, told: (place: PartyPlace) => void = () => undefined): Promise<PartyHome> {
  try {
    return await joined(page, told);
  } catch {
    // No shared worker here, no origin that could have one, or nobody who answers.
    told('alone');
    const worker = startWorker();
    return portOf(worker, () => worker.terminate());
  }
}

/** A party of its own behind a port to `worker`. */
function portOf(worker: globalThis.Worker, end: () => void): PartyHome {
  const { port1, port2 } = new MessageChannel();
  worker.postMessage({}, [port2]);
  const home = new PortHome(port1, end);
  worker.addEventListener('error', () => home.fail());
  return home;
}

class PortHome extends EventTarget implements PartyHome {
  readonly #port: MessagePort;
  readonly #end: () => void;

  constructor(port: MessagePort, end: () => void) {
    super();
    this.#port = port;
    this.#end = end;
    port.onmessage = ({ data, ports }) => this.dispatchEvent(new MessageEvent('message', { data, ports: [...ports] }));
  }

  postMessage(message: unknown, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  fail(): void {
    this.dispatchEvent(new Event('error'));
  }

  terminate(): void {
    this.#port.close();
    this.#end();
  }
}

function joined(page: string, told: (place: PartyPlace) => void): Promise<PartyHome> {
  if (SharedWorker === undefined) throw new Error('no shared workers');
  const shared = new SharedWorker(new URL('./switchboard.ts', import.meta.url), {
    type: 'module',
    name: 'tercet-widget',
  });
  const { port } = shared;
  const say = (message: ToSwitchboard, ports: MessagePort[] = []) => port.postMessage(message, ports);
  let led: globalThis.Worker | undefined;
  let home: PortHome | undefined;
  const leave = (): void => {
    say({ op: 'leave' });
    // The worker that this frame leads stays for the others, until the frame is gone.
    if (led === undefined) port.close();
  };
  addEventListener(
    'pagehide',
    () => {
      say({ op: 'leave' });
      led?.terminate();
    },
    { once: true },
  );
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      leave();
      reject(new Error('no answer'));
    }, ANSWER_MS);
    shared.addEventListener('error', () => reject(new Error('no shared worker')));
    port.onmessage = ({ data, ports }: MessageEvent<FromSwitchboard>) => {
      switch (data.op) {
        case 'lead':
          led = startWorker();
          led.addEventListener('error', leave);
          break;
        case 'open': {
          if (led === undefined) break;
          const { port1, port2 } = new MessageChannel();
          led.postMessage({}, [port1]);
          say({ op: 'opened', member: data.member }, [port2]);
          break;
        }
        case 'party':
          clearTimeout(late);
          told(led === undefined ? 'following' : 'leading');
          home = new PortHome(ports[0], () => led === undefined && leave());
          resolve(home);
          break;
        default:
          home?.fail();
      }
    };
    say({ op: 'join', page });
  });
}
