/**
 * Sessions of all three parties in one process: prepared ahead, run, discarded, aborted, and who is named when a
 * party fails.
 */
import { describe, expect, it } from 'vitest';
import { TercetError } from '../../src/core/errors.ts';
import type { Channel } from '../../src/net/wire/types.ts';
import type { OwnerSession } from '../../src/session/owner.ts';
import type { Request } from '../../src/session/request.ts';
import { runFloat } from '../../src/ml/reference/float.ts';
import { failure } from '../failure.ts';
import { INPUT, REQUEST, type Started, kernels, prepared, source, start } from './harness.ts';

/** Tags of messages that depend on the text. */
const dependent = (sent: Started['sent']) => sent.filter(({ from, tag }) => from === 0 && tag.includes('-input'));

/** A link on which one message goes out changed. */
function altered(channel: Channel, tag: string, change: (bytes: Uint8Array) => Uint8Array): Channel {
  return over(channel, { send: (at, bytes) => channel.send(at, at === tag ? change(bytes.slice()) : bytes) });
}

/** A link whose other end does not answer when it is closed: only an abort ends it. */
const neverClosed = (channel: Channel): Channel => over(channel, { close: () => channel.ended.then(() => undefined) });

const neverAborted = (channel: Channel): Channel => over(channel, { abort: () => undefined });

