/**
 * Paths that give up secrecy on purpose: the plaintext oracle, fixed seeds. They run inside the test runner
 * only.
 */
import { TercetError } from '../core/errors.ts';

function insideTestRunner(): boolean {
  const env = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env;
  return env?.['VITEST'] !== undefined;
}

/** Every insecure path calls this first. @throws {TercetError} ERR_INSECURE outside the test runner. */
export function insecure(path: string): void {
  if (insideTestRunner()) return;
  throw new TercetError('ERR_INSECURE', `${path} runs in tests only`, 'use the three-party protocol');
}
