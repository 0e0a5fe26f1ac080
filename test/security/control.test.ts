/**
 * Control messages come from a peer that may be hostile: whatever arrives is a checked object or a typed error, and
 * what a peer says is printed as plain text.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ErrorCode, TercetError } from '../../src/core/errors.ts';
import { Refusal } from '../../src/core/told.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import { type Offer, checkOffers, configHash, offerFromJson, offerToJson } from '../../src/session/agreement.ts';
import { withBoth } from '../../src/session/fault-attribution.ts';
import { Fields, type Json, recvControl, sendControl, sendFailure } from '../../src/session/control.ts';
import { reportFromJson, reportToJson } from '../../src/session/report.ts';
import { failure } from '../failure.ts';
import { TINY } from '../ml/tiny-bert.ts';

const MAX_BODY = 1 << 20;
const utf8 = (text: string) => new TextEncoder().encode(text);

/** Delivers raw bytes as the control message "offer", with a length of the sender's choosing. */
async function deliver(body: Uint8Array, announced = body.length): Promise<Fields> {
  const [peer, own] = memoryPair(1, 0, { timeoutMs: 1000 });
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, announced, true);
  const sent = Promise.all([peer.send('control/offer-length', length), peer.send('control/offer', body)]);
  try {
    return await recvControl(own, 'offer');
  } finally {
    await sent.catch(() => undefined);
    await Promise.all([peer.close(), own.close()]);
  }
}

const malformed = (body: Uint8Array) => failure('ERR_FRAME_FORMAT', () => deliver(body));

