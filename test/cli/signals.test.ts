/** Ctrl-C, termination and sudden death of a local run: what the user sees, and that nothing is left of it. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Ended, GONE_MS, MEDIUM, type Run, Workplace, expectFailure, expectSuccess, until } from './command.ts';

const place = new Workplace();
afterAll(() => place.close());

const TIMEOUT = 60_000;
const config = place.write('config.json', JSON.stringify(MEDIUM));
const ARGS = ['infer', '--random-weights', '1', '--architecture', config, '--tokens', '64', '--threads', '1'];

const SETUP = /starting two compute parties/;
const DEAL = /ahead {2}layer 1/;
const ONLINE = /online layer 1/;

/** Ended by the signal's own doing, within three seconds, with nothing left. */
async function expectAborted(run: Run, interrupted: number): Promise<Ended> {
  const ended = await run.ended;
  expect(performance.now() - interrupted).toBeLessThan(GONE_MS + 500);
  await run.gone(Math.max(100, GONE_MS - (performance.now() - interrupted)));
  expectFailure(ended, { exit: 1, code: 'ERR_ABORTED' });
  return ended;
}

describe('signals to the command', () => {
  it.each([
    ['SIGINT', 'process', 'while it starts the parties', SETUP, []],
    ['SIGINT', 'group', 'while it starts the parties', SETUP, []],
    ['SIGINT', 'process', 'while secret weights are shared', SETUP, ['--weights', 'secret']],
    ['SIGINT', 'group', 'while secret weights are shared', SETUP, ['--weights', 'secret']],
    ['SIGTERM', 'process', 'while correlations are dealt', DEAL, []],
    ['SIGINT', 'group', 'while correlations are dealt', DEAL, ['--weights', 'secret']],
    ['SIGINT', 'process', 'while the parties compute', ONLINE, []],
    ['SIGINT', 'group', 'while the parties compute', ONLINE, []],
    ['SIGHUP', 'group', 'while the parties compute', ONLINE, []],
  ] as const)('%s to the %s %s', { timeout: TIMEOUT }, async (signal, to, _when, moment, more) => {
    const run = place.start([...ARGS, ...more]);
    await run.said(moment);
    if (more.length > 0 && moment === SETUP)
      await until(() => run.started().find(({ argv }) => argv[0] === 'model'), 20_000, 'the sharing to start');
    else if (moment === SETUP) await run.party(2);
    run.signal(signal, to);
    await expectAborted(run, performance.now());
  });

  it('a second Ctrl-C changes nothing', { timeout: TIMEOUT }, async () => {
    const run = place.start([...ARGS, '--json']);
    await run.party(2);
    run.signal('SIGINT', 'group');
    const interrupted = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (run.running) run.signal('SIGINT', 'group');
    await expectAborted(run, interrupted);
  });

  it('the same run succeeds when nobody interrupts it', { timeout: TIMEOUT }, async () => {
    expectSuccess(await place.run([...ARGS, '--json']));
  });
});

describe('sudden death', () => {
  it.each([
    ['while it starts the parties', SETUP],
    ['while the parties compute', ONLINE],
  ] as const)('of the command %s: its parties end by themselves', { timeout: TIMEOUT }, async (_when, moment) => {
    const run = place.start(ARGS);
    await run.said(moment);
    await run.party(2);
    run.signal('SIGKILL');
    await run.gone();
    expect(await run.ended).toMatchObject({ signal: 'SIGKILL', stdout: '' });
    expect(readdirSync(run.temporary)).toEqual([]);
  });

  it.each([
    ['party 1 while it loads', 1, SETUP],
    ['party 2 while it loads', 2, SETUP],
    ['party 2 while correlations are dealt', 2, DEAL],
    ['party 1 while the parties compute', 1, ONLINE],
  ] as const)('of %s', { timeout: TIMEOUT }, async (_name, id, moment) => {
    const run = place.start(ARGS);
    await run.said(moment);
    process.kill((await run.party(id)).pid, 'SIGKILL');
    const killed = performance.now();
    const ended = await run.ended;
    expect(performance.now() - killed).toBeLessThan(GONE_MS + 500);
    expectFailure(ended, { exit: 1, code: 'ERR_PEER_CLOSED' });
  });
});

describe('whoever reads the answer', () => {
  it('may be gone: no stack, no party left', { timeout: TIMEOUT }, async () => {
    const run = place.start([...ARGS, '--json']);
    await run.party(2);
    run.child.stdout?.destroy();
    const ended = await run.ended;
    expect(ended.stderr).not.toMatch(/^\s+at |Unhandled/m);
    await run.gone();
  });
});

describe('model share', () => {
  it('interrupted in the middle leaves no part of a sharing', { timeout: TIMEOUT }, async () => {
    const out = join(place.folder, 'shares');
    const run = place.start(['model', 'share', '--random-weights', '1', '--architecture', config, '--out', out]);
    await until(() => existsSync(join(out, 'p1', 'masked.safetensors')) || undefined, 20_000, 'the first share');
    run.signal('SIGINT');
    const ended = await run.ended;
    // It may have been done just before.
    if (ended.code === 0) rmSync(out, { recursive: true });
    expect(existsSync(out), 'a folder with seeds and half a sharing').toBe(false);
    await run.gone();
  });
});
