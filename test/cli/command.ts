/**
 * Runs the compiled command line as a user does: a process of its own, its own home, its own folder for temporary
 * files.
 *
 * Every run is marked in its environment, which its children inherit, so that a process that it left behind is
 * found whoever its parent is by then.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { ErrorCode } from '../../src/core/errors.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLI = join(ROOT, 'dist', 'cli', 'main.js');
const RECORDER = new URL('record-process.mjs', import.meta.url).href;
/** Processes of a run must be gone this soon after the end of the command, or after a signal. */
export const GONE_MS = 3_000;

/** A configuration that loads and runs in a moment. */
export const TINY = {
  model_type: 'bert',
  architectures: ['BertForMaskedLM'],
  hidden_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 64,
  vocab_size: 100,
  max_position_embeddings: 32,
  type_vocab_size: 2,
  layer_norm_eps: 1e-12,
  hidden_act: 'gelu',
};

/** One whose dealing and computing take long enough to be interrupted. */
export const MEDIUM = {
  ...TINY,
  hidden_size: 256,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  intermediate_size: 1024,
  max_position_embeddings: 64,
};

/** One of Tercet's processes: what it was called with. */
export interface Started {
  readonly pid: number;
  readonly argv: readonly string[];
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
  readonly run: Run;
}

export interface RunOptions {
  /** Bytes for standard input, through what Node.js calls a pipe (on Unix a socket). */
  readonly input?: string;
  /** A file that the shell pipes into standard input instead. */
  readonly pipe?: string;
  /** A channel to the test, as a local run has one to its parties: `child.disconnect()` ends it. */
  readonly ipc?: boolean;
  /** Another home, with certificates of another authority. */
  readonly home?: string;
  readonly timeoutMs?: number;
  /** More of the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export class Run {
  readonly child: ChildProcess;
  /** The folder that the run takes for the system's temporary one. */
  readonly temporary: string;
  readonly ended: Promise<Ended>;
  readonly #mark: string;
  readonly #records: string;
  #stdout = '';
  #stderr = '';
  #over = false;

