/**
 * Why a party calls a run a violation: its operator reads it in the log and in the audit log, whoever is at the other
 * end of a link reads the same bytes for every cause.
 */
import { describe, expect, it } from 'vitest';
import type { AuditLog } from '../../src/audit/log-node.ts';
import type { Facts } from '../../src/audit/record.ts';
import { toHex } from '../../src/core/bytes.ts';
import { SecurityViolationError, TercetError, asTercetError } from '../../src/core/errors.ts';
import { VIOLATION_CAUSES, type ViolationCause, violationCause } from '../../src/core/violation-cause.ts';
import { OperatorLog } from '../../src/daemon/log.ts';
import { SessionAudit } from '../../src/daemon/session-audit.ts';
import { RefusedBy } from '../../src/mpc/proof/verifier.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import { recvControl, sendControl, sendFailure } from '../../src/session/control.ts';
import { violated } from '../../src/session/proving.ts';

const error = (code: ConstructorParameters<typeof TercetError>[0]) =>
  new TercetError(code, 'party 2 at 10.1.2.3:7001 said PLANTED', 'look at PLANTED');

async function reported(): Promise<TercetError> {
  const [peer, own] = memoryPair(2, 0);
  await sendControl(peer, 'ready', { failed: { code: 'ERR_SECURITY_VIOLATION', message: 'PLANTED', hint: 'x' } });
  return recvControl(own, 'ready').then(() => error('ERR_INTERNAL'), asTercetError);
}

/** One violation of each cause, as it comes about. */
const BY_CAUSE: readonly (readonly [ViolationCause, TercetError])[] = [
  ['check', new SecurityViolationError('proof', 2, new RefusedBy('ends'))],
  ['check', new SecurityViolationError('output')],
  ['form', violated(error('ERR_FRAME_TAG'))],
  ['form', new SecurityViolationError('proof', undefined, error('ERR_FRAME_LENGTH'))],
  ['late', violated(error('ERR_PEER_TIMEOUT'))],
  ['link', violated(error('ERR_PEER_CLOSED'))],
  ['report', new SecurityViolationError('agreement', undefined, await reported())],
  ['other', violated(error('ERR_PEER_MISMATCH'))],
];

function read(failures: readonly TercetError[]): string[] {
  const lines: string[] = [];
  const log = new OperatorLog({ party: 1, write: (line) => lines.push(line), now: () => 0 });
  for (const failed of failures) log.failed(failed, 'a1b2c3d4');
  return lines;
}

async function audited(failed: TercetError): Promise<Facts> {
  const kept: Facts[] = [];
  const keep = async (type: string, facts: Facts) => void kept.push({ type, ...facts });
  await new SessionAudit({ append: keep, keep } as unknown as AuditLog, () => 0).ended('a1b2c3d4', failed);
  return kept[0];
}

describe('the cause of a violation', () => {
  it('is one of a list, and each comes about', () => {
    expect(BY_CAUSE.map(([, failed]) => violationCause(failed))).toEqual(BY_CAUSE.map(([cause]) => cause));
    expect(new Set(BY_CAUSE.map(([cause]) => cause))).toEqual(new Set(VIOLATION_CAUSES));
    for (const other of [error('ERR_PEER_CLOSED'), error('ERR_FRAME_TAG'), new Error('x'), undefined])
      expect(violationCause(other)).toBeUndefined();
  });

  it('is in the operator’s log, which tells who was caught from a line that broke', () => {
    const words = BY_CAUSE.map(([, failed]) => read([failed])[0].replace(/^.* a1b2c3d4: /, ''));
    expect(words[0]).toBe('ERR_SECURITY_VIOLATION: proof of party 2: a check of this party refused');
    expect(words[4]).toBe('ERR_SECURITY_VIOLATION: messages: a message did not come in time');
    expect(words.join('\n')).not.toMatch(/PLANTED|10\.1\.2\.3|7001|ends/);
    expect(new Set(words.map((line) => line.split(': ').at(-1))).size).toBe(VIOLATION_CAUSES.length);
  });

  it('of one kind does not crowd out another: behind a hundred broken links a caught cheat has its line', () => {
    const broken = Array.from({ length: 100 }, () => violated(error('ERR_PEER_CLOSED')));
    const lines = read([...broken, new SecurityViolationError('proof', 2)]);
    expect(lines.filter((line) => line.endsWith('a link ended'))).toHaveLength(10);
    expect(lines.at(-1)).toContain('proof of party 2: a check of this party refused');
  });

  it('is in the audit record, with the place and nothing else of it', async () => {
    const facts = await Promise.all(BY_CAUSE.map(([, failed]) => audited(failed)));
    expect(facts[0]).toEqual({
      ...{ type: 'violation', session: 'a1b2c3d4', outcome: 'failed', code: 'ERR_SECURITY_VIOLATION' },
      ...{ party: 2, phase: 'proof', cause: 'check' },
    });
    expect(facts.map(({ cause }) => cause)).toEqual(BY_CAUSE.map(([cause]) => cause));
    expect(JSON.stringify(facts)).not.toMatch(/PLANTED|10\.1\.2\.3|ends/);
    // Control: another failure has no cause.
    expect(await audited(error('ERR_PEER_CLOSED'))).not.toHaveProperty('cause');
  });

  it('is told to nobody: the last word on a link is the same bytes for every cause', async () => {
    const said = [];
    for (const [, failed] of BY_CAUSE) {
      const bytes: string[] = [];
      const [own] = memoryPair(1, 0, { tap: (_direction, tag, payload) => void bytes.push(tag + toHex(payload)) });
      await sendFailure(own, 'ready', failed);
      said.push(bytes.join('\n'));
    }
    expect(new Set(said).size).toBe(1);
    expect(said[0]).toContain('control/ready');
  });
});
