/**
 * The messages of a chunked link.
 *
 *   offset  size  field
 *        0     4  number: of the chunk in the stream (data, fin), else 0; low half of a credit
 *        4     1  kind
 *        5     1  reserved, 0
 *        6     2  high part of a credit, else 0
 *        8     n  payload, data only: 1 byte to the longest message less 8
 *
 * Little-endian. `credit` says how many payload bytes of the stream its reader has room for, counted from the
 * beginning of the link.
 */
import { TercetError } from '../../core/errors.ts';
import { MAX_MESSAGE_BYTES } from './link.ts';

export const CHUNK_HEADER_BYTES = 8;
const KINDS = ['data', 'fin', 'fin-ack', 'credit'] as const;
export type ChunkKind = (typeof KINDS)[number];

const HINT = 'the peer does not follow the protocol: check that all parties run the same version';

export interface Chunk {
  readonly kind: ChunkKind;
  /** Sequence number, or the credit. */
  readonly number: number;
  readonly payload: Uint8Array;
}

/** A message with room for `payloadLength` bytes behind the header. */
export function newChunk(kind: ChunkKind, number: number, payloadLength = 0): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(CHUNK_HEADER_BYTES + payloadLength);
  const view = new DataView(out.buffer);
  view.setUint32(0, number % 2 ** 32, true);
  out[4] = KINDS.indexOf(kind);
  if (kind === 'credit') view.setUint16(6, Math.floor(number / 2 ** 32), true);
  return out;
}

/** @throws {TercetError} ERR_FRAME_LENGTH, ERR_FRAME_FORMAT */
export function readChunk(message: Uint8Array): Chunk {
  if (message.length < CHUNK_HEADER_BYTES || message.length > MAX_MESSAGE_BYTES) {
    throw new TercetError('ERR_FRAME_LENGTH', `a link message of ${message.length} bytes`, HINT);
  }
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const kind: ChunkKind | undefined = KINDS[message[4]];
  const low = view.getUint32(0, true);
  const high = view.getUint16(6, true);
  const payload = message.subarray(CHUNK_HEADER_BYTES);
  if (kind === undefined || message[5] !== 0)
    throw new TercetError('ERR_FRAME_FORMAT', 'a link message of no known kind', HINT);
  if (kind !== 'credit' && high !== 0)
    throw new TercetError('ERR_FRAME_FORMAT', 'a link message with a reserved field in use', HINT);
  if ((kind === 'data') !== payload.length > 0)
    throw new TercetError('ERR_FRAME_LENGTH', `a link message (${kind}) of ${message.length} bytes`, HINT);
  return { kind, number: kind === 'credit' ? low + high * 2 ** 32 : low, payload };
}
