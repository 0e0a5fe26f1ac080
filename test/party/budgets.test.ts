/**
 * What strangers may take of a compute party: refused before anything is answered or built, by session, by address
 * and in all.
 */
import { toHex } from '../../src/core/bytes.ts';
import { describe, expect, it } from 'vitest';
import { limits } from '../../src/cli/options.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import { Budgets, type BudgetLimits, defaultLimits, networkOf } from '../../src/daemon/budgets.ts';
import { Sessions } from '../../src/daemon/sessions.ts';
import { linkName } from '../../src/session/binding.ts';
import { sendControl } from '../../src/session/control.ts';
import { priceOf } from '../../src/session/price.ts';
import { type Request, SESSION_VERSION, requestCode } from '../../src/session/request.ts';
import { failure } from '../failure.ts';
import { MODEL, REQUEST, kernels } from '../session/harness.ts';

const all = (session: number, address: number, total: number): BudgetLimits => ({
  memory: { session, address, total },
  traffic: { session, address, total },
});
const run = (memory: number, traffic = 1) => ({ memory, traffic });

/** The name of a link whose key is all zeros. */
const LINK = toHex(linkName(new Uint8Array(32)));

describe('budgets', () => {
  it('refuse a run beyond the limit of a session for good, and one beyond that of an address or of all for now', async () => {
    const budgets = new Budgets(1, all(10, 15, 30));
    await failure('ERR_TOO_LARGE', () => budgets.check(run(11), 'a'));
    await failure('ERR_TOO_LARGE', () => budgets.check(run(1, 11), 'a'));
    const back = budgets.take(run(10), '10.0.0.1');
    await failure('ERR_PEER_BUSY', () => budgets.check(run(6), '10.0.0.1'));
    budgets.check(run(5), '10.0.0.1');
    // Others are not held up by that address, until the party is full.
    const others = ['10.0.0.2', '10.0.0.3'].map((address) => budgets.take(run(10), address));
    expect(budgets.taken).toEqual({ memory: 30, traffic: 3 });
    const refused = await failure('ERR_PEER_BUSY', () => budgets.check(run(1), '10.0.0.4'));
    expect(refused.message).toContain('"total"');
    back();
    back();
    budgets.check(run(10), '10.0.0.4');
    for (const end of others) end();
    expect(budgets.taken).toEqual({ memory: 0, traffic: 0 });
  });

  it('count a network of 64 bits as one owner, and an IPv4 address in either form as the same', async () => {
    expect(networkOf('2001:db8:1:2:aaaa::1')).toBe(networkOf('2001:db8:1:2::2'));
    expect(networkOf('2001:db8:1:3::1')).not.toBe(networkOf('2001:db8:1:2::1'));
    expect(networkOf('::ffff:192.0.2.7')).toBe(networkOf('192.0.2.7'));
    expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(networkOf('::1')).toBe('0:0:0:0::/64');
    const budgets = new Budgets(1, all(10, 10, 30));
    budgets.take(run(8), '2001:db8::1');
    await failure('ERR_PEER_BUSY', () => budgets.check(run(8), '2001:db8::ffff:2'));
    budgets.check(run(8), '2001:db8:0:1::1');
  });

  it('follow the machine unless the operator says otherwise, and a contradiction is an error', async () => {
    const { memory } = defaultLimits(16e9);
    expect(memory).toEqual({ session: 4e9, address: 4e9, total: 8e9 });
    expect(defaultLimits(512e9).memory.session).toBe(8e9);
    expect(limits('max-memory', undefined, memory)).toBe(memory);
    expect(limits('max-memory', 'total=1', memory)).toEqual({ session: 1e9, address: 1e9, total: 1e9 });
    expect(limits('max-memory', 'session=20', memory)).toEqual({ session: 20e9, address: 20e9, total: 20e9 });
    expect(limits('max-memory', 'total=9,session=0.5', memory)).toEqual({ session: 0.5e9, address: 4e9, total: 9e9 });
    expect(limits('max-memory', 'none', memory).session).toBe(Number.POSITIVE_INFINITY);
    for (const wrong of [
      '',
      '3',
      'session=0',
      'session=1,session=2',
      'sessions=1',
      'session=-1',
      'session=2,address=1',
      'address=3,total=2',
    ])
      await failure('ERR_ARGUMENT', () => limits('max-memory', wrong, memory));
  });
});

