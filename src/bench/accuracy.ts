/**
 * Fidelity: the private answer against the plaintext answer of the same model, text by text, and both against the label. Every text is a session of its own
 * with the same two compute parties.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { embeddedModel, defaultThreads } from '../party/defaults.ts';
import { type Address, runInference } from '../party/run.ts';
import type { Task } from '../party/task.ts';
import { folderFiles } from '../ml/files-node.ts';
import { loadTokenizer } from '../ml/tokenizers/tokenizer.ts';
import { LocalParties } from '../party/local.ts';
import type { SuiteContext } from './rows.ts';

const DATA = fileURLToPath(new URL('../../bench/data/', import.meta.url));

export interface AccuracyOptions {
  readonly certificates: string;
  /** Texts of each kind; all when absent. */
  readonly limit: number | undefined;
}

interface Sample {
  readonly text: string;
  /** A label, or the pieces of a capital, one for each mask. */
  readonly expected: readonly string[];
}

function tsv(name: string): string[][] {
  return readFileSync(`${DATA}${name}`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('\t'));
}

/** Largest, 99th percentile, median: what a distribution needs to be judged. */
function distribution(values: readonly number[]): object {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]);
  return { max: at(1), p99: at(0.99), p90: at(0.9), median: at(0.5) };
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** Ten equal bins up to the largest error. */
function histogram(values: readonly number[]): { upTo: number; count: number }[] {
  const top = Math.max(...values);
  return Array.from({ length: 10 }, (_, i) => ({
    upTo: round(((i + 1) * top) / 10),
    count: values.filter((v) => v <= ((i + 1) * top) / 10 + 1e-12 && (i === 0 || v > (i * top) / 10 + 1e-12)).length,
  }));
}

export async function benchAccuracy(options: AccuracyOptions, context: SuiteContext): Promise<void> {
  const labels = ['NEGATIVE', 'POSITIVE'];
  const sst2 = tsv('sst2-dev-200.tsv').map(([text, label]): Sample => ({ text, expected: [labels[Number(label)]] }));
  await agreement('sst2-dev-200', 'text-classification', sst2.slice(0, options.limit), options, context);
  const tokenizer = await loadTokenizer(await folderFiles(embeddedModel('fill-mask')));
  const capitals = tsv('capitals.tsv').map(([country, capital]): Sample => {
    const expected = tokenizer.encode(capital, { allowMask: false }).tokens.slice(1, -1);
    return { text: `The capital of ${country} is ${expected.map(() => '[MASK]').join(' ')}.`, expected };
  });
  await agreement('capitals', 'fill-mask', capitals.slice(0, options.limit), options, context);
}

async function agreement(name: string, task: Task, samples: readonly Sample[], options: AccuracyOptions, context: SuiteContext): Promise<void> {
  const model = embeddedModel(task);
  const threads = defaultThreads();
  const parties = await LocalParties.start({
    stay: true,
    args: () => ['--model', model, '--certificates', options.certificates, '--threads', String(threads)],
  });
  try {
    await parties.ready();
    const peers: readonly [Address, Address] = parties.addresses();
    const errors: number[] = [];
    const different: number[] = [];
    let correct = 0;
    for (const [i, sample] of samples.entries()) {
      if (i % 20 === 0) context.note(`${name}: ${i} of ${samples.length}`);
      const result = await runInference({
        task,
        model: { kind: 'folder', path: model },
        text: sample.text,
        tokens: undefined,
        protocol: '3pc_semi_honest',
        weights: 'open',
        device: 'auto',
        threads,
        topK: 1,
        compare: true,
        peers,
        certificates: options.certificates,
        signal: context.signal,
        debug: false,
      });
      errors.push(result.comparison?.maxAbsLogitError ?? Number.NaN);
      if (result.comparison?.argmaxEqual !== true) different.push(i);
      const { fillMask, classes } = result.answer;
      const said = fillMask?.map((list) => list[0].token) ?? classes?.slice(0, 1).map(({ label }) => label) ?? [];
      if (said.join(' ') === sample.expected.join(' ')) correct += 1;
    }
    context.row({
      suite: 'accuracy',
      name,
      task,
      protocol: '3pc_semi_honest',
      weights: 'open',
      texts: samples.length,
      agreement: round(1 - different.length / samples.length),
      different,
      privateAccuracy: round(correct / samples.length),
      logitError: distribution(errors),
      histogram: histogram(errors),
    });
  } finally {
    await parties.stop();
  }
}
