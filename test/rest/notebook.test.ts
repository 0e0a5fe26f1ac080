/** The notebook asks the gateway for what its documents say: its request is taken, and the answer has what it reads. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openApi } from '../../src/rest/openapi.ts';
import { OPERATIONS } from '../../src/rest/operations.ts';

interface Cell {
  readonly cell_type: string;
  readonly source: readonly string[];
  readonly outputs?: readonly unknown[];
}

const NOTEBOOK = new URL('../../examples/notebook/sentiment.ipynb', import.meta.url);
const { cells } = JSON.parse(readFileSync(NOTEBOOK, 'utf8')) as { readonly cells: readonly Cell[] };
const code = cells.filter((cell) => cell.cell_type === 'code');
const program = code.map(({ source }) => source.join('')).join('\n');

it('its request is one of the gateway, and what it reads is in the answer', () => {
  const path = /\{gateway\}(\/api\/v1\/([\w-]+))/.exec(program) ?? [];
  expect(Object.keys(openApi('0.0.0', { texts: 1 })['paths'] as object)).toContain(path[1]);
  const operation = OPERATIONS.find(({ name }) => name === path[2]);
  if (operation === undefined) throw new Error(`there is no ${path[2]}`);
  const body = JSON.parse(/^body = (\{[\s\S]*?^\})/m.exec(program)?.[1] ?? '') as object;
  expect(operation.request.safeParse(body).success).toBe(true);
  // Control: a name of another version is refused.
  expect(operation.request.safeParse({ ...body, gpu_acceleration: true }).success).toBe(false);
  const read = [...program.matchAll(/result\["(\w+)"\]/g)].map(([, name]) => name);
  expect(read.length).toBeGreaterThan(2);
  for (const name of read) expect(Object.keys(operation.answer.shape)).toContain(name);
});

it('keeps no output', () => {
  expect(code.length).toBeGreaterThan(3);
  expect(code.flatMap(({ outputs = [] }) => outputs)).toEqual([]);
});
