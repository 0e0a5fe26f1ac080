/** Helpers of the link tests. */

import * as tls from 'node:tls';
import { concatBytes } from '../../src/core/bytes.ts';
import { type Certificates, createCertificates } from '../../src/net/tls/certificates.ts';
import type { Certified } from '../../src/net/tls/credentials.ts';
import { encodeHeader } from '../../src/net/wire/frame.ts';
import { encodeHello, partyName } from '../../src/net/tls/hello.ts';
import type { PartyId } from '../../src/net/wire/types.ts';

export const SESSION = Uint8Array.from({ length: 16 }, (_, i) => i + 1);

let certificates: Promise<Certificates> | undefined;

/** One authority for the tests of a file. */
export function testCertificates(): Promise<Certificates> {
  certificates ??= createCertificates();
  return certificates;
}

/** Bytes that depend on position and seed. */
export function pattern(length: number, seed = 0): Uint8Array {
  const out = new Uint8Array(length);
  let state = (seed * 2654435761 + 12345) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[i] = state >>> 24;
  }
  return out;
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

export function frame(tag: string, payload: Uint8Array, sequence = 0, session = SESSION): Uint8Array {
  return concatBytes([encodeHeader(session, { tag, sequence, payloadLength: payload.length }), payload]);
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(condition: () => boolean, ms = 5000): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error('condition not reached');
    await sleep(5);
  }
}

/** A TLS client that follows no rules but those of TLS. */
export function rawClient(port: number, server: PartyId, options: tls.ConnectionOptions): tls.TLSSocket {
  const socket = tls.connect({ host: '127.0.0.1', port, servername: partyName(server), ...options });
  socket.on('error', () => {});
  return socket;
}

export function secured(socket: tls.TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('close', () => reject(new Error('closed')));
  });
}

/** A raw client that has been accepted as `from` and can now write anything. */
export async function greetedClient(
  port: number,
  from: PartyId,
  to: PartyId,
  credentials: Certified,
  session = SESSION,
): Promise<tls.TLSSocket> {
  const socket = rawClient(port, to, { ...credentials });
  await secured(socket);
  socket.write(encodeHello({ from, to, status: 'ok', session }));
  socket.resume();
  return socket;
}
