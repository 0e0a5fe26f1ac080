/**
 * Fidelity: the private answer against the plaintext answer of the same model, text by text, and both against what
 * is right. Every text is a session of its own with the same two compute parties. Then the architectures at their
 * real dimensions, with random weights, against the float model. All of it with open and with secret weights.
 */
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asTercetError } from '../core/errors.ts';
import type { Task } from '../ml/tasks/table.ts';
import type { ModelLocation } from '../node/model.ts';
import { planIds, spreadIds } from '../owner/id-plan.ts';
import { type TaskAnswer, planTask } from '../owner/task-plans.ts';
import { loadTextContext } from '../owner/text-context.ts';
import { SEMI_HONEST } from '../mpc/protocol/registry.ts';
import type { ProtocolId } from '../mpc/protocol/types.ts';
import type { WeightMode } from '../session/request.ts';
import { type Compared, compared } from './compared.ts';
import { type FidelityCase, type Sample, fidelityCases } from './fidelity-data.ts';
import { gatesOnly } from './in-process/gates.ts';
import { appendLine, readLines } from './lines.ts';
import { type SuiteContext, commit } from './rows.ts';

export interface AccuracyOptions {
  readonly certificates: string;
  /** Texts of each kind; all when absent. */
  readonly limit: number | undefined;
  /** Only open or only secret weights; both when absent. */
  readonly weights: WeightMode | undefined;
  /** Only the texts of this task, and no real dimensions; all when absent. */
  readonly task: Task | undefined;
  /** What the texts are asked by; `3pc_semi_honest` when absent. */
  readonly protocol?: ProtocolId | undefined;
  /** The gates of a protocol that proves, without its proofs: many more texts in the same time. */
  readonly gatesOnly?: boolean | undefined;
  /** A file with a line for every text: texts that this commit has a line of are not run again. */
  readonly rows: string | undefined;
}

const WEIGHT_MODES: readonly WeightMode[] = ['open', 'secret'];

interface Dimensions {
  readonly name: string;
  readonly task: Task;
  readonly tokens: number;
}

/**
 * A logit that is off by more is wrong whatever it decides: several times the largest error that was ever measured.
 * A text that goes too far is to be refused (ERR_RANGE_EXCEEDED), never answered so.
 */
