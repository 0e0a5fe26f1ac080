/**
 * BERT at real dimensions with random weights: the whole private run, and the plaintext float run of the same
 * dimensions beside it as a ratio. Every case is a `tercet infer` of its own, so that P0's peak memory is that of
 * one run.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { abortedError } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import type { WeightMode } from '../session/request.ts';
import type { SuiteContext } from './rows.ts';

const CONFIG = fileURLToPath(new URL('../../bench/configs/bert-base.json', import.meta.url));

const CASES: readonly { readonly tokens: number; readonly weights: WeightMode }[] = [
  { tokens: 16, weights: 'open' },
  { tokens: 128, weights: 'open' },
  { tokens: 16, weights: 'secret' },
  { tokens: 128, weights: 'secret' },
];

export interface BertBenchOptions {
  readonly tokens: number | undefined;
  readonly weights: WeightMode | undefined;
  readonly profile: string | undefined;
}

/** The fields of the JSON contract that the ratios are made of. */
interface Timed {
  readonly timing: { readonly preprocessMs: number; readonly onlineMs: number };
  readonly plaintext: { readonly timeMs: number };
}

export async function benchBert(options: BertBenchOptions, context: SuiteContext): Promise<void> {
  for (const { tokens, weights } of CASES) {
    if ((options.tokens ?? tokens) !== tokens || (options.weights ?? weights) !== weights) continue;
    context.note(`bert-base, ${tokens} tokens, ${weights} weights`);
    const profile = options.profile === undefined ? [] : ['--profile', options.profile];
    const flags = [
      '--random-weights',
      '1',
      '--architecture',
      CONFIG,
      '--tokens',
      String(tokens),
      '--weights',
      weights,
      ...profile,
    ];
    const result = await inferJson<Timed>(['--compare', ...flags], context);
    const { timing, plaintext } = result;
    context.row({
      suite: 'bert',
      name: `bert-base/${tokens}/${weights}`,
      ...result,
      ratio: {
        onlineToPlaintext: ratio(timing.onlineMs, plaintext.timeMs),
        totalToPlaintext: ratio(timing.onlineMs + timing.preprocessMs, plaintext.timeMs),
      },
    });
  }
}

function ratio(a: number, b: number): number {
  return Math.round((10 * a) / b) / 10;
}

/** A run in a process of its own, by the JSON contract. */
export async function inferJson<T>(flags: readonly string[], { entry, signal }: SuiteContext): Promise<T> {
  const child = spawn(process.execPath, [entry, 'infer', '--json', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = () => child.kill('SIGTERM');
  signal.addEventListener('abort', stop);
  try {
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    if (signal.aborted) throw abortedError();
    if (code !== 0) throw new TercetError('ERR_INTERNAL', 'a measured run failed', 'its own message is above');
    return JSON.parse(out) as T;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
