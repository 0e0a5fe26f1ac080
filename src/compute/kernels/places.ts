/** How a batch of matrices lies in a vector that a pattern would gather it from. */
import type { Pattern } from '../pattern.ts';
import type { MatrixPlaces, ProductShape } from './types.ts';

/** Where the right operands of a product lie; undefined where they do not lie side by side. */
export function placesOf(pattern: Pattern, { batch, inner, n, transposed }: ProductShape): MatrixPlaces | undefined {
  if (pattern.kind !== 'strided') return undefined;
  const [rows, cols] = transposed === true ? [n, inner] : [inner, n];
  // An axis of one step has any stride.
  const axes = pattern.axes.filter(({ count }) => count !== 1);
  const strides: number[] = [];
  for (const count of [batch, rows, cols]) {
    if (count === 1) strides.push(0);
    else if (axes[0]?.count === count) strides.push((axes.shift() as (typeof axes)[0]).stride);
    else return undefined;
  }
  const [apart, stride, one] = strides;
  const width = (batch - 1) * apart + cols;
  if (axes.length > 0 || (cols > 1 && one !== 1) || (rows > 1 && stride < width)) return undefined;
  return { offset: pattern.offset, apart, stride: rows > 1 ? stride : width };
}
