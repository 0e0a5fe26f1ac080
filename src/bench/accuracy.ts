/**
 * Fidelity: the private answer against the plaintext answer of the same model, text by text, and both against what
 * is right. Every text is a session of its own with the same two compute parties. Then the architectures at their
 * real dimensions, with random weights, against the float model. All of it with open and with secret weights.
 */
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Cleanup } from '../core/abort.ts';
import { defaultThreads } from '../node/defaults.ts';
import type { ModelLocation } from '../node/model.ts';
import { type Address, type RunOptions, type RunResult, runInference } from '../party/run.ts';
import { enrolHere } from '../node/issuer.ts';
import { prepareShares } from '../node/shares.ts';
import type { Answer, Task } from '../node/task.ts';
import type { WeightMode } from '../session/request.ts';
import { type FidelityCase, type Sample, fidelityCases } from './fidelity-data.ts';
import { LocalParties, shareInProcess } from '../daemon/local.ts';
import type { OwnerCredential } from '../net/enrolment/credential.ts';
import type { SuiteContext } from './rows.ts';

export interface AccuracyOptions {
  readonly certificates: string;
  /** Texts of each kind; all when absent. */
  readonly limit: number | undefined;
  /** Only open or only secret weights; both when absent. */
  readonly weights: WeightMode | undefined;
  /** Only the texts of this task, and no real dimensions; all when absent. */
  readonly task: Task | undefined;
}

const PROTOCOL = '3pc_semi_honest';
const WEIGHT_MODES: readonly WeightMode[] = ['open', 'secret'];

interface Dimensions {
  readonly name: string;
  readonly task: Task;
  readonly tokens: number;
}

/** Real dimensions, with random weights whose residual streams have outliers as trained ones do. */
const DIMENSIONS: readonly Dimensions[] = [
  { name: 'bert-base', task: 'fill-mask', tokens: 32 },
  { name: 'roberta-base', task: 'fill-mask', tokens: 32 },
  { name: 'distilbert-base', task: 'question-answering', tokens: 32 },
  { name: 'gpt2', task: 'text-generation', tokens: 32 },
];

