/**
 * Rows of a suite, and the file that keeps them: figures are worth something only with the commit, the machine and
 * the command that made them.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, totalmem } from 'node:os';
import { dirname } from 'node:path';

/** One measurement: names and numbers, in the units of their names. */
export type Row = Readonly<Record<string, unknown>>;

export interface SuiteContext {
  /** The program that a measured process runs: the command line. */
  readonly entry: string;
  readonly signal: AbortSignal;
  /** One line on stderr about what runs. */
  note(text: string): void;
  /** Called with every row as it is made. */
  row(row: Row): void;
}

/** Of this checkout; `+changes` where its sources differ from it. */
export function commit(): string {
  try {
    const head = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    const dirty = execFileSync('git', ['status', '--porcelain', '--', 'src', 'wasm'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    return dirty === '' ? head : `${head}+changes`;
  } catch {
    return 'unknown';
  }
}

/** Writes a results file whole, or not at all. @param note what else there is to know: that others used the machine */
export function keepResults(
  path: string,
  suite: string,
  rows: readonly Row[],
  command = `tercet ${process.argv.slice(2).join(' ')}`,
  note?: string,
): void {
  const machine = {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    platform: `${platform()} ${arch()}`,
    node: process.version,
  };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    `${path}.tmp`,
    `${JSON.stringify({ suite, commit: commit(), date: new Date().toISOString().slice(0, 10), machine, command, note, rows }, null, 2)}\n`,
  );
  renameSync(`${path}.tmp`, path);
}

/** Median of several timed calls, after one that warms up. */
export async function medianMs(runs: number, body: () => Promise<unknown>): Promise<number> {
  await body();
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await body();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[runs >> 1];
}

/** `man 5 proc`: user and system time of children, in ticks; numbers 16 and 17, and the name before them has spaces. */
const STAT = '/proc/self/stat';
const BEHIND_NAME = 13;
/** USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS = 100;

/**
 * Seconds of CPU of the processes that this one started and that have ended, with those that they started; undefined
 * where no such file says it.
 */
export function childrenCpuS(): number | undefined {
  if (!existsSync(STAT)) return undefined;
  const text = readFileSync(STAT, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[BEHIND_NAME]) + Number(fields[BEHIND_NAME + 1])) / TICKS;
}
