/** A run as a person sees it: progress on stderr while it lasts, Ctrl-C to cancel, state in the user's folder. */
import { join } from 'node:path';
import { stateFolder } from '../node/defaults.ts';
import type { Inference, InferenceOptions } from './inference.ts';
import { ProgressLine } from './progress.ts';
import { cancelOnSignals } from './signals.ts';

/** @param quiet no progress: the output is for a program. */
export async function runOnTerminal(
  options: Omit<InferenceOptions, 'signal' | 'certificates' | 'onPhase' | 'onProgress' | 'onQueued'> &
    Partial<Pick<InferenceOptions, 'certificates'>>,
  quiet: boolean,
): Promise<Inference> {
  const { signal, release } = cancelOnSignals();
  // The data owner's engine: a compute party is the same program, and does without it.
  const { runInference } = await import('./inference.ts');
  const line = new ProgressLine(process.stderr, !quiet);
  try {
    return await runInference({
      certificates: join(stateFolder(), 'certificates'),
      ...options,
      signal,
      onPhase: (phase) => line.phase(phase),
      onProgress: (party, progress) => line.progress(party, progress),
      onQueued: (before, ms) => line.queued(before, ms),
    });
  } finally {
    line.end();
    release();
  }
}