  constructor(folder: string, home: string, args: readonly string[], options: RunOptions) {
    this.temporary = join(folder, 'temporary');
    this.#records = join(folder, 'processes');
    this.#mark = folder;
    mkdirSync(this.temporary, { recursive: true });
    mkdirSync(this.#records);
    const start = performance.now();
    const command = [process.execPath, CLI, ...args];
    const [file, ...rest] =
      options.pipe === undefined ? command : ['/bin/sh', '-c', 'cat "$0" | "$@"', options.pipe, ...command];
    this.child = spawn(file, rest, {
      cwd: folder,
      stdio: [
        options.input === undefined ? 'ignore' : 'pipe',
        'pipe',
        'pipe',
        ...(options.ipc === true ? ['ipc' as const] : []),
      ],
      // A process group of its own, as a shell gives to every command.
      detached: true,
      env: {
        PATH: process.env['PATH'],
        HOME: home,
        TMPDIR: this.temporary,
        TERCET_HOME: home,
        TERCET_TEST_PROCESSES: this.#records,
        TERCET_TEST_RUN: this.#mark,
        NODE_OPTIONS: `--import=${RECORDER}`,
        ...options.env,
      },
    });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.child.stdin?.on('error', () => undefined);
    this.child.stdin?.end(options.input ?? '');
    const timer = setTimeout(() => this.killAll(), options.timeoutMs ?? 60_000);
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      // `close` waits for the ends of stdout and stderr, which a child left behind would hold open: `exit`, and
      // what was written until then.
      this.child.once('exit', (code, signal) => {
        const ms = performance.now() - start;
        clearTimeout(timer);
        this.#over = true;
        void Promise.race([new Promise((done) => this.child.once('close', done)), sleep(500)]).then(() =>
          resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr, ms, run: this }),
        );
      });
    });
  }

  get stderr(): string {
    return this.#stderr;
  }

  get running(): boolean {
    return !this.#over;
  }

  /** Waits until stderr matches. Fails when the command ends first or the time is up. */
  async said(pattern: RegExp, timeoutMs = 30_000): Promise<RegExpExecArray> {
    return until(
      () => {
        const match = pattern.exec(this.#stderr);
        if (match === null && this.#over)
          throw new Error(`the command ended before it said ${pattern}: ${this.#stderr}`);
        return match ?? undefined;
      },
      timeoutMs,
      `the command to say ${pattern}`,
    );
  }

  /** Every process of Node.js that this run has started, itself included, in the order of their ids. */
  started(): Started[] {
    const files = readdirSync(this.#records).filter((name) => name.endsWith('.json'));
    return files
      .map((name) => JSON.parse(readFileSync(join(this.#records, name), 'utf8')) as Started)
      .sort((a, b) => a.pid - b.pid);
  }

  /** The process of a compute party, as soon as it exists. */
  party(id: 1 | 2): Promise<Started> {
    return until(
      () => this.started().find(({ argv }) => argv[0] === 'party' && argv[2] === String(id)),
      30_000,
      `party ${id}`,
    );
  }

  /** Ids of the processes of this run that are still there. */
  alive(): number[] {
    if (!existsSync('/proc/self/environ')) return this.started().flatMap(({ pid }) => (exists(pid) ? [pid] : []));
    return readdirSync('/proc').flatMap((name) => {
      if (!/^\d+$/.test(name)) return [];
      try {
        // Empty for a process that has ended and waits for its parent.
        return readFileSync(`/proc/${name}/environ`, 'utf8').includes(`TERCET_TEST_RUN=${this.#mark}\0`)
          ? [Number(name)]
          : [];
      } catch {
        return [];
      }
    });
  }

  /** Fails unless every process of this run is gone soon. */
  async gone(withinMs = GONE_MS): Promise<void> {
    await until(
      () => this.alive().length === 0 || undefined,
      withinMs,
      () => `the end of ${JSON.stringify(this.#describe())}`,
    );
  }

  signal(signal: NodeJS.Signals, to: 'process' | 'group' = 'process'): void {
    const { pid } = this.child;
    if (pid !== undefined) process.kill(to === 'group' ? -pid : pid, signal);
  }

  killAll(): void {
    for (const pid of this.alive()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It went by itself.
      }
    }
  }

  #describe(): string[] {
    const alive = this.alive();
    return this.started().flatMap(({ pid, argv }) => (alive.includes(pid) ? [`${pid} ${argv.join(' ')}`] : []));
  }
}

/** A home and a folder for the runs of one test file. */
export class Workplace {
  readonly folder = mkdtempSync(join(tmpdir(), 'cli-test-'));
  readonly home = join(this.folder, 'home');
  readonly #runs: Run[] = [];

  constructor() {
    if (!existsSync(CLI))
      throw new Error('the command line is not built: run `node scripts/ensure.mjs` first (npm test does)');
    mkdirSync(this.home);
  }

  start(args: readonly string[], options: RunOptions = {}): Run {
    const run = new Run(join(this.folder, `run-${this.#runs.length + 1}`), options.home ?? this.home, args, options);
    this.#runs.push(run);
    return run;
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return this.start(args, options).ended;
  }

  write(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  close(): void {
    for (const run of this.#runs) run.killAll();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export async function until<T>(get: () => T | undefined, timeoutMs: number, what: string | (() => string)): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = get();
    if (value !== undefined) return value;
    if (performance.now() > deadline)
      throw new Error(`waited ${timeoutMs / 1000} s for ${typeof what === 'string' ? what : what()}`);
    await sleep(20);
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** What every run must leave behind, whatever its end: nothing. */
export function expectNothingLeft({ run }: Ended): void {
  expect(run.alive(), 'processes left behind').toEqual([]);
  expect(readdirSync(run.temporary), 'temporary files left behind').toEqual([]);
}

/** A run that did what it was asked. */
export function expectSuccess(ended: Ended): void {
  expect({ code: ended.code, signal: ended.signal, stderr: ended.code === 0 ? '' : ended.stderr }).toEqual({
    code: 0,
    signal: null,
    stderr: '',
  });
  expectNothingLeft(ended);
}

export interface Failure {
  readonly exit: 1 | 2;
  readonly code: ErrorCode | readonly ErrorCode[];
  /** The text that the command was given: no word of it may be on stderr. */
  readonly text?: string;
  /** What the one line must say. */
  readonly says?: RegExp;
}

/**
 * A failure as the contract has it: exit code, one typed line with a hint on stderr, nothing on stdout, nothing
 * left behind, nothing of the text.
 */
export function expectFailure(ended: Ended, { exit, code, text, says }: Failure): void {
  const { stderr, stdout } = ended;
  const lines = stderr.split('\n').filter((line) => !line.startsWith('  ') || line.trim() === '');
  const line = /^tercet: (ERR_[A-Z_]+): (\S.*) — (\S.*)$/.exec(lines[0]);
  expect({ code: ended.code, line: line?.[1], stderr: line === null ? stderr : '' }).toMatchObject({
    code: exit,
    stderr: '',
  });
  expect([code].flat(), stderr).toContain(line?.[1]);
  expect(lines, 'lines of stderr').toEqual([lines[0], '']);
  expect(stdout).toBe('');
  expect(stderr).not.toMatch(/^\s+at /m);
  if (says !== undefined) expect(lines[0]).toMatch(says);
  if (text !== undefined) expectNoWordOf(text, stderr);
  expectNothingLeft(ended);
}

/** Words of four letters and more are what a leak would show; [MASK] is in messages of Tercet's own. */
export function expectNoWordOf(text: string, output: string): void {
  for (const word of new Set(
    text
      .toLowerCase()
      .replaceAll('[mask]', '')
      .match(/\p{L}{4,}/gu),
  ))
    expect(output.toLowerCase()).not.toContain(word);
}

/** Fails if the run started a compute party or any process but itself. */
export function expectNoOtherProcess({ run }: Ended): void {
  expect(run.started().map(({ argv }) => argv[0])).toHaveLength(1);
}
