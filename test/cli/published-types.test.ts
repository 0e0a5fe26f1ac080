/** What a program in Node gets of the package's types and maps, as `npm run build` wrote them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What the compiler says of a strict program without a browser's types that looks into every declaration. */
function compiled(program: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tercet-types-'));
  try {
    writeFileSync(join(folder, 'program.ts'), program);
    const compilerOptions = {
      ...{ strict: true, noEmit: true, skipLibCheck: false, target: 'es2023', lib: ['es2023'], module: 'nodenext' },
      ...{ types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')] },
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
    return spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], {
      encoding: 'utf8',
    }).stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the package', () => {
  it('compiles in a program that has no types of a browser', () => {
    const program = `import { SecureTransformer } from '${ROOT}dist/sdk/node.js';\nexport const load = SecureTransformer.fromPretrained;\n`;
    expect(compiled(program)).toBe('');
    // Control: such a program knows no browser.
    expect(compiled(`${program}export type Server = RTCIceServer;\n`)).toMatch(/program\.ts.*RTCIceServer/);
  });

  it('has maps that hold their sources: those are not in the package', () => {
    const map = JSON.parse(readFileSync(`${ROOT}dist/sdk/index.js.map`, 'utf8')) as Record<string, unknown>;
    expect(map['sourcesContent']).toEqual([readFileSync(`${ROOT}src/sdk/index.ts`, 'utf8')]);
  });
});
