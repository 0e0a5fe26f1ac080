/**
 * The kernels of another processor, or of this one in a process of its own: the conformance of both modules, and that
 * no call leaves anything behind on its stack. The program is that of `npm run build:native -- --aside`, or what
 * `scripts/check-native.mjs` names.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { WasmProofKernels } from '../../src/compute/kernels/wasm/proof.ts';
import { distant } from './distant.ts';
import { conformance } from './kernels.suite.ts';
import { proofConformance } from './proof.suite.ts';

const aside = fileURLToPath(new URL('../../native/target/check', import.meta.url));
const command = process.env.DISTANT_KERNELS?.split(' ') ?? (existsSync(aside) ? [aside] : undefined);

it('a program was built where one is required', () => {
  if (process.env.REQUIRE_NATIVE === '1') expect(command).toBeDefined();
});

describe.skipIf(command === undefined)('kernels of another process', () => {
  if (command === undefined) return;
  const there = distant(command);
  afterAll(() => there.close());
  // Named, so that nothing is loaded.
  const library = { library: 'distant' };
  conformance('distant', () =>
    createWasmKernels({ party: PartyOperations, module: library, link: () => there.link(0), threads: 0 }),
  );
  proofConformance('distant', async () => new WasmProofKernels(there.link(1)));

  it('compute by lanes that have the bits of their definitions', () => {
    const [program, ...args] = command;
    expect(execFileSync(program, args, { encoding: 'utf8' })).toContain('57 operations');
  });

  it('leave nothing on the stack, and go no deeper than what is overwritten', () => {
    expect(there.stack.calls).toBeGreaterThan(10_000);
    expect(there.stack.left).toBe(0);
    // What overwrites has a frame as well.
    expect(there.stack.depth).toBeLessThan(16 * 1024 + 256);
  });
});
