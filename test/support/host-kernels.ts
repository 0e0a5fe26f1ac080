/** Kernels whose every result is read back, so that tests can look at words whatever the backend. */
import type { RingKernels } from '../../src/compute/kernels/types.ts';
import type { Vector, Words } from '../../src/compute/ring.ts';

function isVector(value: unknown): value is Vector {
  return typeof value === 'object' && value !== null && 'k' in value && ('length' in value || 'data' in value);
}

export function onHost(kernels: RingKernels): RingKernels<Words> {
  return new Proxy(kernels, {
    get(target, name) {
      // Nothing is read back at once.
      if (name === 'atOnce') return undefined;
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== 'function') return value;
      const host = async (made: unknown): Promise<unknown> => {
        if (isVector(made)) return target.read(made);
        if (typeof made !== 'object' || made === null || Object.getPrototypeOf(made) !== Object.prototype) return made;
        const entries = Object.entries(made).map(async ([key, part]) => [key, await host(part)] as const);
        return Object.fromEntries(await Promise.all(entries));
      };
      return (...args: readonly unknown[]) => {
        const result = (value as (...args: readonly unknown[]) => unknown).apply(target, [...args]);
        return result instanceof Promise ? result.then(host) : result;
      };
    },
  }) as RingKernels<Words>;
}
