/** What a run took, from the reports of its steps. */
import type { OwnerResult } from '../session/owner.ts';
import type { Lease } from './preprocessing-pool.ts';
import type { RunCost } from './types/index.ts';

/**
 * @param tokens of all texts, without padding
 * @param results of every step, at least one. Their counts are of everything so far.
 * @param totalMs from the call to the answer
 */
export function costOf(
  tokens: number,
  { prepared, ahead }: Lease,
  results: readonly OwnerResult[],
  totalMs: number,
): RunCost {
  const { reports } = results[results.length - 1];
  const each = <T>(pick: (report: OwnerResult['reports'][number]) => T) =>
    [pick(reports[0]), pick(reports[1]), pick(reports[2])] as const;
  const sum = (phase: 'inputMs' | 'computeMs' | 'outputMs') =>
    results.reduce((total, { timing }) => total + timing[phase], 0);
  return {
    tokens,
    paddedTokens: prepared.shape.sequences * prepared.shape.tokens,
    links: prepared.links,
    sentBytes: each((report) => report.sentBytes),
    receivedBytes: each((report) => report.receivedBytes),
    peakMemoryBytes: each((report) => report.peakMemoryBytes),
    devices: each((report) => report.device),
    // Later steps are dealt while earlier ones compute, so their time is not added to what there was to wait for.
    timing: {
      prepareMs: prepared.prepareMs,
      inputMs: sum('inputMs'),
      computeMs: sum('computeMs'),
      outputMs: sum('outputMs'),
      totalMs,
    },
    preparedAhead: ahead,
  };
}
