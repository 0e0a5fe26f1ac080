import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { failure } from '../failure.ts';
import { fromHex } from '../../src/core/bytes.ts';
import { checkPublicKey, createIdentity, identityFromSeed, verifySignature } from '../../src/net/identity/identity.ts';
import { ensureIdentity, identityPath } from '../../src/net/identity/identity-node.ts';
import { decodeTranscript, encodeTranscript } from '../../src/net/wire/transcript.ts';
import { printed, secretsIn } from '../support/secrets.ts';
import { same } from './helpers.ts';

const MESSAGE = new TextEncoder().encode('what was said');

describe('an identity', () => {
  it('signs as RFC 8032 says', async () => {
    // §7.1, test 2.
    const identity = await identityFromSeed(
      fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'),
    );
    expect(identity.publicKey).toBe('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
    const expected =
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';
    expect(same(identity.sign(Uint8Array.of(0x72)), fromHex(expected))).toBe(true);
  });

  it('is verified with its own key alone, and for what it signed alone', async () => {
    const [one, two] = await Promise.all([createIdentity(), createIdentity()]);
    const signature = one.sign(MESSAGE);
    expect(await verifySignature(one.publicKey, MESSAGE, signature)).toBe(true);
    expect(await verifySignature(two.publicKey, MESSAGE, signature)).toBe(false);
    expect(await verifySignature(one.publicKey, MESSAGE.subarray(1), signature)).toBe(false);
    expect(await verifySignature(one.publicKey, MESSAGE, signature.subarray(1))).toBe(false);
    expect(await verifySignature(one.publicKey.toUpperCase(), MESSAGE, signature)).toBe(false);
    // A key of small order verifies anything in a careless implementation.
    const small = `01${'00'.repeat(31)}`;
    expect(await verifySignature(small, MESSAGE, new Uint8Array(64).fill(0, 0))).toBe(false);
    expect(await verifySignature(small, MESSAGE, fromHex(`01${'00'.repeat(63)}`))).toBe(false);
  });

  it('cannot be printed, keeps no seed, and is gone when wiped', async () => {
    const seed = crypto.getRandomValues(new Uint8Array(32));
    const kept = seed.slice();
    const identity = await identityFromSeed(seed);
    expect(seed.every((byte) => byte === 0)).toBe(true);
    expect(secretsIn(printed(identity), { seed: kept })).toEqual([]);
    expect(secretsIn(printed({ identity }), { seed: kept })).toEqual([]);
    expect(printed(identity)).toContain('redacted');
    identity.wipe();
    expect(() => identity.sign(MESSAGE)).toThrow('wiped');
  });

  it('is pinned in one form', () => {
    const good = 'ab'.repeat(32);
    expect(checkPublicKey(good, 1)).toBe(good);
    for (const bad of ['', good.slice(1), `${good}00`, good.toUpperCase(), `0x${good.slice(2)}`])
      expect(() => checkPublicKey(bad, 2)).toThrow('party 2');
  });
});

describe('an identity file', () => {
  const dirs: string[] = [];

  async function folder(): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), 'tercet-identity-'));
    dirs.push(dir);
    return dir;
  }

  afterEach(async () => {
    for (const dir of dirs.splice(0)) await rm(dir, { recursive: true });
  });

  it('is made once, for its owner only, and read again', async () => {
    const dir = join(await folder(), 'state');
    const made = await ensureIdentity(dir, 1);
    expect((await stat(identityPath(dir, 1))).mode & 0o777).toBe(0o600);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    expect((await ensureIdentity(dir, 1)).publicKey).toBe(made.publicKey);
    expect((await ensureIdentity(dir, 2)).publicKey).not.toBe(made.publicKey);
    expect((await readdir(dir)).sort()).toEqual(['identity-party-1.key', 'identity-party-2.key']);
    expect(await readFile(identityPath(dir, 1), 'utf8')).not.toContain(made.publicKey);
  });

  it('is the same for processes that come at once', async () => {
    const dir = await folder();
    const all = await Promise.all(Array.from({ length: 8 }, () => ensureIdentity(dir, 1)));
    expect(new Set(all.map(({ publicKey }) => publicKey)).size).toBe(1);
  });

  it('is refused when damaged or open to others, without its content', async () => {
    const dir = await folder();
    await ensureIdentity(dir, 1);
    const path = identityPath(dir, 1);
    const text = await readFile(path, 'utf8');
    for (const bad of ['', text.slice(2), text.toUpperCase().replace(/[0-9]/g, 'A'), `${text}${text}`]) {
      await writeFile(path, bad);
      const error = await failure('ERR_IDENTITY_KEY', ensureIdentity(dir, 1));
      expect(printed(error)).not.toContain(text.slice(0, 12));
    }
    await writeFile(path, text);
    await ensureIdentity(dir, 1);
    await chmod(path, 0o640);
    expect((await failure('ERR_IDENTITY_KEY', ensureIdentity(dir, 1))).message).toContain('other users');
    await failure('ERR_IDENTITY_KEY', ensureIdentity(join(path, 'below-a-file'), 1));
  });
});

describe('a transcript', () => {
  it('means one list of fields', () => {
    const a = encodeTranscript('d', [Uint8Array.of(1, 2), Uint8Array.of(3)]);
    const b = encodeTranscript('d', [Uint8Array.of(1), Uint8Array.of(2, 3)]);
    expect(same(a, b)).toBe(false);
    expect(decodeTranscript(a, 'd', 2)).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3)]);
    expect(decodeTranscript(a, 'e', 2)).toBeUndefined();
    expect(decodeTranscript(a, 'd', 1)).toBeUndefined();
    expect(decodeTranscript(a, 'd', 3)).toBeUndefined();
    for (let cut = 1; cut < a.length; cut++) expect(decodeTranscript(a.subarray(0, cut), 'd', 2)).toBeUndefined();
  });
});
