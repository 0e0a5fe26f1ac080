/** Kernels that draw zeros in place of one mask, as a control of tests that look for it. */
import type { ProofKernels } from '../../src/compute/kernels/proof-types.ts';
import type { RingKernels, Stream } from '../../src/compute/kernels/types.ts';
import { zeros } from '../../src/compute/ring.ts';
import { PURPOSES, type Purpose } from '../../src/mpc/prg/gate-id.ts';

function drawingZeros<K extends RingKernels | ProofKernels>(kernels: K, of: (stream: Stream) => boolean): K {
  return new Proxy(kernels, {
    get: (target, property) => {
      if (property === 'draw')
        return async (...[stream, k, count, first]: Parameters<ProofKernels['draw']>) =>
          of(stream) ? zeros(count, k) : target.draw(stream, k, count, first);
      // What a party computes with is a scope of its own.
      if (property === 'scope' && 'scope' in target) return () => drawingZeros(target.scope(), of);
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** @param purpose of a mask of a proof, by its number in `proof/keys.ts` */
export function withoutMask(kernels: ProofKernels, purpose: number): ProofKernels {
  return drawingZeros(kernels, ({ nonce }) => nonce[6] === purpose);
}

/** Without a mask of gates, of all pairs. */
export function withoutGateMask(kernels: RingKernels, purpose: Purpose): RingKernels {
  return drawingZeros(kernels, ({ nonce }) => nonce[10] === PURPOSES[purpose]);
}
