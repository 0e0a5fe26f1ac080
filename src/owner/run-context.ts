/** Everything that runs of one model share: its terms, an open device, and the way to the parties. Never weights. */
import type { RingKernels } from '../compute/kernels/types.ts';
import type { ModelConfig } from '../ml/config.ts';
import type { Progress } from '../mpc/protocol/frame/engine.ts';
import type { Trace } from '../mpc/protocol/trace.ts';
import type { OwnerCredential } from '../net/enrolment/credential.ts';
import type { Proving } from '../session/proving.ts';
import type { Request } from '../session/request.ts';
import type { RunEnvironment } from './environment.ts';
import type { ProgressEvent } from './types/index.ts';

export interface RunContext {
  readonly environment: RunEnvironment;
  readonly config: ModelConfig;
  /** What is asked for beside the shape of a run. */
  readonly terms: Pick<Request, 'model' | 'protocol' | 'weights' | 'dealer' | 'widening' | 'securityLevel'>;
  /** For secret weights. Wiped when the runner is disposed of. */
  readonly credential: OwnerCredential | undefined;
  /**
   * Lengths that texts are padded to, ascending; the last one is the most positions that a run can have. Undefined:
   * the texts of a run are padded to the longest of them, whose length the compute parties learn.
   */
  readonly buckets: readonly number[] | undefined;
  /** Memory of a compute party that a run of several sequences asks for at most. */
  readonly runMemory: number;
  readonly kernels: RingKernels;
  /** What proves messages, where the terms want it. */
  readonly proving?: Proving | undefined;
  /** Another device, after this one failed; without it every later run fails too. */
  reopen?(): Promise<{ readonly kernels: RingKernels }>;
  onProgress(event: ProgressEvent): void;
  /** Steps of this party, for people who look inside. */
  readonly trace?: Trace | undefined;
  /** Tells the owner how a text was read. */
  notice(message: string): void;
  /** What a run is at: agreed on and being dealt, or dealt and on its way. */
  onPhase?(phase: 'preprocess' | 'online'): void;
  /** Every gate that is dealt. */
  onDealt?(progress: Progress): void;
}
