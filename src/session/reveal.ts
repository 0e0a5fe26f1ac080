/** The one door out of secrecy: opened output words become numbers here and nowhere else. Only P0's engine opens any (mpc/protocol/semi-honest/edges.ts). */
import { decodeFixed } from '../compute/fixed-point.ts';
import type { Words } from '../compute/ring.ts';
import { TercetError } from '../core/errors.ts';
import { LOGITS, OUTPUT_FORM } from '../ml/models/run.ts';
import type { WeightMode } from './request.ts';

/**
 * Logits as floats: error of the opening itself at most 2^-16 with open weights, 2^-8 with secret ones.
 * @throws {TercetError} ERR_STATE at a party that does not own the output.
 */
export function revealLogits(opened: ReadonlyMap<string, Words>, weights: WeightMode): Float32Array {
  const words = opened.get(LOGITS);
  if (words === undefined) throw new TercetError('ERR_STATE', 'this party does not open the output', 'only the data owner learns the answer');
  return Float32Array.from(decodeFixed(words, OUTPUT_FORM[weights].scale));
}
