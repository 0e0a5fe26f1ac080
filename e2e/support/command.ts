/** One command of the compiled command line as a process: its log, its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect } from '@playwright/test';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const START_MS = 60_000;

/** None of them outlives this process, however it ends by itself. */
const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

export class Command {
  readonly name: string;
  readonly #child: ChildProcess;
  #log = '';
  #stdout = '';

  /**
   * @param home takes the place of ~/.tercet: certificates and identities. @param before what starts it, on another
   * machine say. @param program in place of the command line
   */
  constructor(
    args: readonly string[],
    home: string,
    env: Readonly<Record<string, string>> = {},
    before: readonly string[] = [],
    program = CLI,
  ) {
    if (!existsSync(CLI)) throw new Error('Tercet is not built. Run `npm run build` first (npm test does).');
    this.name = args.slice(0, 3).join(' ');
    const [file, ...rest] = [...before, process.execPath, program, ...args];
    this.#child = spawn(file, rest, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: home, TERCET_HOME: home, ...env },
    });
    alive.add(this.#child);
    this.#child.once('exit', () => alive.delete(this.#child));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#log += chunk.toString()));
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()));
  }

  /** What it wrote to stderr. */
  get log(): string {
    return this.#log;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Waits until the log matches. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    await expect
      .poll(() => pattern.test(this.#log) || !this.running, {
        message: `\`tercet ${this.name}\` says ${pattern}`,
        timeout: START_MS,
        intervals: [50],
      })
      .toBe(true);
    const match = pattern.exec(this.#log);
    if (match === null) throw new Error(`\`tercet ${this.name}\` ended before it said ${pattern}: ${this.#log}`);
    return match;
  }

  /** Its standard output, once it has ended well. */
  async output(): Promise<string> {
    if (this.running) await once(this.#child, 'close');
    if (this.#child.exitCode !== 0) throw new Error(`\`tercet ${this.name}\` failed: ${this.#log}`);
    return this.#stdout;
  }

  /** Sends a signal; with one that ends a process, waits for the end. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    if (!this.running) return;
    const ends = signal !== 'SIGSTOP' && signal !== 'SIGCONT' && signal !== 'SIGUSR2';
    const exit = ends ? once(this.#child, 'exit') : undefined;
    this.#child.kill(signal);
    await exit;
  }

  /** Ends it, whatever it does. Its end has a test of its own (test/cli/signals.test.ts). */
  stop(): Promise<void> {
    return this.signal('SIGKILL');
  }
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
