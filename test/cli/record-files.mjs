// Loaded into each process and thread of a command: notes which of them imports what, in TERCET_TEST_FILES.
import { register } from 'node:module';
import { isMainThread, workerData } from 'node:worker_threads';

const HOOK = `
import { appendFileSync } from 'node:fs';
let thread;
export function initialize(name) { thread = name; }
export async function load(url, context, next) {
  appendFileSync(process.env.TERCET_TEST_FILES, thread + ' ' + url + '\\n');
  return next(url, context);
}`;
register(`data:text/javascript,${encodeURIComponent(HOOK)}`, { data: isMainThread ? 'main' : workerData });