describe('a party', () => {
  const price = priceOf(MODEL.config, MODEL.plan, 'open', REQUEST);
  const party = (budgetLimits: BudgetLimits, peers: string[] = []) =>
    new Sessions({ ...optionsOf(peers), budgets: new Budgets(1, budgetLimits) });
  const enough = all(price.traffic + price.memory, 2 * (price.traffic + price.memory), 1e12);
  const code = (change: Partial<Request> = {}) => requestCode({ ...REQUEST, ...change });

  it('judges a request by the first message of the handshake: known, fitting and within the budgets', async () => {
    const sessions = party(enough);
    sessions.admit(MODEL.hash, code(), 'a');
    await failure('ERR_MODEL_HASH', () => sessions.admit('cd'.repeat(32), code(), 'a'));
    await failure('ERR_PEER_MISMATCH', () => sessions.admit(MODEL.hash, 'ab'.repeat(32), 'a'));
    await failure('ERR_PEER_MISMATCH', () => sessions.admit(MODEL.hash, code({ weights: 'secret' }), 'a'));
    await failure('ERR_PEER_MISMATCH', () => sessions.admit(MODEL.hash, code({ tokens: 4000 }), 'a'));
    await failure('ERR_PEER_MISMATCH', () => sessions.admit(MODEL.hash, code({ sequences: 2 ** 32 - 1 }), 'a'));
    const refused = await failure('ERR_TOO_LARGE', () => sessions.admit(MODEL.hash, code({ sequences: 5000 }), 'a'));
    expect(refused.hint).toContain('split the batch');
  });

  it('prices widenings by transfer as such', async () => {
    const transfers = priceOf(MODEL.config, MODEL.plan, 'open', REQUEST, 'ot').traffic;
    expect(transfers).not.toBe(price.traffic);
    const [less, more] = [transfers, price.traffic].sort((a, b) => a - b);
    const limit = { session: less, address: 1e12, total: 1e12 };
    const sessions = party({ ...all(1e12, 1e12, 1e12), traffic: limit });
    const codes = new Map([
      [transfers, code({ widening: 'ot' })],
      [price.traffic, code()],
    ]);
    sessions.admit(MODEL.hash, codes.get(less) as string, 'a');
    await failure('ERR_TOO_LARGE', () => sessions.admit(MODEL.hash, codes.get(more) as string, 'a'));
  });

  it('refuses a request that came another way before it asks the other party or builds anything, says why, and keeps nothing of it', async () => {
    const peers: string[] = [];
    const ask = async (sessions: Sessions, change: Partial<Request>) => {
      const said: string[] = [];
      const tap = (_direction: unknown, tag: string, bytes: Uint8Array) => {
        if (tag === 'control/offer') said.push(new TextDecoder().decode(bytes));
        return undefined;
      };
      const [owner, channel] = memoryPair(0, 1, { timeoutMs: 5_000, tap });
      const served = sessions.serve({
        channel,
        session: new Uint8Array(16),
        address: 'a',
        known: false,
        pairKey: async () => new Uint8Array(32),
        checkRequest: () => undefined,
      });
      served.catch(() => undefined);
      const { model, ...request } = { ...REQUEST, ...change };
      await sendControl(owner, 'request', {
        version: SESSION_VERSION,
        ...request,
        model: model ?? null,
        links: { '1': LINK, '2': LINK },
      });
      return { served, said };
    };
    const sessions = party(enough, peers);
    const large = await ask(sessions, { sequences: 5000 });
    await failure('ERR_TOO_LARGE', () => large.served);
    expect(JSON.parse(large.said[0])).toMatchObject({
      failed: { code: 'ERR_TOO_LARGE', hint: 'shorten the text or split the batch' },
    });
    expect(peers).toEqual([]);
    // Control: one within the budget gets as far as the other party, and its end gives back what it took.
    const budgets = new Budgets(1, enough);
    const small = await ask(new Sessions({ ...optionsOf(peers), budgets }), {});
    await failure('ERR_INTERNAL', () => small.served);
    expect(peers).toEqual(['asked']);
    expect(budgets.taken).toEqual({ memory: 0, traffic: 0 });
  });

  function optionsOf(peers: string[]) {
    return {
      ...{ id: 1 as const, models: [MODEL], kernels, signal: new AbortController().signal, maxSessions: 9 },
      connectPeer: async () => {
        peers.push('asked');
        throw new Error('there is no other party here');
      },
    };
  }

  it('prices a request of any size without memory that follows the shape', () => {
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 200; i++) priceOf(MODEL.config, MODEL.plan, 'open', { ...REQUEST, sequences: 100_000 + i });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e6);
  });
});
