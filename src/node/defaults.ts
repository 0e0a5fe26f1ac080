/**
 * What a command takes when the user names nothing: the embedded models, a share of the cores, a folder for state; and
 * which plan may be named.
 */
import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TercetError } from '../core/errors.ts';
import type { Task } from '../ml/tasks/table.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The models that ship with Tercet, by task. Zero-shot classification asks the fill-mask model for a word. */
const EMBEDDED: Readonly<Partial<Record<Task, string>>> = {
  'fill-mask': 'capitals-bert',
  'text-classification': 'sst2-bert',
  'zero-shot-classification': 'capitals-bert',
  'question-answering': 'squad-distilbert',
  'token-classification': 'wnut-roberta',
  'text-generation': 'tiny-gpt2',
  'feature-extraction': 'capitals-bert',
};

/** @throws {TercetError} ERR_ARGUMENT for a task that no embedded model was made for. */
export function embeddedModel(task: Task): string {
  const name = EMBEDDED[task];
  if (name === undefined)
    throw new TercetError(
      'ERR_ARGUMENT',
      `no embedded model is for ${task}`,
      'give --model a folder or org/name of a model that is',
    );
  return join(ROOT, 'models', name);
}

/** All models that ship, as the demonstration serves them. */
export function embeddedModels(): string[] {
  return [...new Set(Object.values(EMBEDDED))].map((name) => join(ROOT, 'models', name));
}

/**
 * Which gadgets a plan takes where its weights alone prove too little: the cheapest that hold the samples with room
 * to spare, or the widest that there are.
 */
export const RANGES = ['auto', 'wide'] as const;
export type Ranges = (typeof RANGES)[number];

/** Longest wait for one message of a peer: the slowest step at BERT-base dimensions takes seconds. */
export const RECV_TIMEOUT_MS = 300_000;

/** What `--network-timeout` says of it. */
export const NETWORK_TIMEOUT_HELP = 'seconds to wait for one message of a peer (default: 300)';

/** Where certificates and other state of this user live. */
export function stateFolder(): string {
  return process.env['TERCET_HOME'] ?? join(homedir(), '.tercet');
}

/** Workers beside the main thread: the three local parties share the machine's cores. */
export function defaultThreads(): number {
  return Math.max(1, Math.min(8, Math.floor(availableParallelism() / 2)));
}
