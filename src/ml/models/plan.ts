/** Which gadgets a model runs on: public, the same for every text, derived from its weights by whoever knows them (`ml/ranges.ts`). */
import type { GeluRange } from '../../mpc/secure/activation.ts';
import type { NormaliseRange } from '../../mpc/secure/normalise.ts';

export interface ModelPlan {
  /** Whether the weights alone bound every value, for every text, or the bounds were measured on sample texts and widened (docs/SECURITY.md). */
  readonly basis: 'proved' | 'measured';
  /** Of every layer's feed-forward block. */
  readonly activation: readonly GeluRange[];
  /** Of the masked language model's head; 'narrow' where there is none. */
  readonly headActivation: GeluRange;
  readonly treeBits: readonly (8 | 9)[];
  /** Resolution of the LayerNorms inside the layers, two of every layer in the order of use. */
  readonly norms: readonly NormaliseRange[];
  /** Of the LayerNorm of an encoder's embeddings. */
  readonly embedding: NormaliseRange;
  /** Of the last LayerNorm: GPT-2's final one, or the one in the masked language model's head. */
  readonly head: NormaliseRange;
}
