/**
 * Kernels in a page, called from Node: values cross as JSON with typed arrays in base64. Both sides use this file.
 * Vectors of results are read back in the page; matrices stay there and cross as numbers.
 */
import type { Matrix } from '../../src/compute/kernels/types.ts';

const ARRAYS = { Uint8Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array } as const;

/** What a matrix looks like to the other side. */
export interface MatrixReference extends Matrix {
  readonly reference: number;
}

/** Answer of a call. */
export type Answer =
  | { readonly value: unknown }
  | { readonly error: { readonly code: string; readonly message: string; readonly hint: string } };

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

export function encode(value: unknown): unknown {
  if (typeof value === 'bigint') return { $: 'bigint', value: value.toString() };
  if (ArrayBuffer.isView(value)) {
    return {
      $: value.constructor.name,
      value: toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)),
    };
  }
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encode(item)]));
  return value;
}

export function decode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== 'object' || value === null) return value;
  if ('$' in value && 'value' in value) {
    if (value.$ === 'bigint') return BigInt(value.value as string);
    const bytes = Uint8Array.from(atob(value.value as string), (character) => character.charCodeAt(0));
    return new ARRAYS[value.$ as keyof typeof ARRAYS](bytes.buffer);
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
}
