/**
 * The pairwise generator: every draw has its own stream position, and a repeated pad is an error before it is a
 * message (PROTOCOL §11.1 rule 1).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tableLayout } from '../../src/compute/kernels/table-layout.ts';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import type { RingKernels, Stream } from '../../src/compute/kernels/types.ts';
import { loadNodeModule, nodeWorkerFactory } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { type Words, wordsFrom } from '../../src/compute/ring.ts';
import type { TercetError } from '../../src/core/errors.ts';
import { toHex } from '../../src/core/bytes.ts';
import { type Execution, type DrawId, PURPOSES, type Purpose, drawNumber, nonceOf } from '../../src/mpc/prg/gate-id.ts';
import { PairPrg, type Use, executionKey } from '../../src/mpc/prg/prg.ts';
import type { Circuit } from '../../src/mpc/protocol/frame/circuit.ts';
import { drawId } from '../../src/mpc/protocol/frame/gate.ts';
import type { ExactTable, Gates, Inputs } from '../../src/mpc/protocol/types.ts';
import { OneTimeMask, Masked } from '../../src/mpc/share/masked.ts';
import { failure } from '../failure.ts';
import { printed, secretsIn } from '../support/secrets.ts';
import { type Message, collect, keysOf, seeded, simulate } from '../support/simulate.ts';

const MASTER = Uint8Array.from({ length: 32 }, (_, i) => (i * 37 + 201) % 256);
const EXECUTION: Execution = { session: seeded(16, 4, 4), number: 0, step: 2, branch: 1 };
const ID = { gate: 7, purpose: 'pad', table: 0, direction: 0 } as const;

const idArbitrary: fc.Arbitrary<DrawId> = fc.record({
  step: fc.nat(0xffff),
  branch: fc.nat(0xffff),
  gate: fc.nat(0xffffffff),
  table: fc.nat(0xffff),
  purpose: fc.constantFrom(...(Object.keys(PURPOSES) as Purpose[])),
  direction: fc.constantFrom(0 as const, 1 as const),
});

const hex = (id: DrawId) => toHex(nonceOf(id));

describe('draw ids', () => {
  it('gives different nonces to ids that differ in any one field', () => {
    fc.assert(
      fc.property(idArbitrary, idArbitrary, (a, b) => {
        // Ids that share all fields but one are the likely collisions; independent ones are covered by the same loop.
        for (const key of Object.keys(a) as (keyof DrawId)[]) {
          const near = { ...a, [key]: b[key] } as DrawId;
          expect(hex(near) === hex(a)).toBe(a[key] === b[key]);
        }
        expect(hex(a) === hex(b)).toBe(
          JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort()),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('encodes every field where the layout says, at its smallest and largest value', () => {
    expect(hex({ step: 0, branch: 0, gate: 0, purpose: 'mask1', table: 0, direction: 0 })).toBe(
      '000000000000000000000100',
    );
    expect(
      hex({ step: 0x0201, branch: 0x0403, gate: 0x08070605, purpose: 'weight', table: 0x0a09, direction: 1 }),
    ).toBe('0102030405060708090a0701');
    expect(
      hex({ step: 0xffff, branch: 0xffff, gate: 0xffffffff, purpose: 'weight', table: 0xffff, direction: 1 }),
    ).toBe('ffffffffffffffffffff0701');
  });

  it.each([
    ['step', 0x10000],
    ['branch', 0x10000],
    ['gate', 2 ** 32],
    ['table', 0x10000],
    ['step', -1],
    ['gate', 0.5],
    ['gate', Number.NaN],
  ] as const)('refuses %s = %s with ERR_INTERNAL instead of wrapping into another id', async (field, value) => {
    const id = { step: 0, branch: 0, gate: 0, purpose: 'pad', table: 0, direction: 0, [field]: value } as DrawId;
    await failure('ERR_INTERNAL', () => nonceOf(id));
  });

  it('gives every purpose its own number, in the bits that account of draws has for it', () => {
    expect(new Set(Object.values(PURPOSES)).size).toBe(Object.keys(PURPOSES).length);
    expect(Math.max(...Object.values(PURPOSES))).toBeLessThan(16);
  });

  // SECURITY: two ids of one number would be one draw for whoever looks for repeats, and one number of two ids none.
  it('has one number for every id of a step: two are equal where the nonces are', () => {
    fc.assert(
      fc.property(idArbitrary, idArbitrary, (a, b) => {
        for (const key of ['gate', 'purpose', 'table', 'direction'] as const) {
          const near = { ...a, [key]: b[key] } as DrawId;
          expect(drawNumber(near) === drawNumber(a)).toBe(hex(near) === hex(a));
        }
      }),
      { numRuns: 2000 },
    );
    const last = { gate: 2 ** 32 - 1, table: 0xffff, purpose: 'share', direction: 1 } as const;
    expect(Number.isSafeInteger(drawNumber(last))).toBe(true);
    expect(drawNumber({ ...last, direction: 0 })).not.toBe(drawNumber(last));
    expect(drawNumber({ ...last, table: 0xfffe })).not.toBe(drawNumber(last));
  });
});

describe('execution keys', () => {
  it('differ by pair, by session and by execution, and repeat only for the same three', () => {
    const other = Uint8Array.from(MASTER, (byte, i) => (i === 31 ? byte ^ 1 : byte));
    const session = Uint8Array.from(EXECUTION.session, (byte, i) => (i === 15 ? byte ^ 1 : byte));
    const keys = [
      executionKey(MASTER, EXECUTION),
      executionKey(other, EXECUTION),
      executionKey(MASTER, { ...EXECUTION, session }),
      executionKey(MASTER, { ...EXECUTION, number: 1 }),
      executionKey(MASTER, { ...EXECUTION, number: 10 }),
    ].map(toHex);
    expect(new Set(keys).size).toBe(keys.length);
    expect(toHex(executionKey(MASTER, { ...EXECUTION }))).toBe(keys[0]);
  });

  it('give different streams to the same gate in another execution, step or branch', () => {
    const streams = [
      EXECUTION,
      { ...EXECUTION, number: 1 },
      { ...EXECUTION, step: 3 },
      { ...EXECUTION, branch: 2 },
    ].map((execution) => {
      const { key, nonce } = PairPrg.of(MASTER, execution).claim(ID, {}, 'pads');
      return `${toHex(key)} ${toHex(nonce)}`;
    });
    expect(new Set(streams).size).toBe(4);
  });

  it('refuses keys and sessions of the wrong length with ERR_INTERNAL', async () => {
    await failure('ERR_INTERNAL', () => PairPrg.of(MASTER.subarray(1), EXECUTION));
    await failure('ERR_INTERNAL', () => PairPrg.of(MASTER, { ...EXECUTION, session: new Uint8Array(15) }));
  });
});

describe('the registry of draws', () => {
  it('gives the same owner the same stream again, for re-deriving a mask', () => {
    const prg = PairPrg.of(MASTER, EXECUTION);
    const owner = {};
    expect(prg.claim({ ...ID }, owner, 'pads')).toEqual(prg.claim({ ...ID }, owner, 'pads'));
  });

  it('refuses a second owner of an id with ERR_PAD_REUSE, and serves it another id', async () => {
    const prg = PairPrg.of(MASTER, EXECUTION);
    prg.claim(ID, {}, 'pads');
    await failure('ERR_PAD_REUSE', () => prg.claim(ID, {}, 'pads'));
    await failure('ERR_PAD_REUSE', () => prg.takeMask(ID, {}, 'pads'));
    expect(() => prg.claim({ ...ID, table: 1 }, {}, 'pads')).not.toThrow();
  });

  it('refuses its own owner an id that it drew for something else, with ERR_PAD_REUSE: one draw is one mask', async () => {
    const owner = {};
    for (const [first, second] of [
      ['pads', 'r0'],
      ['r0', 'pads'],
      ['λ2', 'Γ1'],
    ] as const) {
      const prg = PairPrg.of(MASTER, EXECUTION);
      prg.claim(ID, owner, first);
      await failure('ERR_PAD_REUSE', () => prg.claim(ID, owner, second));
      await failure('ERR_PAD_REUSE', () => prg.takeMask(ID, owner, second));
      expect(() => prg.takeMask(ID, owner, first)).not.toThrow();
    }
  });

  it('refuses to spend an id twice with ERR_PAD_REUSE, even for its own owner', async () => {
    const prg = PairPrg.of(MASTER, EXECUTION);
    const owner = {};
    prg.takeMask(ID, owner, 'pads');
    await failure('ERR_PAD_REUSE', () => prg.takeMask(ID, owner, 'pads'));
    expect(() => prg.claim(ID, owner, 'pads')).not.toThrow();
    expect(() => prg.takeMask({ ...ID, purpose: 'zero' }, owner, 'r0')).not.toThrow();
  });

  it('refuses a second message under one mask with ERR_PAD_REUSE, whole or in parts', async () => {
    const fresh = () => PairPrg.of(MASTER, EXECUTION).takeMask(ID, {}, 'pads');
    const used = fresh();
    used.use();
    await failure('ERR_PAD_REUSE', () => used.use());
    const sealed = fresh();
    Masked.under(sealed, new Uint8Array(1));
    await failure('ERR_PAD_REUSE', () => Masked.under(sealed, new Uint8Array(1)));
    await failure('ERR_PAD_REUSE', async () => {
      for await (const part of Masked.parts(sealed, (async function* () {})())) expect(part).toBeUndefined();
    });
  });

  it('prints no key byte: not as text, JSON or by util.inspect with hidden fields', () => {
    const prg = PairPrg.of(MASTER, EXECUTION);
    const stream = prg.claim(ID, {}, 'pads');
    const secrets = { master: MASTER, key: stream.key };
    expect(secretsIn(printed(prg) + printed({ nested: [prg] }), secrets)).toEqual([]);
    expect(`${prg}`).toBe('PairPrg(redacted)');
    // Its text has no key, and neither has a copy of its properties.
    expect(secretsIn(JSON.stringify(stream) + printed({ ...stream }), secrets)).toEqual([]);
    // Controls: the detector finds the key where it is printed, in each of its forms.
    expect(secretsIn(printed(stream), secrets)).toEqual(['key']);
    expect(secretsIn(`x${toHex(MASTER)}`, secrets)).toEqual(['master']);
    expect(secretsIn(`key=${Buffer.from(stream.key).toString('base64')}`, secrets)).toEqual(['key']);
  });

  it('of the next step draws from other streams under the same key, outlives the step before, and is given once', () => {
    const prg = PairPrg.of(MASTER, EXECUTION);
    const first = prg.takeMask(ID, {}, 'pads').stream;
    const next = prg.next();
    const second = next.takeMask(ID, {}, 'pads').stream;
    expect(second.key).toEqual(first.key);
    expect(second.nonce).not.toEqual(first.nonce);
    prg.wipe();
    expect(second.key.some((byte) => byte !== 0)).toBe(true);
    // A second generator of that step would repeat every pad of it.
    expect(() => prg.next()).toThrow(expect.objectContaining({ code: 'ERR_STATE' }));
    expect(() => next.takeMask(ID, {}, 'pads')).toThrow(expect.objectContaining({ code: 'ERR_PAD_REUSE' }));
    // Control: the next but one is there.
    expect(() => next.next().takeMask(ID, {}, 'pads')).not.toThrow();
  });

  it('gives point-function keys a public tweak that is another one for every session, execution, step, id and row, and says nothing of the key', () => {
    const session = Uint8Array.from(EXECUTION.session, (byte, i) => (i === 0 ? byte ^ 1 : byte));
    const executions = [
      EXECUTION,
      { ...EXECUTION, session },
      { ...EXECUTION, number: 1 },
      { ...EXECUTION, step: 3 },
      { ...EXECUTION, branch: 2 },
    ];
    const tweaks = executions.flatMap((execution) => {
      const prg = PairPrg.of(MASTER, execution);
      return [prg.tweak(ID, 0), prg.tweak(ID, 1), prg.tweak({ ...ID, gate: 8 }, 0)].map(toHex);
    });
    expect(new Set(tweaks).size).toBe(tweaks.length);
    expect(tweaks.every((tweak) => tweak.length === 32)).toBe(true);
    expect(toHex(PairPrg.of(seeded(32, 1, 2), EXECUTION).tweak(ID, 0))).toBe(tweaks[0]);
  });

  it('overwrites the key when it is wiped', () => {
    const prg = PairPrg.of(MASTER, EXECUTION);
    const { key } = prg.claim(ID, {}, 'pads');
    expect(key.some((byte) => byte !== 0)).toBe(true);
    prg.wipe();
    expect(key.every((byte) => byte === 0)).toBe(true);
  });

  describe('gives out streams that end with it: a draw after the wipe is ERR_STATE, not words of a key of zeros', async () => {
    const module = await loadNodeModule();
    const table = {
      kind: 'rows',
      table: wordsFrom([0, 1, 0, 0], 8),
      n: 2,
      stride: 2,
      row: wordsFrom([1, 0], 1),
    } as const;
    const draws: readonly [string, (kernels: RingKernels<Words>, stream: Stream) => Promise<unknown>][] = [
      ['draw', (kernels, stream) => kernels.draw(stream, 64, 4)],
      ['selectionTable', (kernels, stream) => kernels.selectionTable(table, tableLayout(2, 8), stream, 0, 2)],
      [
        'dealSelection',
        (kernels, stream) =>
          kernels.dealSelection({ index: wordsFrom([1, 0], 1) }, tableLayout(2, 8), stream, wordsFrom([0, 0], 8)),
      ],
    ];
    it.each([
      ['reference', () => new ReferenceKernels()],
      ['wasm', () => createWasmKernels({ party: PartyOperations, module, threads: 0 })],
      [
        'wasm with a worker',
        () => createWasmKernels({ party: PartyOperations, module, startWorker: nodeWorkerFactory(), threads: 1 }),
      ],
    ] as const)('%s', async (_name, make) => {
      const kernels: RingKernels<Words> = await make();
      for (const [name, run] of draws) {
        const prg = PairPrg.of(MASTER, EXECUTION);
        const { stream } = prg.takeMask(ID, {}, 'pads');
        await run(kernels, stream);
        prg.wipe();
        await expect(run(kernels, stream), name).rejects.toMatchObject({ code: 'ERR_STATE' });
      }
      await kernels.close();
    });

    it('also for what waits for a worker, and without an end to the workers', async () => {
      // With one worker draws are made by who asks.
      const kernels = await createWasmKernels({
        party: PartyOperations,
        module,
        startWorker: nodeWorkerFactory(),
        threads: 2,
      });
      const [prg, other] = [PairPrg.of(MASTER, EXECUTION), PairPrg.of(MASTER, { ...EXECUTION, number: 1 })];
      const [{ stream }, { stream: sound }] = [prg.takeMask(ID, {}, 'pads'), other.takeMask(ID, {}, 'pads')];
      const long = (from: Stream) => kernels.draw(from, 64, 1 << 17);
      const waiting = await Promise.allSettled([
        long(sound),
        long(sound),
        ...[1, 2, 3].map(() => long(stream)),
        prg.wipe(),
        long(sound),
      ]);
      expect(waiting.map((end) => (end.status === 'fulfilled' ? 'ok' : (end.reason as TercetError).code))).toEqual([
        'ok',
        'ok',
        ...['ERR_STATE', 'ERR_STATE', 'ERR_STATE'],
        ...['ok', 'ok'],
      ]);
      await kernels.close();
    });
  });
});

// ── a planted repeat, end to end ─────────────────────────────────────────────

/** Allows what PairPrg refuses: every draw asks a generator that has no memory. */
class ForgetfulPrg extends PairPrg {
  readonly #master: Uint8Array;
  readonly #execution: Execution;

