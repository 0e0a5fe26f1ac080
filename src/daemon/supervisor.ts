/**
 * A process that watches a compute party on a graphics device. A driver can crash, and takes its process with it;
 * the sessions of that moment are lost, which their other parties notice as a broken link, and the party comes
 * back. Nothing of a lost session is repeated.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { ChildMessage } from './local.ts';

/** Tells the child that it is watched. */
const WATCHED = 'TERCET_SUPERVISED';
/** Exit code of a party whose device was lost: sessions cannot go on in that process, a new one can. */
export const DEVICE_LOST_EXIT = 75;
/** So many crashes in a row, each sooner than this after its start, are a broken device. */
const MAX_CRASHES = 3;
const SOON_MS = 60_000;
const PAUSE_MS = 1_000;
const KILL_AFTER_MS = 5_000;

export function isSupervised(): boolean {
  return process.env[WATCHED] === '1';
}

export interface SupervisorOptions {
  /** The arguments of this command line after the program: `party …`. */
  readonly args: readonly string[];
  /** Whether a lost party is started again: not when it serves one session only. */
  readonly restart: boolean;
  /** Whether WebAssembly may take over from a device that keeps crashing. */
  readonly mayFallBack: boolean;
  readonly signal: AbortSignal;
  /** How long it may take to stop, in milliseconds (default: 5 s). */
  readonly killAfterMs?: number;
  /** The program that is watched: the command line's entry. */
  readonly entry: string;
  /** Says what happens, on one line. */
  say(line: string): void;
  /** Messages of the party to whoever started it. */
  relay(message: ChildMessage): void;
}

/** Runs the party until it ends by itself or `signal` fires. Returns its exit code. */
export async function supervise(options: SupervisorOptions): Promise<number> {
  const { signal, say } = options;
  // A restarted party must be found where the first one was.
  const places: string[] = [];
  let crashes = 0;
  let device: readonly string[] = [];
  for (;;) {
    const started = performance.now();
    const { code, by } = await runOnce([...options.args, ...device, ...places], options, (message) => {
      if (message.kind === 'listening') places.push('--port', String(message.port));
      if (message.kind === 'web') places.push('--web', new URL(message.web.url).host);
      options.relay(message);
    });
    const crashed = by !== null || (code !== null && code > 2);
    if (signal.aborted || !crashed || !options.restart) return code ?? 1;
    crashes = performance.now() - started < SOON_MS ? crashes + 1 : 1;
    const why =
      code === DEVICE_LOST_EXIT ? 'its graphics device was lost' : `its process ended (${by ?? `code ${code}`})`;
    if (crashes >= MAX_CRASHES) {
      if (!options.mayFallBack || device.length > 0) {
        say(`${why}, ${crashes} times in a row; giving up`);
        return code ?? 1;
      }
      device = ['--device', 'wasm'];
      crashes = 0;
      say(`${why}, ${MAX_CRASHES} times in a row; going on with WebAssembly`);
    } else say(`${why}; starting it again`);
    await new Promise((resolve) => {
      setTimeout(resolve, PAUSE_MS);
    });
    if (signal.aborted) return 0;
  }
}

async function runOnce(
  args: readonly string[],
  { signal, entry, killAfterMs = KILL_AFTER_MS }: SupervisorOptions,
  onMessage: (message: ChildMessage) => void,
) {
  const child = fork(entry, [...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [],
    env: { ...process.env, [WATCHED]: '1' },
  });
  child.on('message', onMessage);
  const stop = () => end(child, killAfterMs);
  const again = () => child.kill('SIGHUP');
  process.on('SIGHUP', again);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    return await new Promise<{ code: number | null; by: NodeJS.Signals | null }>((resolve) =>
      child.once('exit', (code, by) => resolve({ code, by })),
    );
  } finally {
    signal.removeEventListener('abort', stop);
    process.off('SIGHUP', again);
  }
}

function end(child: ChildProcess, killAfterMs: number): void {
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), killAfterMs).unref();
}
