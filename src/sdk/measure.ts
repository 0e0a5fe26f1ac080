/** Steps of this device's party in the timeline of the browser's own tools, or of Node's. */
import type { TraceEvent } from '../owner/types/index.ts';

/**
 * Puts a step of `trace` into the performance timeline: a measure with the gate, its half-round, bytes and time, never
 * a value. Give it as the option `trace`.
 *
 * @example
 * const traced = await SecureTransformer.fromPretrained('capitals-bert', { trace: measureStep });
 * await traced.predict('The capital of France is [MASK].');
 * console.log(performance.getEntriesByType('measure').length);
 *
 * @throws never.
 */
export function measureStep(event: TraceEvent): void {
  const { relation, path, phase, ms } = event;
  const end = performance.now();
  performance.measure(`${phase} ${relation} ${path}`, { start: Math.max(0, end - ms), end, detail: event });
}
