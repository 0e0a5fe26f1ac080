/**
 * What an operator reads: every line with time, party and session; an owner that left is no error; nothing that a
 * stranger or a peer said, and no address.
 */
import { describe, expect, it } from 'vitest';
import { TercetError } from '../../src/core/errors.ts';
import { Refusal } from '../../src/core/told.ts';
import { OperatorLog } from '../../src/daemon/log.ts';

function log() {
  const lines: string[] = [];
  let time = Date.UTC(2026, 0, 2, 3, 4, 5);
  return {
    lines,
    pass: (ms: number) => (time += ms),
    log: new OperatorLog({ party: 1, write: (line) => lines.push(line), now: () => time }),
  };
}

const closed = (party: 0 | 2) =>
  new TercetError('ERR_PEER_CLOSED', 'party 2 at 10.1.2.3:7001 closed the link (ECONNRESET)', 'look at the output', {
    party,
  });

describe('a line', () => {
  it('says that an owner left, without advice', () => {
    const { log: to, lines } = log();
    to.failed(closed(0), 'a1b2c3d4');
    expect(lines).toEqual(['tercet: 2026-01-02T03:04:05.000Z party 1 session a1b2c3d4: the data owner left']);
  });

  it('names the compute party whose link broke, and not where it is', () => {
    const { log: to, lines } = log();
    to.failed(closed(2), 'a1b2c3d4');
    to.failed(
      new TercetError('ERR_PEER_UNREACHABLE', 'cannot reach party 1 at inner.example:7001', 'start it'),
      'a1b2c3d4',
    );
    to.failed(new TercetError('ERR_PEER_CERTIFICATE', '10.9.9.9:51000: its certificate is not that of party 2', 'x'));
    expect(lines.map((line) => line.replace(/^tercet: \S+ /, ''))).toEqual([
      'party 1 session a1b2c3d4: ERR_PEER_CLOSED (party 2): a link of its own broke',
      'party 1 session a1b2c3d4: ERR_PEER_UNREACHABLE: it cannot reach the other compute party',
      'party 1 a connection was refused: ERR_PEER_CERTIFICATE: a certificate or an identity was not accepted',
    ]);
    expect(lines.join('\n')).not.toMatch(/10\.|inner\.example|7001|51000/);
  });

  it('keeps the words of this party’s own failures and refusals', () => {
    const { log: to, lines } = log();
    to.failed(new TercetError('ERR_KERNEL', 'a kernel failed: RuntimeError', 'x'), 'a1b2c3d4');
    to.failed(
      new Refusal('ERR_PEER_MISMATCH', 'the request does not fit the model: 65 positions for a model of 64', 'x'),
      'a1b2c3d4',
    );
    expect(lines[0]).toContain('ERR_KERNEL: a kernel failed: RuntimeError');
    expect(lines[1]).toContain('65 positions for a model of 64');
  });

  it('of a kind that strangers can cause comes ten times a minute, and the rest are counted', () => {
    const { log: to, lines, pass } = log();
    for (let i = 0; i < 100; i++) to.failed(new TercetError('ERR_FRAME_FORMAT', 'x', 'x'));
    to.failed(closed(0), 'a1b2c3d4');
    expect(lines).toHaveLength(11);
    pass(60_000);
    to.failed(new TercetError('ERR_FRAME_FORMAT', 'x', 'x'));
    expect(lines[11]).toContain('(and 90 more like it before)');
  });
});
