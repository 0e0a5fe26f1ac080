/**
 * What a peer says is never this process's own fault: for every error code a data owner, and the other compute
 * party, that reports it ends its own session, and the daemon serves the next one. What ends a daemon is its own
 * device alone.
 */
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { AuditLog } from '../../src/audit/log-node.ts';
import { toHex } from '../../src/core/bytes.ts';
import { sleep } from '../../src/core/abort.ts';
import { ERROR_CODES, TercetError, isViolation, kindOf } from '../../src/core/errors.ts';
import { heard, isFinding, told } from '../../src/core/told.ts';
import { SessionAudit } from '../../src/daemon/session-audit.ts';
import { ServiceMetrics } from '../../src/operate/metrics.ts';
import { credentialsOf } from '../../src/net/tls/certificates.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import { releaseWebRtc } from '../../src/net/webrtc/node.ts';
import { linkName } from '../../src/session/binding.ts';
import { recvControl, sendControl } from '../../src/session/control.ts';
import { SESSION_VERSION } from '../../src/session/request.ts';
import { lostError } from '../../src/compute/kernels/webgpu/fault.ts';
import { failure } from '../failure.ts';
import { connectAsPeer } from './peer.ts';
import { Parties, randomSession } from './parties.ts';

const started: Parties[] = [];
afterEach(async () => {
  for (const parties of started.splice(0)) await parties.stop();
});
afterAll(releaseWebRtc);

async function start(...change: Parameters<typeof Parties.start>): Promise<Parties> {
  const parties = await Parties.start(...change);
  started.push(parties);
  return parties;
}

async function failureOf(promise: Promise<unknown>): Promise<TercetError> {
  const thrown: unknown = await promise.catch((error: unknown) => error);
  if (!(thrown instanceof TercetError)) throw new Error('no failure', { cause: thrown });
  return thrown;
}

const failed = (code: string) => ({ failed: { code, message: 'bye', hint: 'x' } });

describe('a code that is reported', () => {
  it.each(ERROR_CODES)('%s becomes one of kind peer or io', async (code) => {
    const [peer, own] = memoryPair(2, 0);
    await sendControl(peer, 'ready', failed(code));
    const error: unknown = await recvControl(own, 'ready').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TercetError);
    expect(['peer', 'io']).toContain((error as TercetError).kind);
    // Who did not prove itself to whom is said of either.
    if (code !== 'ERR_IDENTITY_PEERS') expect((error as TercetError).party).toBe(2);
    // And what this side tells of its own failures is understood as what it says.
    expect(heard(told(new TercetError(code, 'secret', 'secret')).code)).toBe(
      told(new TercetError(code, 'secret', 'secret')).code,
    );
    expect(kindOf(heard(code))).toMatch(/^(peer|io)$/);
  });
});

describe('a violation that is only reported', () => {
  const CODES = ERROR_CODES.filter(isViolation);

  it.each(CODES)('%s is no finding of this side: not in its audit log, and not in its metrics', async (code) => {
    const [peer, own] = memoryPair(0, 1);
    await sendControl(peer, 'request', { failed: { code, message: 'bye', hint: 'x', party: 2 } });
    const report = await failureOf(recvControl(own, 'request'));
    const kept: string[] = [];
    const append = async (type: string) => void kept.push(type);
    const audit = new SessionAudit({ append, keep: append } as unknown as AuditLog, () => 0);
    const metrics = new ServiceMetrics({ models: [], device: 'wasm', now: () => 0 });
    const violations = async () => (await metrics.text()).match(/^mpc_\w*violations\w*\{.*\} 1$/gm) ?? [];
    await audit.ended('00', report);
    metrics.session(1, report);
    expect(isFinding(report)).toBe(false);
    expect(kept).toEqual(['session-ended']);
    expect(await violations()).toEqual([]);
    // Control: this side's own.
    const found = new TercetError(code, 'x', 'x');
    await audit.ended('00', found);
    metrics.session(1, found);
    expect(kept).toEqual(['session-ended', 'violation']);
    expect(await violations()).toHaveLength(1);
  });
});

describe('a daemon', () => {
  it('serves the next session after an owner has reported every code there is, at both parties', {
    timeout: 180_000,
  }, async () => {
    const parties = await start();
    await parties.serves();
    for (const code of ERROR_CODES) {
      for (const party of [1, 2] as const) {
        const { channel } = await parties.link(party, randomSession());
        await sendControl(channel, 'request', failed(code));
        await channel.ended;
      }
      // A party takes so many new links a second.
      await sleep(100);
    }
    await parties.serves();
    for (const { failures, running } of parties.parties) {
      expect(running).toBe(true);
      expect(failures).toHaveLength(ERROR_CODES.length);
      for (const { kind } of failures) expect(['peer', 'io']).toContain(kind);
    }
  });

  it('serves the next session after the other compute party has reported every code there is', {
    timeout: 180_000,
  }, async () => {
    const parties = await start();
    for (const code of ERROR_CODES) {
      const session = randomSession();
      // The owner asks party 1 alone.
      const { channel, pairKey } = await parties.link(1, session);
      const links = { '1': toHex(linkName(pairKey)), '2': '00'.repeat(32) };
      await sendControl(channel, 'request', { version: SESSION_VERSION, ...parties.request, links });
      const peer = await connectAsPeer(parties.one.port, credentialsOf(parties.certificates, 2), session);
      await recvControl(channel, 'offer');
      for (const name of ['request', 'ready']) await sendControl(peer, name, failed(code)).catch(() => undefined);
      channel.abort(new Error('gone'));
      peer.abort(new Error('gone'));
      // A party takes so many new links a second.
      await sleep(100);
    }
    await parties.serves();
    expect(parties.one.running).toBe(true);
  });

  it('goes on when a kernel refuses one session, and ends with its device’s own fault when that is lost', async () => {
    const parties = await start();
    const { kernels } = parties.one;
    // One session asks for more than there is: its call fails, and nothing else.
    const scope = kernels.scope.bind(kernels);
    kernels.scope = () =>
      Object.assign(scope(), {
        selectionTable: () => Promise.reject(new TercetError('ERR_DEVICE_LOST', 'for this session alone', 'x')),
      });
    const error = await failure('ERR_PEER_FAILED', () => parties.serves());
    expect(error.party).toBe(1);
    kernels.scope = scope;
    await parties.serves();
    expect(parties.one.running).toBe(true);
    // Now the device itself, while a session only waits.
    const waiting = await parties.prepare();
    kernels.fault.raise(lostError('unknown', 'gone'));
    expect((await parties.one.end).deviceFault?.code).toBe('ERR_DEVICE_LOST');
    await waiting.ended;
    expect(parties.two.running).toBe(true);
  });

  it('that is told to stop has no fault of its device', async () => {
    const parties = await start();
    await parties.one.stop();
    expect(await parties.one.end).toEqual({ deviceFault: undefined });
  });
});
