/** Secret weights as three organisations use them: parts on parties of their own, an owner with seeds only, another sharing after a while, and every way to mix them up. */
import { cpSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Run, Workplace, expectFailure, expectSuccess } from './command.ts';

const place = new Workplace();
const TIMEOUT = 120_000;
const TEXT = 'The capital of France is [MASK].';
const running: Run[] = [];

const part = (sharing: string, name: string) => join(place.folder, sharing, name);

beforeAll(async () => {
  for (const sharing of ['first', 'second']) expectSuccess(await place.run(['model', 'share', '--out', join(place.folder, sharing)], { timeoutMs: TIMEOUT }));
}, TIMEOUT);
afterEach(() => {
  for (const run of running.splice(0)) run.killAll();
});
afterAll(() => place.close());

async function party(id: 1 | 2, shares: string, one?: number): Promise<number> {
  const peers = one === undefined ? [] : ['--peers', `1=127.0.0.1:${one}`];
  const run = place.start(['party', '--party-id', String(id), '--threads', '1', '--shares', shares, ...peers], { timeoutMs: TIMEOUT });
  running.push(run);
  return Number((await run.said(/listens on 127\.0\.0\.1:(\d+)$/m))[1]);
}

async function both(one: string, two: string): Promise<string> {
  const port = await party(1, one);
  return `1=127.0.0.1:${port},2=127.0.0.1:${await party(2, two, port)}`;
}

const infer = (owner: string, peers: string, ...more: string[]) =>
  place.run(['infer', '--text', TEXT, '--model', owner, '--weights', 'secret', '--peers', peers, '--threads', '1', '--json', ...more], { timeoutMs: TIMEOUT });

describe('a sharing', () => {
  it('answers an owner that has 64 bytes of seeds and no weights; so does the next one, with other seeds', { timeout: TIMEOUT }, async () => {
    for (const sharing of ['first', 'second']) {
      const owner = part(sharing, 'owner');
      expect(statSync(join(owner, 'seeds')).size).toBe(64);
      expect(() => statSync(join(owner, 'model.safetensors'))).toThrow();
      const ended = await infer(owner, await both(part(sharing, 'p1'), part(sharing, 'p2')));
      expectSuccess(ended);
      const { weights, result } = JSON.parse(ended.stdout);
      expect([weights, result.predictions[0].token]).toEqual(['secret', 'paris']);
      for (const run of running.splice(0)) run.killAll();
    }
    expect(readFileSync(join(part('first', 'owner'), 'hash'))).not.toEqual(readFileSync(join(part('second', 'owner'), 'hash')));
  });

  it('of another time than the owner’s seeds is refused by hash', { timeout: TIMEOUT }, async () => {
    expectFailure(await infer(part('first', 'owner'), await both(part('second', 'p1'), part('second', 'p2'))), { exit: 1, code: 'ERR_MODEL_HASH' });
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
    ['weights of another sharing', 'p1', (folder) => cpSync(join(part('second', 'p1'), 'masked.safetensors'), join(folder, 'masked.safetensors'))],
  ])('with %s does not start a party', { timeout: TIMEOUT }, async (_what, name, change) => {
    const folder = join(place.folder, `mixed-${running.length}-${name}-${change.toString().length}`);
    mkdirSync(folder);
    cpSync(part('first', name), folder, { recursive: true });
    change(folder);
    const ended = await place.run(['party', '--party-id', '1', '--threads', '1', '--shares', folder], { timeoutMs: TIMEOUT });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/ERR_MODEL_HASH/);
  });

  it('whose owner has the seeds of two times is refused before anybody is asked', { timeout: TIMEOUT }, async () => {
    const folder = join(place.folder, 'mixed-owner');
    cpSync(part('first', 'owner'), folder, { recursive: true });
    cpSync(join(part('second', 'owner'), 'seeds'), join(folder, 'seeds'));
    expectFailure(await infer(folder, '1=127.0.0.1:1,2=127.0.0.1:1'), { exit: 1, code: 'ERR_MODEL_HASH' });
  });

  it('has no weights to compare with, which is said before anybody is asked', { timeout: TIMEOUT }, async () => {
    const ended = await infer(part('first', 'owner'), '1=127.0.0.1:1,2=127.0.0.1:1', '--compare');
    expectFailure(ended, { exit: 2, code: 'ERR_ARGUMENT', says: /leave out --compare/ });
  });

  it('needs its parties to be named', { timeout: TIMEOUT }, async () => {
    const ended = await place.run(['infer', '--text', TEXT, '--model', part('first', 'owner'), '--weights', 'secret'], { timeoutMs: TIMEOUT });
    expectFailure(ended, { exit: 2, code: 'ERR_ARGUMENT', says: /--peers/ });
  });
});
