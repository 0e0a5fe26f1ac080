/** OT extension by ranges of whole groups (`ot.ts` has what one instance computes). */
import { invariant } from '../../../core/errors.ts';
import { type Words, checkRing, viewWords, zeros } from '../../ring.ts';
import type { OtReceived, OtSent } from '../types.ts';
import type { Dispatch } from './dispatch.ts';
import { detached, ranges } from './workers.ts';

/** OTs in one task: long calls are cut so that other calls get their turn. */
const OT_TASK = 1 << 16;

export async function otReceive(
  on: Dispatch,
  base: Uint8Array,
  nonce: Uint8Array,
  choice: Words,
  k: number,
): Promise<OtReceived<Words>> {
  invariant(choice.k === 1, 'otReceive: choices are single bits');
  const [message, words] = await ranged(on, 'otReceive', base, nonce, choice, [32, checkRing(k)]);
  return { message, words };
}

export async function otSend(
  on: Dispatch,
  base: Uint8Array,
  nonce: Uint8Array,
  message: Words,
  k: number,
): Promise<OtSent<Words>> {
  invariant(message.k === 32, 'otSend: messages have 32 bits');
  const [zero, one] = await ranged(on, 'otSend', base, nonce, message, [checkRing(k), k]);
  return { zero, one };
}

/** Two vectors of one word an OT, over two rings, the second one that of the words. */
async function ranged(
  on: Dispatch,
  op: 'otReceive' | 'otSend',
  base: Uint8Array,
  nonce: Uint8Array,
  x: Words,
  rings: readonly [number, number],
): Promise<readonly [Words, Words]> {
  const count = x.data.length;
  const k = rings[1];
  const group = on.here((instance) => instance.otGroup);
  // A group is a few thousand blocks of key stream: enough for a worker.
  if (on.threads === 0 || count <= group) return on.here((instance) => instance[op](base, nonce, x, k, 0));
  const out = [zeros(count, rings[0]), zeros(count, rings[1])] as const;
  await on.submit((add) => {
    const parts = Math.max(on.threads, Math.ceil(count / OT_TASK));
    for (const [from, to] of ranges(count, parts, group))
      add(
        op,
        () => detached([base, nonce, viewWords(x, from, to), k, from]),
        (value) => {
          for (const [i, { data }] of (value as readonly [Words, Words]).entries())
            (out[i].data as Uint32Array).set(data as Uint32Array, from);
        },
      );
  });
  return out;
}
