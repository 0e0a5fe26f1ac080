/** Least squares of an even function by cosines: where the amplitudes of `mpc/secure/cosines.ts` come from. */

const NODES = 260;
/** Keeps amplitudes small where two frequencies do the same. */
const RIDGE = 2e-5;

/**
 * Amplitudes c_0, c_1, … of f(x) ≈ c_0 + Σ c_k cos(2π·j_k·x/128) on [0, outer]: more weight where inputs are, half of
 * it beyond `inner`. By orthogonalisation (modified Gram–Schmidt), which is steady to about 1e-10 here.
 */
export function cosineFit(
  f: (x: number) => number,
  frequencies: readonly number[],
  inner: number,
  outer: number,
): number[] {
  const xs = Array.from({ length: NODES }, (_, i) => (outer * i) / (NODES - 1));
  const weight = (x: number): number => (x < inner ? 1 : 0.5) * (0.2 + Math.exp((-x * x) / 6));
  const all = [0, ...frequencies];
  const columns = all.map((j, k) => [
    ...xs.map((x) => weight(x) * Math.cos((2 * Math.PI * j * x) / 128)),
    ...all.map((_, i) => (i === k ? RIDGE : 0)),
  ]);
  let rest = [...xs.map((x) => weight(x) * f(x)), ...all.map(() => 0)];
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, i) => sum + v * b[i], 0);
  const minus = (a: readonly number[], s: number, b: readonly number[]): number[] => a.map((v, i) => v - s * b[i]);
  const upper = all.map(() => all.map(() => 0));
  const right: number[] = [];
  columns.forEach((_, k) => {
    upper[k][k] = Math.sqrt(dot(columns[k], columns[k]));
    columns[k] = columns[k].map((v) => v / upper[k][k]);
    for (let i = k + 1; i < columns.length; i++) {
      upper[k][i] = dot(columns[k], columns[i]);
      columns[i] = minus(columns[i], upper[k][i], columns[k]);
    }
    right[k] = dot(columns[k], rest);
    rest = minus(rest, right[k], columns[k]);
  });
  const c = all.map(() => 0);
  for (let k = all.length - 1; k >= 0; k--) {
    let sum = right[k];
    for (let i = k + 1; i < all.length; i++) sum -= upper[k][i] * c[i];
    c[k] = sum / upper[k][k];
  }
  return c;
}
