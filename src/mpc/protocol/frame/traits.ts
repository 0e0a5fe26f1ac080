/** Public parameters of gates and local nodes, and one text for each, so that a circuit can be hashed. */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from '../../../core/bytes.ts';

/** A public parameter of a node. */
export type Trait =
  | string
  | number
  | bigint
  | boolean
  | undefined
  | ArrayBufferView
  | readonly Trait[]
  | { readonly [name: string]: Trait };

/** One text for each value: long numeric tables by their hash. */
export function traitText(trait: Trait): string {
  if (typeof trait === 'string') return JSON.stringify(trait);
  if (typeof trait === 'bigint') return `${trait}n`;
  if (typeof trait !== 'object') return String(trait);
  if (ArrayBuffer.isView(trait)) {
    const bytes = new Uint8Array(trait.buffer, trait.byteOffset, trait.byteLength);
    return `${trait.constructor.name}#${toHex(sha256(bytes))}`;
  }
  if (Array.isArray(trait)) return `[${trait.map(traitText).join(',')}]`;
  const entries = Object.entries(trait).filter(([, value]) => value !== undefined);
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${JSON.stringify(name)}:${traitText(value)}`)
    .join(',')}}`;
}
