/**
 * The worker's half of WebRTC: asks the page at the other end of a port (see `servePageHost`) for offers, and gets
 * ports to the data.
 */
import type { MessageLink } from '../chunks/link.ts';
import { PortLink } from './port-link.ts';
import { type PageReply, type PageRequest, errorFrom } from './port-protocol.ts';
import type { RtcOfferer } from './types.ts';

type Ok = PageReply & { readonly ok: true };
/** A request without its id, for each kind of request. */
type Body<T = PageRequest> = T extends PageRequest ? Omit<T, 'id'> : never;

/** An offerer over the page that serves `port`. Takes the port over. */
export function pageOfferer(port: MessagePort): RtcOfferer {
  const waiting = new Map<number, { resolve: (reply: Ok) => void; reject: (error: Error) => void }>();
  let ids = 0;
  port.onmessage = ({ data: reply }: MessageEvent<PageReply>) => {
    const waiter = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.ok) waiter?.resolve(reply);
    else waiter?.reject(errorFrom(reply));
  };
  const ask = (request: Body): Promise<Ok> =>
    new Promise((resolve, reject) => {
      const id = ids++;
      waiting.set(id, { resolve, reject });
      port.postMessage({ ...request, id } as PageRequest);
    });
  return {
    offer: async ({ associations, iceServers }) => {
      const link = ids++;
      const { descriptions } = await ask({ op: 'offer', link, associations, iceServers });
      return {
        descriptions: descriptions ?? [],
        accept: async (answers) => {
          await ask({ op: 'accept', link, answers });
        },
        opened: async () => {
          const { ports } = await ask({ op: 'opened', link });
          return (ports ?? []).map((opened): MessageLink => new PortLink(opened.port, opened.maxMessageBytes));
        },
        close: () => void ask({ op: 'close', link }).catch(() => undefined),
      };
    },
  };
}
