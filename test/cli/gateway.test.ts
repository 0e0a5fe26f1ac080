/** `tercet serve` before parties that somebody else runs: by a deployment, and with a dealer of either kind. */
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ROOT, type Run, Workplace, expectSuccess } from './command.ts';

const place = new Workplace();
const LONG = { timeoutMs: 600_000 };
const MODEL = join(ROOT, 'models/capitals-bert');
const runs: Run[] = [];
afterAll(() => {
  for (const run of runs) run.killAll();
  place.close();
});

const home = (name: string) => `${place.folder}/${name}`;

function start(name: string, args: readonly string[]): Run {
  const run = place.start([...args, '--threads', '1'], { home: home(name), ...LONG });
  runs.push(run);
  return run;
}

async function identity(name: string, of: readonly string[]): Promise<string> {
  const ended = await place.run(['identity', ...of], { home: home(name), ...LONG });
  expectSuccess(ended);
  return ended.stdout.trim();
}

const PORT = /listens on 127\.0\.0\.1:(\d+)$/m;
const WEB = /serves browsers at (\S+), identity/;
const say = async (run: Run, pattern: RegExp) => (await run.said(pattern, 300_000))[1];

async function party(id: 1 | 2, more: readonly string[]): Promise<{ readonly port: string; readonly web: string }> {
  const run = start(`p${id}`, [
    ...['party', '--party-id', String(id), '--model', MODEL, '--device', 'wasm', '--web', '127.0.0.1:0'],
    ...more,
  ]);
  return { port: await say(run, PORT), web: await say(run, WEB) };
}

interface Answer {
  readonly predictions: readonly { readonly token: string }[];
  readonly cost: { readonly sent_bytes: number; readonly rounds: number };
}

/** The answer of a gateway to the text of the guide, and what the gateway sent for it. */
async function asked(args: readonly string[]): Promise<Answer> {
  const gateway = start('owner', ['serve', '--port', '0', ...args]);
  const url = await say(gateway, /the gateway is at (\S+) /);
  const response = await fetch(`${url}/api/v1/inference`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'The capital of Norway is [MASK].', top_k: 1 }),
  });
  const answer = (await response.json()) as Answer;
  expect(response.status, JSON.stringify(answer)).toBe(200);
  gateway.signal('SIGTERM');
  expect((await gateway.ended).code).toBe(0);
  return answer;
}

it('a gateway answers by a deployment and by addresses, and a dealer takes the dealing off it in both', {
  timeout: 900_000,
}, async () => {
  const one = await identity('p1', ['--party-id', '1']);
  const two = await identity('p2', ['--party-id', '2']);
  const dealerPin = await identity('dealer', ['--dealer']);
  const p1 = await party(1, ['--peer-identity', `2=${two}`]);
  const p2 = await party(2, ['--peer-identity', `1=${one}`, '--peers', `1=127.0.0.1:${p1.port}`]);
  const identities = ['--identities', `1=${one},2=${two}`];
  const pair = `1=127.0.0.1:${p1.port},2=127.0.0.1:${p2.port}`;
  const dealer = start('dealer', ['dealer', '--parties', pair, ...identities, '--web', '127.0.0.1:0']);
  const [dealerPort, dealerWeb] = [await say(dealer, PORT), await say(dealer, WEB)];
  const site = place.start(
    [
      ...['site', '--address', '127.0.0.1:0', '--parties', `1=${p1.web},2=${p2.web}`, ...identities, '--model', MODEL],
      ...['--dealer', dealerWeb, '--dealer-identity', dealerPin],
    ],
    { home: home('site'), ...LONG },
  );
  runs.push(site);
  const deployment = [
    '--deployment',
    `${(await say(site, /the web app is at (http\S+?)\/?$/m)).replace(/\/$/, '')}/tercet.json`,
  ];
  const named = ['--model', MODEL, '--peers', pair, ...identities];
  const byDealer = ['--dealer', `127.0.0.1:${dealerPort}`, '--dealer-identity', dealerPin];
  const answers = [
    await asked(deployment),
    await asked([...deployment, '--dealer', 'deployment']),
    await asked(named),
    await asked([...named, ...byDealer]),
  ];
  for (const { predictions } of answers) expect(predictions[0].token).toBe('oslo');
  const sent = answers.map(({ cost }) => cost.sent_bytes);
  expect(sent[1]).toBeLessThan(sent[0] / 2);
  expect(sent[3]).toBeLessThan(sent[2] / 2);
  expect(new Set(answers.map(({ cost }) => cost.rounds)).size).toBe(1);
});
