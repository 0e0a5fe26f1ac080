/**
 * Parties of several owners on the command line: folders that share the authority's certificate or nothing, and
 * what each command says when the proof fails.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectTls } from '../../src/net/tls/connect.ts';
import { failure } from '../failure.ts';
import { type Ended, type Run, TINY, Workplace, expectFailure, expectNothingLeft, expectSuccess } from './command.ts';

const place = new Workplace();
const TIMEOUT = 120_000;
const MODEL = ['--random-weights', '1', '--architecture', place.write('tiny.json', JSON.stringify(TINY))];
const STRANGER = 'ab'.repeat(32);
const running: Run[] = [];
afterEach(() => {
  for (const run of running.splice(0)) run.killAll();
});
afterAll(() => place.close());

/** The state folder of one owner, and nobody else's. */
function home(name: string): string {
  const folder = join(place.folder, `home-${name}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function party(id: 1 | 2, more: readonly string[], name = `operator-${id}`): Promise<{ run: Run; port: number }> {
  const run = place.start(
    ['party', '--party-id', String(id), '--threads', '1', '--device', 'wasm', ...MODEL, ...more],
    {
      home: home(name),
      timeoutMs: TIMEOUT,
    },
  );
  running.push(run);
  return { run, port: Number((await run.said(/listens on 127\.0\.0\.1:(\d+)$/m))[1]) };
}

const owner = (one: number, two: number, more: readonly string[]): Promise<Ended> =>
  place.run(
    [
      'infer',
      ...MODEL,
      '--tokens',
      '8',
      '--threads',
      '1',
      '--json',
      '--peers',
      `1=127.0.0.1:${one},2=127.0.0.1:${two}`,
      ...more,
    ],
    {
      home: home('owner'),
    },
  );

/** A command that prints and ends. */
async function said(args: readonly string[], name: string): Promise<string> {
  const ended = await place.run(args, { home: home(name) });
  expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' });
  expectNothingLeft(ended);
  return ended.stdout;
}

const identity = async (id: 1 | 2, name = `operator-${id}`) =>
  (await said(['identity', '--party-id', String(id)], name)).trim();
const fingerprint = (output: string, what: string) =>
  new RegExp(`^${what}: key fingerprint ([0-9a-f]{64})$`, 'm').exec(output)?.[1];

describe('identities', () => {
  it('are all that two operators and an owner exchange; a wrong one is named by whom it was shown to', {
    timeout: TIMEOUT,
  }, async () => {
    const [one, two] = [await identity(1), await identity(2)];
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    expect(await identity(1)).toBe(one);
    const first = await party(1, ['--peer-identity', `2=${two}`]);
    const second = await party(2, ['--peer-identity', `1=${one}`, '--peers', `1=127.0.0.1:${first.port}`]);
    expectSuccess(await owner(first.port, second.port, ['--identities', `1=${one},2=${two}`]));
    // P1 and P2 have a key that the owner lacks, by their own identities: so proofs need no authority.
    const proved = await owner(first.port, second.port, [
      ...['--identities', `1=${one},2=${two}`, '--protocol', '3pc_malicious'],
    ]);
    expectSuccess(proved);
    expect(JSON.parse(proved.stdout).proofs.provers).toMatchObject([{ prover: 1 }, { prover: 2 }]);
    // The owner has another identity of party 2, or the two the wrong way round, or none, and so certificates of
    // its own.
    const wrong = await owner(first.port, second.port, ['--identities', `1=${one},2=${STRANGER}`]);
    expectFailure(wrong, {
      exit: 1,
      code: 'ERR_IDENTITY_KEY',
      says: /party 2 at \S+ did not prove itself to the data owner/,
    });
    const swapped = await owner(first.port, second.port, ['--identities', `1=${two},2=${one}`]);
    expectFailure(swapped, { exit: 1, code: 'ERR_IDENTITY_PARTY', says: /party 2 answered in the place of party 1/ });
    expectFailure(await owner(first.port, second.port, []), { exit: 1, code: 'ERR_PEER_CERTIFICATE', says: /party 1/ });
    expect([first, second].map(({ run }) => run.running)).toEqual([true, true]);
    for (const [id, name] of [
      [1, 'operator-1'],
      [2, 'operator-2'],
    ] as const)
      expect(readdirSync(join(home(name), 'certificates'))).toEqual([`identity-party-${id}.key`]);
  });

  it('of the parties are proved in the link again: a silent owner, who is nobody, takes no place of a session', {
    timeout: TIMEOUT,
  }, async () => {
    const [one, two] = [await identity(1), await identity(2)];
    const first = await party(1, ['--peer-identity', `2=${two}`, '--max-sessions', '1']);
    const second = await party(2, ['--peer-identity', `1=${one}`, '--peers', `1=127.0.0.1:${first.port}`]);
    const credentials = { pins: { 1: one } };
    const session = crypto.getRandomValues(new Uint8Array(16));
    const silent = await connectTls({ self: 0, peer: 1, host: '127.0.0.1', port: first.port, credentials, session });
    try {
      expectSuccess(await owner(first.port, second.port, ['--identities', `1=${one},2=${two}`]));
      await first.run.said(/ERR_PEER_TIMEOUT: the data owner did not finish the handshake in time/);
      await failure('ERR_PEER_CLOSED', () => silent.recv('x', 1));
    } finally {
      silent.abort(new Error('test over'));
    }
  });

  it('that party 1 does not expect of party 2: the owner hears which of them did not prove itself to the other', {
    timeout: TIMEOUT,
  }, async () => {
    const [one, two] = [await identity(1), await identity(2)];
    const first = await party(1, ['--peer-identity', `2=${STRANGER}`]);
    const second = await party(2, ['--peer-identity', `1=${one}`, '--peers', `1=127.0.0.1:${first.port}`]);
    const ended = await owner(first.port, second.port, ['--identities', `1=${one},2=${two}`]);
    expectFailure(ended, {
      exit: 1,
      code: 'ERR_IDENTITY_PEERS',
      says: /party 2 did not prove its identity to party 1, says party 2/,
    });
    expect(ended.stderr).not.toContain(String(first.port));
    // The operator's log has no address, and names who did not prove itself.
    await second.run.said(/ERR_IDENTITY_PEERS \(party 2\): a certificate or an identity was not accepted/);
  });

  it.each<[string, readonly string[], RegExp]>([
    ['party', ['--party-id', '1', '--peer-identity', '2=AB'], /--peer-identity expected 2=HEX/],
    ['party', ['--party-id', '1', '--peer-identity', `1=${STRANGER}`], /--peer-identity expected 2=HEX/],
    [
      'party',
      ['--party-id', '1', '--peer-identity', `2=${STRANGER}`, '--tls-cert', 'x', '--tls-key', 'x', '--tls-ca', 'x'],
      /cannot be read/,
    ],
    ['party', ['--party-id', '1', '--tls-cert', 'x'], /belong together/],
    ['party', ['--party-id', '1', '--host', '0.0.0.0'], /links to other machines \(0\.0\.0\.0\) need proof/],
    [
      'party',
      ['--party-id', '2', '--peers', '1=192.0.2.1:7001'],
      /links to other machines \(192\.0\.2\.1\) need proof/,
    ],
    ['infer', ['--tokens', '8', '--peers', '1=192.0.2.1:7001,2=192.0.2.2:7001'], /links to other machines/],
    ['infer', ['--tokens', '8', '--identities', `1=${STRANGER},2=${'cd'.repeat(32)}`], /belong to --peers/],
    [
      'infer',
      ['--tokens', '8', '--peers', '1=127.0.0.1:1,2=127.0.0.1:1', '--identities', `1=${STRANGER},2=${STRANGER}`],
      /one identity for both/,
    ],
  ])('that cannot be meant are wrong usage: %s %j', async (command, args, says) => {
    expectFailure(await place.run([command, ...MODEL, ...args], { home: home('usage') }), {
      exit: 2,
      code: 'ERR_ARGUMENT',
      says,
    });
    expect(existsSync(join(home('usage'), 'certificates', 'set-000001'))).toBe(false);
  });
});

describe('certificates', () => {
  const folder = (name: string) => join(place.folder, name);
  const keeper = folder('authority');

  /**
   * What an owner and the keeper of the authority do, each in its own folder; only the request and the certificates
   * travel.
   */
  async function enrolled(id: 0 | 1 | 2, name: string, authority = keeper): Promise<string> {
    const [own, back] = [folder(name), folder(`${name}-issued`)];
    const asked = await said(['certificates', 'request', '--party-id', String(id), '--out', own], name);
    const issued = await said(
      [
        'certificates',
        'issue',
        '--ca',
        authority,
        '--party-id',
        String(id),
        '--request',
        join(own, `party-${id}.csr`),
        '--out',
        back,
      ],
      'keeper',
    );
    // What the two compare.
    expect(fingerprint(issued, `party-${id}\\.tercet`)).toBe(fingerprint(asked, `party ${id}`));
    expect(fingerprint(await said(['certificates', 'show', join(own, `party-${id}.csr`)], name), 'request')).toBe(
      fingerprint(asked, `party ${id}`),
    );
    for (const file of ['ca.pem', `party-${id}.pem`]) copyFileSync(join(back, file), join(own, file));
    return own;
  }
  let [zero, one, two] = ['', '', ''];
  beforeAll(async () => {
    await said(['certificates', 'init', '--out', keeper], 'keeper');
    [zero, one, two] = [await enrolled(0, 'zero'), await enrolled(1, 'one'), await enrolled(2, 'two')];
  }, TIMEOUT);

  const files = (dir: string, id: number) => [
    '--tls-cert',
    join(dir, `party-${id}.pem`),
    '--tls-key',
    join(dir, `party-${id}.key`),
    '--tls-ca',
    join(dir, 'ca.pem'),
  ];

  it('of an authority, one for each folder, are enough; the keys stay where they were made', {
    timeout: TIMEOUT,
  }, async () => {
    expect((statSync(join(keeper, 'ca.key')).mode & 0o777).toString(8)).toBe('600');
    for (const [dir, id] of [
      [zero, 0],
      [one, 1],
      [two, 2],
    ] as const) {
      expect(readdirSync(dir)).toEqual(['ca.pem', `party-${id}.csr`, `party-${id}.key`, `party-${id}.pem`]);
      expect(readdirSync(`${dir}-issued`)).toEqual(['ca.pem', `party-${id}.pem`]);
    }
    const first = await party(1, ['--certificates', one]);
    const second = await party(2, [...files(two, 2), '--peers', `1=127.0.0.1:${first.port}`]);
    expectSuccess(await owner(first.port, second.port, ['--certificates', zero]));
    expectSuccess(await owner(first.port, second.port, files(zero, 0)));
    // Control: an owner with the certificates of its own machine is nobody there.
    expectFailure(await owner(first.port, second.port, []), { exit: 1, code: 'ERR_PEER_CERTIFICATE' });
  });

  it('of another authority at party 2: named at both parties and to the owner', { timeout: TIMEOUT }, async () => {
    const other = folder('other-authority');
    await said(['certificates', 'init', '--out', other], 'stranger');
    const foreign = await enrolled(2, 'foreign', other);
    // Party 2 believes both authorities, and so does the owner; party 1 believes its own.
    const both = place.write(
      'both.pem',
      `${readFileSync(join(foreign, 'ca.pem'), 'utf8')}\n${readFileSync(join(one, 'ca.pem'), 'utf8')}`,
    );
    const first = await party(1, ['--certificates', one]);
    const second = await party(2, [...files(foreign, 2).slice(0, -1), both, '--peers', `1=127.0.0.1:${first.port}`]);
    const ended = await owner(first.port, second.port, [
      ...files(zero, 0).slice(0, -1),
      place.write(
        'owner.pem',
        readFileSync(both)
          .toString()
          .split(/(?<=END CERTIFICATE-----)/)
          .reverse()
          .join('\n'),
      ),
    ]);
    expectFailure(ended, {
      exit: 1,
      code: 'ERR_IDENTITY_PEERS',
      says: /party 2 did not prove its identity to party 1, says party 2/,
    });
  });

  it('of somebody else, without a key, or with one that others may read, do not start a party', {
    timeout: TIMEOUT,
  }, async () => {
    const start = (id: 1 | 2, args: readonly string[]) =>
      place.run(['party', '--party-id', String(id), '--peers', '1=127.0.0.1:1', ...MODEL, ...args], {
        home: home('refused'),
      });
    expectFailure(await start(2, files(one, 1)), {
      exit: 1,
      code: 'ERR_PEER_CERTIFICATE',
      says: /the certificate is that of party 1, this is party 2/,
    });
    expectFailure(await start(2, ['--certificates', one]), {
      exit: 1,
      code: 'ERR_PEER_CERTIFICATE',
      says: /there is no party-2\.key/,
    });
    const mixed = [
      '--tls-cert',
      join(one, 'party-1.pem'),
      '--tls-key',
      join(two, 'party-2.key'),
      '--tls-ca',
      join(one, 'ca.pem'),
    ];
    expectFailure(await start(1, mixed), {
      exit: 1,
      code: 'ERR_PEER_CERTIFICATE',
      says: /not that of its certificate/,
    });
    // And the keeper issues nothing for another party than the one that asked, nor over what is there.
    const issue = (id: string, out: string) =>
      place.run(
        [
          'certificates',
          'issue',
          '--ca',
          keeper,
          '--party-id',
          id,
          '--request',
          join(one, 'party-1.csr'),
          '--out',
          folder(out),
        ],
        {
          home: home('keeper'),
        },
      );
    expectFailure(await issue('2', 'never'), { exit: 1, code: 'ERR_PEER_CERTIFICATE', says: /not one of party 2/ });
    expectFailure(await issue('1', 'one-issued'), {
      exit: 2,
      code: 'ERR_ARGUMENT',
      says: /holds other keys or certificates already/,
    });
    expectFailure(await place.run(['certificates', 'init', '--out', keeper], { home: home('keeper') }), {
      exit: 2,
      code: 'ERR_ARGUMENT',
    });
    expectFailure(await place.run(['certificates', 'show', join(one, 'party-1.key')], { home: home('keeper') }), {
      exit: 2,
      code: 'ERR_ARGUMENT',
      says: /private key/,
    });
  });
});
