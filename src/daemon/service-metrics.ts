/** Counts for whoever watches a party or a dealer. Loaded for them alone: it is a hundred files. */
import type { RingKernels } from '../compute/kernels/types.ts';
import type { ServiceMetrics } from '../operate/metrics.ts';

export async function serviceMetrics(
  models: readonly { readonly name: string }[],
  { name }: RingKernels,
  protocols: readonly string[] = [],
): Promise<ServiceMetrics> {
  const { ServiceMetrics } = await import('../operate/metrics.ts');
  return new ServiceMetrics({
    models: models.map((model) => model.name),
    protocols,
    device: name,
    now: () => performance.now(),
  });
}
