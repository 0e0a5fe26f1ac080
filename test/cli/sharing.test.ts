/**
 * Secret weights as their organisations use them: parts on parties of their own, owners who were enrolled and
 * revoked, another sharing after a while, and every way to mix them up.
 */
import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Run, Workplace, expectFailure, expectSuccess } from './command.ts';

const place = new Workplace();
const TIMEOUT = 120_000;
const TEXT = 'The capital of France is [MASK].';
const running: Run[] = [];

const part = (sharing: string, name: string) => join(place.folder, sharing, name);

beforeAll(async () => {
  for (const sharing of ['first', 'second']) {
    expectSuccess(await place.run(['model', 'share', '--out', join(place.folder, sharing)], { timeoutMs: TIMEOUT }));
    for (const name of ['alice', 'bob']) expectSuccess(await enrol(sharing, name));
  }
}, TIMEOUT);
afterEach(() => {
  for (const run of running.splice(0)) run.killAll();
});
afterAll(() => place.close());

const credential = (sharing: string, name = 'alice') => join(place.folder, `${sharing}-${name}.json`);
const enrol = (sharing: string, name: string) =>
  place.run(
    ['owner', 'enrol', '--sharing', join(place.folder, sharing), '--name', name, '--out', credential(sharing, name)],
    { timeoutMs: TIMEOUT },
  );

async function party(id: 1 | 2, shares: string, one?: number): Promise<number> {
  const peers = one === undefined ? [] : ['--peers', `1=127.0.0.1:${one}`];
  const run = place.start(['party', '--party-id', String(id), '--threads', '1', '--shares', shares, ...peers], {
    timeoutMs: TIMEOUT,
  });
  running.push(run);
  return Number((await run.said(/listens on 127\.0\.0\.1:(\d+)$/m))[1]);
}

async function both(one: string, two: string): Promise<string> {
  const port = await party(1, one);
  return `1=127.0.0.1:${port},2=127.0.0.1:${await party(2, two, port)}`;
}

/** As alice of the sharing whose owner's folder it is, unless another credential is given. */
function infer(owner: string, peers: string, ...more: string[]) {
  const shown = more.includes('--credential')
    ? []
    : ['--credential', credential(owner.includes('second') ? 'second' : 'first')];
  return place.run(
    [
      'infer',
      '--text',
      TEXT,
      '--model',
      owner,
      '--weights',
      'secret',
      '--peers',
      peers,
      '--threads',
      '1',
      '--json',
      ...shown,
      ...more,
    ],
    {
      timeoutMs: TIMEOUT,
    },
  );
}

