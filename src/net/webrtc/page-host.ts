/**
 * The page's half of WebRTC for a party that runs in a worker, where RTCPeerConnection does not exist.
 *
 * Security: a carrier and nothing else. It hands out offers, applies answers, and moves bytes; whether an answer is
 * genuine is decided in the worker before `accept` is asked for, and everything that arrives is checked there.
 *
 * Chromium and Safari can transfer an RTCDataChannel itself to a worker, Firefox cannot, and only a channel that
 * was just made; moving buffers by transfer costs no copy and works everywhere, so that is the one way.
 */
import type SimplePeer from 'simple-peer';
import { TercetError } from '../../core/errors.ts';
import type { PageAssociation } from './page-association.ts';
import { type PageReply, type PageRequest, errorReply } from './port-protocol.ts';

/** What `serveWebRtc` returns: the page's half of the WebRTC links of a worker. */
export interface PageHost {
  /**
   * Closes every link and the port. Call it when the worker is gone: a page is not told.
   *
   * @example
   * const { port1 } = new MessageChannel();
   * serveWebRtc(port1).close();
   *
   * @throws never
   */
  close(): void;
}

/**
 * Lends this page's WebRTC to a worker: serves the worker at the other end of `port`. Links are closed when the page
 * goes away.
 *
 * Security: the page carries bytes and decides nothing; the worker checks who answers.
 *
 * @example
 * const worker = new Worker('./my-worker.js', { type: 'module' });
 * const { port1, port2 } = new MessageChannel();
 * serveWebRtc(port1);
 * worker.postMessage({ page: port2 }, [port2]); // there: fromPretrained(id, { deployment, page })
 *
 * @throws never: a link that does not come about fails in the worker, with ERR_LINK_BLOCKED.
 */
export function servePageHost(port: MessagePort): PageHost {
  const links = new Map<number, PageAssociation[]>();
  const closeLinks = (): void => {
    for (const associations of links.values()) for (const association of associations) association.close();
    links.clear();
  };
  port.onmessage = async ({ data: request }: MessageEvent<PageRequest>) => {
    try {
      const reply = await answer(request, links);
      port.postMessage(reply, reply.ok ? (reply.ports ?? []).map((opened) => opened.port) : []);
    } catch (error) {
      port.postMessage(errorReply(request.id, error));
    }
  };
  // A page that goes away says so: the parties need not wait for a time-out.
  addEventListener('pagehide', closeLinks);
  return {
    close: () => {
      removeEventListener('pagehide', closeLinks);
      port.onmessage = null;
      port.close();
      closeLinks();
    },
  };
}

async function answer(request: PageRequest, links: Map<number, PageAssociation[]>): Promise<PageReply> {
  const { id, link } = request;
  if (request.op === 'offer') {
    const [Peer, { PageAssociation: Association }] = await Promise.all([
      loadSimplePeer(),
      import('./page-association.ts'),
    ]);
    for (const [old, associations] of links) if (associations.every(({ closed }) => closed)) links.delete(old);
    const associations = Array.from({ length: request.associations }, () => new Association(Peer, request.iceServers));
    links.set(link, associations);
    return { id, ok: true, descriptions: await Promise.all(associations.map((association) => association.offer())) };
  }
  const associations = links.get(link) ?? [];
  if (request.op === 'accept') {
    const { answers } = request;
    for (const [i, association] of associations.entries()) association.accept(answers[i]);
    return { id, ok: true };
  }
  if (request.op === 'opened')
    return { id, ok: true, ports: await Promise.all(associations.map((association) => association.opened())) };
  for (const association of associations) association.close();
  links.delete(link);
  return { id, ok: true };
}

async function loadSimplePeer(): Promise<SimplePeer.SimplePeer> {
  if (typeof RTCPeerConnection === 'undefined') {
    throw new TercetError(
      'ERR_LINK_BLOCKED',
      'this browser has no WebRTC, or it is switched off',
      'use a WebSocket link, or another browser',
    );
  }
  return (await import('simple-peer/simplepeer.min.js')).default;
}
