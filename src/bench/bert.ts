/** BERT at real dimensions with random weights: the whole private run, and the plaintext float run of the same dimensions beside it as a ratio. */
import { fileURLToPath } from 'node:url';
import { toJson } from '../party/contract.ts';
import { defaultThreads } from '../party/defaults.ts';
import { runInference } from '../party/run.ts';
import type { WeightMode } from '../session/agreement.ts';
import type { SuiteContext } from './rows.ts';

const CONFIG = fileURLToPath(new URL('../../bench/configs/bert-base.json', import.meta.url));

const CASES: readonly { readonly tokens: number; readonly weights: WeightMode }[] = [
  { tokens: 16, weights: 'open' },
  { tokens: 128, weights: 'open' },
  { tokens: 16, weights: 'secret' },
  { tokens: 128, weights: 'secret' },
];

export interface BertBenchOptions {
  readonly certificates: string;
  readonly tokens: number | undefined;
  readonly weights: WeightMode | undefined;
  readonly profile: string | undefined;
}

export async function benchBert(options: BertBenchOptions, context: SuiteContext): Promise<void> {
  for (const { tokens, weights } of CASES) {
    if ((options.tokens ?? tokens) !== tokens || (options.weights ?? weights) !== weights) continue;
    context.note(`bert-base, ${tokens} tokens, ${weights} weights`);
    const result = await runInference({
      task: 'fill-mask',
      model: { kind: 'random', seed: 1, configPath: CONFIG },
      text: undefined,
      tokens,
      protocol: '3pc_semi_honest',
      weights,
      device: 'auto',
      threads: defaultThreads(),
      topK: 5,
      compare: true,
      ...(options.profile === undefined ? {} : { profile: options.profile }),
      certificates: options.certificates,
      signal: context.signal,
      debug: false,
    });
    const plaintextMs = result.comparison?.plaintextMs ?? Number.NaN;
    const { preprocessMs, onlineMs } = result.owner.timing;
    context.row({
      suite: 'bert',
      name: `bert-base/${tokens}/${weights}`,
      ...toJson(result, 'fill-mask', weights),
      ratio: { onlineToPlaintext: ratio(onlineMs, plaintextMs), totalToPlaintext: ratio(onlineMs + preprocessMs, plaintextMs) },
    });
  }
}

function ratio(a: number, b: number): number {
  return Math.round((10 * a) / b) / 10;
}
