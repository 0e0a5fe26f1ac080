/**
 * A session of secret weights over a link that carries the credential with the request (mutual TLS): each party
 * judges alone, before anything is built or held for it.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { Enrolment } from '../../src/net/enrolment/enrolment.ts';
import { asTercetError } from '../../src/core/errors.ts';
import { credentialCheck } from '../../src/node/enrolment.ts';
import { serveSession } from '../../src/session/compute.ts';
import { OwnerSession } from '../../src/session/owner.ts';
import { ownerParameters } from '../../src/session/owner-parameters.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import type { PartyId } from '../../src/net/wire/types.ts';
import { NOW, type TestSharing, testCredential, testSharing } from '../support/enrolment.ts';
import { seeded } from '../support/simulate.ts';
import { MODEL, REQUEST, kernels } from './harness.ts';

const SESSION = seeded(16, 1, 1);
const binding = (party: 1 | 2): Uint8Array => seeded(32, 9, party);
let sharing: TestSharing;

beforeAll(async () => {
  sharing = await testSharing();
});

/**
 * Asks both parties; what each presented, and whether a party went on to the other one, which is the first thing
 * that it holds.
 */
async function ask(
  presented: readonly [Uint8Array, Uint8Array] | undefined,
): Promise<{ codes: string[]; wentOn: PartyId[] }> {
  const wentOn: PartyId[] = [];
  const [own1, one0] = memoryPair(0, 1, { timeoutMs: 5_000 });
  const [own2, two0] = memoryPair(0, 2, { timeoutMs: 5_000 });
  const [one2, two1] = memoryPair(1, 2, { timeoutMs: 5_000 });
  const model = {
    ...MODEL,
    enrolment: new Enrolment({ sharing: sharing.sharing, publicKey: sharing.key.publicKey, now: () => NOW }),
  };
  const ends = ([1, 2] as const).map((id) =>
    serveSession({
      id,
      owner: id === 1 ? one0 : two0,
      pairKey: seeded(32, 7, id),
      connectPeer: async () => {
        wentOn.push(id);
        return id === 1 ? one2 : two1;
      },
      checkRequest: credentialCheck({ party: id, session: SESSION, binding: () => binding(id) }),
      session: SESSION,
      models: [model],
      kernels,
      now: () => 0,
      peakMemory: () => 1,
    }).then(
      () => 'ok',
      (error: unknown) => asTercetError(error).code,
    ),
  );
  const opened = await OwnerSession.open({
    config: MODEL.config,
    request: REQUEST,
    ...(presented === undefined ? {} : { presented }),
    channels: new Map<PartyId, typeof own1>([
      [1, own1],
      [2, own2],
    ]),
    session: SESSION,
    pairKeys: [seeded(32, 7, 1), seeded(32, 7, 2)],
    kernels,
    parameters: ownerParameters(MODEL.config, undefined),
    now: () => 0,
    peakMemory: () => 1,
  }).then(
    async (session) => {
      await session.discard();
      return 'ok';
    },
    (error: unknown) => asTercetError(error).code,
  );
  return { codes: [opened, ...(await Promise.all(ends))], wentOn: wentOn.toSorted((a, b) => a - b) };
}

describe('a request with a credential', () => {
  it('is served by both parties (positive control)', async () => {
    const credential = await testCredential(sharing);
    const shown = ([1, 2] as const).map((party) =>
      credential.present({ party, session: SESSION, binding: binding(party) }),
    );
    const { codes, wentOn } = await ask([shown[0], shown[1]]);
    expect(codes[0]).toBe('ok');
    expect(wentOn).toEqual([1, 2]);
  });

  it('that lacks it is refused by both parties before they do anything', async () => {
    expect(await ask(undefined)).toEqual({
      codes: ['ERR_CREDENTIAL_MISSING', 'ERR_CREDENTIAL_MISSING', 'ERR_CREDENTIAL_MISSING'],
      wentOn: [],
    });
  });

  it.each([1, 2] as const)('that is good for the other party alone is refused by party %i alone', async (wrong) => {
    const credential = await testCredential(sharing);
    const good = ([1, 2] as const).map((party) =>
      credential.present({ party, session: SESSION, binding: binding(party) }),
    );
    // What the other party saw, shown to this one.
    good[wrong - 1] = good[2 - wrong];
    const { codes, wentOn } = await ask([good[0], good[1]]);
    expect(codes[0]).toBe('ERR_CREDENTIAL_SIGNATURE');
    expect(codes[wrong]).toBe('ERR_CREDENTIAL_SIGNATURE');
    expect(wentOn).not.toContain(wrong);
  });
});
