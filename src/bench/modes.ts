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
import { linkProfile } from '../net/simulated/profiles.ts';
import type { SuiteContext } from './rows.ts';

const PROTOCOLS = ['3pc_semi_honest', '3pc_malicious', 'aby3'] as const;
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

/**
 * Runs that are made on named networks too, with open weights: what it costs to have the owner in the rounds, which
 * only `aby3` has, shows with its link.
 */
const ON_NETWORKS: Readonly<Record<string, readonly string[]>> = { 'capitals-bert': ['lan', 'home'] };

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
    readonly p0: { readonly sentBytes: number; readonly receivedBytes: number; readonly onlineRounds: number };
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
    for (const [mode, profile] of networksOf(run)) {
      const name = [run, mode, ...(profile === undefined ? [] : [profile])].join('/');
      if ((weights ?? mode) !== mode || !name.includes(filter)) continue;
      let plain: number | undefined;
      for (const protocol of PROTOCOLS) {
        context.note(`${name}, ${protocol}`);
        const network = profile === undefined ? [] : ['--profile', profile];
        const asked = [...flags, '--weights', mode, '--protocol', protocol, ...network, '--compare'];
        const { tokens, timing, cost, memory, plaintext, proofs } = await inferJson<Result>(asked, context);
        const ms = timing.preprocessMs + timing.onlineMs;
        plain ??= ms;
        context.row({
          suite: 'modes',
          name,
          protocol,
          profile,
          /** What the owner's link adds for its part in the rounds: half-rounds times the delay. */
          ownerDelayMs: profile === undefined ? undefined : cost.p0.onlineRounds * delayMs(profile),
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

/** Weights of a run, and the networks that it is made on: none for all of them. */
function networksOf(run: string): readonly (readonly [WeightMode, string | undefined])[] {
  const plain = WEIGHTS.map((mode) => [mode, undefined] as const);
  return [...plain, ...(ON_NETWORKS[run] ?? []).map((profile) => ['open', profile] as const)];
}

function delayMs(profile: string): number {
  return linkProfile(profile, 0, 1)?.latencyMs ?? 0;
}
