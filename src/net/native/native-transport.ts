/**
 * Frames of a link whose TLS is in the thread of Rust, as a transport for a channel. It says and hears what links in a
 * thread of Node do (`thread-transport.ts`), and closes in bounded time.
 */
import { ThreadTransport } from '../thread/thread-transport.ts';
import type { FromThread, ToThread } from '../thread/messages.ts';
import { FrameParser } from '../wire/frame.ts';
import type { FrameTransportOptions } from '../tls/other-tls.ts';
import { ORDER, type Order, type Told } from './native-tls.ts';

/** How long a graceful close waits for the peer's end once everything is written. */
const LINGER_MS = 1000;

/** A connection in the thread. */
export interface FramedSocket {
  /** From here on the thread reads frames, and tells `told` of them and of everything else. */
  frames(session: Uint8Array, early: Uint8Array, told: Told): void;
  /** An order to the thread, while the link is there. */
  order(order: Order, ...values: readonly unknown[]): void;
  end(): unknown;
  destroy(): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
}

/** Takes over `socket`, which must be paused. */
export function nativeTransport(socket: FramedSocket, options: FrameTransportOptions): ThreadTransport {
  const { session, early, flushTimeoutMs, explain } = options;
  const id = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closing = false;
  let frames = 0;
  let failure: Error | undefined;
  const destroyIn = (ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => socket.destroy(), ms);
  };
  const post = (message: ToThread): void => {
    switch (message.kind) {
      case 'write':
        socket.order(ORDER.write, message.header, message.payload);
        return;
      case 'taken':
        socket.order(ORDER.taken, message.bytes);
        return;
      case 'pause':
        socket.order(ORDER.pause, message.paused);
        return;
      case 'close':
        closing = true;
        // What still arrives is dropped by the inbox, which has ended; reading it lets the peer's end through.
        socket.order(ORDER.pause, false);
        socket.end();
        destroyIn(flushTimeoutMs);
        return;
      default:
        socket.destroy();
    }
  };
  const transport = new ThreadTransport(id, post, () => undefined, process.nextTick);
  const tell = (message: FromThread): void => transport.handle(message);
  socket.frames(session, early, (kind, ...values) => {
    if (kind === 'frame') {
      frames++;
      const [tag, sequence, payload] = values as [string, number, Uint8Array];
      tell({ kind: 'frames', id, frames: [{ tag, sequence, payloadLength: payload.length, payload }] });
    } else if (kind === 'header') {
      const [tag, sequence, payloadLength] = values as [string, number, number];
      tell({ kind: 'header', id, header: { tag, sequence, payloadLength } });
    } else if (kind === 'malformed') transport.fail(malformed(values[0] as Uint8Array, session, frames));
    else if (kind === 'room') tell({ kind: 'room', id, bytes: values[0] as number });
    else if (kind === 'end') tell({ kind: 'end', id });
    else if (kind === 'finished' && closing) destroyIn(LINGER_MS);
  });
  socket.on('error', (error: Error) => {
    failure ??= error;
  });
  socket.on('close', () => {
    clearTimeout(timer);
    if (closing) tell({ kind: 'closed', id });
    else transport.fail(explain(failure));
  });
  return transport;
}

/** What is wrong with a header: the same checks as everywhere name it. */
function malformed(head: Uint8Array, session: Uint8Array, sequence: number): Error {
  try {
    new FrameParser(session, { onFrame: () => undefined }, sequence).push(head);
  } catch (error) {
    return error as Error;
  }
  throw new Error('the library refuses a header that is none');
}
