/**
 * Results and errors across a port. Structured clone keeps of an error its name and message only; ours also have a
 * code, a hint and a party, also where they are part of a result (a text's problem, a party's failure).
 */
import {
  type ErrorCode,
  SecurityViolationError,
  TercetError,
  type ViolationPhase,
  asTercetError,
  kindOf,
} from '../../core/errors.ts';

export interface PlainError {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly party: 0 | 1 | 2 | 3 | undefined;
  /** Where a party was caught. */
  readonly phase?: ViolationPhase | undefined;
}

export type Envelope<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: PlainError };

export function plainError(thrown: unknown): PlainError {
  const error = asTercetError(thrown);
  const { code, message, hint, party } = error;
  const phase = error instanceof SecurityViolationError ? error.phase : undefined;
  return { code, message, hint, party, phase };
}

export function typedError({ code, message, hint, party, phase }: PlainError): TercetError {
  if (phase !== undefined && party !== 3) return new SecurityViolationError(phase, party);
  return new TercetError(kindOf(code) === undefined ? 'ERR_INTERNAL' : (code as ErrorCode), message, hint, { party });
}

export async function toEnvelope<T>(work: () => Promise<T>): Promise<Envelope<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: plainError(error) };
  }
}

export function fromEnvelope<T>(settled: Envelope<T>): T {
  if (settled.ok) return settled.value;
  throw typedError(settled.error);
}
