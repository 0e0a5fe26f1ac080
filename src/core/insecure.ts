/**
 * Paths that give up secrecy on purpose: the plaintext oracle, fixed seeds. They run only where somebody asked for
 * them, and never silently.
 */
import { TercetError } from './errors.ts';

/**
 * Why an insecure path may run: inside the test runner, or because the user gave `--compare` and so chose to show
 * text and model to this process.
 */
export type InsecurePurpose = 'test' | 'compare';

function insideTestRunner(): boolean {
  const env = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env;
  return env?.['VITEST'] !== undefined;
}

/** Every insecure path calls this first. @throws {TercetError} ERR_INSECURE unless the purpose holds. */
export function insecure(path: string, purpose: InsecurePurpose): void {
  if (purpose === 'compare' || insideTestRunner()) return;
  throw new TercetError('ERR_INSECURE', `${path} runs in tests only`, 'use the three-party protocol');
}
