/** What builds circuits of `aby3`, apart from what the other protocols load. */
import { Aby3Builder } from '../mpc/protocol/aby3/circuit.ts';
import type { ProofSettings } from './proved-session.ts';

export const symmetric: NonNullable<ProofSettings['symmetric']> = (weights) => new Aby3Builder(weights);
