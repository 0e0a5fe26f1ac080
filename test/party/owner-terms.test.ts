/** Owners whose links have a handshake: what they may leave unsaid, and that secret weights are not among it. */
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../src/core/bytes.ts';
import { Enrolment } from '../../src/net/enrolment/enrolment.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import { ownerHandshakeOn, partyHandshakeOn } from '../../src/net/handshake/handshake.ts';
import { createIdentity } from '../../src/net/identity/identity.ts';
import { enrolments, sameRequest } from '../../src/daemon/owner-terms.ts';
import { ANY_MODEL, NO_SIGNALLING } from '../../src/net/handshake/messages.ts';
import type { ServedModel } from '../../src/session/model.ts';
import { requestCode } from '../../src/session/request.ts';
import { failure } from '../failure.ts';
import { MODEL, REQUEST } from '../session/harness.ts';
import { NOW, testCredential, testSharing } from '../support/enrolment.ts';

const { model: _, ...UNNAMED } = REQUEST;
const REQUEST_CODE = fromHex(requestCode(REQUEST));
const SESSION = new Uint8Array(16).fill(4);

async function secret() {
  const sharing = await testSharing();
  const enrolment = new Enrolment({ sharing: sharing.sharing, publicKey: sharing.key.publicKey, now: () => NOW });
  return { sharing, model: { ...MODEL, hash: sharing.sharing, enrolment } };
}

describe('a request for whichever model is served', () => {
  it('is fine for an open model, and never for secret weights: no credential was asked for it', async () => {
    const { model } = await secret();
    const check = sameRequest({ modelHash: ANY_MODEL, requestCode: REQUEST_CODE });
    await check(UNNAMED, MODEL, undefined);
    await failure('ERR_CREDENTIAL_MISSING', async () => check(UNNAMED, model, undefined));
    const named = sameRequest({ modelHash: fromHex(model.hash), requestCode: REQUEST_CODE });
    await named({ ...REQUEST, model: model.hash }, model, undefined);
  });

  it('secret weights that were loaded later want a credential, by the enrolment that came last', async () => {
    const [{ model }, other] = [await secret(), (await secret()).model];
    const served: ServedModel[] = [MODEL];
    const enrolmentOf = enrolments(served);
    // Control: they are not served yet.
    expect(enrolmentOf(fromHex(model.hash))).toBe(undefined);
    served.push(model);
    expect(enrolmentOf(fromHex(model.hash))).toBe(model.enrolment);
    served.push({ ...model, enrolment: other.enrolment });
    expect(enrolmentOf(fromHex(model.hash))).toBe(other.enrolment);
  });

  it('secret weights without an enrolment are not served at all', async () => {
    const unenrolled = { ...MODEL, parameters: { ...MODEL.parameters, weights: 'secret' } as typeof MODEL.parameters };
    await failure('ERR_MODEL_FORMAT', async () => enrolments([unenrolled]));
  });
});

describe('a link of an owner in Node that pins the parties', () => {
  it('carries the credential in its handshake, and stands for secret weights with one alone', async () => {
    const { sharing, model } = await secret();
    const identity = await createIdentity();
    const common = { party: 1, session: SESSION, signallingHash: NO_SIGNALLING } as const;
    const shake = async (credential: Awaited<ReturnType<typeof testCredential>> | undefined): Promise<Uint8Array> => {
      const [own, theirs] = memoryPair(0, 1, { timeoutMs: 5_000 });
      const party = partyHandshakeOn(theirs, {
        ...common,
        identity,
        admit: () => undefined,
        enrolment: enrolments([model]),
      });
      party.catch(() => undefined);
      const terms = {
        ...common,
        identity: identity.publicKey,
        modelHash: fromHex(model.hash),
        requestCode: REQUEST_CODE,
      };
      const key = await ownerHandshakeOn(own, { ...terms, credential });
      expect((await party).pairKey).toEqual(key);
      return key;
    };
    expect(await shake(await testCredential(sharing))).toHaveLength(32);
    await failure('ERR_CREDENTIAL_MISSING', () => shake(undefined));
    await failure('ERR_CREDENTIAL_EXPIRED', async () => shake(await testCredential(sharing, { expires: NOW })));
  });
});