describe('a sharing', () => {
  it('answers an owner that was enrolled and has no weights; so does the next one, with other seeds', {
    timeout: TIMEOUT,
  }, async () => {
    for (const sharing of ['first', 'second']) {
      const owner = part(sharing, 'owner');
      expect(statSync(credential(sharing)).mode & 0o777).toBe(0o600);
      expect(() => statSync(join(owner, 'seeds'))).toThrow();
      expect(() => statSync(join(owner, 'model.safetensors'))).toThrow();
      const ended = await infer(owner, await both(part(sharing, 'p1'), part(sharing, 'p2')));
      expectSuccess(ended);
      const { weights, result } = JSON.parse(ended.stdout);
      expect([weights, result.predictions[0].token]).toEqual(['secret', 'paris']);
      for (const run of running.splice(0)) run.killAll();
    }
    expect(readFileSync(join(part('first', 'owner'), 'hash'))).not.toEqual(
      readFileSync(join(part('second', 'owner'), 'hash')),
    );
  });

  it('of another time than the owner’s credential is refused by hash', { timeout: TIMEOUT }, async () => {
    expectFailure(await infer(part('first', 'owner'), await both(part('second', 'p1'), part('second', 'p2'))), {
      exit: 1,
      code: 'ERR_MODEL_HASH',
    });
  });

  it('of which the parties have parts of two times is refused', { timeout: TIMEOUT }, async () => {
    expectFailure(await infer(part('first', 'owner'), await both(part('first', 'p1'), part('second', 'p2'))), {
      exit: 1,
      code: ['ERR_MODEL_HASH', 'ERR_PEER_MISMATCH'],
    });
  });

  it.each<[string, string, (folder: string) => void]>([
    ['the other party’s part', 'p2', () => undefined],
    ['a seed of another sharing', 'p1', (folder) => cpSync(join(part('second', 'p1'), 'seed'), join(folder, 'seed'))],
    [
      'weights of another sharing',
      'p1',
      (folder) => cpSync(join(part('second', 'p1'), 'masked.safetensors'), join(folder, 'masked.safetensors')),
    ],
  ])('with %s does not start a party', { timeout: TIMEOUT }, async (_what, name, change) => {
    const folder = join(place.folder, `mixed-${running.length}-${name}-${change.toString().length}`);
    mkdirSync(folder);
    cpSync(part('first', name), folder, { recursive: true });
    change(folder);
    const ended = await place.run(['party', '--party-id', '1', '--threads', '1', '--shares', folder], {
      timeoutMs: TIMEOUT,
    });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/ERR_MODEL_HASH/);
  });

  it.each<[string, string, readonly string[], string]>([
    ['a credential of another time', 'ERR_CREDENTIAL_SHARING', ['--credential', credential('second')], "model's owner"],
    [
      'a file that is no credential',
      'ERR_ARGUMENT',
      ['--credential', part('first', 'p1/share.json')],
      'tercet owner enrol',
    ],
    ['no file there', 'ERR_ARGUMENT', ['--credential', part('first', 'nothing')], 'check the path'],
  ])('with %s is refused before anybody is asked', { timeout: TIMEOUT }, async (_what, code, more, says) => {
    const ended = await infer(part('first', 'owner'), '1=127.0.0.1:1,2=127.0.0.1:1', ...more);
    expectFailure(ended, {
      exit: code === 'ERR_ARGUMENT' ? 2 : 1,
      code: code as 'ERR_ARGUMENT',
      says: new RegExp(says),
    });
  });

  it('refuses an owner whom one party was told to refuse, without a restart: each party judges alone', {
    timeout: TIMEOUT,
  }, async () => {
    // A copy of the parts, as the parties hold them, and two of the issuer's: one revokes alice and tells party 1,
    // one revokes bob and tells party 2.
    for (const name of ['p1', 'p2']) cpSync(part('first', name), part('running', name), { recursive: true });
    const peers = await both(part('running', 'p1'), part('running', 'p2'));
    expectSuccess(await infer(part('first', 'owner'), peers));
    for (const [name, told] of [
      ['alice', '1'],
      ['bob', '2'],
    ]) {
      cpSync(part('first', 'issuer'), part(`issuing-${name}`, 'issuer'), { recursive: true });
      expectSuccess(
        await place.run(['owner', 'revoke', '--sharing', part(`issuing-${name}`, ''), '--name', name], {
          timeoutMs: TIMEOUT,
        }),
      );
      cpSync(part(`issuing-${name}`, 'issuer/revoked.json'), part('running', `p${told}/revoked.json`));
      const refused = await infer(part('first', 'owner'), peers, '--credential', credential('first', name));
      expectFailure(refused, { exit: 1, code: 'ERR_CREDENTIAL_REVOKED', says: new RegExp(`party ${told}`) });
      // Nothing of the certificate is in what anybody says.
      const { certificate } = JSON.parse(readFileSync(credential('first', name), 'utf8')) as { certificate: string };
      for (const text of [refused.stdout, refused.stderr, ...running.map((run) => run.stderr)])
        expect(text).not.toContain(certificate.slice(100, 130));
    }
  });

  it('that names no enrolment key does not start a party', { timeout: TIMEOUT }, async () => {
    const folder = part('unenrolled', '');
    cpSync(part('first', 'p1'), folder, { recursive: true });
    const { enrolment: _, ...rest } = JSON.parse(readFileSync(join(folder, 'share.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    writeFileSync(join(folder, 'share.json'), JSON.stringify({ ...rest, version: 1 }));
    const ended = await place.run(
      ['party', '--party-id', '1', '--threads', '1', '--shares', folder, '--web', '127.0.0.1:0'],
      { timeoutMs: TIMEOUT },
    );
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/ERR_MODEL_FORMAT: .*no enrolment key.*tercet owner enrol/);
  });

  it('has no weights to compare with, which is said before anybody is asked', { timeout: TIMEOUT }, async () => {
    const ended = await infer(part('first', 'owner'), '1=127.0.0.1:1,2=127.0.0.1:1', '--compare');
    expectFailure(ended, { exit: 2, code: 'ERR_ARGUMENT', says: /leave out --compare/ });
  });

  it('needs its parties to be named', { timeout: TIMEOUT }, async () => {
    const ended = await place.run(['infer', '--text', TEXT, '--model', part('first', 'owner'), '--weights', 'secret'], {
      timeoutMs: TIMEOUT,
    });
    expectFailure(ended, { exit: 2, code: 'ERR_ARGUMENT', says: /--peers/ });
  });
});
