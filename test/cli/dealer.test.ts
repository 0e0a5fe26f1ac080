/** `tercet dealer` with `infer --dealer`: four processes over TLS, by pinned identities. */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { TINY, Workplace, type Run, expectFailure, expectSuccess } from './command.ts';

const place = new Workplace();
const TIMEOUT = 240_000;
const config = place.write('tiny.json', JSON.stringify(TINY));
const MODEL = ['--random-weights', '1', '--architecture', config];
const runs: Run[] = [];
afterEach(() => {
  for (const run of runs.splice(0)) run.killAll();
});
afterAll(() => place.close());

/** Every organisation has a folder of its own. */
const home = (name: string) => `${place.folder}/${name}`;

async function identity(name: string, of: readonly string[]): Promise<string> {
  const ended = await place.run(['identity', ...of], { home: home(name) });
  expectSuccess(ended);
  return ended.stdout.trim();
}

function started(args: readonly string[], name: string): Run {
  const run = place.start([...args, '--threads', '1'], { home: home(name), timeoutMs: TIMEOUT });
  runs.push(run);
  return run;
}

const SHARING = `${place.folder}/sharing`;

/** The model with secret weights, and a credential; its owner allows the dealer of that identity, or none. */
async function enrolled(name: string, dealer: string | undefined): Promise<string> {
  const out = `${place.folder}/${name}.json`;
  const allowed = dealer === undefined ? [] : ['--dealer', dealer];
  const args = ['owner', 'enrol', '--sharing', SHARING, '--name', name, ...allowed, '--out', out];
  expectSuccess(await place.run(args, { home: home('model-owner') }));
  return out;
}

interface World {
  readonly pins: { readonly one: string; readonly two: string; readonly dealer: string };
  readonly dealer: { readonly run: Run; readonly port: number };
  /** `infer` with these parties, and what else there is to say. */
  infer(more: readonly string[]): ReturnType<Workplace['run']>;
}

async function world(): Promise<World> {
  const [one, two, dealer] = await Promise.all([
    identity('one', ['--party-id', '1']),
    identity('two', ['--party-id', '2']),
    identity('dealer', ['--dealer']),
    place.run(['model', 'share', ...MODEL, '--out', SHARING], { home: home('model-owner') }).then(expectSuccess),
  ]);
  const port = async (run: Run) => Number((await run.said(/listens on 127\.0\.0\.1:(\d+)$/m))[1]);
  const profile = ['--profile', 'home'];
  const served = (id: 1 | 2) => [...MODEL, '--shares', `${SHARING}/p${id}`];
  const p1 = await port(
    started(['party', '--party-id', '1', '--peer-identity', `2=${two}`, ...served(1), ...profile], 'one'),
  );
  const peers = ['--peers', `1=127.0.0.1:${p1}`, '--peer-identity', `1=${one}`];
  const p2 = await port(started(['party', '--party-id', '2', ...peers, ...served(2), ...profile], 'two'));
  const pair = `1=127.0.0.1:${p1},2=127.0.0.1:${p2}`;
  const run = started(['dealer', '--parties', pair, '--identities', `1=${one},2=${two}`, ...profile], 'dealer');
  return {
    pins: { one, two, dealer },
    dealer: { run, port: await port(run) },
    infer: (more) =>
      place.run(
        [
          ...['infer', ...MODEL, '--tokens', '8', '--peers', pair, '--identities', `1=${one},2=${two}`],
          ...['--threads', '1', '--json', '--compare', ...profile, ...more],
        ],
        { home: home('owner'), timeoutMs: TIMEOUT },
      ),
  };
}

describe('a dealer as a process', () => {
  it('deals for an owner behind a thin link, who sends its input alone; one that is not the pinned one is refused', {
    timeout: TIMEOUT,
  }, async () => {
    const { infer, dealer, pins } = await world();
    const alone = await infer([]);
    expectSuccess(alone);
    const dealt = await infer(['--dealer', `127.0.0.1:${dealer.port}`, '--dealer-identity', pins.dealer]);
    expectSuccess(dealt);
    const [without, with_] = [alone, dealt].map(({ stdout }) => JSON.parse(stdout) as Answer);
    expect(with_.cost.rounds).toBe(without.cost.rounds);
    expect(with_.cost.p0.sentBytes).toBeLessThan(without.cost.p0.sentBytes / 2);
    expect(with_.plaintext.maxAbsLogitError).toBeLessThan(0.01);

    const stranger = await infer(['--dealer', `127.0.0.1:${dealer.port}`, '--dealer-identity', 'ab'.repeat(32)]);
    expectFailure(stranger, { exit: 1, code: 'ERR_IDENTITY_KEY' });
    const party = await infer(['--dealer', `127.0.0.1:${dealer.port}`, '--dealer-identity', pins.one]);
    expectFailure(party, { exit: 2, code: 'ERR_ARGUMENT' });

    // With secret weights the model's owner says which dealer may get their seeds.
    const secret = (credential: string) => ['--weights', 'secret', '--credential', credential];
    const named = ['--dealer', `127.0.0.1:${dealer.port}`, '--dealer-identity', pins.dealer];
    const [allowed, none, other] = [
      await enrolled('alice', pins.dealer),
      await enrolled('bob', undefined),
      await enrolled('carol', 'ab'.repeat(32)),
    ];
    for (const credential of [none, other])
      expectFailure(await infer([...secret(credential), ...named]), { exit: 1, code: 'ERR_CREDENTIAL_DEALER' });
    const [own, theirs] = [await infer(secret(allowed)), await infer([...secret(allowed), ...named])];
    for (const ended of [own, theirs]) expectSuccess(ended);
    const [dealtHere, dealtThere] = [own, theirs].map(({ stdout }) => JSON.parse(stdout) as Answer);
    expect(dealtThere.cost.rounds).toBe(dealtHere.cost.rounds);
    expect(dealtThere.cost.p0.sentBytes).toBeLessThan(dealtHere.cost.p0.sentBytes / 2);
    expect(dealtThere.plaintext.maxAbsLogitError).toBeLessThan(0.02);
  });
});

interface Answer {
  readonly cost: { readonly rounds: number; readonly p0: { readonly sentBytes: number } };
  readonly plaintext: { readonly maxAbsLogitError: number };
}
