/**
 * With secret weights the owner proves all that it dealt behind the last round, which takes it long for a long text. A
 * compute party waits for that proof as it waited for the dealing, and no longer.
 */
import { describe, expect, it } from 'vitest';
import { PATIENCE, type Patience } from '../../src/session/place.ts';
import { TOY_INPUT, sending, toy, toyAnswer } from './proved-toy.ts';

const TEXT_MS = 2000;

/** How a session ends whose owner takes so long for the first answer of its proof. */
async function slowly(ms: number, patience: Partial<Patience>) {
  const { owner, ends } = toy('secret', {
    corrupt: (self, channel) =>
      self !== 0
        ? channel
        : sending(channel, async (tag, bytes, send) => {
            if (tag === 'proof-answer/0.0.1') await new Promise((resolve) => setTimeout(resolve, ms));
            return send(tag, bytes);
          }),
    compute: () => ({ patience: { ...PATIENCE, textMs: TEXT_MS, ...patience } }),
  });
  const session = await owner;
  await session.prepare();
  const logits = await session.run(TOY_INPUT).then(
    (result) => Array.from(result.logits),
    () => undefined,
  );
  return { logits, ends: await Promise.all(ends) };
}

describe('an owner that proves what it dealt', { timeout: 60_000 }, () => {
  it('may take longer for it than for its text', async () => {
    expect(await slowly(1.5 * TEXT_MS, {})).toEqual({
      logits: toyAnswer('secret').map(Math.fround),
      ends: ['answered', 'answered'],
    });
  });

  it('has no longer than dealing takes, and its place goes without an answer', async () => {
    const { logits, ends } = await slowly(3 * TEXT_MS, { dealMs: TEXT_MS / 2, bytesPerSecond: 1e9 });
    expect(logits).toBeUndefined();
    expect(ends[0]).toMatchObject({ code: 'ERR_SECURITY_VIOLATION' });
  });
});