function over(channel: Channel, methods: Partial<Channel>): Channel {
  return new Proxy(channel, {
    get(target, key) {
      const value: unknown = Reflect.get(methods, key) ?? Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

describe('a session', () => {
  it('deals ahead, then answers a padded text with the logits of the text alone', async () => {
    const { session, ends, statuses, sent, channels } = await prepared();
    expect(dependent(sent)).toEqual([]);
    expect(session.spent).toBe(false);
    const aheadBytes = channels[1].stats.sentPayloadBytes;
    expect(aheadBytes).toBeGreaterThan(1000);
    const { logits, timing, rounds } = await session.run(INPUT);
    expect(session.spent).toBe(true);
    const want = await runFloat(source, INPUT[0].inputIds, { positions: [2] });
    expect(Math.max(...logits.map((v, i) => Math.abs(v - want.logits[i])))).toBeLessThan(0.005);
    expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
    expect(timing.onlineMs).toBeCloseTo(timing.inputMs + timing.computeMs + timing.outputMs, 3);
    const last = statuses[statuses.length - 1];
    expect(last).toMatchObject({ last: true, done: 2 * rounds, total: 2 * rounds });
    expect(statuses.map(({ done }) => done)).toEqual(statuses.map(({ done }) => done).sort((a, b) => a - b));
    expect(last.between).toBeGreaterThan(0);
  });

  it('that is discarded before its text ends well at both compute parties, and no message that depends on a text ever left', async () => {
    const { session, ends, sent } = await prepared();
    await session.discard();
    expect(await Promise.all(ends)).toEqual(['discarded', 'discarded']);
    expect(dependent(sent)).toEqual([]);
    // Positive control: a run sends some.
    const other = await prepared();
    await other.session.run(INPUT);
    expect(dependent(other.sent).length).toBeGreaterThan(2);
    // And what was discarded cannot be used any more.
    await failure('ERR_STATE', () => session.run(INPUT));
  });

  it('says nothing of the length of a text but its bucket: every message of the owner has the same tag and size for five tokens and for seven', async () => {
    const sizesFor = async (inputIds: readonly number[], request: Request): Promise<string[]> => {
      const sizes: string[] = [];
      const { session } = await prepared({
        request,
        tap: ({ from, to }, tag, bytes) => void (from === 0 && sizes.push(`${to} ${tag} ${bytes.length}`)),
      });
      await session.run([{ inputIds, rows: [2] }]);
      // Link by link: only there is an order.
      return [1, 2].flatMap((peer) => sizes.filter((line) => line.startsWith(`${peer} `)));
    };
    const [short, long] = [INPUT[0].inputIds, [2, 9, 4, 17, 12, 13, 3]];
    expect(await sizesFor(long, REQUEST)).toEqual(await sizesFor(short, REQUEST));
    // Control: without padding the sizes tell them apart.
    const exact = (ids: readonly number[]): Request => ({ ...REQUEST, padded: false, tokens: ids.length });
    expect(await sizesFor(long, exact(long))).not.toEqual(await sizesFor(short, exact(short)));
  });

  it('serves one text: a second run is refused', async () => {
    const { session } = await prepared();
    await session.run(INPUT);
    await failure('ERR_STATE', () => session.run(INPUT));
  });

  it('whose widenings are by transfer chooses once: a text of another length is refused and nothing is dealt for it', async () => {
    const { session, sent, ends } = await prepared({ request: { ...REQUEST, widening: 'ot' } });
    const choices = () => sent.filter(({ tag }) => /^(widen|select)-ahead/.test(tag)).map(({ tag }) => tag);
    const ahead = choices();
    expect(ahead.length).toBeGreaterThan(5);
    expect(new Set(ahead).size).toBe(ahead.length);
    const longer = new Array<number>(REQUEST.tokens + 1).fill(4);
    await failure('ERR_INTERNAL', () => session.run([{ inputIds: longer, rows: [2] }]));
    const { logits } = await session.run(INPUT);
    const want = await runFloat(source, INPUT[0].inputIds, { positions: [2] });
    expect(Math.max(...logits.map((v, i) => Math.abs(v - want.logits[i])))).toBeLessThan(0.005);
    expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
    expect(choices()).toEqual(ahead);
    // Spent: the text as it was is no second run either.
    await failure('ERR_STATE', () => session.run(INPUT));
    expect(choices()).toEqual(ahead);
  });

  it('stops at all three parties when the owner aborts while the parties compute, and nothing is opened', async () => {
    const control = new AbortController();
    const { session, ends, sent } = await prepared({ signal: control.signal, onStatus: () => control.abort() });
    await failure('ERR_ABORTED', () => session.run(INPUT));
    const stopped = await Promise.all(ends);
    expect(stopped.every((end) => end instanceof TercetError)).toBe(true);
    expect(sent.filter(({ tag }) => tag.startsWith('output'))).toEqual([]);
  });

  it('aborted while it deals ends at all three parties', async () => {
    const control = new AbortController();
    const started = start({
      signal: control.signal,
      tap: (_direction, tag) => (tag.includes('-deal') ? control.abort() : undefined),
    });
    await failure('ERR_ABORTED', async () => (await started.owner).prepare());
    expect((await Promise.all(started.ends)).every((end) => end instanceof TercetError)).toBe(true);
  });

  it('that fails is over for the other compute party at once, whatever the owner does with the bad news', async () => {
    // Party 1 is told nonsense. Nobody closes the owner's links then, so its last word takes all of its 5 s.
    let left: number | undefined;
    const { owner, ends } = start({
      corrupt: (self, channel) => {
        if (self === 0 && channel.peer === 1)
          return altered(neverAborted(channel), 'control/start', (bytes) => bytes.reverse());
        if (self === 0) return neverAborted(channel);
        if (self === 1 && channel.peer === 0) return neverClosed(channel);
        if (self === 2 && channel.peer === 1) void channel.ended.then(() => (left = performance.now()));
        return channel;
      },
    });
    await (await owner).prepare().catch(() => undefined);
    const failures = await Promise.all(ends);
    const over = performance.now();
    expect(failures.every((end) => end instanceof TercetError)).toBe(true);
    expect(over - (left ?? over)).toBeGreaterThan(2_500);
  });

  it('aborted while the parties look for each other ends at once', async () => {
    const control = new AbortController();
    const { owner, ends } = start({
      signal: control.signal,
      compute: () => ({
        connectPeer: () => new Promise((_resolve, reject) => setTimeout(reject, 3_000, new Error('late'))),
      }),
    });
    const begin = performance.now();
    setTimeout(() => control.abort(), 50);
    await failure('ERR_ABORTED', () => owner);
    expect(performance.now() - begin).toBeLessThan(2_000);
    await Promise.all(ends);
  });

  it.each([1, 2] as const)(
    'names party %i when it dies while the parties compute, whoever is heard first',
    async (party) => {
      let alive = true;
      const started: Started & { session: OwnerSession } = await prepared({
        tap: (_direction, tag) => {
          if (alive && tag.startsWith('widen-12')) {
            alive = false;
            started.kill(party);
          }
        },
      });
      const error = await failure('ERR_PEER_CLOSED', () => started.session.run(INPUT));
      expect(error.party).toBe(party);
      expect(error.message).toContain(`party ${party}`);
      await Promise.all(started.ends);
    },
  );

  it.each([
    ['ERR_DEVICE_LOST', 1],
    ['ERR_DEVICE_MEMORY', 2],
  ] as const)(
    '%s at party %i ends the session everywhere, and the owner hears which party, and that it is not its own device',
    async (code, party) => {
      const broken = new Proxy(kernels, {
        get: (target, name) => {
          if (name === 'scope') return () => broken;
          if (name === (party === 1 ? 'selectionTable' : 'evaluateSelection'))
            return () => Promise.reject(new TercetError(code, 'the device is gone', 'run again'));
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      }) as typeof kernels;
      const { session, ends } = await prepared({ compute: (id) => (id === party ? { kernels: broken } : {}) });
      const error = await failure('ERR_PEER_FAILED', () => session.run(INPUT));
      expect(error.party).toBe(party);
      expect((await Promise.all(ends)).every((end) => end instanceof TercetError)).toBe(true);
      await failure('ERR_STATE', () => session.run(INPUT));
    },
  );

  it.each([1, 2] as const)(
    'prepared, whose party %i dies before there is a text, is over before anything is sent',
    async (party) => {
      const { session, ends, kill, sent } = await prepared();
      kill(party);
      await session.ended;
      expect(await ends[2 - party]).toMatchObject({
        code: 'ERR_PEER_CLOSED',
        message: expect.stringContaining(`party ${party}`),
      });
      expect((await failure('ERR_PEER_CLOSED', () => session.run(INPUT))).party).toBe(party);
      expect(dependent(sent)).toEqual([]);
      expect(session.spent).toBe(false);
    },
  );

  it('with a model that nobody serves is refused by its hash, and the party is named', async () => {
    const { owner, ends } = start({ request: { ...REQUEST, model: 'cd'.repeat(32) } });
    const error = await failure('ERR_MODEL_HASH', () => owner);
    expect(error.party).toBeDefined();
    await Promise.all(ends);
  });

  it('is refused when a party was asked for something else in its handshake', async () => {
    const refuse = () => {
      throw new TercetError('ERR_PEER_MISMATCH', 'the request is not the one that was signed', 'start again');
    };
    const { owner, ends } = start({ compute: (id) => (id === 2 ? { checkRequest: refuse } : {}) });
    const error = await failure('ERR_PEER_MISMATCH', () => owner);
    expect(error.party).toBe(2);
    await Promise.all(ends);
  });

  it('that widens in a way that nobody knows is refused by both compute parties', async () => {
    const widening = 'none' as unknown as 'ot';
    const { owner, ends } = start({ request: { ...REQUEST, widening } });
    await failure('ERR_FRAME_FORMAT', () => owner);
    for (const end of await Promise.all(ends)) expect(end).toMatchObject({ code: 'ERR_FRAME_FORMAT' });
  });

  it('whose owner says nonsense while it waits fails at the compute party with the owner named', async () => {
    const { channels, ends } = await prepared();
    await channels[0].send('control/hold', Uint8Array.of(7));
    expect(await ends[0]).toMatchObject({ code: 'ERR_FRAME_FORMAT', party: 0 });
    await channels[1].close();
    await ends[1];
  });
});
