/**
 * The JSON contract of `tercet infer` and of the rows of `tercet bench` (docs/ARCHITECTURE.md). Bytes are counted
 * at the channels; nothing is estimated.
 */
import type { RunResult } from './run.ts';
import type { Answer, Task } from '../node/task.ts';
import type { WeightMode } from '../session/request.ts';

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function answerJson({ fillMask, classes, answers, entities, generated, features }: Answer): object {
  if (fillMask !== undefined) {
    const lists = fillMask.map((list) => list.map(({ token, score }) => ({ token, score })));
    return lists.length === 1 ? { predictions: lists[0] } : { masks: lists.map((predictions) => ({ predictions })) };
  }
  if (classes !== undefined) return { labels: classes };
  if (answers !== undefined) return { answers };
  if (entities !== undefined) return { entities };
  if (generated !== undefined) return { ...generated };
  return features === undefined ? {} : { features: { dims: features.dims, data: [...features.data] } };
}

function answersJson(answers: readonly Answer[]): object {
  return answers.length === 1 ? answerJson(answers[0]) : { batch: answers.map(answerJson) };
}

export function toJson(result: RunResult, task: Task, weights: WeightMode): object {
  const { owner, comparison } = result;
  const [p0, p1, p2] = owner.reports;
  const bytes = ({ sentBytes, receivedBytes }: typeof p0) => ({ sentBytes, receivedBytes });
  return {
    task,
    model: result.model,
    protocol: '3pc_semi_honest',
    weights,
    ringBits: 64,
    fracBits: 16,
    tokens: result.tokens,
    ...(result.sequences > 1 ? { sequences: result.sequences } : {}),
    ...(result.notices.length > 0 ? { notices: result.notices } : {}),
    result: answersJson(result.answers),
    ...(comparison === undefined
      ? {}
      : {
          plaintext: {
            maxAbsLogitError: comparison.maxAbsLogitError,
            argmaxEqual: comparison.argmaxEqual,
            result: answersJson(comparison.answers),
            timeMs: rounded(comparison.plaintextMs),
          },
        }),
    cost: {
      p0: { ...bytes(p0), onlineRounds: owner.onlineRounds },
      p1: bytes(p1),
      p2: bytes(p2),
      rounds: owner.rounds,
    },
    timing: {
      setupMs: rounded(result.setupMs + owner.timing.agreeMs),
      preprocessMs: rounded(owner.timing.preprocessMs),
      onlineMs: rounded(owner.timing.onlineMs),
      totalMs: rounded(result.totalMs),
    },
    ...(result.steps.length === 0
      ? {}
      : {
          steps: result.steps.map((step) => ({
            ...step,
            preprocessMs: rounded(step.preprocessMs),
            onlineMs: rounded(step.onlineMs),
          })),
        }),
    memory: { p0PeakBytes: p0.peakMemoryBytes, p1PeakBytes: p1.peakMemoryBytes, p2PeakBytes: p2.peakMemoryBytes },
    devices: { p0: p0.device, p1: p1.device, p2: p2.device },
  };
}
