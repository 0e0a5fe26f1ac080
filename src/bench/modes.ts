/**
 * The modes side by side: the same text, the same weights, in every protocol of this build, one `tercet infer` after
 * the other, so that times compare within one run. A model of real dimensions has random weights.
 */
import type { Task } from '../ml/tasks/table.ts';
import { embeddedModel } from '../node/defaults.ts';
import type { RunProofs } from '../owner/types/index.ts';
import type { WeightMode } from '../session/request.ts';
import { configPath } from './accuracy.ts';
import { inferJson } from './bert.ts';
import type { SuiteContext } from './rows.ts';

const PROTOCOLS = ['3pc_semi_honest', '3pc_malicious'] as const;
const WEIGHTS: readonly WeightMode[] = ['open', 'secret'];

/** A shipped model, by its task. */
const text = (task: Task, words: string, ...more: string[]): readonly string[] => [
  ...['--model', embeddedModel(task), '--task', task, '--text', words, ...more],
];

/** What is asked, without protocol and weights. Generated text is one new token: the ones behind it are not proved. */
const RUNS: Readonly<Record<string, readonly string[]>> = {
  'capitals-bert': text('fill-mask', 'The capital of France is [MASK].'),
  'sst2-bert': text('text-classification', 'A film that one remembers.'),
  'tiny-gpt2': text('text-generation', 'To be, or not', '--max-new-tokens', '1'),
  ...Object.fromEntries(
    [16, 128].map((tokens) => [
      `bert-base/${tokens}`,
      ['--random-weights', '1', '--architecture', configPath('bert-base'), '--tokens', String(tokens)],
    ]),
  ),
};

export interface ModesOptions {
  /** Only runs whose name has it, as `bert-base/16/open`; all when absent. */
  readonly filter: string | undefined;
  readonly weights: WeightMode | undefined;
}

/** The fields of the JSON contract that rows are made of. */
interface Result {
  readonly tokens: number;
  readonly timing: { readonly preprocessMs: number; readonly onlineMs: number };
  readonly cost: {
    readonly p0: { readonly sentBytes: number; readonly receivedBytes: number };
    readonly p1: { readonly sentBytes: number };
    readonly p2: { readonly sentBytes: number };
    readonly rounds: number;
  };
  readonly memory: { readonly p0PeakBytes: number; readonly p1PeakBytes: number; readonly p2PeakBytes: number };
  readonly plaintext: { readonly maxAbsLogitError: number; readonly argmaxEqual: boolean };
  readonly proofs?: RunProofs;
}

export async function benchModes({ filter = '', weights }: ModesOptions, context: SuiteContext): Promise<void> {
  for (const [run, flags] of Object.entries(RUNS))
    for (const mode of WEIGHTS) {
      if ((weights ?? mode) !== mode || !`${run}/${mode}`.includes(filter)) continue;
      let plain: number | undefined;
      for (const protocol of PROTOCOLS) {
        context.note(`${run}, ${mode} weights, ${protocol}`);
        const asked = [...flags, '--weights', mode, '--protocol', protocol, '--compare'];
        const { tokens, timing, cost, memory, plaintext, proofs } = await inferJson<Result>(asked, context);
        const ms = timing.preprocessMs + timing.onlineMs;
        plain ??= ms;
        context.row({
          suite: 'modes',
          name: `${run}/${mode}`,
          protocol,
          weights: mode,
          tokens,
          ...timing,
          /** All the time of the run, against that of the first protocol. */
          times: Math.round((10 * ms) / plain) / 10,
          cost,
          memory,
          plaintext,
          proofs,
        });
      }
    }
}
