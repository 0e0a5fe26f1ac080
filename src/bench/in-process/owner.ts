/** The owner of a session in this process, by what runs tasks anywhere. */
import type { OwnerCredential } from '../../net/enrolment/credential.ts';
import { type PreparedRun, startPreparing } from '../../owner/prepared-run.ts';
import type { TaskPlan } from '../../owner/predict-plan.ts';
import type { RunContext } from '../../owner/run-context.ts';
import { type RunResult, Runner } from '../../owner/runner.ts';
import type { OwnerEnd } from './session.ts';

/** @param seeds of secret weights */
export async function runTask<R>(
  plan: TaskPlan<R>,
  terms: RunContext['terms'],
  seeds: Uint8Array | undefined,
  { circuits, session, pairKeys, channels, config, kernels, proving, now, peakMemory, signal }: OwnerEnd,
): Promise<RunResult<R>> {
  const context: RunContext = {
    ...{ config, terms, kernels, proving },
    // No link of this process has a handshake that would show more of it than its seeds.
    credential: seeds === undefined ? undefined : ({ seeds: () => seeds.slice() } as unknown as OwnerCredential),
    buckets: undefined,
    runMemory: Number.POSITIVE_INFINITY,
    onProgress: () => undefined,
    notice: () => undefined,
    environment: {
      now,
      peakMemory,
      random: () => session,
      openLink: async ({ party }) => ({
        channel: channels[party === 1 ? 0 : 1],
        pairKey: pairKeys[party === 1 ? 0 : 1],
      }),
    },
  };
  const fresh = async (shape: PreparedRun['shape'], abort: AbortSignal) => {
    const preparation = startPreparing(context, { shape, circuits, ahead: false });
    abort.addEventListener('abort', () => void preparation.drop());
    return { prepared: await preparation.run, ahead: false };
  };
  // Circuits are those of all parties, and nothing is made ahead.
  const runner = new Runner(context, () => ({
    ...{ take: fresh, fresh },
    prepare: async () => undefined,
    clear: async () => undefined,
  }));
  return runner.run(plan, { signal });
}
