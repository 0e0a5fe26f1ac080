/** Costs, before anything is counted. */
import type { Cost } from './types.ts';

export function noCost(): Cost {
  return {
    p0ToP1Ahead: 0,
    p0ToP2Ahead: 0,
    p2ToP1Ahead: 0,
    p1ToP2Ahead: 0,
    p0ToP1Input: 0,
    p0ToP2Input: 0,
    p1ToP2: 0,
    p2ToP1: 0,
    p1ToP0: 0,
    p2ToP0: 0,
    rounds: 0,
  };
}
