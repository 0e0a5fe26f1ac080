/** Half-rounds between P1 and P2: even ones carry P1 → P2, odd ones P2 → P1. */

/** The first half-round P1 → P2 that is not before `half`. */
export function evenFrom(half: number): number {
  return half + (half % 2);
}

/** The first half-round P2 → P1 that is not before `half`. */
export function oddFrom(half: number): number {
  return half + ((half + 1) % 2);
}

/** When the last of them is there; the start, of none. */
export function latest(times: readonly number[]): number {
  return times.reduce((a, b) => Math.max(a, b), 0);
}
