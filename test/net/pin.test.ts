/** What is accepted while a party changes its key: both until the stated time, the new one alone from then on. */
import { describe, expect, it } from 'vitest';
import { createIdentity, checkPin, verifyPin } from '../../src/net/identity/identity.ts';
import { acceptedOf } from '../../src/net/identity/pin.ts';
import { type Pinned, checkProof } from '../../src/net/tls/credentials.ts';
import { parseDealerIdentity, parseIdentities, parsePin } from '../../src/cli/options.ts';
import { chosenDealer } from '../../src/owner/dealer-choice.ts';
import { parseDeployment } from '../../src/owner/deployment.ts';
import { thrown } from '../failure.ts';

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(64));
const UNTIL = '2030-01-01T00:00:00Z';
const pin = { identity: A, next: { identity: B, until: UNTIL } };

describe('a pin', () => {
  it('accepts the old key and the new one until the time, then the new one alone', () => {
    const at = Date.parse(UNTIL);
    expect(acceptedOf(pin, at - 1)).toEqual([A, B]);
    expect(acceptedOf(pin, at)).toEqual([B]);
    expect(acceptedOf({ identity: A, next: { identity: B, until: 'never' } }, at)).toEqual([B]);
    expect([acceptedOf(A), acceptedOf({ identity: A })]).toEqual([[A], [A]]);
  });

  it('is proved by a key that is accepted now, and by no other', async () => {
    const [old, next, other] = await Promise.all([createIdentity(), createIdentity(), createIdentity()]);
    const said = new TextEncoder().encode('said');
    const rotating = (until: string) => ({ identity: old.publicKey, next: { identity: next.publicKey, until } });
    const by = async (until: string) =>
      Promise.all([old, next, other].map((identity) => verifyPin(rotating(until), said, identity.sign(said))));
    expect(await by('9999-01-01T00:00Z')).toEqual([true, true, false]);
    expect(await by('2001-01-01T00:00Z')).toEqual([false, true, false]);
  });

  it('is checked in both its keys', () => {
    thrown('ERR_ARGUMENT', () => checkPin({ identity: A, next: { identity: 'b', until: UNTIL } }, 1));
    expect(checkPin(pin, 1)).toBe(undefined);
  });
});

describe('on the command line', () => {
  it('is one key, or two with a time', () => {
    expect(parsePin(A)).toEqual({ identity: A });
    expect(parsePin(`${A}+${B}@${UNTIL}`)).toEqual(pin);
    for (const wrong of ['', `${A}+${B}`, `${A}+${A}@${UNTIL}`, `${A}+${B}@soon`, `${A}@${UNTIL}`])
      expect(parsePin(wrong), wrong).toBe(undefined);
  });

  it('names no key for both parties, old or new', () => {
    expect(parseIdentities('identities', `1=${A}+${B}@${UNTIL},2=${C}`)).toEqual([pin, { identity: C }]);
    thrown('ERR_ARGUMENT', () => parseIdentities('identities', `1=${A}+${B}@${UNTIL},2=${B}`));
  });
});

it('a deployment has it, and no key for two of its servers', () => {
  const parties = (next: string) => [
    { url: 'https://one.example', identity: A, next: { identity: next, until: UNTIL } },
    { url: 'https://two.example', identity: C },
  ];
  const document = (next: string) => ({ version: 1, parties: parties(next), models: 'models', entries: [] });
  expect(parseDeployment(document(B)).parties[0].next).toEqual({ identity: B, until: UNTIL });
  thrown('ERR_MODEL_CONFIG', () => parseDeployment(document(C)));
  const bad = document(B);
  expect(
    thrown('ERR_MODEL_CONFIG', () =>
      parseDeployment({
        ...bad,
        parties: [{ ...bad.parties[0], next: { identity: B, until: 'soon' } }, bad.parties[1]],
      }),
    ).message,
  ).toContain('until');
});

it('over TLS, a certificate of neither key is refused', async () => {
  const { selfSigned, ed25519Of } = await import('../../src/net/tls/self-signed.ts');
  const { X509Certificate } = await import('node:crypto');
  const certificate = new X509Certificate((await selfSigned(new Uint8Array(32).fill(7), 'party-1.tercet')).cert);
  const shown = ed25519Of(certificate.publicKey) ?? '';
  const socket = {
    ...{ authorized: false, authorizationError: new Error(), isSessionReused: () => false },
    getPeerCertificate: () => ({}),
    getPeerX509Certificate: () => certificate,
  } as never;
  const proves = (one: Parameters<typeof acceptedOf>[0]) =>
    checkProof(socket, { pins: { 1: one, 2: C } }, { self: 0, claimed: 1, where: 'it' });
  expect(proves({ identity: shown, next: { identity: B, until: '9999-01-01T00:00Z' } })).toBe(undefined);
  expect(proves({ identity: A, next: { identity: shown, until: '2001-01-01T00:00Z' } })).toBe(undefined);
  thrown('ERR_IDENTITY_KEY', () => proves({ identity: shown, next: { identity: B, until: '2001-01-01T00:00Z' } }));
  thrown('ERR_IDENTITY_KEY', () => proves(pin));
});

it('a dealer has no key of a compute party, old or next, whoever names it', () => {
  const document = parseDeployment({
    ...{ version: 1, models: 'models', entries: [] },
    parties: [
      { url: 'https://one.example', ...pin },
      { url: 'https://two.example', identity: C },
    ],
  });
  const dealer = (identity: string) => ({ url: 'https://dealer.example', identity });
  const own = 'd'.repeat(64);
  expect(chosenDealer(dealer(own), document, '3pc_semi_honest').identity).toBe(own);
  expect(parseDealerIdentity(own, `1=${A}+${B}@${UNTIL},2=${C}`)).toBe(own);
  for (const theirs of [A, B, C]) {
    thrown('ERR_ARGUMENT', () => chosenDealer(dealer(theirs), document, '3pc_semi_honest'));
    thrown('ERR_ARGUMENT', () => parseDealerIdentity(theirs, `1=${A}+${B}@${UNTIL},2=${C}`));
    expect(
      thrown('ERR_MODEL_CONFIG', () => parseDeployment({ ...document, dealer: dealer(theirs) })).message,
    ).toContain('dealer.identity');
  }
});

it('a dealer is proved by its own pin, and by no other', async () => {
  const { selfSigned, ed25519Of } = await import('../../src/net/tls/self-signed.ts');
  const { X509Certificate } = await import('node:crypto');
  const certificate = new X509Certificate((await selfSigned(new Uint8Array(32).fill(9), 'party-3.tercet')).cert);
  const shown = ed25519Of(certificate.publicKey) ?? '';
  const socket = { isSessionReused: () => false, getPeerX509Certificate: () => certificate } as never;
  const proves = (pins: Pinned['pins']) => checkProof(socket, { pins }, { self: 0, claimed: 3, where: 'it' });
  expect(proves({ 1: A, 2: C, 3: shown })).toBe(undefined);
  thrown('ERR_IDENTITY_KEY', () => proves({ 1: A, 2: C, 3: B }));
  thrown('ERR_IDENTITY_KEY', () => proves({ 1: A, 2: shown, 3: B }));
  thrown('ERR_IDENTITY_KEY', () => proves({ 1: A, 2: C }));
});
