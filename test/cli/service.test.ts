/**
 * A service as its operator has it, with real processes: a gateway before parties that a coordinator started, a key for
 * it, a party that changes its identity at SIGHUP, and a trace that a viewer reads.
 */
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MpcCoordinator } from '../../src/sdk/node.ts';
import { ROOT, TINY, Workplace, expectFailure, expectSuccess } from './command.ts';

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
  const ports = [await freePort(), await freePort()] as const;
  await using coordinator = new MpcCoordinator({ models: ['capitals-bert'], ports });
  await coordinator.startAllParties();
  const result = await coordinator.runInference(TEXT);
  expect(result.task === 'fill-mask' && result.predictions[0].token_str).toBe('paris');

  const made = await place.run(['key', 'create', '--name', 'web'], LONG);
  expectSuccess({ ...made, stderr: '' });
  const peers = ports.map((port, i) => `${i + 1}=127.0.0.1:${port}`).join(',');
  const gateway = place.start(['serve', '--port', '0', '--model', MODEL, '--peers', peers], LONG);
  const [, url] = await gateway.said(/the gateway is at (\S+) /, 120_000);
  const ask = (headers: Record<string, string>) =>
    fetch(`${url}/api/v1/inference`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ text: TEXT, top_k: 1 }),
    });
  expect((await ask({})).status).toBe(401);
  const answer = await ask({ authorization: `Bearer ${made.stdout.trim()}` });
  expect(await answer.json()).toMatchObject({ predictions: [{ token: 'paris' }] });
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
    ['party', '--party-id', '1', '--web', '127.0.0.1:0', '--random-weights', '1', '--architecture', config],
    LONG,
  );
  const [, url] = await party.said(/serves browsers at (\S+), identity/, 120_000);
  const shown = async () => ((await (await fetch(`${url}/v1/party`)).json()) as { identity: string }).identity;
  expect(await shown()).toBe(current);
  expectSuccess(await place.run(['keys', 'promote', '--party-id', '1'], LONG));
  expect(await shown()).toBe(current);
  party.signal('SIGHUP');
  await party.said(/were read again/, 120_000);
  expect(await shown()).toBe(next);
  party.signal('SIGTERM');
  await party.ended;
  expect((await place.run(['keys', 'list'], LONG)).stdout).toContain(next);
});

it('a trace becomes what a viewer reads, and a file that is none is refused', async () => {
  const step = { party: 0, step: 0, phase: 'deal', gate: 1, relation: 'mul', path: 'a', sent: 8, received: 0, ms: 2 };
  const [file, out] = [place.write('trace.jsonl', `${JSON.stringify(step)}\n`), join(place.folder, 'trace.json')];
  expectSuccess(await place.run(['trace', 'view', '--trace', file, '--out', out], LONG));
  const { traceEvents } = JSON.parse(readFileSync(out, 'utf8')) as { traceEvents: object[] };
  expect(traceEvents).toHaveLength(3);
  const other = place.write('other.jsonl', 'no step\n');
  expectFailure(await place.run(['trace', 'view', '--trace', other], LONG), { exit: 2, code: 'ERR_ARGUMENT' });
});
