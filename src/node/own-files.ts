/** Files that only this user can have written. Where files have no owner, the user's folder is what protects them. */
import { lstat } from 'node:fs/promises';

/** Whether only this user can write it. */
export function isOwn({ uid, mode }: { readonly uid: number; readonly mode: number }): boolean {
  const user = process.getuid?.();
  return user === undefined || (uid === user && (mode & 0o022) === 0);
}

/** Whether it is a folder, and no link to one, that only this user can write. */
export async function isOwnFolder(folder: string): Promise<boolean> {
  const found = await lstat(folder);
  return found.isDirectory() && isOwn(found);
}
