/** How tests name the typed error that they expect. */
import { expect } from 'vitest';
import { type ErrorCode, TercetError } from '../src/core/errors.ts';

function checked(error: unknown, code: ErrorCode): TercetError {
  expect(error).toBeInstanceOf(TercetError);
  const failure = error as TercetError;
  expect(failure.code, failure.message).toBe(code);
  expect(failure.hint).not.toBe('');
  expect(failure.message).not.toMatch(/[\n\r]/);
  return failure;
}

/**
 * Waits for `work`, or runs it, which must fail with this code, and returns the error.
 * @param says what the line for a user must match.
 */
export async function failure(
  code: ErrorCode,
  work: Promise<unknown> | (() => unknown),
  says = /./,
): Promise<TercetError> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    const failed = checked(error, code);
    expect(failed.line()).toMatch(says);
    return failed;
  }
  throw new Error(`expected ${code}, nothing was thrown`);
}

/** The same for work that must fail before it returns. */
export function thrown(code: ErrorCode, work: () => unknown): TercetError {
  try {
    work();
  } catch (error) {
    return checked(error, code);
  }
  throw new Error(`expected ${code}, nothing was thrown`);
}
