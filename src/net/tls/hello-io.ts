/** The moments between TLS and the first frame: reading a greeting, giving up in time, refusing politely. */

import { concatBytes } from '../../core/bytes.ts';
import type { TercetError } from '../../core/errors.ts';
import { SESSION_BYTES } from '../wire/frame.ts';
import { HELLO_BYTES, type Hello, type HelloStatus, decodeHello, encodeHello } from './hello.ts';
import { aborted, isIdentityFailure } from './tls-errors.ts';
import { startTimer } from '../../core/event-loop.ts';
import type { EndId } from '../wire/types.ts';

/** What is used of `tls.TLSSocket` here. */
export interface GreetingSocket {
  readonly destroyed: boolean;
  end(bytes: Uint8Array): unknown;
  destroy(error?: Error): unknown;
  pause(): unknown;
  resume(): unknown;
  on(event: 'data', listener: (bytes: Uint8Array) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'data', listener: (bytes: Uint8Array) => void): unknown;
  removeListener(event: 'close', listener: () => void): unknown;
}

/**
 * Reads exactly one hello; leaves the socket paused, and what came after the hello in `rest`. Rejects as soon as
 * the socket closes.
 * @param early what has been read of the socket already.
 */
export function readHello(
  socket: GreetingSocket,
  early: Uint8Array = new Uint8Array(0),
): Promise<{ hello: Hello; rest: Uint8Array }> {
  return new Promise((resolve, reject) => {
    let got: Uint8Array = new Uint8Array(0);
    let failure: Error | undefined;
    const onError = (error: Error): void => {
      failure ??= error;
      socket.destroy();
    };
    const onClose = (): void => reject(failure);
    const onData = (bytes: Uint8Array): void => {
      got = concatBytes([got, bytes]);
      if (got.length < HELLO_BYTES) return;
      socket.pause();
      socket.removeListener('data', onData);
      socket.removeListener('close', onClose);
      try {
        resolve({ hello: decodeHello(got.subarray(0, HELLO_BYTES)), rest: got.slice(HELLO_BYTES) });
      } catch (error) {
        reject(error);
      }
    };
    // The error listener stays: from here on the socket always has one.
    socket.on('error', onError);
    socket.on('close', onClose);
    socket.on('data', onData);
    socket.resume();
    if (early.length > 0) onData(early);
  });
}

/** Destroys `socket` with a typed error at the time-out or the signal. Returns what ends the watch. */
export function guard(
  socket: GreetingSocket,
  ms: number,
  signal: AbortSignal | undefined,
  timedOut: () => TercetError,
): () => void {
  const onAbort = (): unknown => socket.destroy(aborted());
  const timer = startTimer(Math.max(1, ms), () => socket.destroy(timedOut()));
  signal?.addEventListener('abort', onAbort);
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  };
}

/** Tells a connector why it is refused, if it got as far as a greeting, and drops it within a second. */
export function refuse(socket: GreetingSocket, error: TercetError, hello: Hello | undefined, self: EndId): void {
  // A greeting of another version is answered too: this side's version is the answer. So is a certificate that
  // nobody here trusts.
  const unproven = isIdentityFailure(error.code);
  if (socket.destroyed || (hello === undefined && !unproven && error.code !== 'ERR_PEER_MISMATCH')) {
    socket.destroy();
    return;
  }
  const status: HelloStatus = unproven ? 'certificate' : error.code === 'ERR_PEER_UNREACHABLE' ? 'busy' : 'mismatch';
  const timer = setTimeout(() => socket.destroy(), 1000);
  socket.on('close', () => clearTimeout(timer));
  socket.end(
    encodeHello({
      from: self,
      to: hello?.from ?? self,
      status,
      session: hello?.session ?? new Uint8Array(SESSION_BYTES),
    }),
  );
  socket.resume();
}
