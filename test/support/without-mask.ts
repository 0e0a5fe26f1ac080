/** Proof kernels that draw zeros in place of one mask, as a control of tests that look for it. */
import type { ProofKernels } from '../../src/compute/kernels/proof-types.ts';
import { zeros } from '../../src/compute/ring.ts';

/** @param purpose of the mask, by its number in `keys.ts` */
export function withoutMask(kernels: ProofKernels, purpose: number): ProofKernels {
  return new Proxy(kernels, {
    get: (target, property) => {
      if (property === 'draw')
        return async (...[stream, k, count, first]: Parameters<ProofKernels['draw']>) =>
          stream.nonce[6] === purpose ? zeros(count, k) : target.draw(stream, k, count, first);
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
