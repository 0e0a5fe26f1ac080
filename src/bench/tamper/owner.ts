/** The owner of a session of the tamper matrix: of a whole task by what runs tasks anywhere, else by its session. */
import type { Channel, PartyId } from '../../net/wire/types.ts';
import type { TaskPlan } from '../../owner/predict-plan.ts';
import { OwnerSession } from '../../session/owner.ts';
import { ownerParameters } from '../../session/owner-parameters.ts';
import type { Request } from '../../session/request.ts';
import { runTask } from '../in-process/owner.ts';
import type { OwnerEnd } from '../in-process/session.ts';
import { BEHIND, PROMPT } from './models.ts';

export type Owned = OwnerEnd & { readonly request: Request; readonly seeds: Uint8Array | undefined };

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
export async function askTask(
  plan: TaskPlan<unknown>,
  { request: { model, protocol, weights }, seeds, ...end }: Owned,
): Promise<readonly number[]> {
  const { steps } = await runTask(plan, { model, protocol, weights }, seeds, end);
  return Array.from(steps[steps.length - 1].logits);
}
