/** What a run took, from the results of its steps: one sum for the SDK, the command line and the suites. */
import type { OwnerResult } from '../session/owner.ts';
import type { PartyReport } from '../session/report.ts';
import type { Lease } from './run-pool.ts';
import type { Links, RunCost, RunProofs } from './types/index.ts';

export interface Totals extends Pick<OwnerResult, 'rounds' | 'onlineRounds' | 'timing' | 'reports'> {}

/**
 * Of all steps of a run. Times and rounds add up; bytes are counted through, so those of the last step are those of
 * all. A later step is dealt while the one before computes: its `preprocessMs` is what there was to wait for beyond
 * that, so the phases add up to what the owner waited, and nothing is counted twice.
 */
export function totalsOf(steps: readonly OwnerResult[]): Totals {
  const last = steps[steps.length - 1];
  const sum = (of: (step: OwnerResult) => number) => steps.reduce((total, step) => total + of(step), 0);
  return {
    rounds: sum(({ rounds }) => rounds),
    onlineRounds: sum(({ onlineRounds }) => onlineRounds),
    timing: {
      agreeMs: last.timing.agreeMs,
      preprocessMs: sum(({ timing }) => timing.preprocessMs),
      onlineMs: sum(({ timing }) => timing.onlineMs),
      inputMs: sum(({ timing }) => timing.inputMs),
      computeMs: sum(({ timing }) => timing.computeMs),
      outputMs: sum(({ timing }) => timing.outputMs),
    },
    reports: last.reports,
  };
}

/**
 * Of runs that were made one after the other: what they cost together, at the highest memory of any.
 * @param runs at least one
 */
export function totalsOfRuns(runs: readonly Totals[]): Totals {
  return runs.reduce((a, b) => ({
    rounds: a.rounds + b.rounds,
    onlineRounds: a.onlineRounds + b.onlineRounds,
    timing: added(a.timing, b.timing),
    reports: [
      togetherOf(a.reports[0], b.reports[0]),
      togetherOf(a.reports[1], b.reports[1]),
      togetherOf(a.reports[2], b.reports[2]),
    ],
  }));
}

function togetherOf(a: PartyReport, b: PartyReport): PartyReport {
  const peers = [...new Set([...Object.keys(a.links), ...Object.keys(b.links)])];
  return {
    sentBytes: a.sentBytes + b.sentBytes,
    receivedBytes: a.receivedBytes + b.receivedBytes,
    peakMemoryBytes: Math.max(a.peakMemoryBytes, b.peakMemoryBytes),
    device: b.device,
    provingMs: a.provingMs === undefined ? b.provingMs : a.provingMs + (b.provingMs ?? 0),
    links: Object.fromEntries(peers.map((peer) => [peer, added(a.links[peer] ?? {}, b.links[peer] ?? {})])),
  };
}

/** Two records of numbers as one: what only one of them has counts as it is. */
function added<T extends object>(a: T, b: T): T {
  const sums = new Map(Object.entries(a) as [string, number][]);
  for (const [name, value] of Object.entries(b) as [string, number][]) sums.set(name, (sums.get(name) ?? 0) + value);
  return Object.fromEntries(sums) as T;
}

/**
 * What was proved in all steps, as the parties say; undefined where nothing was. The bound is that of the worst step:
 * the first one that is wrong is accepted with it, or there is no other.
 */
export function proofsOf(steps: readonly Pick<OwnerResult, 'proofs' | 'reports'>[]): RunProofs | undefined {
  const each = steps.flatMap(({ proofs }) => (proofs === undefined ? [] : [proofs]));
  if (each.length === 0) return undefined;
  // The provers of a run are those of each of its steps.
  const provers = each[0].provers.map((first, i) => {
    const sum = (of: (one: typeof first) => number) => each.reduce((total, one) => total + of(one.provers[i]), 0);
    return {
      ...first,
      messages: sum(({ messages }) => messages),
      segments: sum(({ segments }) => segments),
      bytes: sum(({ bytes }) => bytes),
    };
  });
  const ms = (party: 0 | 1 | 2) => steps.reduce((sum, { reports }) => sum + (reports[party].provingMs ?? 0), 0);
  return {
    provers,
    bytes: provers.reduce((sum, { bytes }) => sum + bytes, 0),
    ms: [ms(0), ms(1), ms(2)],
    soundness: Math.max(...each.map(({ soundness }) => soundness)),
  };
}

/**
 * @param tokens of all texts, without padding
 * @param steps at least one
 * @param totalMs from the call to the answer
 */
export function costOf(
  tokens: number,
  { prepared, ahead }: Lease,
  steps: readonly OwnerResult[],
  totalMs: number,
): RunCost {
  const { timing, reports, onlineRounds } = totalsOf(steps);
  const proofs = proofsOf(steps);
  const each = <T>(pick: (report: OwnerResult['reports'][number]) => T) =>
    [pick(reports[0]), pick(reports[1]), pick(reports[2])] as const;
  return {
    tokens,
    paddedTokens: prepared.shape.sequences * prepared.shape.tokens,
    links: linksOf(prepared, steps, onlineRounds),
    onlineRounds,
    sentBytes: each((report) => report.sentBytes),
    receivedBytes: each((report) => report.receivedBytes),
    peakMemoryBytes: each((report) => report.peakMemoryBytes),
    devices: each((report) => report.device),
    timing: {
      // Of the first step with the connection, and of later ones as above.
      prepareMs: prepared.prepareMs + timing.preprocessMs - steps[0].timing.preprocessMs,
      inputMs: timing.inputMs,
      computeMs: timing.computeMs,
      outputMs: timing.outputMs,
      totalMs,
    },
    preparedAhead: ahead,
    proofs,
  };
}

/** Of a run whose owner is in the rounds, the parties report no bytes meanwhile: what they counted comes at the end. */
function linksOf({ reporter }: Lease['prepared'], steps: readonly OwnerResult[], onlineRounds: number): Links {
  const links = reporter.links();
  if (onlineRounds === steps.length) return links;
  return { ...links, between: { ...links.between, bytes: betweenBytes(steps[steps.length - 1]) } };
}

/** What one more token took. */
export interface StepCost {
  readonly preprocessMs: number;
  readonly onlineMs: number;
  readonly rounds: number;
  /** Bytes that P0 sent, and that went between P1 and P2, since the token before. */
  readonly p0SentBytes: number;
  readonly betweenBytes: number;
}

/** Of the prompt and of every token behind it. */
export function stepCosts(steps: readonly OwnerResult[]): StepCost[] {
  return steps.map((step, i) => {
    const before = steps[i - 1];
    return {
      preprocessMs: step.timing.preprocessMs,
      onlineMs: step.timing.onlineMs,
      rounds: step.rounds,
      p0SentBytes: step.reports[0].sentBytes - (before?.reports[0].sentBytes ?? 0),
      betweenBytes: betweenBytes(step) - (before === undefined ? 0 : betweenBytes(before)),
    };
  });
}

function betweenBytes({ reports }: OwnerResult): number {
  const sent = (from: 1 | 2, to: 1 | 2) => Object.values(reports[from].links[to] ?? {}).reduce((sum, n) => sum + n, 0);
  return sent(1, 2) + sent(2, 1);
}
