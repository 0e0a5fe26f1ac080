/**
 * The compute parties show each other the heads of their logs, and each countersigns what it saw: from then on neither
 * can cut or fork its log behind that head without the other one's log, and its own, telling of it.
 *
 * Over a link on which both have proved who they are, both ends say the same, in this order:
 *
 *   audit/head     136 bytes: key 32, sequence 8 (little-endian), hash 32, signature 64
 *   audit/witness   64 bytes: a signature over the head that came
 *
 * SECURITY: the other party is hostile. It can make this one write three lines and sign what it sent, and nothing
 * else: lengths are fixed, who calls bounds how often and how long. test/audit/exchange.test.ts.
 */
import { concatBytes, fromHex, toHex } from '../core/bytes.ts';
import { TercetError } from '../core/errors.ts';
import type { Channel } from '../net/wire/types.ts';
import type { AuditLog, Checkpoint } from './log-node.ts';

const HEAD_BYTES = 136;
const SIGNATURE_BYTES = 64;

/** Name of the link: 16 bytes that no session has by chance. */
export const AUDIT_LINK: Uint8Array = new TextEncoder().encode('tercet audit v1 ');

/**
 * @param accepts whether a key may be that of the other party
 * @throws {TercetError} ERR_INTEGRITY for a log that went back, or a signature that does not hold; ERR_IDENTITY_KEY for
 * another party's log; ERR_STATE if this log cannot be written; else what the link throws
 */
export async function exchangeHeads(
  channel: Channel,
  log: AuditLog,
  accepts: (identity: string) => boolean,
): Promise<void> {
  const own = await log.checkpoint();
  await channel.send('audit/head', encodeHead(log.identity, own));
  const { identity, checkpoint } = decodeHead(await channel.recv('audit/head', HEAD_BYTES));
  if (identity === log.identity || !accepts(identity))
    throw new TercetError('ERR_IDENTITY_KEY', 'the audit log is not that of the other party', 'ask its operator');
  await channel.send('audit/witness', fromHex(await log.witness(identity, checkpoint)));
  await log.countersigned(identity, own, toHex(await channel.recv('audit/witness', SIGNATURE_BYTES)));
}

function encodeHead(identity: string, { sequence, hash, signature }: Checkpoint): Uint8Array {
  const place = new Uint8Array(8);
  new DataView(place.buffer).setBigUint64(0, BigInt(sequence), true);
  return concatBytes([fromHex(identity), place, fromHex(hash), fromHex(signature)]);
}

function decodeHead(bytes: Uint8Array): { identity: string; checkpoint: Checkpoint } {
  const sequence = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(32, true));
  if (!Number.isSafeInteger(sequence))
    throw new TercetError('ERR_FRAME_FORMAT', 'the head of an audit log is beyond all numbers', 'ask its operator');
  return {
    identity: toHex(bytes.subarray(0, 32)),
    checkpoint: { sequence, hash: toHex(bytes.subarray(40, 72)), signature: toHex(bytes.subarray(72)) },
  };
}
