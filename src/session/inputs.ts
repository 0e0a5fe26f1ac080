/** What the owner's text becomes: the private inputs of a circuit. Padding is added here, behind the text, and marked as such. */
import { type Words, wordsFrom } from '../compute/ring.ts';
import { invariant } from '../core/errors.ts';
import { MASK_ROWS, REAL_BITS, REAL_WORDS, TOKENS } from '../ml/models/bert-secure.ts';
import type { Inputs } from '../mpc/protocol/types.ts';
import type { Request } from './agreement.ts';

/** Indices for the look-up, and for fill-mask the masked positions. */
export interface OwnerInput {
  readonly inputIds: readonly number[];
  readonly maskPositions: readonly number[];
}

/** Any index of the vocabulary will do: nothing attends to padding, and its rows are not read. */
const PADDING = 0;

/** One-hot rows for the masked positions, which positions are text, and the token indices. */
export function ownerInputs(input: OwnerInput, { tokens, masks, padded }: Request): Inputs {
  const length = input.inputIds.length;
  invariant((padded ? length <= tokens : length === tokens) && input.maskPositions.length === masks, 'the input does not fit the prepared shapes');
  const inputIds = Array.from({ length: tokens }, (_, t) => input.inputIds[t] ?? PADDING);
  const rows = input.maskPositions.flatMap((position) => inputIds.map((_, t) => (t === position ? 1 : 0)));
  const tensors: Record<string, Words> = { [MASK_ROWS]: wordsFrom(rows, 64) };
  if (padded) {
    const real = inputIds.map((_, t) => (t < length ? 1 : 0));
    tensors[REAL_BITS] = wordsFrom(real, 1);
    tensors[REAL_WORDS] = wordsFrom(real, 8);
  }
  return { tensors, indices: { [TOKENS]: inputIds } };
}
