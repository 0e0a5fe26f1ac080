/** `--trace`: what this process's party does, step by step, as a JSON object a line. Public facts, never values. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { TercetError } from '../core/errors.ts';
import type { Trace, TraceEvent } from '../mpc/protocol/trace.ts';

export const TRACE_HELP =
  'write what this party does, a JSON object a line: gate, half-round, bytes and milliseconds, never values (- for standard error)';

/** Where the lines of a trace go. */
export interface TraceFile {
  readonly trace: Trace | undefined;
  close(): void;
}

/**
 * @param target of `--trace`: a file, to which lines are added, or `-`; undefined for no trace.
 * @throws {TercetError} ERR_ARGUMENT when the file cannot be written
 */
export function traceFile(target: string | undefined): TraceFile {
  if (target === undefined) return { trace: undefined, close: () => undefined };
  if (target === '-') return { trace: (event) => void process.stderr.write(lineOf(event)), close: () => undefined };
  const file = opened(target);
  return { trace: (event) => void writeSync(file, lineOf(event)), close: () => closeSync(file) };
}

/** With the time at which the step began, in milliseconds since 1970: traces of several parties go together by it. */
function lineOf(event: TraceEvent): string {
  const at = Math.round(1000 * (performance.timeOrigin + performance.now() - event.ms)) / 1000;
  return `${JSON.stringify({ ...event, at })}\n`;
}

function opened(target: string): number {
  try {
    return openSync(target, 'a');
  } catch (cause) {
    throw new TercetError('ERR_ARGUMENT', 'the file given by --trace cannot be written', 'check the path', { cause });
  }
}
