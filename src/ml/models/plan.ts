/**
 * Which gadgets a model runs on: public, the same for every text, derived from its weights by whoever knows them
 * (`ml/ranges.ts`).
 */
import type { GeluRange } from '../../mpc/secure/activation.ts';
import type { NormaliseRange } from '../../mpc/secure/normalise.ts';

export interface ModelPlan {
  /**
   * Whether the weights alone bound every value, for every text, or what they do not bound was measured on samples,
   * and is checked in every run (ADR 20).
   */
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
  /** What every run checks; null where the weights alone prove every bound. */
  readonly checks: RangeCheckPlan | null;
}

/**
 * What is checked. `null` in a place: its bound is proved, given that nothing before it was outside. Numbers are
 * public sizes of tables: log2 of how far a value can reach in one step from values inside their domains. Every
 * LayerNorm is checked at both ends of its domain.
 */
export interface RangeCheckPlan {
  readonly activation: readonly (number | null)[];
  readonly headActivation: number | null;
  /** Bits of the ring in which differences of scores are compared (`spreadBits`). */
  readonly spread: readonly (number | null)[];
  readonly value: readonly (number | null)[];
  readonly logit: number | null;
  /** How many times what the samples show fits before anything that is checked is refused. */
  readonly margin: number;
  /** Tokens of the longest sample. */
  readonly sampled: number;
}
