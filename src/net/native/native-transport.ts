/**
 * Frames of a link whose TLS is in the thread of Rust, as a transport for a channel. It says and hears what links in a
 * thread of Node do (`thread-transport.ts`), and closes in bounded time.
 */
import type { TercetError } from '../../core/errors.ts';
import { ThreadTransport } from '../thread/thread-transport.ts';
import type { FromThread, ToThread } from '../thread/messages.ts';
import { FrameParser } from '../wire/frame.ts';
import type { NativeSocket } from './native-socket.ts';
import { ORDER } from './native-tls.ts';

/** How long a graceful close waits for the peer's end once everything is written. */
const LINGER_MS = 1000;

export interface NativeTransportOptions {
  readonly session: Uint8Array;
  /** Bytes that arrived before the transport took over. */
  readonly early: Uint8Array;
  /** Longest time that `close` spends on writing what was taken. */
  readonly flushTimeoutMs: number;
  /** Names an error of the socket; called with undefined if it closed without one. */
  readonly explain: (error: Error | undefined) => TercetError;
}

/** Takes over `socket`, which must be paused. */
export function nativeTransport(socket: NativeSocket, options: NativeTransportOptions): ThreadTransport {
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
  const transport = new ThreadTransport(id, post, () => undefined);
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
