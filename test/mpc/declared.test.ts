/**
 * Costs that docstrings and docs/ARCHITECTURE.md state in numbers, and components that exist only once their
 * message came.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { TercetError } from '../../src/core/errors.ts';
import { PairPrg } from '../../src/mpc/prg/prg.ts';
import { CircuitBuilder } from '../../src/mpc/protocol/semi-honest/circuit.ts';
import { Engine } from '../../src/mpc/protocol/frame/engine.ts';
import type { Gates } from '../../src/mpc/protocol/types.ts';
import { type GeluRange, secureGelu, secureRelu, secureTanh } from '../../src/mpc/secure/activation.ts';
import { attend, attentionKeys, attentionValues } from '../../src/mpc/secure/attention.ts';
import { isNegative, select } from '../../src/mpc/secure/compare.ts';
import { normalise, normaliseCentred } from '../../src/mpc/secure/normalise.ts';
import type { Component } from '../../src/mpc/share/wire.ts';
import type { PartyId } from '../../src/net/wire/types.ts';
import { thrown } from '../failure.ts';
import { noParameters } from '../support/simulate.ts';

function costOf(build: (gates: Gates) => void) {
  const builder = new CircuitBuilder('open');
  build(builder);
  return builder.finish().cost;
}

const widened = (gates: Gates) => gates.widen(gates.input('x', [1, 768], 48, 32), 64);

const heads = (gates: Gates, T: number) => {
  const [k, v] = [gates.input('k', [1, T, 64], 64, 32), gates.input('v', [1, T, 64], 64, 32)];
  attend(gates, gates.input('q', [1, 1, 64], 64, 32), attentionKeys(gates, k), attentionValues(gates, v), 8);
};

describe('declared costs', () => {
  it.each<[string, number, (gates: Gates) => unknown]>([
    ['narrow GeLU', 1, (g) => secureGelu(g, g.input('x', [8], 64, 32), 'narrow')],
    ['wide GeLU', 2, (g) => secureGelu(g, g.input('x', [8], 64, 32), 'wide')],
    ['ReLU', 3, (g) => secureRelu(g, g.input('x', [8], 64, 32))],
    ['tanh', 3, (g) => secureTanh(g, g.input('x', [8], 64, 32))],
    ['LayerNorm', 4, (g) => normalise(g, g.input('x', [1, 768], 64, 32), 1e-12, 'normal')],
    ['LayerNorm behind a widening', 5, (g) => normalise(g, widened(g), 1e-12, 'normal')],
    ['LayerNorm of centred rows behind a widening', 4, (g) => normaliseCentred(g, widened(g), 1e-12, 'normal')],
    ['attention over 128 positions', 12, (g) => heads(g, 128)],
    ['the sign of 25 bits', 2, (g) => isNegative(g, g.input('x', [8], 25, 0))],
    ['a selection', 1, (g) => select(g, g.input('b', [8], 1, 0), g.input('x', [8], 64, 0), g.input('y', [8], 64, 0))],
  ])('%s takes %i rounds', (_name, rounds, build) => {
    expect(costOf((gates) => void build(gates)).rounds).toBe(rounds);
  });

  const x = (g: Gates) => g.input('x', [8], 64, 32);
  const gelu = (range: GeluRange) =>
    (['gelu', 'gelu_new'] as const).map((form) => (g: Gates) => secureGelu(g, x(g), range, form));

  it.each([
    ['GeLU narrow', [8, 63.5, 63.5], gelu('narrow')],
    ['GeLU wide', [8.25, 94.5, 95.5], gelu('wide')],
    ['GeLU far', [8.25, 148.5, 149.5], gelu('far')],
    ['tanh', [15.125, 2469], [(g: Gates) => secureTanh(g, x(g))]],
    ['ReLU', [8.75, 192], [(g: Gates) => secureRelu(g, x(g))]],
  ] as const)(
    '%s: bytes of P0, and of P1 in each form, an element, as docs/PROTOCOL.md says',
    (name, bytes, builds) => {
      const costs = builds.map((build) => costOf((g) => void build(g)));
      for (const { p0ToP1Ahead, p0ToP2Ahead } of costs) expect((p0ToP1Ahead + p0ToP2Ahead) / 8).toBe(bytes[0]);
      expect(costs.map(({ p1ToP2 }) => p1ToP2 / 8)).toEqual(bytes.slice(1));
      const row = readFileSync('docs/PROTOCOL.md', 'utf8')
        .split('\n')
        .find((line) => line.startsWith(`| ${name} |`));
      // Cells: name, domain (whose bars are escaped), error, rounds, bytes of P0, bytes of P1.
      const [rounds, p0, p1] = (row ?? '').split(/(?<!\\)\|/).slice(4, 7);
      expect([rounds, p0].map(Number)).toEqual([costs[0].rounds, bytes[0]]);
      expect([...new Set(p1.match(/\d[\d.]*/g))].map(Number)).toEqual([...new Set(bytes.slice(1))]);
    },
  );

  it('the sign of 25 bits: 6 bits of P0 and 168 bytes from P1 to P2 an element', () => {
    const cost = costOf((g) => void isNegative(g, g.input('x', [8], 25, 0)));
    expect([(8 * cost.p0ToP2Ahead) / 8, cost.p1ToP2 / 8]).toEqual([6, 168]);
  });

  it.each([
    [48, 24],
    [64, 26],
    [64, 38],
    [32, 8],
  ])('a product and a choice in Z_2^%i that drop %i: words of the difference, of P0 and back to P1', (k, drop) => {
    const word = (k - drop) / 8;
    const x = (g: Gates, name: string) => g.input(name, [8], k, 0);
    const product = costOf((g) => void g.mul(x(g, 'x'), x(g, 'y'), { drop }));
    expect([product.p0ToP2Ahead / 8, product.p2ToP1 / 8]).toEqual([word, word]);
    const pick = Uint8Array.of(0, 255);
    const choice = costOf((g) => void g.choose([g.input('b', [8], 1, 0)], [x(g, 'x')], pick, { drop }));
    // The table is of the long ring.
    expect([choice.p0ToP2Ahead / 8, choice.p1ToP2 / 8, choice.p2ToP1 / 8]).toEqual([word, (4 * k) / 8, word]);
  });

  it('a drop that leaves no bit, or is none, is refused while building', () => {
    for (const drop of [32, 33, -1, 1.5, Number.NaN]) {
      const mul = () => costOf((g) => void g.mul(g.input('x', [2], 32, 0), g.input('y', [2], 32, 0), { drop }));
      expect(thrown('ERR_INTERNAL', mul).message).toContain('drop');
    }
  });

  it('a raised choice of values over Z_2^21: words of 21 bits, and one of 35 of P0', () => {
    const cost = costOf((g) => {
      const [b, x] = [g.input('b', [8], 1, 0), g.input('x', [8], 35, 0)];
      const narrow = g.reduce(x, 21);
      g.chooseSum([
        { bits: [b], values: [narrow], pick: Uint8Array.of(255, 0), raise: 14 },
        { bits: [b], values: [x], pick: Uint8Array.of(0, 255) },
      ]);
    });
    expect([cost.p0ToP2Ahead, cost.p1ToP2, cost.p2ToP1]).toEqual([35, 2 * 2 * 21 + 2 * 2 * 35, 35]);
  });

  it.each([8, 16, 20, 26, 38])('a truncation by %i bits: that many bits of P0', (s) => {
    expect(costOf((g) => void g.truncate(g.input('x', [8], 64, 0), s)).p0ToP2Ahead).toBe(s);
  });
});

