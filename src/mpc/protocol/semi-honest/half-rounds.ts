/** Half-rounds: even ones carry P1 → P2, odd ones P2 → P1. */

export function evenFrom(half: number): number {
  return half + (half % 2);
}

export function oddFrom(half: number): number {
  return half + ((half + 1) % 2);
}

export function latest(times: readonly number[]): number {
  return times.reduce((a, b) => Math.max(a, b), 0);
}
