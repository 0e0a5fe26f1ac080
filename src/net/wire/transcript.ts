/**
 * What is signed: a domain tag and fields, each behind its length (u32, little-endian), so that no two different
 * lists of fields have the same bytes.
 */
import { concatBytes } from '../../core/bytes.ts';

export function encodeTranscript(domain: string, fields: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const field of [new TextEncoder().encode(domain), ...fields]) {
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, field.length, true);
    parts.push(length, field);
  }
  return concatBytes(parts);
}

/**
 * The fields behind the domain tag, or undefined unless `bytes` is a transcript of this domain with exactly `count`
 * fields.
 */
export function decodeTranscript(bytes: Uint8Array, domain: string, count: number): Uint8Array[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (fields.length > count || at + 4 > bytes.length) return undefined;
    const length = view.getUint32(at, true);
    if (length > bytes.length - at - 4) return undefined;
    fields.push(bytes.slice(at + 4, at + 4 + length));
    at += 4 + length;
  }
  const [tag, ...rest] = fields;
  if (tag === undefined || rest.length !== count || new TextDecoder('latin1').decode(tag) !== domain) return undefined;
  return rest;
}
