/** How complete sharing rounds. Apart from the builder: who plans a model loads no gate for it. */
import type { TruncationModel } from '../types.ts';

/** How complete sharing rounds, whatever the weights. */
export const COMPLETE_ROUNDING: TruncationModel = {
  rounding: 'stochastic',
  coins: 2,
  keepsZero: false,
  maxErrorUlp: 1.5,
  maxSelectionErrorUlp: 1.5,
  maxProductErrorUlp: 1.5,
  wrapProbability: 0,
  leaks:
    'of a wire with fresh masks, (λ1, λ2) to P0, (λ1, m) to P1, (λ2, m) to P2: the coins of all its shifts, which follow from these; each pair is independent of the value, and known before the input',
};
