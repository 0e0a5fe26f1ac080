/** A small circuit on the inputs and outputs of a model that labels words. */
import { LOGITS, OUTPUT_FORM, REAL_WORDS } from '../../src/ml/models/run.ts';
import type { Gates } from '../../src/mpc/protocol/types.ts';

const LABELS = 4;
/** The first label everywhere: eight places of a bucket, of which a text fills some. */
export const labelled = () => (g: Gates) => {
  const real = g.repeat(g.reduce(g.input(REAL_WORDS, [8], 8, 0), 3), LABELS);
  const { k, scale } = OUTPUT_FORM.open;
  const chosen = g.table(real, { bits: 3, entries: Array.from({ length: 8 }, (_, i) => BigInt(i)) }, 14);
  g.output(LOGITS, g.reshape(g.widen(chosen, k), [8, LABELS], scale));
};