  constructor(master: Uint8Array, execution: Execution) {
    super(executionKey(master, execution), execution);
    this.#master = master;
    this.#execution = execution;
  }

  override claim(id: Omit<DrawId, 'step' | 'branch'>, owner: object, use: Use) {
    return PairPrg.of(this.#master, this.#execution).claim(id, owner, use);
  }

  override takeMask(id: Omit<DrawId, 'step' | 'branch'>, owner: object, use: Use): OneTimeMask {
    return new OneTimeMask(this.claim(id, owner, use));
  }
}

const N = 16;
const TABLE: ExactTable = {
  bits: 4,
  entries: [3n, 141n, 59n, 26n, 53n, 58n, 97n, 93n, 238n, 46n, 264n % 256n, 33n, 83n, 27n, 95n, 2n],
};
const X = [0, 1, 7, 15, 8, 3, 3, 12];
const X2 = [5, 1, 9, 2, 14, 3, 0, 11];
const INPUTS: Inputs = { tensors: { x: wordsFrom(X, 4), x2: wordsFrom(X2, 4) }, indices: {} };
const SEED = 11;

function twoTables(g: Gates): void {
  const [x, x2] = [g.input('x', [X.length], 4, 0), g.input('x2', [X.length], 4, 0)];
  g.output('y', g.add(g.table(x, TABLE, 8), g.table(x2, TABLE, 8)));
}

/** Gives the second table the number, and so the draw ids, of the first: two tables under one pad. */
function repeatPads(circuit: Circuit): Circuit {
  const [first, second] = circuit.gates.filter((gate) => gate.relation === 'select');
  Object.defineProperty(second, 'number', { value: first.number });
  return circuit;
}

/** What P2 alone can compute from the two tables it received: all (a, a') with D(a) − D(a') = e − e'. */
function attack(messages: readonly Message[], element: number): [number, number][] {
  const [e, e2] = messages
    .filter(({ from, to, tag }) => from === 1 && to === 2 && tag.startsWith('select-12'))
    .map(({ bytes }) => bytes);
  const fits: [number, number][] = [];
  const entry = (a: number, j: number) => Number(TABLE.entries[(a - j + N) % N]);
  for (let a = 0; a < N; a++) {
    for (let a2 = 0; a2 < N; a2++) {
      const all = Array.from(
        { length: N },
        (_, j) => (e[element * N + j] - e2[element * N + j] - entry(a, j) + entry(a2, j)) & 255,
      );
      if (all.every((word) => word === 0)) fits.push([a, a2]);
    }
  }
  return fits;
}

/** λ2 of an input, from P2's own key. */
async function maskOfInput(gate: number): Promise<number[]> {
  const { execution, k02 } = keysOf(SEED);
  const words = await new ReferenceKernels().draw(
    PairPrg.of(k02, execution).claim(drawId({ number: gate }, 'mask2'), {}, 'λ2'),
    4,
    X.length,
  );
  return [...words.data].map(Number);
}

describe('a planted repeat of a pad', () => {
  it('is refused by the real generator with ERR_PAD_REUSE before the second table is sent', async () => {
    const messages: Message[] = [];
    await failure('ERR_PAD_REUSE', () =>
      simulate(twoTables, INPUTS, { seed: SEED, alter: repeatPads, tap: collect(messages) }),
    );
    expect(messages.filter(({ tag }) => tag.startsWith('select-12'))).toHaveLength(0);
  });

  it('shows P2 both inputs in full where a broken generator allows it: this is why the refusal matters', async () => {
    const messages: Message[] = [];
    await simulate(twoTables, INPUTS, {
      seed: SEED,
      alter: repeatPads,
      prg: (master, execution) => new ForgetfulPrg(master, execution),
      tap: collect(messages),
    });
    const [l, l2] = [await maskOfInput(0), await maskOfInput(1)];
    const found = X.map((_, i) => attack(messages, i).map(([a, a2]) => [(a - l[i] + N) % N, (a2 - l2[i] + N) % N]));
    // Where a = a' the difference is zero for every a, and P2 learns only that they are equal: 16 fits. Elsewhere
    // exactly one fit, the secret.
    const secrets = X.map((x, i) => [x, X2[i]]);
    expect(found.every((fits, i) => fits.some((fit) => fit.join() === secrets[i].join()))).toBe(true);
    expect(found.filter((fits) => fits.length === 1).length).toBeGreaterThanOrEqual(X.length - 3);
  });

  it('shows P2 nothing when pads are fresh: no pair of indices explains the difference', async () => {
    const messages: Message[] = [];
    await simulate(twoTables, INPUTS, { seed: SEED, tap: collect(messages) });
    expect(X.map((_, i) => attack(messages, i))).toEqual(X.map(() => []));
  });
});
