/** Event-loop helpers that work in Node and in a browser. */

const LONGEST_TIMER_MS = 0x7fff_ffff;

/**
 * Runs a callback after the current turn of the event loop: when every microtask that can run has run, and sockets
 * and timers got their chance.
 */
export function nextTurn(callback: () => void): void {
  if (typeof setImmediate === 'function') {
    setImmediate(callback);
    return;
  }
  // In a page a timer would wait for milliseconds; a message does not.
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(undefined);
}

/** A timer for a time-out that may be Infinity: then there is none. Stop it with `clearTimeout`. */
export function startTimer(ms: number, callback: () => void): ReturnType<typeof setTimeout> | undefined {
  return ms <= LONGEST_TIMER_MS ? setTimeout(callback, ms) : undefined;
}
