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
import { appendLine, readLines } from './lines.ts';
import { linkProfile } from '../net/simulated/profiles.ts';
import { type Row, type SuiteContext, childrenCpuS, commit } from './rows.ts';

const PROTOCOLS = ['3pc_semi_honest', '3pc_malicious', 'aby3'] as const;
const WEIGHTS: readonly WeightMode[] = ['open', 'secret'];

/** A shipped model, by its task. */
const text = (task: Task, words: string, ...more: string[]): readonly string[] => [
  ...['--model', embeddedModel(task), '--task', task, '--text', words, ...more],
];

/** Random weights at real dimensions. */
const random = (config: string, tokens: number, ...more: string[]): readonly string[] => [
  ...['--random-weights', '1', '--architecture', configPath(config), '--tokens', String(tokens), ...more],
];

/** What is asked, without protocol and weights. */
const RUNS: Readonly<Record<string, readonly string[]>> = {
  'capitals-bert': text('fill-mask', 'The capital of France is [MASK].'),
  'sst2-bert': text('text-classification', 'A film that one remembers.'),
  'tiny-gpt2': text('text-generation', 'To be, or not', '--max-new-tokens', '1'),
  'bert-base/16': random('bert-base', 16),
  // The second token is made on what the parties kept of the first.
  'gpt2/16': random('gpt2', 16, '--task', 'text-generation', '--max-new-tokens', '2'),
  'bert-base/128': random('bert-base', 128),
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
  /** A file with a line for every row: rows that this commit has a line of are not made again. */
  readonly rows?: string | undefined;
}

/** The fields of the JSON contract that rows are made of. */
interface Result {
  readonly tokens: number;
  readonly timing: { readonly preprocessMs: number; readonly onlineMs: number };
  /** Of generated text: the tokens behind the first. */
  readonly steps?: readonly { readonly preprocessMs: number; readonly onlineMs: number }[];
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

/** What is compared: all the time of a run, and the CPU of all parties, start and loading of weights included. */
interface Made extends Row {
  readonly name: string;
  readonly protocol: string;
  readonly commit: string;
  readonly preprocessMs: number;
  readonly onlineMs: number;
  readonly cpuS: number | undefined;
}

/** @param infer a run in a process of its own */
export async function benchModes(
  { filter = '', weights, rows: file }: ModesOptions,
  context: SuiteContext,
  infer: (flags: readonly string[], context: SuiteContext) => Promise<Result> = inferJson,
): Promise<void> {
  const now = commit();
  const known = readLines<Made>(file).filter((row) => row.commit === now);
  for (const [run, flags] of Object.entries(RUNS))
    for (const [mode, profile] of networksOf(run)) {
      const name = [run, mode, ...(profile === undefined ? [] : [profile])].join('/');
      if ((weights ?? mode) !== mode || !name.includes(filter)) continue;
      let plain: Made | undefined;
      for (const protocol of PROTOCOLS) {
        const before = known.find((row) => row.name === name && row.protocol === protocol);
        if (before === undefined) context.note(`${name}, ${protocol}`);
        const network = profile === undefined ? [] : ['--profile', profile];
        const asked = [...flags, '--weights', mode, '--protocol', protocol, ...network, '--compare'];
        const row = before ?? (await made({ name, protocol, commit: now, profile, weights: mode }, asked, plain));
        if (before === undefined && file !== undefined) appendLine(file, row);
        plain ??= row;
        context.row(row);
      }
    }

  async function made(
    named: Pick<Made, 'name' | 'protocol' | 'commit'> & { readonly profile: string | undefined; weights: WeightMode },
    asked: readonly string[],
    plain: Made | undefined,
  ): Promise<Made> {
    const { name, protocol, commit, profile, weights } = named;
    const from = childrenCpuS();
    const { tokens, timing, steps, cost, memory, plaintext, proofs } = await infer(asked, context);
    const to = childrenCpuS();
    const cpuS = from === undefined || to === undefined ? undefined : Math.round(10 * (to - from)) / 10;
    return {
      suite: 'modes',
      name,
      protocol,
      commit,
      profile,
      /** What the owner's link adds for its part in the rounds: half-rounds times the delay. */
      ownerDelayMs: profile === undefined ? undefined : cost.p0.onlineRounds * delayMs(profile),
      weights,
      tokens,
      ...timing,
      /** Against the first protocol. */
      times: ratio(timing.preprocessMs + timing.onlineMs, plain && plain.preprocessMs + plain.onlineMs),
      cpuS,
      timesCpu: cpuS === undefined ? undefined : ratio(cpuS, plain?.cpuS),
      lastStep: steps?.at(-1),
      cost,
      memory,
      plaintext,
      proofs,
    };
  }
}

/** One digit behind the point; 1 where there is nothing to compare with yet. */
function ratio(value: number, plain: number | undefined): number {
  return plain === undefined ? 1 : Math.round((10 * value) / plain) / 10;
}

/** Weights of a run, and the networks that it is made on: none for all of them. */
function networksOf(run: string): readonly (readonly [WeightMode, string | undefined])[] {
  const plain = WEIGHTS.map((mode) => [mode, undefined] as const);
  return [...plain, ...(ON_NETWORKS[run] ?? []).map((profile) => ['open', profile] as const)];
}

function delayMs(profile: string): number {
  return linkProfile(profile, 0, 1)?.latencyMs ?? 0;
}