describe('the body of a control message', () => {
  it('arrives as it was sent', async () => {
    const [peer, own] = memoryPair(2, 0);
    await sendControl(peer, 'ready', { n: 7, text: 'ä≥“', list: [1, null], inner: { hex: '00ff' } });
    const fields = await recvControl(own, 'ready');
    expect([
      fields.integer('n', 7),
      fields.string('text'),
      fields.list('list', 2),
      [...fields.object('inner').hex('hex', 2)],
    ]).toEqual([7, 'ä≥“', [1, null], [0, 255]]);
  });

  it.each([
    ['empty', ''],
    ['cut JSON', '{"a":1'],
    ['two values', '{} {}'],
    ['a list', '[1]'],
    ['null', 'null'],
    ['a string', '"x"'],
    ['a number', '1'],
    ['a byte order mark inside', '{}\uFEFF'],
    ['NaN', '{"a":NaN}'],
    ['deep lists', `${'['.repeat(300_000)}`],
    ['deep objects', `${'{"a":'.repeat(150_000)}1`],
  ])('that is %s is ERR_FRAME_FORMAT', async (_name, text) => {
    await malformed(utf8(text));
  });

  it.each([
    ['a lone continuation byte', [0x7b, 0x22, 0x80, 0x22, 0x7d]],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['a surrogate half', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
    ['zeros', [0, 0, 0, 0]],
  ])('that is not UTF-8 (%s) is ERR_FRAME_FORMAT', async (_name, bytes) => {
    await malformed(Uint8Array.from(bytes));
  });

  it('of 1 MiB is taken, and one announced as longer is ERR_FRAME_FORMAT before a byte of it is read', async () => {
    const open = '{"a":"';
    const close = '"}';
    const fields = await deliver(utf8(open + 'x'.repeat(MAX_BODY - open.length - close.length) + close));
    expect(fields.string('a').length).toBe(MAX_BODY - 8);
    await failure('ERR_FRAME_FORMAT', () => deliver(utf8('{}'), MAX_BODY + 1));
    await failure('ERR_FRAME_FORMAT', () => deliver(utf8('{}'), 0xffffffff));
  });

  it('of another length than announced, or under another name, ends with the code of the frame layer', async () => {
    await failure('ERR_FRAME_LENGTH', () => deliver(utf8('{}'), 3));
    const [peer, own] = memoryPair(1, 0);
    await sendControl(peer, 'start', {});
    await failure('ERR_FRAME_TAG', () => recvControl(own, 'offer'));
  });

  it('whose keys are those of an object prototype are ordinary fields, and change no prototype', async () => {
    const fields = await deliver(utf8('{"__proto__":{"polluted":1},"constructor":"c"}'));
    expect(fields.has('__proto__')).toBe(true);
    expect(fields.object('__proto__').integer('polluted', 1)).toBe(1);
    expect(fields.string('constructor')).toBe('c');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('has only its own fields: an inherited name is missing', async () => {
    const fields = await deliver(utf8('{}'));
    for (const key of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) {
      expect(fields.has(key)).toBe(false);
      await failure('ERR_FRAME_FORMAT', () => fields.string(key));
      await failure('ERR_FRAME_FORMAT', () => fields.object(key));
    }
  });

  it('fuzz: 300 bodies of any bytes, of any JSON and of mutated JSON are fields or a TercetError, nothing else', async () => {
    const json = fc.json({ maxDepth: 5 }).map(utf8);
    const mutated = fc
      .tuple(
        fc.constant(
          utf8(JSON.stringify({ version: 1, key: 'ab', failed: { code: 'ERR_STATE', message: 'm', hint: 'h' } })),
        ),
        fc.nat(),
        fc.nat(255),
      )
      .map(([bytes, at, value]) => {
        const copy = Uint8Array.from(bytes);
        copy[at % copy.length] = value;
        return copy;
      });
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), json, mutated), async (body) => {
        const result = await deliver(body).catch((error: unknown) => error);
        expect(result instanceof Fields || (result instanceof TercetError && /^ERR_[A-Z_]+$/.test(result.code))).toBe(
          true,
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe('fields', () => {
  const fail = () => new TercetError('ERR_FRAME_FORMAT', 'a bad field', 'look');
  const of = (value: unknown) => new Fields(value, fail);

  it.each<[string, unknown, (f: Fields) => unknown]>([
    ['a number for a string', 1, (f) => f.string('x')],
    ['null for a string', null, (f) => f.string('x')],
    ['nothing for a string', undefined, (f) => f.string('x')],
    ['a string for an integer', '1', (f) => f.integer('x', 9)],
    ['a fraction for an integer', 0.5, (f) => f.integer('x', 9)],
    ['a negative integer', -1, (f) => f.integer('x', 9)],
    ['an integer past the limit', 10, (f) => f.integer('x', 9)],
    ['an unsafe integer', 2 ** 53, (f) => f.integer('x', Number.MAX_VALUE)],
    ['infinity for a number', Number.POSITIVE_INFINITY, (f) => f.number('x')],
    ['a list for an object', [], (f) => f.object('x')],
    ['a string for an object', 's', (f) => f.object('x')],
    ['an object for a list', {}, (f) => f.list('x', 9)],
    ['a long list', [1, 2, 3], (f) => f.list('x', 2)],
    ['another word', 'close', (f) => f.oneOf('x', ['open', 'secret'])],
    ['a number for a word', 0, (f) => f.oneOf('x', ['open', 'secret'])],
    ['upper-case hex', 'AB', (f) => f.hex('x', 1)],
    ['short hex', 'abc', (f) => f.hex('x', 2)],
    ['hex with a line break', 'abcd\n', (f) => f.hex('x', 2)],
    ['too many keys', { a: 1, b: 2 }, (f) => f.object('x').keys(1)],
  ])('%s is the error of the reader', async (_name, value, read) => {
    await failure('ERR_FRAME_FORMAT', () => read(of({ x: value })));
  });

  it('take every value at its limit', () => {
    const f = of({ i: 9, s: '', l: [1, 2], w: 'secret', h: '00ff', n: -0.5 });
    expect([
      f.integer('i', 9),
      f.string('s'),
      f.list('l', 2),
      f.oneOf('w', ['open', 'secret']),
      [...f.hex('h', 2)],
      f.number('n'),
    ]).toEqual([9, '', [1, 2], 'secret', [0, 255], -0.5]);
  });
});

// ── what the peer says of its own failure ────────────────────────────────────

async function told(body: Json, code: ErrorCode = 'ERR_PEER_FAILED'): Promise<TercetError> {
  return failure(code, () => deliver(utf8(JSON.stringify(body))));
}

describe('a failure that the peer reports', () => {
  it('says in words of a fixed table that the peer failed, and names it', async () => {
    const [peer, own] = memoryPair(2, 0);
    await sendFailure(peer, 'ready', new TercetError('ERR_KERNEL', 'out of memory at 10.0.0.7', 'use fewer threads'));
    const error = await failure('ERR_PEER_FAILED', () => recvControl(own, 'ready'));
    expect([error.message, error.kind, error.party]).toEqual([
      'party 2: the device that it computes on failed',
      'peer',
      2,
    ]);
  });

  it('keeps words that were made for whoever asked', async () => {
    const [peer, own] = memoryPair(2, 0);
    const refusal = await failure('ERR_PEER_MISMATCH', () =>
      Refusal.from(() => {
        throw new TercetError('ERR_PEER_MISMATCH', 'this party serves open weights', 'ask for weights "open"');
      }),
    );
    await sendFailure(peer, 'offer', refusal);
    const error = await failure('ERR_PEER_MISMATCH', () => recvControl(own, 'offer'));
    expect([error.message, error.hint]).toEqual(['party 2: this party serves open weights', 'ask for weights "open"']);
  });

  it.each([
    [2, 1, 1, 'party 1 did not prove its identity to party 2, says party 2'],
    [2, 2, 2, 'party 2 did not prove its identity to party 1, says party 2'],
    [1, 2, 2, 'party 2 did not prove its identity to party 1, says party 1'],
    // Without a party, and with one that is none: the reporter did not accept the other.
    [1, undefined, 2, 'party 2 did not prove its identity to party 1, says party 1'],
    [2, 0, 1, 'party 1 did not prove its identity to party 2, says party 2'],
  ] as const)(
    'party %i about the proof between the compute parties (%s) is in words of this side, and tells no address',
    async (from, about, party, said) => {
      const [peer, own] = memoryPair(from, 0);
      const where = 'party 1 at 10.0.0.1:7001 did not prove itself';
      await sendFailure(
        peer,
        'offer',
        new TercetError('ERR_IDENTITY_PEERS', where, where, about === undefined ? {} : { party: about }),
      );
      const error = await failure('ERR_IDENTITY_PEERS', () => recvControl(own, 'offer'));
      expect([error.party, error.message]).toEqual([party, said]);
      expect(error.line()).not.toContain('10.0.0.1');
      const lie = await told(
        { failed: { code: 'ERR_IDENTITY_PEERS', message: 'evil', hint: 'evil', party: 2 } },
        'ERR_IDENTITY_PEERS',
      );
      expect(lie.line()).not.toContain('evil');
      await malformed(
        utf8(JSON.stringify({ failed: { code: 'ERR_IDENTITY_PEERS', message: 'm', hint: 'h', party: 3 } })),
      );
    },
  );

  it.each([
    'ERR_IDENTITY_KEY',
    'ERR_IDENTITY_PARTY',
    'ERR_IDENTITY_REPLAY',
    'ERR_IDENTITY_FINGERPRINT',
    'ERR_PEER_CERTIFICATE',
  ] as const)(
    'that it was not proved to (%s) accuses nobody here: who proved what to this side it knows itself',
    async (code) => {
      expect((await told({ failed: { code, message: 'm', hint: 'h' } }, 'ERR_PEER_FAILED')).party).toBe(1);
    },
  );

  describe('that waited for this side', () => {
    const late = new TercetError('ERR_PEER_TIMEOUT', 'the data owner did not begin', 'x', { party: 0 });
    const report = async (from: 1 | 2, error: TercetError): Promise<never> => {
      const [peer, own] = memoryPair(from, 0);
      await sendFailure(peer, 'ready', error);
      await recvControl(own, 'ready');
      throw new Error('unreachable');
    };

    it('accuses no compute party, from one of them and from both', async () => {
      const closed = new TercetError('ERR_PEER_CLOSED', 'x', 'y', { party: 1 });
      for (const other of [late, closed]) {
        const error = await failure('ERR_PEER_TIMEOUT', () =>
          withBoth((peer) => report(peer, peer === 1 ? late : other)),
        );
        expect([error.party, error.message]).toEqual([0, 'this side was too slow, says party 1']);
      }
    });

    it('is another thing than one that waited for the other party, which is accused (control)', async () => {
      const waited = new TercetError('ERR_PEER_TIMEOUT', 'x', 'y', { party: 2 });
      const never = new Promise<never>(() => undefined);
      const error = await failure('ERR_PEER_TIMEOUT', () =>
        withBoth((peer) => (peer === 1 ? report(1, waited) : never)),
      );
      expect(error.party).toBe(2);
    });

    it('says so to a data owner alone: between the compute parties nobody speaks of a third', async () => {
      const [peer, own] = memoryPair(2, 1);
      await sendFailure(peer, 'ready', late);
      const error = await failure('ERR_PEER_TIMEOUT', () => recvControl(own, 'ready'));
      expect(error.party).toBe(2);
    });
  });

  it('wins over what follows from it: the other link that breaks is not the cause', async () => {
    const distrust = async (): Promise<never> => {
      const [peer, own] = memoryPair(2, 0);
      await sendFailure(peer, 'offer', new TercetError('ERR_IDENTITY_PEERS', 'x', 'y', { party: 1 }));
      await recvControl(own, 'offer');
      throw new Error('unreachable');
    };
    const broken = async (): Promise<never> => {
      throw new TercetError('ERR_PEER_CLOSED', 'party 1 closed the link', 'again', { party: 1 });
    };
    const error = await failure('ERR_IDENTITY_PEERS', () =>
      withBoth((peer) =>
        peer === 2 ? distrust() : new Promise<never>((resolve) => setTimeout(resolve, 50)).then(broken),
      ),
    );
    expect(error.party).toBe(1);
  });

  it('is printed without control characters: no line breaks, no escape sequences, no bidirectional marks', async () => {
    const nasty = 'a\nb\rc\u001b[31md\u0000e\u0007f\u202eg\u2028h\u009bi\u007fj';
    const error = await told({ failed: { code: 'ERR_STATE', message: nasty, hint: nasty } });
    expect(error.message).toBe('party 1: a?b?c?[31md?e?f?g?h?i?j');
    expect(error.hint).toBe('a?b?c?[31md?e?f?g?h?i?j');
    expect(error.line()).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });

  it('is cut to 300 characters each', async () => {
    const error = await told({
      failed: { code: 'ERR_STATE', message: 'm'.repeat(100_000), hint: 'h'.repeat(100_000) },
    });
    expect([error.message.length, error.hint.length]).toEqual(['party 1: '.length + 300, 300]);
  });

  it.each([
    ['no fields', {}],
    ['a number for a message', { code: 'ERR_STATE', message: 1, hint: '' }],
    ['no hint', { code: 'ERR_STATE', message: 'm' }],
    ['a list for a code', { code: ['ERR_STATE'], message: 'm', hint: 'h' }],
  ])('with %s is itself malformed: ERR_FRAME_FORMAT', async (_name, failed) => {
    await malformed(utf8(JSON.stringify({ failed })));
    await malformed(utf8(JSON.stringify({ failed: 'x' })));
  });

  it.each(['', 'ERR_', 'err_state', 'ERR_STATE\n', 'ERR_STATE<script>', `ERR_${'A'.repeat(41)}`])(
    'with the code %j is ERR_PEER_FAILED',
    async (code) => {
      const error = await failure('ERR_PEER_FAILED', () =>
        deliver(utf8(JSON.stringify({ failed: { code, message: 'm', hint: 'h' } }))),
      );
      expect(error.kind).toBe('peer');
    },
  );

  it('with a code that this version does not know is still the peer that failed: ERR_PEER_FAILED', async () => {
    const error = await failure('ERR_PEER_FAILED', () =>
      deliver(utf8(JSON.stringify({ failed: { code: 'ERR_FROM_THE_FUTURE', message: 'm', hint: 'h' } }))),
    );
    expect(error.kind).toBe('peer');
  });
});

// ── offers and reports ───────────────────────────────────────────────────────

describe('an offer', () => {
  const offer: Offer = {
    model: 'a'.repeat(64),
    config: 'b'.repeat(64),
    device: 'wasm',
    plan: {
      basis: 'proved',
      activation: ['narrow', 'far'],
      headActivation: 'wide',
      treeBits: [8, 9],
      norms: ['normal', 'coarse', 'normal', 'normal'],
      embedding: 'fine',
      head: 'fine',
      checks: null,
    },
  };
  /** Of the configuration that the owner has. */
  const own: Offer = { ...offer, config: configHash(TINY) };
  const fail = () => new TercetError('ERR_FRAME_FORMAT', 'a malformed offer', 'look');
  const read = (value: unknown) => offerFromJson(new Fields(value, fail), TINY, fail);

  const CHECKS = {
    activation: [8, null],
    headActivation: null,
    spread: [10, null],
    value: [null, 7],
    logit: 16,
    margin: 2.5,
    sampled: 512,
  };
  const checkedPlan: Offer['plan'] = { ...offer.plan, basis: 'measured', checks: CHECKS };

  it('survives the way through JSON', () => {
    expect(read(JSON.parse(JSON.stringify(offerToJson(offer))))).toEqual(offer);
    const checked = { ...offer, plan: checkedPlan };
    expect(read(JSON.parse(JSON.stringify(offerToJson(checked))))).toEqual(checked);
  });

  it.each<[string, unknown]>([
    ['an unknown range', { ...offer, plan: { ...offer.plan, activation: ['narrow', 'huge'] } }],
    ['a range that is no string', { ...offer, plan: { ...offer.plan, activation: ['narrow', ['far']] } }],
    ['too few layers', { ...offer, plan: { ...offer.plan, activation: ['narrow'] } }],
    ['too many layers', { ...offer, plan: { ...offer.plan, treeBits: [8, 8, 8] } }],
    ['ten tree bits', { ...offer, plan: { ...offer.plan, treeBits: [8, 10] } }],
    ['a basis that nobody knows', { ...offer, plan: { ...offer.plan, basis: 'hoped' } }],
    ['no plan', { ...offer, plan: undefined }],
    ['measured ranges that nothing checks', { ...offer, plan: { ...offer.plan, basis: 'measured' } }],
    ['checks of a proved plan', { ...offer, plan: { ...offer.plan, checks: CHECKS } }],
    ...Object.entries({
      activation: [32, null],
      spread: [13, 9],
      value: [2 ** 40, null],
      logit: -1,
      headActivation: 1.5,
      sampled: -1,
      margin: 'wide',
    }).map(([key, value]): [string, unknown] => [
      `a check of ${key} that builds too large a table, or none`,
      { ...offer, plan: { ...checkedPlan, checks: { ...CHECKS, [key]: value } } },
    ]),
    ['a head range of a number', { ...offer, plan: { ...offer.plan, headActivation: 1 } }],
    ['a model that is no string', { ...offer, model: 5 }],
  ])('with %s is refused with the code of the reader', async (_name, value) => {
    await failure('ERR_FRAME_FORMAT', () => read(JSON.parse(JSON.stringify(value))));
  });

  it.each<[string, Partial<Offer>]>([
    ['other weights', { model: 'c'.repeat(64) }],
    ['another configuration', { config: 'c'.repeat(64) }],
    ['another plan', { plan: { ...offer.plan, treeBits: [9, 9] } }],
  ])('with %s than the other compute party is ERR_PEER_MISMATCH', async (_name, change) => {
    await failure('ERR_PEER_MISMATCH', () => checkOffers([own, { ...own, ...change }], TINY, undefined));
    // Control: two equal offers agree.
    expect(checkOffers([own, own], TINY, undefined)).toEqual(offer.plan);
  });

  it.each([1, 2] as const)(
    'of another model than the owner pinned is ERR_MODEL_HASH and names party %i',
    async (party) => {
      const other = { ...own, model: 'd'.repeat(64) };
      const both: [Offer, Offer] = party === 1 ? [other, own] : [own, other];
      expect((await failure('ERR_MODEL_HASH', () => checkOffers(both, TINY, own.model))).party).toBe(party);
      expect(checkOffers([own, own], TINY, own.model)).toEqual(offer.plan);
    },
  );
});

describe('a report', () => {
  it('survives the way through JSON, and a hostile one is bounded or refused', async () => {
    const fail = () => new TercetError('ERR_FRAME_FORMAT', 'a malformed report', 'look');
    const report = {
      sentBytes: 1,
      receivedBytes: 2,
      peakMemoryBytes: 3,
      device: 'wasm',
      links: { '1': { 'select-12': 5 } },
    };
    const read = (value: unknown) => reportFromJson(new Fields(JSON.parse(JSON.stringify(value)), fail));
    expect(read(reportToJson(report))).toEqual(report);
    expect(read({ ...report, device: 'x'.repeat(5000) }).device).toHaveLength(60);
    expect(read({ ...report, links: { '7': { x: 1 }, __proto__: { y: 1 } } }).links).toEqual({});
    const hostile: unknown[] = [
      { ...report, sentBytes: -1 },
      { ...report, sentBytes: '1' },
      { ...report, links: [] },
      { ...report, links: { '1': { x: 0.5 } } },
      { ...report, links: { '1': Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`t${i}`, 1])) } },
    ];
    for (const value of hostile) await failure('ERR_FRAME_FORMAT', () => read(value));
  });

  it('that a peer made names a device without control characters, because it is printed', () => {
    const fail = () => new TercetError('ERR_FRAME_FORMAT', 'a malformed report', 'look');
    const { device } = reportFromJson(
      new Fields({ sentBytes: 1, receivedBytes: 2, peakMemoryBytes: 3, device: 'wasm\u001b[2J\n', links: {} }, fail),
    );
    expect(device).not.toMatch(/\p{Cc}/u);
  });
});
