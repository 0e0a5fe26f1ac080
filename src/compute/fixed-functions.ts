/**
 * Functions of real numbers in integers: what tables are fitted to. No function of `Math`, whose last bits engines
 * round otherwise, so all parties have the same tables by construction.
 */

/** Fractional bits. */
export const FRACTION = 96n;
export const ONE = 1n << FRACTION;

export function product(a: bigint, b: bigint): bigint {
  return (a * b) >> FRACTION;
}

/** ⌊√x⌋ of an integer, by Newton's rule from above. */
export function root(x: bigint): bigint {
  if (x === 0n) return 0n;
  for (let at = 1n << BigInt(2 * x.toString(16).length); ; ) {
    const next = (at + x / at) >> 1n;
    if (next >= at) return at;
    at = next;
  }
}

/** Halvings of an argument before the series of e^x, undone by squaring. */
const HALVINGS = 6n;

/** e^x, by its Taylor series. */
export function exponential(x: bigint): bigint {
  let term = ONE;
  let sum = 0n;
  for (let n = 1n; term !== 0n; n++) {
    sum += term;
    term = ((term * x) / n) >> (FRACTION + HALVINGS);
  }
  for (let i = 0n; i < HALVINGS; i++) sum = product(sum, sum);
  return sum;
}

/** tanh(x + y), of few x and few y: e^(2x + 2y) is a product. */
export function tanhOfSums(): (x: bigint, y: bigint) => bigint {
  const known = new Map<bigint, bigint>();
  const squared = (x: bigint): bigint => {
    const made = known.get(x) ?? exponential(2n * x);
    known.set(x, made);
    return made;
  };
  return (x, y) => {
    const both = product(squared(x), squared(y));
    return ((both - ONE) << FRACTION) / (both + ONE);
  };
}
