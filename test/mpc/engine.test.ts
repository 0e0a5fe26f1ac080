/**
 * The walk of a party through a circuit: phases once and in order, hostile links, wrong inputs, and modes that this
 * build does not have.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { strided, triangle } from '../../src/compute/pattern.ts';
import { wordsFrom } from '../../src/compute/ring.ts';
import { type ErrorCode, TercetError } from '../../src/core/errors.ts';
import { FIXED_HEADER_BYTES } from '../../src/net/wire/frame.ts';
import type { PartyId } from '../../src/net/wire/types.ts';
import { PlaintextGates } from '../../src/testing/oracle.ts';
import { protocolInfo } from '../../src/mpc/protocol/registry.ts';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { Engine } from '../../src/mpc/protocol/frame/engine.ts';
import { CompleteBuilder } from '../../src/mpc/protocol/malicious/circuit.ts';
import { CircuitBuilder } from '../../src/mpc/protocol/semi-honest/circuit.ts';
import type { Gates, Inputs } from '../../src/mpc/protocol/types.ts';
import { failure, thrown } from '../failure.ts';
import { type ClearParameter, parameterView } from '../support/parameters.ts';
import {
  type Message,
  type Parties,
  type SimulationOptions,
  UNSEEN,
  collect,
  createParties,
  noParameters,
  settle,
  simulate,
} from '../support/simulate.ts';

const PARAMETERS: readonly ClearParameter[] = [
  { parameter: { name: 'table', rows: 6, cols: 2, scale: 0 }, values: Array.from({ length: 12 }, (_, i) => BigInt(i)) },
];

/** Messages on every link that the protocol has: P0 → P1, P0 → P2, P1 ⇄ P2, P1 → P0. */
function circuit(g: Gates): void {
  const x = g.input('x', [2], 64, 0);
  const rows = g.reshape(g.lookup('t', PARAMETERS[0].parameter, 1), [2]);
  g.output('out', g.truncate(g.mul(g.add(x, rows), x), 3, 64));
}

const INPUTS: Inputs = { tensors: { x: wordsFrom([800, -16], 64) }, indices: { t: [4] } };
/** (800 + 8)·800 / 8 and (−16 + 9)·(−16) / 8. */
const ANSWER = [80_800n, 14n];

const OPTIONS: SimulationOptions = {
  seed: 3,
  timeoutMs: 5000,
  parameters: (id, kernels) => parameterView('open', id, kernels, PARAMETERS),
};

/** The code with which each party ended; 'ok' if it did not fail. Anything untyped fails the test. */
async function endings(parties: Parties, inputs: Inputs = INPUTS): Promise<string[]> {
  return (await settle(parties, inputs)).map((result) => {
    if (result.status === 'fulfilled') return 'ok';
    expect(result.reason).toBeInstanceOf(TercetError);
    return (result.reason as TercetError).code;
  });
}

it('complete sharing is walked through with proofs, or not at all', () => {
  const builder = new CompleteBuilder('open');
  circuit(builder);
  const complete = builder.finish();
  const options = {
    ...{ id: 1 as const, circuit: complete, kernels: new ReferenceKernels(), parameters: noParameters },
    channels: new Map(),
  };
  thrown('ERR_INTERNAL', () => new Engine(options));
  new Engine({ ...options, observer: UNSEEN });
});

describe('phases', () => {
  it('run once and in order, and give the right answer: the circuit of these tests is sound', async () => {
    const { outputs } = await simulate(circuit, INPUTS, OPTIONS);
    expect([...(outputs.get('out')?.data ?? [])]).toEqual(ANSWER);
  });

  it.each([0, 1, 2] as const)(
    'of party %i out of order are ERR_STATE, and the execution stays where it was',
    async (id) => {
      const { engines } = createParties((g) => g.output('out', g.input('x', [1], 8, 0)), { seed: 1 });
      const engine = engines[id];
      await failure('ERR_STATE', () => engine.input(INPUTS));
      await failure('ERR_STATE', () => engine.online());
      await failure('ERR_STATE', () => engine.output());
      await engine.deal();
      await failure('ERR_STATE', () => engine.deal());
      await failure('ERR_STATE', () => engine.online());
    },
  );

  it('of a finished execution cannot be run again by any party', async () => {
    const parties = createParties(circuit, OPTIONS);
    expect(await endings(parties)).toEqual(['ok', 'ok', 'ok']);
    for (const engine of parties.engines) {
      for (const phase of [
        () => engine.deal(),
        () => engine.input(INPUTS),
        () => engine.online(),
        () => engine.output(),
      ])
        await failure('ERR_STATE', phase);
    }
  });

  // SECURITY: what a gate is at work on is not written over. Of proofs: they outlive the phases.
  it('of a finished execution alone leave their memory to others; of one that failed it stays as it is', async () => {
    const told: unknown[] = [];
    class Watched extends ReferenceKernels {
      override sweep(live?: unknown): void {
        if (typeof live !== 'function') told.push(live);
      }
    }
    const kernels = new Watched();
    const parties = () => createParties(circuit, { ...OPTIONS, kernels: () => kernels });
    expect(await endings(parties())).toEqual(['ok', 'ok', 'ok']);
    expect(told).toEqual(['through', 'through', 'through']);
    told.length = 0;
    const failed = parties();
    expect((await endings(failed, { tensors: {}, indices: {} }))[0]).toBe('ERR_SHAPE');
    for (const engine of failed.engines) engine.clear();
    expect(told).toEqual([undefined, undefined, undefined]);
  });

  it('of a failed execution cannot be resumed: the first message that depends on the input has burnt it', async () => {
    const parties = createParties(circuit, OPTIONS);
    const codes = await endings(parties, { tensors: {}, indices: {} });
    expect(codes[0]).toBe('ERR_SHAPE');
    await failure('ERR_STATE', () => parties.engines[0].input(INPUTS));
    await failure('ERR_STATE', () => parties.engines[0].deal());
  });
});

