/**
 * Classification in batches of 1, 4 and 16 in one run of the protocol: the embedded model, and BERT-base at its
 * dimensions with random weights.
 */
import { embeddedModel } from '../node/defaults.ts';
import { configPath } from './accuracy.ts';
import { inferJson } from './bert.ts';
import type { SuiteContext } from './rows.ts';

const SIZES = [1, 4, 16];
const TOKENS = 16;
/** Runs of each size; their median is kept. */
const RUNS = 3;

interface Result {
  readonly cost: {
    readonly p0: { readonly sentBytes: number };
    readonly p1: { readonly sentBytes: number };
    readonly rounds: number;
  };
  readonly timing: { readonly preprocessMs: number; readonly onlineMs: number };
  readonly memory: object;
}

export async function benchBatch(context: SuiteContext): Promise<void> {
  const embedded = [
    ...['--architecture', `${embeddedModel('text-classification')}/config.json`, '--random-weights', '1'],
  ];
  const models: readonly (readonly [name: string, flags: readonly string[]])[] = [
    ['sst2-bert', embedded],
    ['bert-base', ['--architecture', configPath('bert-base-classifier'), '--random-weights', '1']],
  ];
  for (const [name, flags] of models) {
    let alone: number | undefined;
    for (const size of SIZES) {
      context.note(`${name}, ${size} × ${TOKENS} tokens`);
      const results: Result[] = [];
      for (let i = 0; i < RUNS; i++)
        results.push(
          await inferJson<Result>(
            ['--task', 'text-classification', ...flags, '--tokens', String(TOKENS), '--sequences', String(size)],
            context,
          ),
        );
      const median = results.toSorted((a, b) => a.timing.onlineMs - b.timing.onlineMs)[RUNS >> 1];
      const perText = (median.timing.onlineMs + median.timing.preprocessMs) / size;
      alone ??= perText;
      context.row({
        suite: 'batch',
        name: `${name}/${size}`,
        size,
        tokens: TOKENS,
        ...median,
        perText: { totalMs: Math.round(10 * perText) / 10, throughput: Math.round((100 * alone) / perText) / 100 },
      });
    }
  }
}
