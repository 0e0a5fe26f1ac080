/**
 * Runs a callback after the current turn of the event loop: when every microtask that can run has run, so that what
 * was asked for together is done together.
 */
export function afterTurn(callback: () => void): void {
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
