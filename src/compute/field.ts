/**
 * Arithmetic modulo a prime q that is drawn at run time: proofs need one that nobody knew before (PROTOCOL §15.5).
 *
 * q lies in [2^60, 2^61). Two residues add without a carry out of 64 bits, and a product of two is below 2^122. This
 * file is the readable form, in bigint; `wasm/src/field.rs` is the fast one, with Montgomery's reduction.
 */
import { invariant } from '../core/errors.ts';

/** The length of a prime. */
const PRIME_BITS = 61;

/** Witnesses that decide primality below 3.3·10^24 (Sorenson, Webster: arXiv 1509.00864): no chance is left. */
const WITNESSES = [2n, 3n, 5n, 7n, 11n, 13n, 17n, 19n, 23n, 29n, 31n, 37n] as const;

/** base^exponent mod q. Public values only: the time follows from the exponent. */
export function power(base: bigint, exponent: bigint, q: bigint): bigint {
  let [result, square] = [1n, base % q];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % q;
    square = (square * square) % q;
  }
  return result;
}

/**
 * Whether n is prime, for n below 2^64: Miller and Rabin's test with witnesses that leave no exception.
 * @example isPrime(2n ** 61n - 1n) === true
 */
export function isPrime(n: bigint): boolean {
  if (n < 2n) return false;
  for (const p of WITNESSES) if (n % p === 0n) return n === p;
  let [odd, twos] = [n - 1n, 0];
  for (; odd % 2n === 0n; odd /= 2n) twos++;
  return WITNESSES.every((witness) => {
    let x = power(witness, odd, n);
    if (x === 1n || x === n - 1n) return true;
    for (let i = 1; i < twos; i++) {
      x = (x * x) % n;
      if (x === n - 1n) return true;
    }
    return false;
  });
}

/**
 * The first prime among uniform odd candidates of `bits` bits, so a uniform prime.
 * @param words uniform words of 64 bits
 * @returns undefined where none of them is one: about one in 21 is, at 61 bits
 */
export function primeAmong(words: Iterable<bigint>, bits = PRIME_BITS): bigint | undefined {
  const top = 1n << BigInt(bits - 1);
  for (const word of words) {
    const candidate = top | BigInt.asUintN(bits - 1, word) | 1n;
    if (isPrime(candidate)) return candidate;
  }
  return undefined;
}

/** The residue in [0, q), of negative numbers too. */
export function residue(x: bigint, q: bigint): bigint {
  const r = x % q;
  return r < 0n ? r + q : r;
}

/** What Montgomery's reduction needs: −q^−1 mod 2^64, and 2^128 mod q, which brings a factor into his form. */
export function montgomery(q: bigint): { readonly inverse: bigint; readonly square: bigint } {
  invariant(q % 2n === 1n && q > 1n && q < 1n << 62n, 'an odd modulus of at most 62 bits expected');
  // Newton: each step doubles the bits that are right. 3 are at the start, for q·q = 1 mod 8.
  let inverse = q;
  for (let i = 0; i < 5; i++) inverse = BigInt.asUintN(64, inverse * (2n - q * inverse));
  return { inverse: BigInt.asUintN(64, -inverse), square: (1n << 128n) % q };
}