const WRONG = 0.05;

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
function distribution(parts: readonly ArrayLike<number>[]): { max: number; p999: number; median: number } {
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
function sameAnswer(own: TaskAnswer, plain: TaskAnswer): boolean {
  const choice = ({ blanks, labels, answers, entities }: TaskAnswer) => ({
    masks: blanks?.map((list) => list[0].token_id),
    label: labels?.[0].label,
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

async function comparedBy(
  location: ModelLocation,
  weights: WeightMode,
  { certificates, protocol = SEMI_HONEST.id, gatesOnly: only }: AccuracyOptions,
  context: SuiteContext,
): Promise<Compared> {
  if (only === true) return gatesOnly(location, weights, protocol, context.signal);
  return compared(location, weights, { certificates, protocol }, context);
}

/** Undefined for a text that goes too far, and is told so. */
async function unlessRefused<T>(run: Promise<T>): Promise<T | undefined> {
  try {
    return await run;
  } catch (error) {
    if (asTercetError(error).code === 'ERR_RANGE_EXCEEDED') return undefined;
    throw error;
  }
}

/** What is known of one text of a case. */
interface TextLine {
  readonly commit: string;
  readonly name: string;
  /** Absent in lines of before: `3pc_semi_honest`. */
  readonly protocol?: ProtocolId;
  readonly weights: WeightMode;
  /** False where only the gates ran. */
  readonly proofs?: boolean | undefined;
  readonly text: number;
  /** Absent for a text that was refused. */
  readonly answered?: {
    readonly own: TaskAnswer;
    /** Absent for generated texts, which are compared token by token, where the largest logit chose each. */
    readonly plain: TaskAnswer | undefined;
    readonly same: boolean;
    /** Of another answer: how far apart the plaintext outputs are between which a choice fell otherwise. */
    readonly margin?: number | undefined;
    readonly errors: readonly number[];
  };
}

async function agreement(
  each: FidelityCase,
  weights: WeightMode,
  options: AccuracyOptions,
  context: SuiteContext,
): Promise<void> {
  const { name, task, folder, samples, metric, score } = each;
  const by = commit();
  const { protocol = SEMI_HONEST.id } = options;
  const proofs = options.gatesOnly === true ? false : undefined;
  const found = readLines<TextLine>(options.rows).filter(
    (line) =>
      line.commit === by &&
      line.name === name &&
      line.weights === weights &&
      line.proofs === proofs &&
      (line.protocol ?? SEMI_HONEST.id) === protocol,
  );
  const lines = new Map(found.map((line) => [line.text, line]));
  const keep = (line: TextLine) => {
    lines.set(line.text, line);
    if (options.rows !== undefined) appendLine(options.rows, line);
  };
  const wanted = samples.flatMap((_, text) => (lines.has(text) ? [] : [text]));
  const of = { commit: by, name, protocol, weights, proofs };
  if (wanted.length > 0) await runTexts(each, wanted, of, keep, options, context);

  const all = samples.flatMap((sample, i) => {
    const { answered } = lines.get(i) as TextLine;
    return answered === undefined ? [] : [{ i, sample, ...answered }];
  });
  const [asked, own] = [all.map(({ sample }) => sample), all.map((line) => line.own)];
  const plain = all.map((line) => line.plain ?? line.own);
  const others = all.filter(({ same }) => !same);
  context.row({
    suite: 'accuracy',
    name,
    task,
    model: basename(folder),
    protocol,
    weights,
    proofs,
    texts: samples.length,
    agreement: all.length === 0 ? 0 : round(1 - others.length / all.length),
    different: others.map(({ i }) => i),
    ...(others.length === 0 ? {} : { margins: others.map(({ margin }) => margin) }),
    refused: samples.flatMap((_, i) => (lines.get(i)?.answered === undefined ? [i] : [])),
    silentlyWrong: all.filter(({ errors }) => !errors.every((error) => error <= WRONG)).map(({ i }) => i),
    metric,
    ...(score === undefined ? {} : { private: round(score(own, asked)), plaintext: round(score(plain, asked)) }),
    logitError: distribution(all.map(({ errors }) => errors)),
  });
}

async function runTexts(
  { name, task, folder, samples }: FidelityCase,
  wanted: readonly number[],
  of: Pick<TextLine, 'commit' | 'name' | 'protocol' | 'weights' | 'proofs'>,
  keep: (line: TextLine) => void,
  options: AccuracyOptions,
  context: SuiteContext,
): Promise<void> {
  const { model, run, stop } = await comparedBy({ kind: 'folder', path: folder }, of.weights, options, context);
  try {
    if (model.files === undefined) throw new Error('a folder has files');
    const known = await loadTextContext(model.files, model.config);
    for (const [number, text] of wanted.entries()) {
      if (number % 20 === 0) context.note(`${name}, ${of.weights} weights: ${number} of ${wanted.length}`);
      const plan = planTask(task, known, [textOf(samples[text])], optionsOf(samples[text]));
      const result = await unlessRefused(run(plan));
      if (result === undefined) {
        keep({ ...of, text });
        continue;
      }
      const { answer: own, comparison } = result;
      const errors = Array.from(comparison.errors, round);
      const plain = plan.decoder === undefined ? plan.finish(comparison.outputs)[0] : undefined;
      const same = plain === undefined ? comparison.argmaxEqual : sameAnswer(own, plain);
      keep({ ...of, text, answered: { own, plain, same, margin: same ? undefined : round(result.margin), errors } });
    }
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
  const location: ModelLocation = { kind: 'random', seed: 1, configPath: configPath(name) };
  const { model, run, stop } = await comparedBy(location, weights, options, context);
  try {
    const { comparison } = await run(planIds(model.config, spreadIds(model.config, tokens, 1), { newTokens: 4 }));
    context.row({
      suite: 'accuracy',
      name: `${name}/random/${tokens}`,
      task,
      protocol: options.protocol ?? SEMI_HONEST.id,
      weights,
      proofs: options.gatesOnly === true ? false : undefined,
      logitError: distribution([comparison.errors]),
      sameChoices: comparison.argmaxEqual,
    });
  } finally {
    await stop();
  }
}

function textOf({ text, question }: Sample) {
  return question === undefined ? text : { question, context: text };
}

function optionsOf({ newTokens, labels, template }: Sample): Parameters<typeof planTask>[3] {
  return {
    topK: 1,
    labels,
    template,
    generation: newTokens === undefined ? undefined : { maxNewTokens: newTokens, eosTokenId: [] },
  };
}