export function configPath(name: string): string {
  return fileURLToPath(new URL(`../../bench/configs/${name}.json`, import.meta.url));
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** Of all outputs of all texts: largest, 99.9th percentile, median. */
function distribution(parts: readonly Float32Array[]): { max: number; p999: number; median: number } {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  all.sort();
  const quantile = (q: number) => round(all[Math.min(all.length - 1, Math.floor(q * all.length))]);
  return { max: quantile(1), p999: quantile(0.999), median: quantile(0.5) };
}

/** Whether two answers choose the same: labels, span, entities, tokens. */
function sameAnswer(own: Answer, plain: Answer): boolean {
  const choice = ({ fillMask, classes, answers, entities }: Answer) => ({
    masks: fillMask?.map((list) => list[0].tokenId),
    label: classes?.[0].label,
    span: answers?.slice(0, 1).map(({ start, end }) => [start, end]),
    entities: entities?.map(({ label, start, end }) => [label, start, end]),
  });
  return JSON.stringify(choice(own)) === JSON.stringify(choice(plain));
}

export async function benchAccuracy(options: AccuracyOptions, context: SuiteContext): Promise<void> {
  const modes = WEIGHT_MODES.filter((weights) => (options.weights ?? weights) === weights);
  const cases = (await fidelityCases()).filter(({ task }) => (options.task ?? task) === task);
  for (const each of cases)
    for (const weights of modes)
      await agreement({ ...each, samples: each.samples.slice(0, options.limit) }, weights, options, context);
  if (options.task !== undefined) return;
  for (const dimensions of DIMENSIONS)
    for (const weights of modes) await atRealDimensions(dimensions, weights, options, context);
}

function common(
  { certificates }: AccuracyOptions,
  weights: WeightMode,
  { signal }: SuiteContext,
): Omit<RunOptions, 'task' | 'model' | 'texts'> {
  return {
    protocol: PROTOCOL,
    weights,
    device: 'auto',
    threads: defaultThreads(),
    topK: 1,
    compare: true,
    certificates,
    signal,
    debug: false,
  };
}

/** The two compute parties of one case, and the model that a data owner names to them. */
interface Served {
  readonly model: ModelLocation;
  readonly peers: readonly [Address, Address];
  readonly credential?: OwnerCredential;
  stop(): Promise<void>;
}

async function serve(
  folder: string,
  weights: WeightMode,
  { certificates }: AccuracyOptions,
  { signal }: SuiteContext,
): Promise<Served> {
  const cleanup = new Cleanup();
  try {
    const shares =
      weights === 'open'
        ? undefined
        : cleanup.add(await prepareShares((out) => shareInProcess(['--model', folder], out, signal)), (made) =>
            made.remove(),
          );
    const own = (id: 1 | 2) => (shares === undefined ? ['--model', folder] : ['--shares', shares.folder(id)]);
    const args = (id: 1 | 2) => [...own(id), '--certificates', certificates, '--threads', String(defaultThreads())];
    const parties = cleanup.add(await LocalParties.start({ stay: true, args }), (started) => started.stop());
    await parties.ready();
    const model: ModelLocation = { kind: 'folder', path: shares === undefined ? folder : join(shares.root, 'owner') };
    const credential = shares === undefined ? {} : { credential: await enrolHere(shares.root) };
    return { model, peers: parties.addresses(), ...credential, stop: () => cleanup.run() };
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

async function agreement(
  { name, task, folder, samples, metric, score }: FidelityCase,
  weights: WeightMode,
  options: AccuracyOptions,
  context: SuiteContext,
): Promise<void> {
  const { stop, ...served } = await serve(folder, weights, options, context);
  const reference: ModelLocation = { kind: 'folder', path: folder };
  try {
    const errors: Float32Array[] = [];
    const different: number[] = [];
    const [own, plain]: [Answer[], Answer[]] = [[], []];
    for (const [i, sample] of samples.entries()) {
      if (i % 20 === 0) context.note(`${name}, ${weights} weights: ${i} of ${samples.length}`);
      const result = await runInference({
        ...common(options, weights, context),
        ...requestOf(sample),
        task,
        reference,
        ...served,
      });
      errors.push(result.comparison?.errors ?? new Float32Array());
      own.push(...result.answers);
      plain.push(...(result.comparison?.answers ?? []));
      if (!same(result)) different.push(i);
    }
    context.row({
      suite: 'accuracy',
      name,
      task,
      model: basename(folder),
      protocol: PROTOCOL,
      weights,
      texts: samples.length,
      agreement: round(1 - different.length / samples.length),
      different,
      metric,
      ...(score === undefined
        ? {}
        : { private: round(score(own, samples)), plaintext: round(score(plain.length > 0 ? plain : own, samples)) }),
      logitError: distribution(errors),
    });
  } finally {
    await stop();
  }
}

async function atRealDimensions(
  { name, task, tokens }: Dimensions,
  weights: WeightMode,
  options: AccuracyOptions,
  context: SuiteContext,
): Promise<void> {
  context.note(`${name}, random ${weights} weights, ${tokens} tokens`);
  const model: ModelLocation = { kind: 'random', seed: 1, configPath: configPath(name) };
  const result = await runInference({
    ...common(options, weights, context),
    task,
    model,
    texts: [],
    tokens,
    generation: { maxNewTokens: 4 },
  });
  context.row({
    suite: 'accuracy',
    name: `${name}/random/${tokens}`,
    task,
    protocol: PROTOCOL,
    weights,
    logitError: distribution([result.comparison?.errors ?? new Float32Array()]),
    sameChoices: result.comparison?.argmaxEqual,
  });
}

/** Generated texts are compared token by token, where the largest logit chose each. */
function same({ answers, comparison }: RunResult): boolean {
  if (comparison === undefined) return false;
  return answers[0].generated === undefined ? sameAnswer(answers[0], comparison.answers[0]) : comparison.argmaxEqual;
}

function requestOf({
  text,
  question,
  newTokens,
  labels,
  template,
}: Sample): Pick<RunOptions, 'texts' | 'question' | 'generation' | 'labels' | 'template'> {
  return {
    texts: [text],
    question,
    labels,
    template,
    generation: newTokens === undefined ? undefined : { maxNewTokens: newTokens, eosTokenId: [] },
  };
}
