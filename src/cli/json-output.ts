/**
 * The JSON contract of `tercet infer` and of the rows of `tercet bench` (docs/ARCHITECTURE.md). Bytes are counted
 * at the channels; nothing is estimated.
 */
import type { Task } from '../ml/tasks/table.ts';
import type { StepCost } from '../owner/cost.ts';
import type { TaskAnswer } from '../owner/task-plans.ts';
import type { WeightMode } from '../session/request.ts';
import type { Inference } from './inference.ts';

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function answerJson({ blanks, labels, answers, entities, generated, vector, ...none }: TaskAnswer): object {
  // A member that is not read here does not compile.
  none satisfies Record<string, never>;
  if (blanks !== undefined) {
    const lists = blanks.map((list) => list.map(({ token, score }) => ({ token, score })));
    return lists.length === 1 ? { predictions: lists[0] } : { masks: lists.map((predictions) => ({ predictions })) };
  }
  if (labels !== undefined) return { labels };
  if (answers !== undefined)
    return { answers: answers.map(({ answer, score, start, end }) => ({ answer, score, start, end })) };
  if (entities !== undefined) return { entities };
  if (generated !== undefined) return { ...generated };
  return vector === undefined ? {} : { features: { dims: vector.dims, data: [...vector.data] } };
}

function answersJson(answers: readonly TaskAnswer[]): object {
  return answers.length === 1 ? answerJson(answers[0]) : { batch: answers.map(answerJson) };
}

function stepJson(step: StepCost): object {
  return { ...step, preprocessMs: rounded(step.preprocessMs), onlineMs: rounded(step.onlineMs) };
}

/** A member that says nothing is undefined, and so left out of the text. */
export function toJson(result: Inference, task: Task, weights: WeightMode): object {
  const { totals, comparison } = result;
  const [p0, p1, p2] = totals.reports;
  const bytes = ({ sentBytes, receivedBytes }: typeof p0) => ({ sentBytes, receivedBytes });
  return {
    task,
    model: result.model,
    protocol: result.protocol,
    weights,
    ringBits: 64,
    fracBits: 16,
    tokens: result.tokens,
    sequences: result.sequences > 1 ? result.sequences : undefined,
    runs: result.runs > 1 ? result.runs : undefined,
    notices: result.notices.length > 0 ? result.notices : undefined,
    result: answersJson(result.answers),
    proofs: result.proofs,
    plaintext: comparison && {
      maxAbsLogitError: comparison.maxAbsLogitError,
      argmaxEqual: comparison.argmaxEqual,
      result: answersJson(comparison.answers),
      timeMs: rounded(comparison.plaintextMs),
    },
    cost: {
      p0: { ...bytes(p0), onlineRounds: totals.onlineRounds },
      p1: bytes(p1),
      p2: bytes(p2),
      rounds: totals.rounds,
    },
    timing: {
      setupMs: rounded(result.setupMs + totals.timing.agreeMs),
      preprocessMs: rounded(totals.timing.preprocessMs),
      onlineMs: rounded(totals.timing.onlineMs),
      totalMs: rounded(result.totalMs),
    },
    steps: result.steps.length > 0 ? result.steps.map(stepJson) : undefined,
    memory: { p0PeakBytes: p0.peakMemoryBytes, p1PeakBytes: p1.peakMemoryBytes, p2PeakBytes: p2.peakMemoryBytes },
    devices: { p0: p0.device, p1: p1.device, p2: p2.device },
  };
}
