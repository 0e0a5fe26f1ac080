/**
 * The length of a key stream, and the one place where a position in it becomes a block number: the same for every
 * backend.
 */
import { invariant } from '../../core/errors.ts';

/** Bytes of a ChaCha20 block. */
export const BLOCK_BYTES = 64;

/**
 * Bytes of a key stream. RFC 8439 numbers its blocks with 32 bits; behind 2^32 blocks (256 GiB) it would begin
 * again, and a pad would come twice.
 */
export const STREAM_BYTES = 2 ** 32 * BLOCK_BYTES;

/**
 * Number of the block that holds byte `from` of a stream of which the bytes [from, to) are wanted.
 * @throws {TercetError} ERR_INTERNAL where the stream has no such bytes. `CircuitBuilder` refuses a circuit with a
 * longer stream before.
 */
export function blockOf(from: number, to: number): number {
  invariant(
    from >= 0 && from <= to && to <= STREAM_BYTES,
    'a key stream ends after 2^38 bytes, behind which it would repeat',
  );
  return Math.floor(from / BLOCK_BYTES);
}
