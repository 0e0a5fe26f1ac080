/**
 * What each party sees of a symmetric product, over all masks of a toy ring and with the gates as they are: alike for
 * every secret, also where the party deviated before, and no longer where a share of zero is missing (PROTOCOL §17.5).
 * Then what the builder refuses.
 */
import { describe, expect, it } from 'vitest';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import type { Stream } from '../../src/compute/kernels/types.ts';
import { type Words, wordsFrom } from '../../src/compute/ring.ts';
import type { Execution } from '../../src/mpc/prg/gate-id.ts';
import { PURPOSES } from '../../src/mpc/prg/gate-id.ts';
import { PairPrg, executionKey } from '../../src/mpc/prg/prg.ts';
import { Aby3Builder } from '../../src/mpc/protocol/aby3/circuit.ts';
import type { PartyId } from '../../src/net/wire/types.ts';
import { thrown } from '../failure.ts';
import { type Tap, keysOf, record, simulate } from '../support/simulate.ts';

type Columns = Readonly<Record<string, readonly number[]>>;

/** All combinations, a column each: elements are independent, so one run tries them all. */
function combinations(ranges: Columns): Columns {
  const names = Object.keys(ranges);
  const total = names.reduce((product, name) => product * ranges[name].length, 1);
  let every = 1;
  return Object.fromEntries(
    names.map((name) => {
      const [range, each] = [ranges[name], every];
      every *= range.length;
      return [name, Array.from({ length: total }, (_, i) => range[Math.floor(i / each) % range.length])];
    }),
  );
}

/** Which pair a stream is of, by its key. */
const PAIRS = new Map<string, string>();

function named(master: Uint8Array, execution: Execution): PairPrg {
  const keys = keysOf(1);
  const pair = (['k01', 'k02', 'k12'] as const).find((name) => keys[name].join() === master.join()) ?? '';
  PAIRS.set(executionKey(master, execution).join(), pair);
  return PairPrg.of(master, execution);
}

/** Reference kernels whose masks are those of the columns: `gate purpose`, of shares of zero with their pair. */
class ToldKernels extends ReferenceKernels {
  readonly #columns: Columns;

  constructor(columns: Columns) {
    super();
    this.#columns = columns;
  }

  override async draw(stream: Stream, k: number): Promise<Words> {
    const view = new DataView(stream.nonce.buffer, stream.nonce.byteOffset);
    const share = view.getUint8(10) === PURPOSES.share;
    const what = share ? `share ${PAIRS.get(stream.key.join())}` : `mask${view.getUint8(10)}`;
    const column = this.#columns[`${view.getUint32(4, true)} ${what}`];
    if (column === undefined) throw new Error(`nobody told the draw of ${what}`);
    return wordsFrom(column, k);
  }
}

function alike(secrets: readonly (readonly number[])[], view: readonly (readonly number[])[]): boolean {
  const bySecret = new Map<string, Map<string, number>>();
  for (let i = 0; i < secrets[0].length; i++) {
    const secret = secrets.map((column) => column[i]).join();
    const counts = bySecret.get(secret) ?? new Map<string, number>();
    const row = view.map((column) => column[i]).join();
    counts.set(row, (counts.get(row) ?? 0) + 1);
    bySecret.set(secret, counts);
  }
  expect(bySecret.size).toBeGreaterThan(3);
  const texts = [...bySecret.values()].map((counts) =>
    [...counts]
      .map((pair) => pair.join(':'))
      .sort((a, b) => (a < b ? -1 : 1))
      .join(' '),
  );
  return new Set(texts).size === 1;
}

const SHARES = ['2 share k01', '2 share k02', '2 share k12'];
/** Masks of the inputs and shares of zero that a party knows. */
const KNOWN: Readonly<Record<PartyId, readonly string[]>> = {
  0: ['0 mask1', '0 mask2', '1 mask1', '1 mask2', SHARES[0], SHARES[1]],
  1: ['0 mask1', '1 mask1', SHARES[0], SHARES[2]],
  2: ['0 mask2', '1 mask2', SHARES[1], SHARES[2]],
};
const SENT: Readonly<Record<PartyId, string>> = { 0: 'product-20/2', 1: 'product-01/2', 2: 'product-12/2' };

