/** What left this device in a run, beside what it was made from. Computed here, from the messages of this run. */
import { pointKeyBytes } from '../compute/kernels/point-key.ts';
import { wordAt } from '../compute/ring.ts';
import type { Encoding, Tokenizer } from '../ml/tokenizers/tokenizer.ts';
import type { ModelContext } from './model-context.ts';
import type { Captured, TaskText } from './types/index.ts';
import { toHex } from '../core/bytes.ts';
import type { CountingChannel } from './counting-channel.ts';

/** Bytes of a key that are shown. The first 16 are its random seed. */
const SHOWN = 8;

/** One text of a run, the first of its sequences. */
export interface Shown {
  readonly text: TaskText;
  readonly inputIds: readonly number[];
  /** Whether a mask that the user wrote is one. */
  readonly allowMask: boolean;
}

export async function capture(
  { text, inputIds, allowMask }: Shown,
  { config: { vocabSize }, tokenizer, kernels }: Pick<ModelContext, 'config' | 'tokenizer' | 'kernels'>,
  channels: readonly [CountingChannel, CountingChannel],
): Promise<Captured> {
  const depth = Math.ceil(Math.log2(vocabSize));
  const length = pointKeyBytes(depth);
  const keyOf = (party: 0 | 1, i: number) => channels[party].pointKeys.subarray(i * length, (i + 1) * length);
  const special = new Set([tokenizer.clsTokenId, tokenizer.sepTokenId, tokenizer.maskTokenId]);
  // The longest word says most.
  const lengthAt = (i: number) => (special.has(inputIds[i]) ? 0 : tokenizer.decodeToken(inputIds[i]).length);
  const index = inputIds.reduce((best, _id, i) => (lengthAt(i) > lengthAt(best) ? i : best), 0);
  const id = inputIds[index];
  const otherId = (id + 1) % vocabSize;
  const own = kernels.scope();
  const [{ turns, pointKeys }] = channels;
  // What was dealt is a random word's, and the distance to this one leaves with the text: row v is row v − distance.
  const distances =
    turns.length === 0 ? undefined : await own.read(await own.unpack(turns, depth, pointKeys.length / length));
  const by = distances === undefined ? 0 : Number(wordAt(distances, index));
  const words = await Promise.all(
    ([0, 1] as const).map(async (party) => own.read(await own.expandPoint(keyOf(party, index), depth, vocabSize))),
  );
  own.sweep();
  const word = (party: 0 | 1, row: number) =>
    wordAt(words[party], (row - by + vocabSize) % vocabSize)
      .toString(16)
      .padStart(16, '0');
  const spans = spansOf(text, inputIds, allowMask, tokenizer);
  const bytes = new TextEncoder().encode(typeof text === 'string' ? text : text.question + text.context);
  return {
    tokens: inputIds.map((token, i) => ({
      text: tokenizer.decodeToken(token),
      id: token,
      span: spans[i],
      p1: toHex(keyOf(0, i).subarray(0, SHOWN)),
      p2: toHex(keyOf(1, i).subarray(0, SHOWN)),
    })),
    sum: { index, words: [word(0, id), word(1, id)], otherId, otherWords: [word(0, otherId), word(1, otherId)] },
    histograms: { text: histogram(bytes), p1: channels[0].histogram, p2: channels[1].histogram },
  };
}

/**
 * Where tokens lie in the text, or in the context; nothing where the input is not the text alone, as behind a
 * template.
 */
function spansOf(
  text: TaskText,
  inputIds: readonly number[],
  allowMask: boolean,
  tokenizer: Tokenizer,
): Encoding['spans'] {
  const single = typeof text === 'string';
  if (!single && tokenizer.family === 'gpt2') return [];
  const { ids, spans, segments } = single
    ? tokenizer.encode(text, { allowMask })
    : tokenizer.encodePair(text.question, text.context);
  if (ids.length !== inputIds.length || ids.some((id, i) => id !== inputIds[i])) return [];
  return single ? spans : spans.map((span, i) => (segments[i] === 1 ? span : undefined));
}

function histogram(bytes: Uint8Array): number[] {
  const counts = new Array<number>(256).fill(0);
  for (const byte of bytes) counts[byte]++;
  return counts;
}
