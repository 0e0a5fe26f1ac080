/**
 * A text under way: pieces for those who iterate, the whole for those who wait. It is made once, whoever looks at
 * it and however often.
 */
import type { GenerateResult, GenerateStream } from './types/index.ts';

/** Makes the text and tells of every piece. Ends soon after the signal, with an error. */
export type Producer = (push: (text: string) => void, signal: AbortSignal) => Promise<GenerateResult>;

/** Starts at once. An error reaches everybody who iterates or waits, and nobody who does neither. */
export function generated(produce: Producer): GenerateStream {
  const left = new AbortController();
  const pieces: string[] = [];
  let length = 0;
  let settled = false;
  let wake: () => void = () => undefined;
  let change = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const changed = () => {
    const wakeUp = wake;
    change = new Promise((resolve) => {
      wake = resolve;
    });
    wakeUp();
  };
  const push = (text: string) => {
    if (settled || text === '') return;
    pieces.push(text);
    length += text.length;
    changed();
  };
  const whole = produce(push, left.signal).then(
    (result) => {
      // Over a port the last pieces may be behind the result, which has them all.
      push(result.text.slice(length));
      settled = true;
      changed();
      return result;
    },
    (error: unknown) => {
      settled = true;
      changed();
      throw error;
    },
  );
  whole.catch(() => undefined);

  async function* iterate(): AsyncGenerator<string, void, undefined> {
    let at = 0;
    let complete = false;
    try {
      for (;;) {
        while (at < pieces.length) yield pieces[at++];
        if (settled) break;
        await change;
      }
      complete = true;
      await whole;
    } finally {
      // Left early: nobody is there to read what is still to come.
      if (!complete && !settled) {
        left.abort();
        await whole.catch(() => undefined);
      }
    }
  }

  return {
    [Symbol.asyncIterator]: iterate,
    // biome-ignore lint/suspicious/noThenProperty: a text can be awaited, as its type says
    then: (onDone, onError) => whole.then(onDone, onError),
  };
}
