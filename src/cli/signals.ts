/** Ctrl-C and termination become an abort: the run ends its processes before this one ends. */

/** @param hangUp whether SIGHUP is one of them: a service's own word for reading its files again is not */
export function cancelOnSignals(hangUp = true): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  process.on('SIGINT', abort);
  process.on('SIGTERM', abort);
  if (hangUp) process.on('SIGHUP', abort);
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGINT', abort);
      process.off('SIGTERM', abort);
      process.off('SIGHUP', abort);
    },
  };
}

/**
 * The signals of a service: the first SIGTERM or SIGINT asks it to stop, the next one stops it at once; SIGHUP asks it
 * to read its files again.
 */
export function serviceSignals(reload: () => void): {
  readonly drain: AbortSignal;
  readonly signal: AbortSignal;
  release(): void;
} {
  const [asked, now] = [new AbortController(), new AbortController()];
  const stop = () => (asked.signal.aborted ? now.abort() : asked.abort());
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', reload);
  return {
    drain: asked.signal,
    signal: now.signal,
    release() {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      process.off('SIGHUP', reload);
    },
  };
}
