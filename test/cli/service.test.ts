/**
 * A service as its operator has it, with real processes: a gateway before parties that a coordinator started, a key for
 * it, a party that changes its identity at SIGHUP, and a trace that a viewer reads.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { MpcCoordinator } from '../../src/sdk/node.ts';
import { ROOT, type Run, TINY, Workplace, expectFailure, expectSuccess } from './command.ts';

const place = new Workplace();
const before = process.env['TERCET_HOME'];
const LONG = { timeoutMs: 600_000 };
const TEXT = 'The capital of France is [MASK].';
const MODEL = join(ROOT, 'models/capitals-bert');

/** One that nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Somebody else may take a free port before the party does: then there are others. */
async function startedCoordinator(tries = 5): Promise<{ coordinator: MpcCoordinator; ports: [number, number] }> {
  const ports: [number, number] = [await freePort(), await freePort()];
  // What code gives wins: the file's model would not fill a blank.
  const config = join(place.folder, 'tercet.yaml');
  writeFileSync(config, 'models: {default_model: sst2-bert}\nperformance: {device: wasm}\n');
  const coordinator = new MpcCoordinator({ models: ['capitals-bert'], ports, config });
  try {
    await coordinator.startAllParties();
    return { coordinator, ports };
  } catch (error) {
    if (tries === 1) throw error;
    return startedCoordinator(tries - 1);
  }
}

beforeAll(() => {
  process.env['TERCET_HOME'] = place.home;
});
afterAll(() => {
  if (before === undefined) delete process.env['TERCET_HOME'];
  else process.env['TERCET_HOME'] = before;
  place.close();
});

it('a coordinator runs a text; a gateway before its parties answers who has a key, and drains', {
  timeout: 600_000,
}, async () => {
  const { coordinator, ports } = await startedCoordinator();
  await using _ = coordinator;
  const result = await coordinator.runInference(TEXT);
  expect(result.task === 'fill-mask' && result.predictions[0].token_str).toBe('paris');

  const made = await place.run(['key', 'create', '--name', 'web'], LONG);
  expectSuccess({ ...made, stderr: '' });
  const peers = ports.map((port, i) => `${i + 1}=127.0.0.1:${port}`).join(',');
  const gateway = place.start(['serve', '--port', '0', '--model', MODEL, '--peers', peers], LONG);
  const [, url] = await gateway.said(/the gateway is at (\S+) /, 120_000);
  const ask = (headers: Record<string, string>, text = TEXT) =>
    fetch(`${url}/api/v1/inference`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ text, top_k: 1 }),
    });
  expect((await ask({})).status).toBe(401);
  // Flags that would not be honoured are refused before anything is started.
  for (const wrong of [
    ['--deployment', 'http://127.0.0.1:1/tercet.json', '--peers', peers],
    ['--deployment', 'http://127.0.0.1:1/tercet.json', '--dealer', '127.0.0.1:1'],
    ['--dealer', '127.0.0.1:1', '--dealer-identity', 'ab'.repeat(32)],
    ['--peers', peers, '--dealer', '127.0.0.1:1'],
  ])
    expectFailure(await place.run(['serve', '--port', '0', ...wrong], LONG), { exit: 2, code: 'ERR_ARGUMENT' });
  const answer = await ask({ authorization: `Bearer ${made.stdout.trim()}` });
  expect(await answer.json()).toMatchObject({ predictions: [{ token: 'paris' }] });
  // Owners of two keys at once have each the answer to their own text.
  const second = await place.run(['key', 'create', '--name', 'app'], LONG);
  await vi.waitFor(
    async () => expect((await ask({ authorization: `Bearer ${second.stdout.trim()}` })).status).toBe(200),
    {
      timeout: 60_000,
      interval: 1_500,
    },
  );
  const capitals = { France: 'paris', Norway: 'oslo', Italy: 'rome', Spain: 'madrid' };
  const both = Object.entries(capitals).map(async ([country, capital], i) => {
    const { stdout } = i % 2 === 0 ? made : second;
    const own = await ask({ authorization: `Bearer ${stdout.trim()}` }, TEXT.replace('France', country));
    expect(await own.json()).toMatchObject({ predictions: [{ token: capital }] });
  });
  await Promise.all(both);
  gateway.signal('SIGTERM');
  const { code, stderr } = await gateway.ended;
  expect(code).toBe(0);
  expect(stderr).toContain('"event":"stopping"');
  expect(stderr).not.toMatch(/capital of France|paris|tck_/);
});

it('a party proves the identity that follows from SIGHUP on', { timeout: 600_000 }, async () => {
  const config = place.write('config.json', JSON.stringify(TINY));
  const rotated = await place.run(['keys', 'rotate', '--party-id', '1'], LONG);
  const [, current, next] = /^([0-9a-f]{64})\+([0-9a-f]{64})@TIME\n$/.exec(rotated.stdout) ?? [];
  const party = place.start(
    [
      ...['party', '--party-id', '1', '--web', '127.0.0.1:0', '--device', 'wasm'],
      ...['--random-weights', '1', '--architecture', config],
    ],
    LONG,
  );
  const [, url] = await party.said(/serves browsers at (\S+), identity/, 120_000);
  const shown = async () => ((await (await fetch(`${url}/v1/party`)).json()) as { identity: string }).identity;
  expect(await shown()).toBe(current);
  expectSuccess(await place.run(['keys', 'promote', '--party-id', '1'], LONG));
  expect(await shown()).toBe(current);
  await withoutDescriptors(party, url);
  party.signal('SIGHUP');
  await party.said(/were read again/, 120_000);
  expect(await shown()).toBe(next);
  party.signal('SIGTERM');
  await party.ended;
  expect((await place.run(['keys', 'list'], LONG)).stdout).toContain(next);
});

/** More connections than the party may have descriptors for: they go, and it answers again. */
async function withoutDescriptors(party: Run, url: string): Promise<void> {
  const { pid } = party.child;
  const descriptors = () => readdirSync(`/proc/${pid}/fd`).length;
  const open = descriptors();
  const limit = (files: number) => execFileSync('prlimit', ['--pid', String(pid), `--nofile=${files}:`]);
  limit(open + 10);
  const crowd = Array.from({ length: 60 }, () =>
    connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined),
  );
  await vi.waitFor(() => expect(descriptors()).toBeGreaterThanOrEqual(open + 8), 60_000);
  for (const socket of crowd) socket.destroy();
  await vi.waitFor(async () => expect((await fetch(`${url}/v1/health`)).status).toBe(200), 60_000);
  limit(open + 1000);
}

it('a trace becomes what a viewer reads, and a file that is none is refused', async () => {
  const step = { party: 0, step: 0, phase: 'deal', gate: 1, relation: 'mul', path: 'a', sent: 8, received: 0, ms: 2 };
  const [file, out] = [place.write('trace.jsonl', `${JSON.stringify(step)}\n`), join(place.folder, 'trace.json')];
  expectSuccess(await place.run(['trace', 'view', '--trace', file, '--out', out], LONG));
  const { traceEvents } = JSON.parse(readFileSync(out, 'utf8')) as { traceEvents: object[] };
  expect(traceEvents).toHaveLength(3);
  const other = place.write('other.jsonl', 'no step\n');
  expectFailure(await place.run(['trace', 'view', '--trace', other], LONG), { exit: 2, code: 'ERR_ARGUMENT' });
});
