/** Scalars of the terms of a relation, one term after the other, by the operations for one vector each. */
import { invariant } from '../../core/errors.ts';
import { lengthOf } from '../ring.ts';
import type { ProofKernels, Term } from './proof-types.ts';

/** Elements of every base. @throws {TercetError} ERR_INTERNAL for vectors of other lengths */
export function checkTerms(bases: readonly BigUint64Array[], terms: readonly Term[]): number {
  const [n] = bases.map(({ length }) => length);
  invariant(
    bases.every(({ length }) => length === n) &&
      terms.every(({ base, factor }) => base in bases && (factor === undefined || lengthOf(factor) === n)),
    'terms: vectors of one length',
  );
  return n;
}

/** As `ProofKernels.terms`. */
export async function termsBy(
  kernels: Pick<ProofKernels, 'multiply'>,
  bases: readonly BigUint64Array[],
  terms: readonly Term[],
  q: bigint,
): Promise<BigUint64Array> {
  const n = checkTerms(bases, terms);
  const out = new BigUint64Array(terms.length * n);
  for (const [t, { base, factor }] of terms.entries())
    out.set(factor === undefined ? bases[base] : await kernels.multiply(bases[base], factor, q), t * n);
  return out;
}

/** As `ProofKernels.termsDot`. */
export async function termsDotBy(
  kernels: Pick<ProofKernels, 'multiply' | 'tailDot'>,
  ...[bases, terms, first, stride, coefficients, q]: Parameters<ProofKernels['termsDot']>
): Promise<bigint> {
  let total = 0n;
  for (const [t, term] of terms.entries()) {
    const scalars = await termsBy(kernels, bases, [term], q);
    total += await kernels.tailDot(scalars, first + t * stride, coefficients, q);
  }
  return total % q;
}
