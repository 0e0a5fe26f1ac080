/**
 * A compute party on a graphics device as it is deployed: in a watched process, which comes back where it was when
 * it crashes, and ends when it is told to.
 */
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type Run, TINY, Workplace, expectSuccess, until } from '../cli/command.ts';

const place = new Workplace();
const config = place.write('tiny.json', JSON.stringify(TINY));
const MODEL = ['--random-weights', '1', '--architecture', config];
const TIMEOUT = 180_000;

const { stdout } = spawnSync(
  process.execPath,
  [fileURLToPath(new URL('../../scripts/probe-webgpu.mjs', import.meta.url))],
  { encoding: 'utf8' },
);
const { icd } = JSON.parse(stdout) as { readonly icd?: string };
const env = icd === undefined ? {} : { VK_ICD_FILENAMES: icd };

const runs: Run[] = [];
afterEach(() => {
  for (const run of runs.splice(0)) run.killAll();
});
afterAll(() => place.close());

async function start(id: 1 | 2, more: readonly string[] = []): Promise<{ run: Run; port: number }> {
  const run = place.start(
    ['party', '--party-id', String(id), '--device', 'webgpu', '--threads', '0', ...MODEL, ...more],
    { timeoutMs: TIMEOUT, env },
  );
  runs.push(run);
  const port = Number((await run.said(/party \d listens on 127\.0\.0\.1:(\d+)/, 60_000))[1]);
  const device = /computes on WebGPU, .+ \(buffers to \d+ MiB, bindings to \d+ MiB\); proves (there|in WebAssembly)/;
  await run.said(device, 60_000);
  return { run, port };
}

/** The watched process, of the `count`-th start. */
const child = (run: Run, count: number) =>
  until(
    () => run.started().filter(({ pid, argv }) => argv[0] === 'party' && pid !== run.child.pid)[count - 1],
    30_000,
    `start ${count} of the party`,
  );

describe('a watched party', () => {
  it('answers on its graphics device, and ends with its watcher on SIGTERM', { timeout: TIMEOUT }, async () => {
    const one = await start(1);
    const two = await start(2, ['--peers', `1=127.0.0.1:${one.port}`]);
    const ended = await place.run(
      [
        'infer',
        ...MODEL,
        '--tokens',
        '4',
        '--device',
        'wasm',
        '--peers',
        `1=127.0.0.1:${one.port},2=127.0.0.1:${two.port}`,
        '--json',
      ],
      { timeoutMs: TIMEOUT },
    );
    expectSuccess(ended);
    expect(JSON.parse(ended.stdout)).toMatchObject({ devices: { p0: 'wasm', p1: 'webgpu', p2: 'webgpu' } });
    for (const { run } of [one, two]) {
      run.signal('SIGTERM');
      expect((await run.ended).code).toBe(0);
      await run.gone(10_000);
    }
  });

  it('comes back at the same address when its process crashes', { timeout: TIMEOUT }, async () => {
    const { run, port } = await start(1);
    process.kill((await child(run, 1)).pid, 'SIGSEGV');
    await run.said(/its process ended \(SIGSEGV\); starting it again/);
    await run.said(new RegExp(`listens on 127\\.0\\.0\\.1:${port}[\\s\\S]*listens on 127\\.0\\.0\\.1:${port}`), 60_000);
    await run.said(/computes on WebGPU[\s\S]*computes on WebGPU/, 60_000);
  });

  it('is given up after three crashes in a row, with the reason, when no other device was allowed', {
    timeout: TIMEOUT,
  }, async () => {
    const { run } = await start(1);
    for (const count of [1, 2, 3]) {
      const { pid } = await child(run, count);
      await sleep(300);
      process.kill(pid, 'SIGKILL');
    }
    const { code, stderr } = await run.ended;
    expect(stderr).toMatch(/3 times in a row; giving up/);
    expect(code).not.toBe(0);
    await run.gone();
  });
});
