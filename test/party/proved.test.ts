/**
 * `3pc_malicious` among an owner and two daemons over mutual TLS, all in this process, with a small circuit in place of
 * the model's.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SecurityViolationError, TercetError } from '../../src/core/errors.ts';
import { LOGITS, OUTPUT_FORM, ROWS } from '../../src/ml/models/run.ts';
import { createIdentity } from '../../src/net/identity/identity.ts';
import { Budgets, defaultLimits } from '../../src/daemon/budgets.ts';
import { Sessions } from '../../src/daemon/sessions.ts';
import { credentialsOf } from '../../src/net/tls/certificates.ts';
import { type SpareLink, connectSpare } from '../../src/net/tls/connect.ts';
import type { Channel, PartyId } from '../../src/net/wire/types.ts';
import { openModel } from '../../src/node/model.ts';
import { openTlsLink } from '../../src/node/tls-owner.ts';
import { ownerParameters } from '../../src/session/owner-parameters.ts';
import { OwnerSession } from '../../src/session/owner.ts';
import type { Proving } from '../../src/session/proving.ts';
import { type Request, requestCode } from '../../src/session/request.ts';
import { failure, thrown } from '../failure.ts';
import { MODEL } from '../session/harness.ts';
import { provingOfCircuit, sending, toyRequest } from '../session/proved-toy.ts';
import { wasm } from '../support/proved.ts';
import { Parties, randomSession } from './parties.ts';

/** For what comes soon, on a busy machine. */
const PATIENT = { timeout: 20_000 };
const ENTRIES = [1n, 2n, 4n, 8n, 16n, 32n, 64n, 128n];
const INPUT = [{ inputIds: [3, 1], rows: [0] }];
const folder = mkdtempSync(join(tmpdir(), 'tercet-proved-'));
const watched: string[] = [];
let parties: Parties;

/** 2^(y² mod 8) for y = row + 3. */
const proving = provingOfCircuit(() => (g) => {
  const y = g.offset(g.reduce(g.input(ROWS, [2], 64, 0), 16), 3n);
  const chosen = g.table(g.reduce(g.mul(y, y), 3), { bits: 3, entries: ENTRIES }, 14);
  const { k, scale } = OUTPUT_FORM.open;
  g.output(LOGITS, g.reshape(g.widen(chosen, k), [2], scale));
});
/** The row is the first of two. */
const WANTED = [4, 3].map((y) => 2 ** (y ** 2 % 8) / 2 ** OUTPUT_FORM.open.scale);

beforeAll(async () => {
  const identity = await createIdentity();
  parties = await Parties.start((id) => ({
    ...(id === 1 ? { audit: folder, identity } : {}),
    proving,
    watch: { host: '127.0.0.1', port: 0 },
    onWatch: (url) => watched.push(url),
  }));
}, 60_000);
afterAll(async () => {
  await parties.stop();
  rmSync(folder, { recursive: true });
});

/** An owner with a certificate. @param change of its links */
async function owner(change: (channel: Channel) => Channel = (channel) => channel): Promise<OwnerSession> {
  const session = randomSession();
  const shape = { tokens: 2, rows: 1, padded: false };
  const request: Request = { ...parties.request, protocol: '3pc_malicious', ...shape };
  const { config } = await openModel(parties.location, { weights: false });
  const address = (party: 1 | 2) => ({ host: '127.0.0.1', port: parties.parties[party - 1].port });
  const links = await Promise.all(
    ([1, 2] as const).map((party) =>
      openTlsLink(
        { addresses: [address(1), address(2)], credentials: credentialsOf(parties.certificates, 0) },
        {
          ...{ party, session, modelHash: parties.model, requestCode: requestCode(request), credential: undefined },
          signal: new AbortController().signal,
        },
      ),
    ),
  );
  const opened = await OwnerSession.open({
    ...{ config, request, session, kernels: wasm, proving, parameters: ownerParameters(config, undefined) },
    channels: new Map<PartyId, Channel>(links.map(({ channel }, i) => [i === 0 ? 1 : 2, change(channel)])),
    pairKeys: [links[0].pairKey, links[1].pairKey],
    now: () => performance.now(),
    peakMemory: () => 0,
  });
  await opened.prepare();
  return opened;
}

async function answers(): Promise<void> {
  const { logits } = await (await owner()).run(INPUT);
  expect(Array.from(logits)).toEqual(WANTED);
}

const violations = async (party: 1 | 2): Promise<number> => {
  const text = await (await fetch(`${watched[party - 1]}/metrics`)).text();
  const line = /^mpc_security_violations_total\{code="ERR_SECURITY_VIOLATION"\} (\d+)$/m.exec(text);
  return Number(line?.[1] ?? 0);
};

