/**
 * Traces of parties as one file for the viewers of Chrome and Perfetto: a process for each party, a track for each
 * phase, a bar for each step.
 */
import { TercetError } from '../core/errors.ts';
import { type Schema, count, object, oneOf, optional, parseJson, text, that } from '../core/json.ts';

const PHASES = ['deal', 'input', 'online', 'output'] as const;
const NUMBER = that((value): value is number => Number.isFinite(value) && Number(value) >= 0, 'expected a number');
const NAME = text(300);

/** A line of `--trace`. */
const STEP = object({
  party: oneOf([0, 1, 2]),
  step: count(2 ** 32),
  phase: oneOf(PHASES),
  half: optional(count(2 ** 32)),
  gate: count(2 ** 32),
  relation: NAME,
  path: NAME,
  sent: count(2 ** 53 - 1),
  received: count(2 ** 53 - 1),
  ms: NUMBER,
  at: optional(NUMBER),
});
export type Step = ReturnType<typeof STEP>;

const MICRO = 1000;

/**
 * @param line of a trace
 * @param number from 1, for the error
 * @throws {TercetError} ERR_ARGUMENT for a line that is no step
 */
export function stepOf(line: string, number: number): Step {
  return parseJson(STEP as Schema<Step>, line, {
    code: 'ERR_ARGUMENT',
    what: `line ${number} of the trace`,
    hint: 'give a file that tercet party or tercet infer wrote with --trace',
  });
}

/** One after the other; each returns what the file has of it. Units of the format are microseconds. */
export class ChromeTrace {
  /** Earliest beginning: a viewer's time begins there. */
  readonly #zero: number;
  readonly #ends = new Map<string, number>();
  readonly #tracks = new Set<string>();

  /** @param zero of the earliest step that says when it began, in milliseconds */
  constructor(zero: number) {
    this.#zero = zero;
  }

  /** Events of a step: its bar, and the names of a track that is new. */
  add({ party, step, phase, half, gate, relation, path, sent, received, ms, at }: Step): object[] {
    const [pid, tid] = [party, PHASES.indexOf(phase) + 1];
    const track = `${pid}/${tid}`;
    // A trace that does not say when: one step behind the other.
    const begin = at === undefined ? (this.#ends.get(track) ?? 0) : at - this.#zero;
    this.#ends.set(track, begin + ms);
    const names = this.#tracks.has(track)
      ? []
      : [
          { ph: 'M', name: 'process_name', pid, tid: 0, args: { name: party === 0 ? 'data owner' : `party ${party}` } },
          { ph: 'M', name: 'thread_name', pid, tid, args: { name: phase } },
        ];
    this.#tracks.add(track);
    const args = { step, gate, half, path, sent, received };
    return [...names, { ph: 'X', name: relation, cat: phase, pid, tid, ts: MICRO * begin, dur: MICRO * ms, args }];
  }
}

/** @throws {TercetError} ERR_ARGUMENT where there is nothing to show */
export function checkSteps(steps: number): void {
  if (steps === 0)
    throw new TercetError('ERR_ARGUMENT', 'the trace has no steps', 'run a text with --trace FILE first');
}
