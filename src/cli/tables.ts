/** Plain-text tables for people: the answer with the plaintext model beside it, and what the run cost. */
import type { RunResult } from '../party/run.ts';
import type { PartyReport } from '../session/report.ts';

function bytes(n: number): string {
  if (n < 1e3) return `${n} B`;
  if (n < 1e6) return `${(n / 1e3).toFixed(1)} kB`;
  return n < 1e9 ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(2)} GB`;
}

function time(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

function table(rows: readonly (readonly string[])[], right: readonly number[]): string {
  const widths = rows[0].map((_, c) => Math.max(...rows.map((row) => [...(row[c] ?? '')].length)));
  return rows
    .map((row) => `  ${row.map((cell, c) => (right.includes(c) ? cell.padStart(widths[c]) : cell.padEnd(widths[c]))).join('   ')}`.trimEnd())
    .join('\n');
}

/** Ranked answers, the plaintext model's in columns beside the private ones. */
function ranking(title: string, own: readonly (readonly [string, number])[], plain: readonly (readonly [string, number])[] | undefined): string {
  const head = [title, 'score', ...(plain === undefined ? [] : ['plaintext model', 'score'])];
  const rows = own.map(([name, score], i) => [name, score.toFixed(4), ...(plain === undefined ? [] : [plain[i]?.[0] ?? '', plain[i]?.[1].toFixed(4) ?? ''])]);
  return table([head, ...rows], [1, 3]);
}

export function printAnswer(result: RunResult, text: string | undefined): string {
  const lines: string[] = [''];
  if (text !== undefined) lines.push(`  ${text}`, '');
  const { comparison, answer } = result;
  for (const [mask, list] of (answer.fillMask ?? []).entries()) {
    const pairs = (of: typeof list) => of.map(({ token, score }) => [token, score] as const);
    const plain = comparison?.answer.fillMask?.[mask];
    lines.push(
      ranking(answer.fillMask?.length === 1 ? 'private answer' : `mask ${mask + 1}, private`, pairs(list), plain === undefined ? undefined : pairs(plain)),
      '',
    );
  }
  if (answer.classes !== undefined) {
    const pairs = (of: NonNullable<typeof answer.classes>) => of.map(({ label, score }) => [label, score] as const);
    lines.push(ranking('private answer', pairs(answer.classes), comparison?.answer.classes === undefined ? undefined : pairs(comparison.answer.classes)), '');
  }
  if (comparison !== undefined) {
    lines.push(
      `  same first answer as in the clear: ${comparison.argmaxEqual ? 'yes' : 'NO'}; largest logit difference ${comparison.maxAbsLogitError.toFixed(5)}`,
      '',
    );
  }
  return lines.join('\n');
}

/** Bytes of one party to another, summed over what it reports by tag. */
function linkBytes(report: PartyReport, peer: number, phases: (tag: string) => boolean): number {
  return Object.entries(report.links[peer] ?? {}).reduce((sum, [tag, n]) => sum + (phases(tag) ? n : 0), 0);
}

const AHEAD = (tag: string) => tag.endsWith('-deal') || tag.endsWith('-ahead');
const CONTROL = (tag: string) => tag.startsWith('control');

export function printCost(result: RunResult): string {
  const { reports, timing, rounds } = result.owner;
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
  const parties = [
    ['party', 'sent', 'received', 'peak memory', 'device'],
    ...reports.map((r, i) => [names[i], bytes(r.sentBytes), bytes(r.receivedBytes), bytes(r.peakMemoryBytes), r.device]),
  ];
  const plain =
    result.comparison === undefined
      ? ''
      : `   plaintext ${time(result.comparison.plaintextMs)} (private online is ${(timing.onlineMs / result.comparison.plaintextMs).toFixed(0)}×)`;
  return [
    table(rows, [1, 2]),
    '',
    table(parties, [1, 2, 3]),
    '',
    `  tokens ${result.tokens}   rounds P1↔P2 ${rounds}   rounds of P0 ${result.owner.onlineRounds} (one message out, one in)`,
    `  setup ${time(result.setupMs + timing.agreeMs)}   preprocessing ${time(timing.preprocessMs)}   online ${time(timing.onlineMs)}${plain}`,
    '',
  ].join('\n');
}
