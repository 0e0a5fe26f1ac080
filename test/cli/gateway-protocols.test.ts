/** `tercet serve` with every protocol, real processes of all three parties: a request names the one that answers it. */
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ROOT, type Run, Workplace, expectFailure } from './command.ts';

const place = new Workplace();
const LONG = { timeoutMs: 600_000 };
const MODEL = join(ROOT, 'models/capitals-bert');
const runs: Run[] = [];
afterAll(() => {
  for (const run of runs) run.killAll();
  place.close();
});

interface Answer {
  readonly protocol: string;
  readonly code?: string;
  readonly hint?: string;
  readonly predictions: readonly { readonly token: string }[];
  readonly cost: {
    readonly rounds: number;
    readonly proofs?: { readonly messages: number; readonly soundness: number };
  };
}

async function serving(...args: readonly string[]) {
  const run = place.start(
    ['serve', '--port', '0', '--model', MODEL, '--device', 'wasm', '--threads', '1', '--prepared', '0', ...args],
    LONG,
  );
  runs.push(run);
  const [, url] = await run.said(/the gateway is at (\S+) /, 300_000);
  const ask = async (options: object) => {
    const response = await fetch(`${url}/api/v1/inference`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'The capital of Norway is [MASK].', top_k: 1, ...options }),
    });
    return { status: response.status, answer: (await response.json()) as Answer };
  };
  return { run, url, ask };
}

it('a gateway answers by each protocol that it serves, and refuses the others', { timeout: 900_000 }, async () => {
  const all = ['3pc_semi_honest', '3pc_malicious', 'aby3'];
  const { run, url, ask } = await serving('--protocols', all.join(','));
  const { models } = (await (await fetch(`${url}/api/v1/models`)).json()) as { models: { protocols: string[] }[] };
  expect(models.map(({ protocols }) => protocols)).toEqual([all]);
  const proofs: number[] = [];
  for (const protocol of [undefined, ...all]) {
    const { status, answer } = await ask(protocol === undefined ? {} : { protocol });
    expect(status, JSON.stringify(answer)).toBe(200);
    expect(answer.protocol).toBe(protocol ?? all[0]);
    expect(answer.predictions[0].token).toBe('oslo');
    proofs.push(answer.cost.proofs?.messages ?? 0);
  }
  const [none, plain, proved, symmetric] = proofs;
  expect([none, plain]).toEqual([0, 0]);
  expect(proved).toBeGreaterThan(0);
  // P0 proves too.
  expect(symmetric).toBeGreaterThan(proved);
  run.signal('SIGTERM');
  expect((await run.ended).code).toBe(0);
});

it('where nobody says it, 3pc_malicious is there beside the default, and aby3 is not', {
  timeout: 900_000,
}, async () => {
  const { run, ask } = await serving();
  const { answer } = await ask({ protocol: '3pc_malicious' });
  expect([answer.protocol, answer.predictions[0].token]).toEqual(['3pc_malicious', 'oslo']);
  expect(answer.cost.proofs?.soundness).toBeLessThanOrEqual(-46);
  const refused = await ask({ protocol: 'aby3' });
  expect([refused.status, refused.answer.code]).toEqual([422, 'ERR_PROTOCOL_UNAVAILABLE']);
  expect(refused.answer.hint).toContain('3pc_semi_honest or 3pc_malicious');
  run.signal('SIGTERM');
  expect((await run.ended).code).toBe(0);
});

it('a list without the default, and a level of a default that proves nothing, start no gateway', async () => {
  for (const [args, code] of [
    [['--protocol', '3pc_malicious', '--protocols', '3pc_semi_honest'], 'ERR_ARGUMENT'],
    [['--protocols', '3pc_semi_honest,3pc_semi_honest'], 'ERR_ARGUMENT'],
    [['--protocols', '4pc'], 'ERR_ARGUMENT'],
    // Requests that name none would get less.
    [['--security-level', '256'], 'ERR_PROTOCOL_UNAVAILABLE'],
  ] as const)
    expectFailure(await place.run(['serve', '--port', '0', '--model', MODEL, ...args], LONG), { exit: 2, code });
}, 300_000);