describe('a gate whose masks do not fit one key stream', () => {
  // 2^38 bytes: 2^35 words of 64 bits, or the tables of 2^29 selections of 16 entries of 4 words of 64 bits.
  const polynomial = {
    segments: 16,
    degree: 3 as const,
    t: 6,
    s1: 8,
    s2: 8,
    guard: 2,
    coefficients: new BigInt64Array(64),
  };
  it.each<[string, number, (gates: Gates, count: number) => unknown]>([
    ['a tensor', 2 ** 35, (g, count) => g.input('x', [count], 64, 0)],
    ['a piecewise polynomial', 2 ** 29, (g, count) => g.polynomial(g.input('x', [count], 10, 0), polynomial, 64)],
    ['a table of bits', 2 ** 34, (g, count) => g.borrow(g.input('x', [count], 7, 0), 0, 7, 'less')],
    ['a product', 2 ** 35, (g, count) => g.mul(g.input('x', [count], 64, 0), g.input('y', [count], 64, 0))],
  ])('is refused with ERR_SHAPE while building: %s of more than %i elements', (_name, most, build) => {
    expect(() => build(new CircuitBuilder('open'), most)).not.toThrow();
    expect(thrown('ERR_SHAPE', () => build(new CircuitBuilder('open'), most + 1)).message).toContain('2^38 bytes');
  });
});

describe('a component that no message has brought', () => {
  const builder = new CircuitBuilder('open');
  const input = builder.input('x', [4], 64, 0);
  const product = builder.mul(input, input);
  const circuit = builder.finish();
  const execution = { session: new Uint8Array(16), number: 0, step: 0, branch: 0 };
  const party = (id: PartyId) =>
    new Engine({
      id,
      circuit,
      kernels: new ReferenceKernels(),
      parameters: noParameters,
      channels: new Map(),
      ...(id === 2 ? {} : { k01: PairPrg.of(new Uint8Array(32).fill(1), execution) }),
      ...(id === 1 ? {} : { k02: PairPrg.of(new Uint8Array(32).fill(2), execution) }),
    });

  it.each<[PartyId, Component]>([
    [0, 'l1'],
    [1, 'a'],
    [2, 'y'],
  ])('is an error at P%i for "%s", never another mask in its place', async (id, component) => {
    for (const wire of [input, product]) {
      const error = await party(id)
        .value(wire, component)
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(TercetError);
      expect((error as TercetError).code).toBe('ERR_INTERNAL');
    }
  });

  it('is another matter for λ2, which P0 and P2 derive alike: the control', async () => {
    for (const wire of [input, product])
      expect(await party(0).value(wire, 'l2')).toEqual(await party(2).value(wire, 'l2'));
  });
});

describe('a wiped generator', () => {
  it('draws nothing more, not even with a key of zeros; before, it does', () => {
    const prg = PairPrg.of(new Uint8Array(32).fill(1), { session: new Uint8Array(16), number: 0, step: 0, branch: 0 });
    const id = { gate: 1, purpose: 'mask2', table: 0, direction: 0 } as const;
    const owner = {};
    expect(prg.claim(id, owner, 'λ2').nonce).toHaveLength(12);
    prg.wipe();
    for (const draw of [() => prg.claim(id, owner, 'λ2'), () => prg.takeMask({ ...id, gate: 2 }, owner, 'λ2')]) {
      expect(draw).toThrow(expect.objectContaining({ code: 'ERR_STATE' }));
    }
  });
});
