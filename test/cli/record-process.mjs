// Loaded into every Node.js process that a test of the command line starts, its children included (NODE_OPTIONS):
// notes that the process existed.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const folder = process.env.TERCET_TEST_PROCESSES;
if (isMainThread && folder !== undefined) {
  const file = join(folder, String(process.pid));
  writeFileSync(`${file}.draft`, JSON.stringify({ pid: process.pid, argv: process.argv.slice(2) }));
  // Whoever reads the folder sees whole files only.
  renameSync(`${file}.draft`, `${file}.json`);
}
