/** Writes safetensors files: weights for the parties, shares of weights (I64), and test models. The reader is safetensors.ts. */

import { TercetError } from '../core/errors.ts';
import { quote, shapeText } from './describe.ts';
import { DTYPE_BYTES, type Dtype } from './dtype.ts';

/** A tensor to write; `data` holds its elements in the machine's byte order, which is little-endian. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
}

/**
 * Writes a safetensors file.
 *
 * The same bytes for the same tensors in any order: as in the reference implementation they are sorted by element size (so that all are
 * aligned), then name, and the header is padded with spaces to a multiple of eight bytes.
 * @throws {TercetError} ERR_SHAPE when data and shape disagree or two tensors share a name.
 */
export function encodeSafetensors(tensors: Iterable<TensorToWrite>, metadata?: Readonly<Record<string, string>>): Uint8Array {
  const elementBytes = (tensor: TensorToWrite): number => DTYPE_BYTES.get(tensor.dtype) ?? 0;
  const sorted = [...tensors].sort((a, b) => elementBytes(b) - elementBytes(a) || (a.name < b.name ? -1 : 1));
  const header = new Map<string, unknown>(metadata ? [['__metadata__', metadata]] : []);
  let dataBytes = 0;
  for (const tensor of sorted) {
    const expected = tensor.shape.reduce((product, size) => product * size, elementBytes(tensor));
    if (expected !== tensor.data.byteLength || header.has(tensor.name)) {
      throw new TercetError(
        'ERR_SHAPE',
        `tensor ${quote(tensor.name)}: ${tensor.dtype} ${shapeText(tensor.shape)} and ${tensor.data.byteLength} bytes, or its name is used twice`,
        'this is a bug in the caller',
      );
    }
    header.set(tensor.name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [dataBytes, dataBytes + expected] });
    dataBytes += expected;
  }
  // Object.fromEntries defines own properties, so a tensor named __proto__ is written like any other.
  let text = JSON.stringify(Object.fromEntries(header));
  let headerBytes = new TextEncoder().encode(text);
  text = text.padEnd(text.length + ((8 - (headerBytes.length % 8)) % 8));
  headerBytes = new TextEncoder().encode(text);
  const out = new Uint8Array(8 + headerBytes.length + dataBytes);
  new DataView(out.buffer).setBigUint64(0, BigInt(headerBytes.length), true);
  out.set(headerBytes, 8);
  let at = 8 + headerBytes.length;
  for (const { data } of sorted) {
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return out;
}
