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

/** Runs `work`, which must fail with this code, and returns the error. */
export async function failure(code: ErrorCode, work: () => unknown): Promise<TercetError> {
  try {
    await work();
  } catch (error) {
    return checked(error, code);
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
