/**
 * Fidelity: the private answer against the plaintext answer of the same model, text by text, and both against what is right. Every text is a session of its own with the
 * same two compute parties. Then the architectures at their real dimensions, with random weights, against the float model.
 */
import { fileURLToPath } from 'node:url';
import { defaultThreads } from '../party/defaults.ts';
import { LocalParties } from '../party/local.ts';
import type { ModelLocation } from '../party/model.ts';
import { type Address, type RunOptions, type RunResult, runInference } from '../party/run.ts';
import type { Answer, Task } from '../party/task.ts';
import { type FidelityCase, type Sample, fidelityCases } from './fidelity-data.ts';
import type { SuiteContext } from './rows.ts';

export interface AccuracyOptions {
  readonly certificates: string;
  /** Texts of each kind; all when absent. */
  readonly limit: number | undefined;
}

/** Real dimensions, with random weights whose residual streams have outliers as trained ones do. */
const DIMENSIONS: readonly { readonly name: string; readonly task: Task; readonly tokens: number }[] = [
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
  for (const each of await fidelityCases()) await agreement({ ...each, samples: each.samples.slice(0, options.limit) }, options, context);
  for (const { name, task, tokens } of DIMENSIONS) {
    context.note(`${name}, random weights, ${tokens} tokens`);
    const model: ModelLocation = { kind: 'random', seed: 1, configPath: configPath(name) };
    const result = await runInference({ ...common(options, context), task, model, texts: [], tokens, generation: { maxNewTokens: 4 } });
    const errors = distribution([result.comparison?.errors ?? new Float32Array()]);
    context.row({
      suite: 'accuracy',
      name: `${name}/random/${tokens}`,
      task,
      protocol: '3pc_semi_honest',
      weights: 'open',
      logitError: errors,
      sameChoices: result.comparison?.argmaxEqual,
    });
  }
}

function common(options: AccuracyOptions, context: SuiteContext): Omit<RunOptions, 'task' | 'model' | 'texts'> {
  const { certificates } = options;
  const threads = defaultThreads();
  return { protocol: '3pc_semi_honest', weights: 'open', device: 'auto', threads, topK: 1, compare: true, certificates, signal: context.signal, debug: false };
}

async function agreement({ name, task, folder, samples, metric, score }: FidelityCase, options: AccuracyOptions, context: SuiteContext): Promise<void> {
  const model: ModelLocation = { kind: 'folder', path: folder };
  const parties = await LocalParties.start({
    stay: true,
    args: () => ['--model', folder, '--certificates', options.certificates, '--threads', String(defaultThreads())],
  });
  try {
    await parties.ready();
    const peers: readonly [Address, Address] = parties.addresses();
    const errors: Float32Array[] = [];
    const different: number[] = [];
    const [own, plain]: [Answer[], Answer[]] = [[], []];
    for (const [i, sample] of samples.entries()) {
      if (i % 20 === 0) context.note(`${name}: ${i} of ${samples.length}`);
      const result = await runInference({ ...common(options, context), ...requestOf(sample), task, model, peers });
      errors.push(result.comparison?.errors ?? new Float32Array());
      own.push(...result.answers);
      plain.push(...(result.comparison?.answers ?? []));
      if (!same(result)) different.push(i);
    }
    context.row({
      suite: 'accuracy',
      name,
      task,
      model: result(folder),
      protocol: '3pc_semi_honest',
      weights: 'open',
      texts: samples.length,
      agreement: round(1 - different.length / samples.length),
      different,
      metric,
      ...(score === undefined ? {} : { private: round(score(own, samples)), plaintext: round(score(plain.length > 0 ? plain : own, samples)) }),
      logitError: distribution(errors),
    });
  } finally {
    await parties.stop();
  }
}

function result(folder: string): string {
  return folder.split(/[\\/]/).at(-1) ?? folder;
}

/** Generated texts are compared token by token, where the largest logit chose each. */
function same({ answers, comparison }: RunResult): boolean {
  if (comparison === undefined) return false;
  return answers[0].generated === undefined ? sameAnswer(answers[0], comparison.answers[0]) : comparison.argmaxEqual;
}

function requestOf({ text, question, newTokens, labels, template }: Sample): Pick<RunOptions, 'texts' | 'question' | 'generation' | 'labels' | 'template'> {
  return { texts: [text], question, labels, template, generation: newTokens === undefined ? undefined : { maxNewTokens: newTokens, eosTokenId: [] } };
}
