/** The owner of a session of the tamper matrix: of a whole task by what runs tasks anywhere, else by its session. */
import type { OwnerCredential } from '../../net/enrolment/credential.ts';
import type { Channel, PartyId } from '../../net/wire/types.ts';
import type { PreparedRun } from '../../owner/prepared-run.ts';
import { startPreparing } from '../../owner/prepared-run.ts';
import type { TaskPlan } from '../../owner/predict-plan.ts';
import type { RunContext } from '../../owner/run-context.ts';
import { Runner } from '../../owner/runner.ts';
import type { Circuits } from '../../session/circuits.ts';
import { OwnerSession } from '../../session/owner.ts';
import type { OwnerOptions } from '../../session/owner-options.ts';
import { ownerParameters } from '../../session/owner-parameters.ts';
import { BEHIND, PROMPT } from './models.ts';

export type Owned = Pick<
  OwnerOptions,
  'config' | 'request' | 'kernels' | 'proving' | 'session' | 'pairKeys' | 'now' | 'peakMemory' | 'signal'
> & {
  readonly circuits: Circuits;
  readonly channels: readonly [Channel, Channel];
  readonly seeds: Uint8Array | undefined;
};

/** The logits of the last step. */
export async function askSession({ seeds, channels, ...rest }: Owned): Promise<readonly number[]> {
  const { config, request } = rest;
  const owner = await OwnerSession.open({
    ...rest,
    channels: new Map<PartyId, Channel>([
      [1, channels[0]],
      [2, channels[1]],
    ]),
    parameters: ownerParameters(config, seeds),
  });
  await owner.prepare();
  const rows = Array.from({ length: request.rows }, (_, row) => row);
  const first = await owner.run([{ inputIds: PROMPT, rows }]);
  const last = request.steps === 0 ? first : await owner.next({ tokenId: BEHIND, position: PROMPT.length });
  return Array.from(last.logits);
}

/** The same of a task, whose answer is read as well. */
export async function askTask(plan: TaskPlan<unknown>, owned: Owned): Promise<readonly number[]> {
  const { circuits, session, pairKeys, channels, seeds, request } = owned;
  const context: RunContext = {
    config: owned.config,
    terms: { model: request.model, protocol: request.protocol, weights: request.weights },
    // No link of this process has a handshake that would show more of it than its seeds.
    credential: seeds === undefined ? undefined : ({ seeds: () => seeds.slice() } as unknown as OwnerCredential),
    kernels: owned.kernels,
    proving: owned.proving,
    buckets: undefined,
    runMemory: Number.POSITIVE_INFINITY,
    onProgress: () => undefined,
    notice: () => undefined,
    environment: {
      now: owned.now,
      peakMemory: owned.peakMemory,
      random: () => session,
      openLink: async ({ party }) => ({
        channel: channels[party === 1 ? 0 : 1],
        pairKey: pairKeys[party === 1 ? 0 : 1],
      }),
    },
  };
  const fresh = async (shape: PreparedRun['shape'], signal: AbortSignal) => {
    const preparation = startPreparing(context, { shape, circuits, ahead: false });
    signal.addEventListener('abort', () => void preparation.drop());
    return { prepared: await preparation.run, ahead: false };
  };
  // Circuits are those of all parties, and nothing is made ahead.
  const runner = new Runner(context, () => ({
    ...{ take: fresh, fresh },
    prepare: async () => undefined,
    clear: async () => undefined,
  }));
  const { steps } = await runner.run(plan, { signal: owned.signal });
  return Array.from(steps[steps.length - 1].logits);
}
