/** Files of keys that an operator brings. */
import { stat } from 'node:fs/promises';
import { TercetError } from './errors.ts';

/** A key is its owner's alone; where root keeps it, a group may read it too, as distributions do for services. */
const OPEN = { own: 0o077, root: 0o027 } as const;

/**
 * SECURITY: who can read the key of a certificate can be this party. test/core/private-file.test.ts.
 * @param name of the flag or option
 * @throws {TercetError} ERR_INSECURE, with the command that mends it
 */
export async function checkPrivate(name: string, path: string): Promise<void> {
  const { mode, uid } = await stat(path);
  if (process.platform === 'win32' || (mode & (uid === 0 ? OPEN.root : OPEN.own)) === 0) return;
  throw new TercetError(
    'ERR_INSECURE',
    `the key given by ${name} can be read by others`,
    `chmod 600 ${path}; if somebody may have read it, change the key`,
  );
}
