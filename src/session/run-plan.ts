/** The plans that a user chooses from. Apart from requests: a page names plans before it loads what makes them. */
import type { Widening } from '../mpc/protocol/types.ts';

/**
 * What a run saves, by the network that it is for: computing, or what a thin uplink carries. As many rounds either
 * way (docs/adr/0025-widening-by-transfer.md).
 */
export const RUN_PLANS = ['lan', 'wan-cloud'] as const;
export type RunPlan = (typeof RUN_PLANS)[number];

/** What a request says of widenings under a plan. */
export const WIDENINGS: Readonly<Record<RunPlan, Widening | undefined>> = { lan: undefined, 'wan-cloud': 'ot' };
