/**
 * Writes safetensors files: weights for the parties, shares of weights (I64), and test models. The reader is
 * safetensors.ts.
 */

import { concatBytes } from '../core/bytes.ts';
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

/** What the header says of a tensor. */
export type TensorLayout = Pick<TensorToWrite, 'name' | 'dtype' | 'shape'>;

function layoutBytes({ dtype, shape }: TensorLayout): number {
  return shape.reduce((product, size) => product * size, DTYPE_BYTES.get(dtype) ?? 0);
}

/**
 * The length field and header of a file whose tensors follow in the given order, padded with spaces to a multiple
 * of eight bytes: for writers that do not hold all tensors at once.
 * @throws {TercetError} ERR_SHAPE when two tensors share a name.
 */
export function safetensorsHeader(
  tensors: readonly TensorLayout[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const header = new Map<string, unknown>(metadata ? [['__metadata__', metadata]] : []);
  let dataBytes = 0;
  for (const tensor of tensors) {
    if (header.has(tensor.name))
      throw new TercetError('ERR_SHAPE', `two tensors are called ${quote(tensor.name)}`, 'this is a bug in the caller');
    const end = dataBytes + layoutBytes(tensor);
    header.set(tensor.name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [dataBytes, end] });
    dataBytes = end;
  }
  // Object.fromEntries defines own properties, so a tensor named __proto__ is written like any other.
  const text = JSON.stringify(Object.fromEntries(header));
  const length = new TextEncoder().encode(text).length;
  const padded = new TextEncoder().encode(text.padEnd(text.length + ((8 - (length % 8)) % 8)));
  const out = new Uint8Array(8 + padded.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(padded.length), true);
  out.set(padded, 8);
  return out;
}

/**
 * Writes a safetensors file in memory.
 *
 * The same bytes for the same tensors in any order: as in the reference implementation they are sorted by element
 * size (so that all are aligned), then name.
 * @throws {TercetError} ERR_SHAPE when data and shape disagree or two tensors share a name.
 */
export function encodeSafetensors(
  tensors: Iterable<TensorToWrite>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const elementBytes = (tensor: TensorToWrite): number => DTYPE_BYTES.get(tensor.dtype) ?? 0;
  const sorted = [...tensors].sort((a, b) => elementBytes(b) - elementBytes(a) || (a.name < b.name ? -1 : 1));
  for (const tensor of sorted) {
    if (layoutBytes(tensor) === tensor.data.byteLength) continue;
    throw new TercetError(
      'ERR_SHAPE',
      `tensor ${quote(tensor.name)}: ${tensor.dtype} ${shapeText(tensor.shape)} does not take ${tensor.data.byteLength} bytes`,
      'this is a bug in the caller',
    );
  }
  const parts = [
    safetensorsHeader(sorted, metadata),
    ...sorted.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ];
  return concatBytes(parts);
}
