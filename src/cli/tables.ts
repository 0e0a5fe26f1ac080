/** Plain-text tables for people: what a run cost. */
import type { StepCost } from '../owner/cost.ts';
import type { RunProofs } from '../owner/types/index.ts';
import type { PartyReport } from '../session/report.ts';
import type { Inference } from './inference.ts';

export function bytes(n: number): string {
  if (n < 1e3) return `${n} B`;
  if (n < 1e6) return `${(n / 1e3).toFixed(1)} kB`;
  return n < 1e9 ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(2)} GB`;
}

function time(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

export function table(rows: readonly (readonly string[])[], right: readonly number[]): string {
  const widths = rows[0].map((_, c) => Math.max(...rows.map((row) => [...(row[c] ?? '')].length)));
  return rows
    .map((row) =>
      `  ${row.map((cell, c) => (right.includes(c) ? cell.padStart(widths[c]) : cell.padEnd(widths[c]))).join('   ')}`.trimEnd(),
    )
    .join('\n');
}

/** Bytes of one party to another, summed over what it reports by tag. */
function linkBytes(report: PartyReport, peer: number, phases: (tag: string) => boolean): number {
  return Object.entries(report.links[peer] ?? {}).reduce((sum, [tag, n]) => sum + (phases(tag) ? n : 0), 0);
}

const AHEAD = (tag: string) => tag.endsWith('-deal') || tag.endsWith('-ahead');
const CONTROL = (tag: string) => tag.startsWith('control');

export function printCost(result: Inference): string {
  const { reports, timing, rounds } = result.totals;
  const names = ['P0 owner', 'P1 compute', 'P2 compute'];
  const rows = [['link (payload bytes)', 'ahead', 'online']];
  for (const [from, to] of [
    [0, 1],
    [0, 2],
    [1, 2],
    [2, 1],
    [1, 0],
    [2, 0],
  ] as const) {
    const ahead = linkBytes(reports[from], to, AHEAD);
    const online = linkBytes(reports[from], to, (tag) => !AHEAD(tag) && !CONTROL(tag));
    rows.push([`P${from} → P${to}`, bytes(ahead), bytes(online)]);
  }
  // What a dealer is handed stands in control messages alone.
  if (reports[0].links[3] !== undefined)
    rows.push(['P0 → dealer', bytes(linkBytes(reports[0], 3, () => true)), bytes(0)]);
  const parties = [
    ['party', 'sent', 'received', 'peak memory', 'device'],
    ...reports.map((r, i) => [
      names[i],
      bytes(r.sentBytes),
      bytes(r.receivedBytes),
      bytes(r.peakMemoryBytes),
      r.device,
    ]),
  ];
  const plain =
    result.comparison === undefined
      ? ''
      : `   plaintext ${time(result.comparison.plaintextMs)} (private online is ${(timing.onlineMs / result.comparison.plaintextMs).toFixed(0)}×)`;
  const more = result.steps.length > 1 ? `   per token after the first ${perToken(result)}` : '';
  return [
    table(rows, [1, 2]),
    '',
    table(parties, [1, 2, 3]),
    '',
    `  tokens ${result.sequences > 1 ? `${result.sequences} × ` : ''}${result.tokens}${result.runs > 1 ? `   runs ${result.runs}` : ''}   rounds P1↔P2 ${rounds}   rounds of P0 ${result.totals.onlineRounds}${result.protocol === 'aby3' ? '' : ` (one message out, one in${result.steps.length > 1 ? ', each' : ''})`}`,
    ...(result.proofs === undefined ? [] : [`  proved ${proved(result.proofs)}`]),
    `  setup ${time(result.setupMs + timing.agreeMs)}   preprocessing ${time(timing.preprocessMs)}   online ${time(timing.onlineMs)}${plain}${more}`,
    '',
  ].join('\n');
}

/** Who proved what to whom, before the answer opened. */
function proved({ provers, bytes: sent, ms, soundness }: RunProofs): string {
  const each = provers.map(
    ({ prover, verifiers, messages }) => `P${prover} ${messages} messages to P${verifiers[0]} and P${verifiers[1]}`,
  );
  const longest = time(Math.max(...ms));
  return `${each.join('; ')}   proofs ${bytes(sent)}, ${longest}   a wrong run passes with at most 2^${soundness.toFixed(1)}`;
}

/** What one more token of a generated text costs, on average. */
function perToken({ steps }: Inference): string {
  // The last step deals nothing for one behind it.
  const further = steps.length > 2 ? steps.slice(1, -1) : steps.slice(1);
  const mean = (of: (step: StepCost) => number) => further.reduce((sum, step) => sum + of(step), 0) / further.length;
  const [online, sent, between] = [
    mean((step) => step.onlineMs),
    mean((step) => step.p0SentBytes),
    mean((step) => step.betweenBytes),
  ];
  return `${time(online)}, P0 up ${bytes(Math.round(sent))}, P1↔P2 ${bytes(Math.round(between))}, ${further[0].rounds} rounds`;
}