describe('daemons that were handed proofs', () => {
  it('answer over TLS, with a key of P1 and P2 that their own handshake gave', async () => {
    await answers();
    expect(await violations(1)).toBe(0);
    expect(await violations(2)).toBe(0);
  });

  it('count a violation, write it down, and begin the next session with another handshake', async () => {
    const spare: SpareLink = await connectSpare({
      ...{ self: 2, peer: 1, host: '127.0.0.1', port: parties.one.port },
      credentials: credentialsOf(parties.certificates, 2),
    });
    expect(spare.open).toBe(true);
    const before = [await violations(1), await violations(2)];
    const cheating = await owner((channel) =>
      sending(channel, (tag, bytes, send) =>
        send(tag, tag.startsWith('proof-statement/') ? bytes.map(() => 7) : bytes),
      ),
    );
    const error = await failure('ERR_SECURITY_VIOLATION', () => cheating.run(INPUT));
    expect((error as SecurityViolationError).phase).toBeDefined();
    // Nobody may claim a link that stood before.
    await expect.poll(() => spare.open, PATIENT).toBe(false);
    await expect
      .poll(async () => [await violations(1), await violations(2)], PATIENT)
      .toEqual(before.map((count) => count + 1));
    for (const { failures } of parties.parties)
      expect(failures.map((failed) => (failed instanceof TercetError ? failed.code : ''))).toContain(
        'ERR_SECURITY_VIOLATION',
      );
    await expect
      .poll(() => readFileSync(join(folder, 'audit-000000.jsonl'), 'utf8'), PATIENT)
      .toMatch(/"violation".*ERR_SECURITY_VIOLATION|ERR_SECURITY_VIOLATION.*"violation"/);
    // Whose check was first the other one sees as a link that ended.
    expect(readFileSync(join(folder, 'audit-000000.jsonl'), 'utf8')).toMatch(/"phase":"\w+","cause":"(check|link)"/);
    await answers();
  });

  it('serve what their operator allows, and what is proved, judged in the first message', async () => {
    const model = { ...MODEL };
    const party = (protocols?: readonly ('3pc_semi_honest' | '3pc_malicious')[], limit = 8e9) =>
      new Sessions({
        ...{ id: 1, models: [model], kernels: wasm, signal: new AbortController().signal, maxSessions: 1 },
        budgets: new Budgets(1, defaultLimits(limit)),
        connectPeer: () => Promise.reject(new Error('nobody is there')),
        ...{ proving, protocols },
      });
    const proved = toyRequest('open');
    const asks = (sessions: Sessions, request: Request) => () => sessions.admit(MODEL.hash, requestCode(request), 'a');
    const plain: Request = { ...proved, protocol: '3pc_semi_honest' };
    // Control: without a choice both are served.
    for (const request of [proved, plain]) asks(party(), request)();
    asks(party(['3pc_malicious']), proved)();
    expect(thrown('ERR_PROTOCOL_UNAVAILABLE', asks(party(['3pc_malicious']), plain))).toMatchObject({
      party: 1,
      hint: 'use 3pc_malicious',
    });
    thrown('ERR_PROTOCOL_UNAVAILABLE', asks(party(['3pc_semi_honest']), proved));
    for (const change of [{ widening: 'ot' }, { dealer: 'ab'.repeat(32) }] as const)
      thrown('ERR_PROTOCOL_UNAVAILABLE', asks(party(), { ...proved, ...change }));
    // Proofs are priced: what has room without them has none with them.
    asks(party(undefined, 2e8), plain)();
    thrown('ERR_TOO_LARGE', asks(party(undefined, 2e8), proved));
    // A model without a plan of the protocol is not run on that of another.
    const bare = new Sessions({
      ...{ id: 1, models: [{ ...MODEL, provedPlan: undefined }], kernels: wasm, maxSessions: 1, proving },
      ...{ signal: new AbortController().signal, budgets: new Budgets(1, defaultLimits(8e9)) },
      connectPeer: () => Promise.reject(new Error('nobody is there')),
    });
    thrown('ERR_PROTOCOL_UNAVAILABLE', asks(bare, proved));
  });

  it('without proofs refuse the mode by name, in the first message of a handshake', async () => {
    const code = requestCode(toyRequest('open'));
    const party = (proofs: Proving | undefined) =>
      new Sessions({
        ...{ id: 1, models: [MODEL], kernels: wasm, signal: new AbortController().signal, maxSessions: 1 },
        budgets: new Budgets(1, defaultLimits(8e9)),
        connectPeer: () => Promise.reject(new Error('nobody is there')),
        proving: proofs,
      });
    party(proving).admit(MODEL.hash, code, 'a');
    const error = await failure('ERR_PROTOCOL_UNAVAILABLE', () => party(undefined).admit(MODEL.hash, code, 'a'));
    expect(error.message).toContain('3pc_malicious');
  });
});