describe('cancelling', () => {
  it.each([0, 1, 2] as const)(
    'party %i before it starts ends it with ERR_ABORTED, and the others with typed errors',
    async (id) => {
      const codes = await endings(
        createParties(circuit, { ...OPTIONS, signal: (party) => (party === id ? AbortSignal.abort() : undefined) }),
      );
      expect(codes[id]).toBe('ERR_ABORTED');
      expect(codes.filter((_, party) => party !== id).every((code) => code.startsWith('ERR_'))).toBe(true);
    },
  );

  it.each([1, 2] as const)(
    'party %i in the middle of the online phase ends it with ERR_ABORTED, and P0 with ERR_PEER_CLOSED',
    async (id) => {
      const controller = new AbortController();
      const codes = await endings(
        createParties(circuit, {
          ...OPTIONS,
          signal: (party) => (party === id ? controller.signal : undefined),
          tap: (_from, _to, tag) => {
            if (tag.includes('-12/')) controller.abort();
            return undefined;
          },
        }),
      );
      expect(codes[id]).toBe('ERR_ABORTED');
      expect(codes[0]).toBe('ERR_PEER_CLOSED');
    },
  );
});

// ── hostile links ────────────────────────────────────────────────────────────

type Change = (frame: Uint8Array) => Uint8Array;

/** A change of byte `at` of the header. */
const flip =
  (at: number): Change =>
  (frame) => {
    frame[at] ^= 1;
    return frame;
  };

/** The frame with another announced length and another payload. */
const resized =
  (payload: (length: number) => number, bytes: (frame: Uint8Array, header: number) => Uint8Array): Change =>
  (frame) => {
    const header = headerOf(frame);
    new DataView(frame.buffer).setUint32(8, payload(frame.length - header), true);
    return bytes(frame, header);
  };

const CHANGES: readonly [string, Change, ErrorCode][] = [
  ['another first byte', flip(0), 'ERR_FRAME_FORMAT'],
  ['another version', flip(1), 'ERR_FRAME_FORMAT'],
  ['a reserved byte that is not zero', flip(3), 'ERR_FRAME_FORMAT'],
  ['another sequence number', flip(4), 'ERR_FRAME_SEQUENCE'],
  ['another session', flip(27), 'ERR_FRAME_SESSION'],
  ['another tag', flip(FIXED_HEADER_BYTES), 'ERR_FRAME_TAG'],
  [
    'an announced length of 4 GB',
    resized(
      () => 0xffffffff,
      (frame) => frame,
    ),
    'ERR_FRAME_LENGTH',
  ],
  [
    'one byte less',
    resized(
      (length) => length - 1,
      (frame) => frame.slice(0, -1),
    ),
    'ERR_FRAME_LENGTH',
  ],
  [
    'one byte more',
    resized(
      (length) => length + 1,
      (frame) => Uint8Array.from([...frame, 0]),
    ),
    'ERR_FRAME_LENGTH',
  ],
  [
    'no payload',
    resized(
      () => 0,
      (frame, header) => frame.slice(0, header),
    ),
    'ERR_FRAME_LENGTH',
  ],
];

function headerOf(frame: Uint8Array): number {
  return FIXED_HEADER_BYTES + frame[2];
}

/** The last message P2 → P1: the masks of the output. */
const LAST = 'reshare-21/7';

