/** Tables without pads are for what is public: who asks for one is named here, and nobody else may. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
/** Makes the words of a public function at every index, for proofs (PROTOCOL §16.2). */
const ALLOWED = ['mpc/protocol/malicious/witness/public-function.ts'];

/** Files that ask kernels for a table in the clear. The kernels themselves are what is asked. */
function callers(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([file, text]) =>
    !file.startsWith('compute/kernels/') && /\bclearTable\b/.test(text) ? [file] : [],
  );
}

const files = new Map(
  readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file.replaceAll('\\', '/'), readFileSync(`${SRC}${file}`, 'utf8')]),
);

it('only the witness of public functions asks for a table without pads; a gate that does is found', () => {
  expect(callers(files)).toEqual(ALLOWED);
  const gate = 'mpc/protocol/frame/gate.ts';
  const planted = new Map(files).set(gate, `${files.get(gate)}\nawait kernels.clearTable(table, layout);\n`);
  expect(callers(planted)).toContain(gate);
});
