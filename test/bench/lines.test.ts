/** Lines that a stopped measurement left behind. */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { appendLine, readLines } from '../../src/bench/lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'lines-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('reads what was appended, and leaves out a last line that was cut', () => {
  const file = join(folder, 'rows.jsonl');
  expect(readLines(file)).toEqual([]);
  appendLine(file, { text: 0 });
  appendLine(file, { text: 1, errors: [0.5] });
  appendFileSync(file, '{"text": 2, "err');
  expect(readLines(file)).toEqual([{ text: 0 }, { text: 1, errors: [0.5] }]);
  expect(readLines(undefined)).toEqual([]);
});