/** Which message of each link is changed. */
const TARGETS: readonly [PartyId, PartyId, string][] = [
  [0, 1, 'input-input'],
  [0, 2, 'select-deal|widen-deal|product-deal'],
  [0, 2, 'lookup-input'],
  [1, 2, 'lift-12'],
  [1, 2, 'widen-12'],
  [2, 1, 'product-21'],
  [2, 1, LAST],
  [1, 0, 'output-output'],
];

describe('a message that was changed on the way', () => {
  for (const [from, to, kind] of TARGETS) {
    it.each(CHANGES)(
      `P${from} → P${to} ${kind}: %s is the exact code at the receiver, and a typed end for everyone in time`,
      async (_name, change, code) => {
        let changed = 0;
        const parties = createParties(circuit, {
          ...OPTIONS,
          wire: (direction, frame) => {
            const tag = String.fromCharCode(...frame.subarray(FIXED_HEADER_BYTES, headerOf(frame)));
            if (changed > 0 || direction.from !== from || direction.to !== to || !new RegExp(`^(${kind})\\b`).test(tag))
              return undefined;
            changed++;
            return change(Uint8Array.from(frame));
          },
        });
        const start = performance.now();
        const codes = await endings(parties);
        expect(changed).toBe(1);
        expect(codes[to]).toBe(code);
        expect(codes[0], 'P0 gets no answer').toMatch(/^ERR_/);
        // Who has sent its last message may have finished its part: P2 with the last half-round, and both with the
        // output.
        const finished = kind === 'output-output' ? [1, 2] : kind === LAST ? [2] : [];
        expect(codes.every((end, id) => end.startsWith('ERR_') || finished.includes(id))).toBe(true);
        expect(performance.now() - start).toBeLessThan(2000);
      },
    );
  }

  it.each(TARGETS)(
    'P%i → P%i %s: the same frame unchanged is accepted: the changes above are what is refused',
    async (from, to, kind) => {
      let seen = 0;
      const parties = createParties(circuit, {
        ...OPTIONS,
        wire: (direction, frame) => {
          const tag = String.fromCharCode(...frame.subarray(FIXED_HEADER_BYTES, headerOf(frame)));
          if (direction.from === from && direction.to === to && new RegExp(`^(${kind})\\b`).test(tag)) seen++;
          return Uint8Array.from(frame);
        },
      });
      expect(await endings(parties)).toEqual(['ok', 'ok', 'ok']);
      expect(seen).toBeGreaterThan(0);
    },
  );

  it('of the right length is not noticed in this mode and gives a wrong answer: its claim is passive, and says so', async () => {
    const { outputs } = await simulate(circuit, INPUTS, {
      ...OPTIONS,
      tap: (_from, _to, tag, bytes) => {
        if (!tag.startsWith('product-21')) return undefined;
        bytes[3] ^= 0x40;
        return bytes;
      },
    });
    expect([...(outputs.get('out')?.data ?? [])]).not.toEqual(ANSWER);
    expect(protocolInfo('3pc_semi_honest').claim).toMatchObject({
      adversary: 'passive',
      corruptions: 1,
      abort: 'none',
    });
  });

  it('that never comes is ERR_PEER_TIMEOUT at the one who waits', async () => {
    const parties = createParties(circuit, { ...OPTIONS, timeoutMs: 200 });
    const codes = await Promise.all(
      [1, 2].map((id) =>
        parties.engines[id].deal().then(
          () =>
            parties.engines[id].input().then(
              () => 'ok',
              (error: unknown) => (error as TercetError).code,
            ),
          (error: unknown) => (error as TercetError).code,
        ),
      ),
    );
    expect(codes).toEqual(['ERR_PEER_TIMEOUT', 'ERR_PEER_TIMEOUT']);
  });
});

// ── inputs ───────────────────────────────────────────────────────────────────

