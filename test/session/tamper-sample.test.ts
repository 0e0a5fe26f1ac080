/**
 * Which cells of the tamper matrix are run where not all are: every kind of message of every task has one, with open
 * and with secret weights, and no chance is in it.
 */
import { describe, expect, it } from 'vitest';
import { type Cell, WORLDS, cellsOf } from '../../src/bench/tamper/cells.ts';
import { type Sampling, classOf, kindOf, sampled } from '../../src/bench/tamper/sample.ts';
import { TASKS, type Task } from '../../src/ml/tasks/table.ts';
import { MESSAGES } from '../../src/mpc/protocol/malicious/messages.ts';
import type { WeightMode } from '../../src/session/request.ts';

/** Answers of a proof, and its verdict; how many does not matter to what is covered. */
const STAGES = 12;
const WEIGHTS = ['open', 'secret'] as const;
const WITH_BLANKS: readonly Task[] = ['fill-mask', 'zero-shot-classification'];
const OF_TASKS = TASKS.flatMap((task) => WEIGHTS.map((weights) => [task, weights] as const));

const allOf = (task: Task, weights: WeightMode) => cellsOf(task, weights, () => STAGES);

/** What parties send in a task, by the tables of messages and the order of proofs, as `kindOf` names it. */
function sentIn(task: Task, weights: WeightMode): string[] {
  const gates = MESSAGES.filter((kind) => (kind.weights ?? weights) === weights)
    // What P0 deals for itself of open weights is proved to nobody.
    .filter(({ reason }) => reason?.startsWith('with open weights') !== true)
    .filter(({ tag }) => WITH_BLANKS.includes(task) || tag !== 'input-input')
    .map(({ from, to, tag }) => `P${from}-P${to}/${tag}`);
  const kept = (party: number, to: number, words: readonly string[]) =>
    words.flatMap((word) => ['keys', 'values'].map((of) => `P${party}-P${to}/kept-${of}/${word}`));
  const proof = (prover: number, v: number, w: number) => [
    `P${w}-P${prover}/proof-anchor/${prover}`,
    `P${w}-P${v}/proof-statement/${prover}`,
    `P${v}-P${prover}/proof-seed/${prover}`,
    `P${prover}-P${v}/proof-answer/${prover}`,
    `P${v}-P${w}/proof-verdict/${prover}`,
  ];
  const secret = weights === 'secret';
  const steps = task === 'text-generation';
  return [
    ...gates,
    ...(steps ? [...kept(1, 2, ['m', 'l1']), ...kept(2, 1, ['m', 'l2'])] : []),
    ...(steps && secret ? kept(0, 1, ['l1', 'l2']) : []),
    ...[...proof(1, 2, 0), ...proof(2, 1, 0), ...(secret ? proof(0, 1, 2) : [])],
    ...['P1-P2/agreement', 'P2-P1/agreement'],
    ...(steps ? [] : ['P1-P2/binding/nonce', 'P2-P1/binding/nonce']),
  ].filter((kind, i, all) => all.indexOf(kind) === i);
}

describe.each(OF_TASKS)('%s, %s weights', (task, weights) => {
  it('has another content in a cell of every kind of message, and none besides', () => {
    expect(WORLDS).toContainEqual({ protocol: '3pc_malicious', family: task, weights });
    const cells = sampled(allOf(task, weights), { cover: 'kinds' });
    const sent = sentIn(task, weights);
    expect(new Set(cells.map(kindOf))).toEqual(new Set(sent));
    expect(cells).toHaveLength(sent.length);
    expect(cells.filter((cell) => classOf(cell) !== 'content')).toEqual([]);
  });

  it('has a cell of each class of changes where one is asked for', () => {
    const cells = sampled(allOf(task, weights), { cover: 'classes' });
    for (const kind of sentIn(task, weights)) {
      const classes = cells.filter((cell) => kindOf(cell) === kind).map(classOf);
      const dealt = /\/(.*-(deal|ahead)|proof-anchor\/\d|binding\/nonce)$/.test(kind);
      const leaves = !dealt && !kind.startsWith('P0');
      const expected = ['content', 'earlier', 'form', ...(leaves ? ['withheld'] : [])];
      expect(new Set(classes), kind).toEqual(new Set(kind.includes('/kept-') ? ['content'] : expected));
      expect(classes, kind).toHaveLength(new Set(classes).size);
    }
  });

  it('has a changed message of every party', () => {
    const cheaters = sampled(allOf(task, weights), { cover: 'parties' }).map(({ cheater }) => cheater);
    expect(new Set(cheaters)).toEqual(new Set([0, 1, 2]));
    expect(cheaters).toHaveLength(3);
  });
});

describe('a sample', () => {
  const cell = (message: string, change: Cell['change']): Cell => ({
    ...{ family: 'gates', weights: 'open', cheater: 1, to: 2, message, change },
  });
  const cells = [
    cell('select-12', 'bit'),
    cell('select-12', 'all'),
    cell('select-12', 'leave'),
    cell('proof-answer/1.0.1', 'bit'),
    cell('proof-answer/1.0.1', 'short'),
    cell('proof-answer/1.0.2', 'bit'),
    cell('agreement', 'bit'),
    cell('agreement', 'all'),
  ];
  const numbers = (sampling: Sampling) => sampled(cells, sampling).map((one) => cells.indexOf(one));

  it.each([
    [{}, [0, 1, 2, 3, 4, 5, 6, 7]],
    [{ every: 3 }, [0, 3, 6]],
    [{ cover: 'kinds' }, [0, 5, 6]],
    [{ cover: 'classes' }, [0, 2, 4, 5, 6]],
    // Every fifth cell has the first and the second kind: of the third one is added, and of classes those that lack.
    [{ every: 5, cover: 'kinds' }, [0, 5, 6]],
    [{ every: 7, cover: 'kinds' }, [0, 5, 7]],
    [{ every: 7, cover: 'classes' }, [0, 2, 4, 5, 7]],
    [{ cover: 'parties' }, [0]],
  ] as const)('%j takes these cells', (sampling, expected) => {
    expect(numbers(sampling)).toEqual(expected);
  });
});
