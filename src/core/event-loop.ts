/** Event-loop helpers that work in Node and in a browser. */

const LONGEST_TIMER_MS = 0x7fff_ffff;

/**
 * Gives the event loop one turn, as cheaply as the platform can: sockets and timers get their chance before
 * `callback` runs.
 */
export function nextTurn(callback: () => void): void {
  if (typeof setImmediate === 'function') setImmediate(callback);
  else setTimeout(callback, 0);
}

/** A timer for a time-out that may be Infinity: then there is none. Stop it with `clearTimeout`. */
export function startTimer(ms: number, callback: () => void): ReturnType<typeof setTimeout> | undefined {
  return ms <= LONGEST_TIMER_MS ? setTimeout(callback, ms) : undefined;
}
