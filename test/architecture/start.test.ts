/** What a command loads before its flags are taken: the code that reads them, and nothing that computes (ADR 43). */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SOURCES = fileURLToPath(new URL('../../src', import.meta.url));
/** Files and packages of which a command is free until it runs. */
const HEAVY =
  /^(compute\/kernels|daemon\/(daemon|dealer)|cli\/inference|rest|app)\b|^(zod|yaml|prom-client|fastify|ws|open)$/;

/** All that a file loads at once, itself included: files by their paths below src, packages by their names. */
function loaded(
  file: string,
  read = (path: string) => readFileSync(join(SOURCES, path), 'utf8'),
  seen = new Set<string>(),
) {
  if (seen.has(file)) return seen;
  seen.add(file);
  const imports = read(file).matchAll(/^(?:import|export)(?! type)\s[^;]*?from '([^']+)'|^import '([^']+)'/gm);
  for (const [, from, bare] of imports) {
    const name = from ?? bare;
    if (name.startsWith('.')) loaded(join(dirname(file), name), read, seen);
    else if (!name.startsWith('node:')) seen.add(name);
  }
  return seen;
}

const heavy = (file: string): string[] => [...loaded(file)].filter((name) => HEAVY.test(name));

describe('before its flags are taken', () => {
  it('the command line loads no command but the one that was asked for', () => {
    expect([...loaded('cli/main.ts')].filter((name) => name.startsWith('cli/'))).toEqual([
      'cli/main.ts',
      'cli/settings.ts',
    ]);
  });

  it.each(['main', 'infer', 'party', 'dealer', 'demo', 'identity', 'certificates', 'owner'])(
    '%s loads nothing that computes',
    (command) => expect(heavy(`cli/${command}.ts`)).toEqual([]),
  );

  it('a party loads neither the gateway for browsers nor metrics, which it may not need', () => {
    const all = [...loaded('daemon/daemon.ts')];
    expect(all).toContain('compute/kernels/wasm/kernels.ts');
    expect(all.filter((name) => /^(daemon\/web\.ts|operate\/metrics\.ts|ws|prom-client)$/.test(name))).toEqual([]);
  });

  it('what runs is found to compute', () => {
    expect(heavy('cli/inference.ts')).toContain('compute/kernels/wasm/kernels.ts');
  });
});
