/** `--trace`: the steps of the data owner, a JSON object a line, and a file that cannot be written is said. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { TraceEvent } from '../../src/mpc/protocol/trace.ts';
import { TINY, Workplace, expectFailure, expectSuccess } from './command.ts';

const place = new Workplace();
afterAll(() => place.close());

const run = ['infer', '--random-weights', '1', '--architecture', place.write('config.json', JSON.stringify(TINY))];
const args = [...run, '--tokens', '5', '--json', '--trace'];

it('a run writes the steps of its own party to the file, and its answer where it always does', async () => {
  const file = join(place.folder, 'trace.jsonl');
  const ended = await place.run([...args, file]);
  expectSuccess(ended);
  expect(JSON.parse(ended.stdout)).toHaveProperty('result');
  const events = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as TraceEvent);
  expect(new Set(events.map(({ party }) => party))).toEqual(new Set([0]));
  expect(new Set(events.map(({ phase }) => phase))).toEqual(new Set(['deal', 'input', 'output']));
  expect(events.some(({ path }) => path.includes('attention'))).toBe(true);
});

it('a file that cannot be written is refused before anything runs', async () => {
  expectFailure(await place.run([...args, join(place.folder, 'nowhere', 'trace.jsonl')]), {
    exit: 2,
    code: 'ERR_ARGUMENT',
    says: /--trace/,
  });
});
