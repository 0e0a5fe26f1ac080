/** Large files are hashed by a thread of the compiled code: the same SHA-256, and the same errors. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const DIST = fileURLToPath(new URL('../../dist/node/hash-files.js', import.meta.url));
const { hashFiles } = (await import(pathToFileURL(DIST).href)) as {
  hashFiles(paths: readonly string[]): Promise<string[]>;
};
const root = mkdtempSync(join(tmpdir(), 'tercet-hash-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Files of these sizes. */
function files(...sizes: readonly number[]): { paths: string[]; hashes: string[] } {
  const bytes = sizes.map((size, i) => Buffer.alloc(size, `file ${i}`));
  const paths = sizes.map((_, i) => join(root, `${i}`));
  for (const [i, path] of paths.entries()) writeFileSync(path, bytes[i]);
  return { paths, hashes: bytes.map((each) => createHash('sha256').update(each).digest('hex')) };
}

it.each([
  ['by a thread', 33 * 2 ** 20],
  ['by the caller', 100],
])('in the order of the paths, %s', async (_who, large) => {
  const { paths, hashes } = files(7, large, 0);
  expect(await hashFiles(paths)).toEqual(hashes);
});

it('what cannot be read is an error, of a thread too', async () => {
  const { paths } = files(33 * 2 ** 20);
  // A folder has a size, and no bytes.
  await expect(hashFiles([...paths, root])).rejects.toMatchObject({ code: 'EISDIR' });
  await expect(hashFiles([join(root, 'none')])).rejects.toMatchObject({ code: 'ENOENT' });
});
