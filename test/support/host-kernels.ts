/** Kernels whose every result is read back, so that tests can look at words whatever the backend. */
import type { RingKernels } from '../../src/compute/kernels/types.ts';
import type { Vector, Words } from '../../src/compute/ring.ts';

function isVector(value: unknown): value is Vector {
  return typeof value === 'object' && value !== null && 'k' in value && ('length' in value || 'data' in value);
}

export function onHost(kernels: RingKernels): RingKernels<Words> {
  return new Proxy(kernels, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]) => {
        const result = (value as (...args: readonly unknown[]) => unknown).apply(target, [...args]);
        return result instanceof Promise
          ? result.then((made: unknown) => (isVector(made) ? target.read(made) : made))
          : result;
      };
    },
  }) as RingKernels<Words>;
}
