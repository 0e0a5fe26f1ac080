/** The command line is a bundle of few files (ADR 65): how many a start loads, and that all that they name is there. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ROOT, type Run, TINY, Workplace } from './command.ts';

const CLI = join(ROOT, 'dist', 'cli');
const PRELOAD = new URL('record-files.mjs', import.meta.url).href;
const place = new Workplace();
afterAll(() => place.close());

/** The files below dist/ that each thread of a command imports, once `done`. */
async function importedBy(
  args: readonly string[],
  done: (run: Run) => Promise<unknown>,
): Promise<Map<string, string[]>> {
  const list = place.write('imported', '');
  const run = place.start(args, { env: { NODE_OPTIONS: `--import=${PRELOAD}`, TERCET_TEST_FILES: list } });
  await done(run);
  const threads = new Map<string, string[]>();
  for (const line of readFileSync(list, 'utf8').split('\n')) {
    const [, thread, file] = /^(\S+) file:.*\/dist\/([\w/.-]+)$/.exec(line) ?? [];
    if (file !== undefined && !line.includes('node_modules'))
      threads.set(thread, [...(threads.get(thread) ?? []), file]);
  }
  return threads;
}

it('a command whose flags are refused imports ten files at most', async () => {
  const threads = await importedBy(['party', '--party-id', '3'], (run) => run.ended);
  expect([...threads.keys()]).toEqual(['main']);
  expect(threads.get('main')).toContain('cli/main.js');
  expect(threads.get('main')?.length).toBeLessThanOrEqual(10);
});

it('a party imports forty at most, of the bundle alone, and its kernel thread one', async () => {
  const config = place.write('tiny.json', JSON.stringify(TINY));
  const device = ['--device', 'wasm', '--threads', '1'];
  const threads = await importedBy(
    ['party', '--party-id', '1', '--port', '0', '--random-weights', '1', '--architecture', config, ...device],
    async (run) => {
      await run.said(/computes on/);
      run.signal('SIGTERM');
      await run.ended;
    },
  );
  const all = [...threads.values()].flat();
  expect(all.filter((file) => !file.startsWith('cli/'))).toEqual([]);
  expect(threads.get('main')?.length).toBeLessThanOrEqual(40);
  expect(threads.get('tercet-kernels')).toEqual([expect.stringMatching(/^cli\/kernel-thread-/)]);
});

it('every address in the bundle has a file', () => {
  const files = readdirSync(CLI).filter((name) => name.endsWith('.js'));
  const addresses = files.flatMap((name) =>
    [...readFileSync(join(CLI, name), 'utf8').matchAll(/new URL\("([^"]+)", import\.meta\.url\)/g)].map(
      ([, path]) => path,
    ),
  );
  expect(addresses).toContain('../compute/kernels/wasm/tercet.wasm');
  // What starts threads from source: in tests alone.
  const built = addresses.filter((path) => !path.endsWith('/source-worker.mjs'));
  expect(built.filter((path) => !existsSync(join(CLI, path)))).toEqual([]);
});