describe('a symmetric product on Z_2, over all masks', () => {
  async function view(party: PartyId, ranges: Columns = {}, tap?: Tap): Promise<boolean> {
    const names = ['0 mask1', '0 mask2', '1 mask1', '1 mask2', ...SHARES, 'x', 'y'];
    const columns = combinations({ ...Object.fromEntries(names.map((name) => [name, [0, 1]])), ...ranges });
    const [{ length: N }, kernels] = [columns['x'], new ToldKernels(columns)];
    const { messages } = await record(
      (g) => g.output('out', g.mul(g.input('x', [N], 1, 0), g.input('y', [N], 1, 0))),
      { tensors: { x: wordsFrom(columns['x'], 1), y: wordsFrom(columns['y'], 1) }, indices: {} },
      { ...{ sharing: 'complete', aby3: true, seed: 1, prg: named, kernels: () => kernels }, ...(tap && { tap }) },
    );
    const words = async (tag: string) => {
      const found = messages.find((message) => message.tag === tag && (message.to === party || party === 0));
      return Array.from((await kernels.unpack(found?.bytes as Uint8Array, 1, N)).data, Number);
    };
    // P0 has the secrets: what it must not learn is what P1 and P2 know, and it has no m of the inputs.
    const inputs = party === 0 ? [] : [await words('input-input/0'), await words('input-input/1')];
    const own = KNOWN[party].map((name) => columns[name]);
    return alike([columns['x'], columns['y']], [...inputs, ...own, await words(SENT[party])]);
  }

  it.each([0, 1, 2] as const)('P%i sees the same for every x and y', async (party) => {
    expect(await view(party)).toBe(true);
  });

  it.each([1, 2] as const)('P%i does, also when it deviated', async (party) => {
    const tag = party === 1 ? 'product-12/2' : 'product-20/2';
    const flips: Tap = (from, _to, name, bytes) =>
      from === party && name === tag ? bytes.map((byte, i) => (i % 3 === 0 ? byte ^ 0x25 : byte)) : undefined;
    expect(await view(party, {}, flips)).toBe(true);
  });

  it.each([
    [0, SHARES[2]],
    [1, SHARES[1]],
    [2, SHARES[0]],
  ] as const)('P%i does not where %s, which it lacks, is missing', async (party, share) => {
    expect(await view(party, { [share]: [0] })).toBe(false);
  });
});

describe('shares of zero', () => {
  it('are drawn once for each gate, and P0 has no generator of P1 and P2', async () => {
    const drawn: string[] = [];
    const { engines } = await simulate(
      (g) => {
        const x = g.input('x', [1], 8, 0);
        g.output('out', g.mul(g.mul(x, x), x));
      },
      { tensors: { x: wordsFrom([3], 8) }, indices: {} },
      {
        ...{ sharing: 'complete', aby3: true, seed: 1 },
        prg: (master, execution) => {
          const prg = PairPrg.of(master, execution);
          const take = prg.takeMask.bind(prg);
          prg.takeMask = (id, owner, use) => {
            if (id.purpose === 'share') drawn.push(`${master.join()} ${id.gate}`);
            return take(id, owner, use);
          };
          return prg;
        },
      },
    );
    // Two products, three parties, each under a mask of its own.
    expect(drawn.length).toBe(6);
    expect(new Set(drawn).size).toBe(6);
    expect(engines[0].k12).toBeUndefined();
  });
});

describe('the builder', () => {
  it('has P0 in the rounds behind a kept wire, and has no oblivious transfers', () => {
    const builder = new Aby3Builder('open');
    builder.widen(builder.kept('keys', [2], 20, 0), 44);
    expect(builder.finish().owner?.rounds).toBe(1);
    thrown('ERR_PROTOCOL_UNAVAILABLE', () => new Aby3Builder('open', { widening: 'ot' }));
  });

  it('has P0 in the rounds behind a product, and not before one', () => {
    const ownerOf = (build: (g: Aby3Builder) => void) => {
      const builder = new Aby3Builder('open');
      build(builder);
      return builder.finish().owner;
    };
    const drawn = ownerOf((g) => g.output('out', g.widen(g.input('x', [8], 8, 0), 16)));
    expect(drawn).toMatchObject({ rounds: 0, p0ToP1: 0, p0ToP2: 0, p2ToP0: 0 });
    const square = (g: Aby3Builder) => {
      const x = g.input('x', [8], 8, 0);
      return g.mul(x, x);
    };
    expect(ownerOf((g) => g.output('out', square(g)))).toMatchObject({ rounds: 1, p0ToP1: 8, p0ToP2: 0, p2ToP0: 8 });
    const behind = ownerOf((g) => g.output('out', g.widen(square(g), 16)));
    expect(behind).toMatchObject({ rounds: 2, p0ToP1: 8, p0ToP2: 8, p2ToP0: 8 });
  });
});
