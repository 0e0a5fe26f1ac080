/**
 * What makes one session of three links. Each link of the owner has a name that both its ends derive from its key,
 * and so from everything that was said when the key was agreed; the owner names both links in its request, and the
 * compute parties compare the hash of the request, the dealer that it names, and both names over their own link. So
 * both serve the same owner and the same request, whoever chose the same session.
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { equalBytes, fromHex } from '../core/bytes.ts';
import { TercetError } from '../core/errors.ts';
import { encodeTranscript } from '../net/wire/transcript.ts';
import type { Channel } from '../net/wire/types.ts';
import { type Request, requestCode } from './request.ts';

const TAG = 'binding/hash';
const BYTES = 32;

/**
 * The public name of a link: says nothing of its key, and nobody else can give it. @param pairKey 32 bytes
 */
export function linkName(pairKey: Uint8Array): Uint8Array {
  return hkdf(sha256, pairKey, undefined, new TextEncoder().encode('tercet/1 link name'), BYTES);
}

/** @param names of the owner's links with party 1 and party 2. @param model the hash of the model that is served */
export function sessionBinding(
  session: Uint8Array,
  request: Request,
  model: string,
  names: readonly [Uint8Array, Uint8Array],
): Uint8Array {
  return sha256(
    encodeTranscript('tercet/1 session', [
      session,
      fromHex(requestCode(request)),
      new TextEncoder().encode(model),
      ...(request.dealer === undefined ? [] : [fromHex(request.dealer)]),
      ...names,
    ]),
  );
}

/**
 * Compares over the link of the compute parties. @throws {TercetError} ERR_PEER_MISMATCH, and what the channel
 * throws
 */
export async function compareBinding(peer: Channel, binding: Uint8Array): Promise<void> {
  await peer.send(TAG, binding);
  if (equalBytes(await peer.recv(TAG, BYTES), binding)) return;
  // In good order, so that the other one sees it too.
  await peer.close();
  throw new TercetError(
    'ERR_PEER_MISMATCH',
    'the two compute parties were asked for different runs, or by different owners',
    'start a new run',
  );
}