describe('inputs that do not fit the circuit', () => {
  const tensors = INPUTS.tensors;
  it.each<[string, Inputs]>([
    ['a missing tensor', { tensors: {}, indices: { t: [4] } }],
    ['a tensor with one word less', { tensors: { x: wordsFrom([1], 64) }, indices: { t: [4] } }],
    ['a tensor with one word more', { tensors: { x: wordsFrom([1, 2, 3], 64) }, indices: { t: [4] } }],
    ['a tensor over another ring', { tensors: { x: wordsFrom([1, 2], 32) }, indices: { t: [4] } }],
    ['missing indices', { tensors, indices: {} }],
    ['too many indices', { tensors, indices: { t: [4, 4] } }],
    ['an index past the table', { tensors, indices: { t: [6] } }],
    ['a negative index', { tensors, indices: { t: [-1] } }],
    ['a fraction for an index', { tensors, indices: { t: [0.5] } }],
    ['NaN for an index', { tensors, indices: { t: [Number.NaN] } }],
  ])(
    '%s is ERR_SHAPE at P0, which says nothing of the values, and a typed end for the others',
    async (_name, inputs) => {
      const messages: Message[] = [];
      const parties = createParties(circuit, { ...OPTIONS, tap: collect(messages) });
      const results = await settle(parties, inputs);
      const [owner, ...others] = results.map((result) =>
        result.status === 'rejected' ? (result.reason as TercetError) : undefined,
      );
      expect(owner).toBeInstanceOf(TercetError);
      expect(owner?.code).toBe('ERR_SHAPE');
      expect(others.every((error) => error instanceof TercetError)).toBe(true);
      expect(messages.some(({ tag }) => /-(12|21)\/|output/.test(tag))).toBe(false);
    },
  );

  it('of a malformed circuit are refused while building, with ERR_INTERNAL', async () => {
    const g = () => new CircuitBuilder('open');
    const input = (builder: CircuitBuilder, shape: readonly number[], k: number) => builder.input('x', shape, k, 0);
    const refused: ((builder: CircuitBuilder) => unknown)[] = [
      (b) => b.add(input(b, [2], 8), input(b, [3], 8)),
      (b) => b.add(input(b, [2], 8), input(b, [2], 9)),
      (b) => b.mul(input(b, [2], 8), input(b, [2], 9)),
      (b) => b.mul(input(b, [2], 8), input(b, [3], 8)),
      (b) => b.matmul(input(b, [1, 2, 3], 8), input(b, [1, 2, 3], 8)),
      (b) => b.matmul(input(b, [1, 2, 3], 8), input(b, [2, 3, 2], 8)),
      (b) => b.reduce(input(b, [2], 8), 9),
      (b) => b.raise(input(b, [2], 8), 2, 11),
      (b) => b.reshape(input(b, [2], 8), [3]),
      (b) => b.gather(input(b, [2], 8), strided(0), [2]),
      (b) => b.gather(input(b, [4], 8), strided(1, [2, 3]), [2]),
      (b) => b.gather(input(b, [3], 8), triangle('spread', 1, 2), [2, 2]),
      (b) => b.table(input(b, [2], 4), { bits: 3, entries: new Array<bigint>(8).fill(0n) }, 8),
      (b) => b.table(input(b, [2], 3), { bits: 3, entries: new Array<bigint>(7).fill(0n) }, 8),
      (b) => b.jointTable([input(b, [2], 1)], [0n, 1n, 0n], 8),
      (b) => b.choose([input(b, [2], 1)], [input(b, [2], 8)], Uint8Array.of(0)),
      (b) => b.choose([input(b, [2], 2)], [input(b, [2], 8)], Uint8Array.of(0, 255)),
      (b) => b.exponential(input(b, [2], 24), input(b, [2], 1), 17, 17),
      (b) => b.affine([{ x: input(b, [1, 2], 32), weight: { name: 'w', rows: 2, cols: 1, scale: 0 } }]),
      (b) => b.addParameter(input(b, [1, 2], 64), { name: 'b', rows: 1, cols: 2, scale: 3 }),
    ];
    for (const build of refused) await failure('ERR_INTERNAL', () => build(g()));
  });
});

// ── modes ────────────────────────────────────────────────────────────────────

describe('modes', () => {
  it.each(['3pc_malicious', 'aby3'])(
    '%s is refused with ERR_PROTOCOL_UNAVAILABLE, and nothing weaker is offered in its name',
    async (id) => {
      const error = await failure('ERR_PROTOCOL_UNAVAILABLE', () => protocolInfo(id));
      expect(error.kind).toBe('usage');
      expect(error.message).toContain(id);
    },
  );

  it.each(['x', '', '3PC_SEMI_HONEST', 'toString', '__proto__'])(
    'the name "%s" is no protocol: ERR_ARGUMENT',
    async (id) => {
      await failure('ERR_ARGUMENT', () => protocolInfo(id));
    },
  );

  describe('the plaintext oracle', () => {
    const inRunner = process.env['VITEST'];
    afterEach(() => {
      if (inRunner !== undefined) process.env['VITEST'] = inRunner;
    });
    const oracle = () => new PlaintextGates(INPUTS, () => []);

    it('refuses to run outside tests with ERR_INSECURE', async () => {
      const inside = oracle();
      inside.output('x', inside.input('x', [2], 64, 0));
      expect([...(inside.outputs.get('x')?.data ?? [])]).toEqual([800n, 2n ** 64n - 16n]);
      delete process.env['VITEST'];
      await failure('ERR_INSECURE', oracle);
    });
  });
});
