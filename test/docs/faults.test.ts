/** Every row of docs/FAULTS.md names a test that exists. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Rows that name no test, or one that is not there. */
function faults(document: string): string[] {
  const rows = document.split('\n').filter((line) => /^\| (?!fault |---)/.test(line));
  return rows.filter((row) => {
    const [, file, name] = /\| `(test\/[\w/.-]+\.test\.ts)`: (.+) \|$/.exec(row) ?? [];
    return file === undefined || !existsSync(ROOT + file) || !readFileSync(ROOT + file, 'utf8').includes(`'${name}'`);
  });
}

it('every fault has a test', () => {
  const document = readFileSync(`${ROOT}docs/FAULTS.md`, 'utf8');
  expect(document.split('\n').filter((line) => line.startsWith('| ')).length).toBeGreaterThan(20);
  expect(faults(document)).toEqual([]);
});

it('a row without one is noticed', () => {
  const row = (test: string) => `| a fault | what happens | ${test} |`;
  expect(faults(row('`test/docs/faults.test.ts`: every fault has a test'))).toEqual([]);
  for (const wrong of [
    'none',
    '`test/docs/faults.test.ts`: no such test',
    '`test/docs/none.test.ts`: every fault has a test',
  ])
    expect(faults(row(wrong))).toHaveLength(1);
});
