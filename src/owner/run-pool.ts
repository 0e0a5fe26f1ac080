/** Where a runner gets its runs: dealt ahead, or made now. */
import type { RunShape } from '../ml/models/run.ts';
import type { PreparedRun } from './prepared-run.ts';

/** A prepared run that a run may use, and whether it was there before. */
export interface Lease {
  readonly prepared: PreparedRun;
  readonly ahead: boolean;
}

export interface RunPool {
  /** Makes a prepared run for later, unless a fitting one is there. @param signal throws it away. */
  prepare(shape: RunShape, signal: AbortSignal | undefined): Promise<void>;
  /** A prepared run that fits and stands, else a new one. @param signal throws it away. */
  take(shape: RunShape, signal: AbortSignal): Promise<Lease>;
  /** A prepared run that is made now. */
  fresh(shape: RunShape, signal: AbortSignal): Promise<Lease>;
  /** Lets go of all that was made. */
  clear(): Promise<void>;
}
