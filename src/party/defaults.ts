/** What a command takes when the user names nothing: the embedded models, a share of the cores, a folder for state. */
import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Task } from './task.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The models that ship with Tercet, by task. */
const EMBEDDED: Record<Task, string> = { 'fill-mask': 'capitals-bert', 'text-classification': 'sst2-bert' };

export function embeddedModel(task: Task): string {
  return join(ROOT, 'models', EMBEDDED[task]);
}

/** Where certificates and other state of this user live. */
export function stateFolder(): string {
  return process.env['TERCET_HOME'] ?? join(homedir(), '.tercet');
}

/** Workers beside the main thread: the three local parties share the machine's cores. */
export function defaultThreads(): number {
  return Math.max(1, Math.min(8, Math.floor(availableParallelism() / 2)));
}
