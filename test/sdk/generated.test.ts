/** A text under way, whoever looks at it: made once, all of it for everybody, and no error that nobody hears. */
import { describe, expect, it } from 'vitest';
import { abortedError } from '../../src/core/abort.ts';
import { type Producer, generated } from '../../src/owner/generated.ts';
import type { GenerateResult } from '../../src/owner/types/index.ts';
import { failure } from '../failure.ts';

const result = (text: string) => ({ text }) as GenerateResult;
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 1));

async function all(stream: AsyncIterable<string>): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of stream) pieces.push(piece);
  return pieces;
}

/** Tells of one piece a turn, until all are told or it is aborted. */
function slowly(pieces: readonly string[], signals: AbortSignal[] = []): Producer {
  return async (push, signal) => {
    signals.push(signal);
    for (const piece of pieces) {
      await turn();
      if (signal.aborted) throw abortedError();
      push(piece);
    }
    return result(pieces.join(''));
  };
}

describe('a generated text', () => {
  it('starts at once, without anybody who looks', async () => {
    const signals: AbortSignal[] = [];
    const stream = generated(slowly(['a'], signals));
    expect(signals).toHaveLength(1);
    await stream;
  });

  it('comes whole to everybody, early, late and twice, and is made once', async () => {
    const signals: AbortSignal[] = [];
    const stream = generated(slowly(['a', '', 'b', 'c'], signals));
    const [one, two, whole] = await Promise.all([all(stream), all(stream), stream]);
    expect([one, two, whole.text]).toEqual([['a', 'b', 'c'], ['a', 'b', 'c'], 'abc']);
    expect(await all(stream)).toEqual(['a', 'b', 'c']);
    expect(await stream).toBe(whole);
    expect(signals).toHaveLength(1);
  });

  it('has the pieces that its result brings, and none that come after it', async () => {
    let late: (text: string) => void = () => undefined;
    const stream = generated(async (push) => {
      late = push;
      push('a');
      return result('abc');
    });
    expect(await stream).toEqual({ text: 'abc' });
    late('bc');
    expect(await all(stream)).toEqual(['a', 'bc']);
  });

  it('that is left early ends, and has ended when the loop is over', async () => {
    const signals: AbortSignal[] = [];
    let ended = false;
    const stream = generated(async (push, signal) => {
      try {
        return await slowly(['a', 'b', 'c', 'd'], signals)(push, signal);
      } finally {
        ended = true;
      }
    });
    for await (const piece of stream) {
      expect(piece).toBe('a');
      break;
    }
    expect([signals[0].aborted, ended]).toEqual([true, true]);
    await failure('ERR_ABORTED', async () => await stream);
  });

  it('that is whole already is not aborted by a loop that ends early', async () => {
    const signals: AbortSignal[] = [];
    const stream = generated(slowly(['a', 'b'], signals));
    await stream;
    for await (const _ of stream) break;
    expect(signals[0].aborted).toBe(false);
    expect((await stream).text).toBe('ab');
  });

  it('that fails tells everybody who looks, after the pieces that there were', async () => {
    const stream = generated(async (push) => {
      push('a');
      await turn();
      throw abortedError();
    });
    const seen: string[] = [];
    await failure('ERR_ABORTED', async () => {
      for await (const piece of stream) seen.push(piece);
    });
    expect(seen).toEqual(['a']);
    await failure('ERR_ABORTED', async () => await stream);
  });
});
