/**
 * The circuit's hash tells every two circuits apart that could give different answers: one line for each public
 * parameter of each kind of node.
 */
import { describe, expect, it } from 'vitest';
import type { CosineSum } from '../../src/compute/kernels/types.ts';
import { strided } from '../../src/compute/pattern.ts';
import { CompleteBuilder } from '../../src/mpc/protocol/malicious/circuit.ts';
import { PART_OF_SEVERAL } from '../../src/mpc/protocol/malicious/proving/plan.ts';
import { CircuitBuilder } from '../../src/mpc/protocol/semi-honest/circuit.ts';
import { fingerprint } from '../../src/mpc/protocol/frame/fingerprint.ts';
import { type Trait, TraitWriter } from '../../src/mpc/protocol/frame/traits.ts';
import { toHex } from '../../src/core/bytes.ts';
import type { Choosing, Gates, Parameter } from '../../src/mpc/protocol/types.ts';
import type { Wire } from '../../src/mpc/share/wire.ts';

const hashOf = (build: (g: Gates) => unknown, weights: 'open' | 'secret' = 'open') => {
  const builder = new CircuitBuilder(weights);
  build(builder);
  return fingerprint(builder.finish());
};

const x = (g: Gates, k = 64, count = 4, scale = 0) => g.input('x', [count], k, scale);
const bit = (g: Gates) => g.input('b', [4], 1, 0);
const W: Parameter = { name: 'w', rows: 2, cols: 2, scale: 3 };
const ENTRIES = Array.from({ length: 16 }, (_, i) => BigInt(i * i));
const CUBIC = {
  segments: 16,
  degree: 3 as const,
  t: 6,
  s1: 8,
  s2: 8,
  guard: 2,
  coefficients: BigInt64Array.from({ length: 64 }, (_, i) => BigInt(i)),
};
const COSINES: CosineSum = {
  odd: false,
  linear: false,
  scale: 24,
  shift: 0,
  constant: 0n,
  terms: [{ frequency: 8, amplitude: 1, s1: 13, s2: 10 }],
};
const matrix = (g: Gates) => g.input('m', [1, 2], 64, 0);

const chosen = (g: Gates, values: readonly Wire[], ...pick: number[]): Choosing => ({
  bits: [bit(g)],
  values,
  pick: Uint8Array.from(pick),
});

/** Two choices of two bits and two values, each bit with the value of its own or with the other. */
const twoChoices = (g: Gates, swapped: 0 | 1) => {
  const bits = [bit(g), bit(g)];
  const values = [x(g, 8), x(g, 8)];
  const pick = Uint8Array.of(0, 255);
  return g.chooseSum([0, 1].map((i) => ({ bits: [bits[i]], values: [values[i ^ swapped]], pick })));
};

/** Two values and three bits, of which the first value has so many. */
const gatedValues = (g: Gates, first: number) => {
  const bits = [bit(g), bit(g), bit(g)];
  return g.gatedSum?.([
    { bits: bits.slice(0, first), value: x(g, 8) },
    { bits: bits.slice(first), value: x(g, 8) },
  ]);
};

const NIBBLES = { bits: 4, entries: Array.from({ length: 16 }, (_, i) => BigInt(i & 1)) };

/** What a node is given, and the same with one thing changed. */
const PAIRS: readonly [string, (g: Gates) => unknown, (g: Gates) => unknown][] = [
  ['the name of an input', (g) => g.input('x', [4], 64, 0), (g) => g.input('y', [4], 64, 0)],
  ['the name of an output', (g) => g.output('o', x(g)), (g) => g.output('p', x(g))],
  [
    'the operand of an output',
    (g) => [x(g), g.output('o', g.input('y', [4], 64, 0))],
    (g) => [g.output('o', x(g)), g.input('y', [4], 64, 0)],
  ],
  ['the scale of an input', (g) => x(g, 64, 4, 0), (g) => x(g, 64, 4, 1)],
  ['which operation', (g) => g.add(x(g), g.input('y', [4], 64, 0)), (g) => g.sub(x(g), g.input('y', [4], 64, 0))],
  ['the order of a difference', ...orders()],
  ['a public factor', (g) => g.scale(x(g), 3n), (g) => g.scale(x(g), 4n)],
  ['the scale of a multiple', (g) => g.scale(x(g), 3n, 1), (g) => g.scale(x(g), 3n, 2)],
  ['a public constant', (g) => g.offset(x(g), 1n), (g) => g.offset(x(g), 7n)],
  ['its sign', (g) => g.offset(x(g), 1n), (g) => g.offset(x(g), -1n)],
  ['the ring of a reduction', (g) => g.reduce(x(g), 8), (g) => g.reduce(x(g), 9)],
  ['the bits of a raise', (g) => g.raise(x(g), 2, 10), (g) => g.raise(x(g), 3, 10)],
  ['the bits of a shift', (g) => g.shift(x(g), 2), (g) => g.shift(x(g), 3)],
  ['the bits of a coarser unit', (g) => g.coarsen(g.lift(x(g)), 2), (g) => g.coarsen(g.lift(x(g)), 3)],
  ['the ring of a widening', (g) => g.widen(x(g, 8), 16), (g) => g.widen(x(g, 8), 17)],
  [
    'where an additive wire is masked',
    (g) => g.shift(g.reshare(g.widen(x(g, 8), 16)), 1),
    (g) => g.reshare(g.shift(g.widen(x(g, 8), 16), 1)),
  ],
  ['the columns of a sum', (g) => g.sumRows(g.reshape(x(g), [2, 2])), (g) => g.sumRows(g.reshape(x(g), [1, 4]))],
  ['the columns of a repeat', (g) => g.repeat(x(g), 2), (g) => g.repeat(x(g), 3)],
  ['the scale of means', (g) => g.means(x(g), 2), (g) => g.means(x(g), 3)],
  ['the places of means', (g) => g.means(g.reshape(x(g), [2, 2]), 2), (g) => g.means(g.reshape(x(g), [1, 4]), 2)],
  ['the shape of a view', (g) => g.reshape(x(g), [2, 2]), (g) => g.reshape(x(g), [1, 4])],
  ['the scale of a view', (g) => g.reshape(x(g), [4], 1), (g) => g.reshape(x(g), [4], 2)],
  [
    'the places of a gather',
    (g) => g.gather(x(g), strided(0, [2, 1]), [2]),
    (g) => g.gather(x(g), strided(0, [2, 2]), [2]),
  ],
  ['the order of parts', ...orders((g, a, b) => g.concat([a, b]))],
  [
    'the name of an added parameter',
    (g) => g.addParameter(x(g, 64, 2, 3), W),
    (g) => g.addParameter(x(g, 64, 2, 3), { ...W, name: 'v' }),
  ],
  ['the name of a kept wire', (g) => g.kept('a', [4], 64, 0), (g) => g.kept('b', [4], 64, 0)],
  ['what is kept', (g) => g.keep('a', g.lift(x(g))), (g) => g.keep('b', g.lift(x(g)))],
  [
    'the name of a weight',
    (g) => g.affine([{ x: matrix(g), weight: W }]),
    (g) => g.affine([{ x: matrix(g), weight: { ...W, name: 'v' } }]),
  ],
  [
    'the scale of a weight',
    (g) => g.affine([{ x: matrix(g), weight: W }]),
    (g) => g.affine([{ x: matrix(g), weight: { ...W, scale: 4 } }]),
  ],
  [
    'a diagonal',
    (g) => g.affine([{ x: matrix(g), weight: W }]),
    (g) => g.affine([{ x: matrix(g), weight: W, diagonal: true }]),
  ],
  [
    'a bias',
    (g) => g.affine([{ x: matrix(g), weight: W }]),
    (g) => g.affine([{ x: matrix(g), weight: W }], { ...W, name: 'bias', rows: 1 }),
  ],
  ['a looked-up table', (g) => g.lookup('t', W, 1), (g) => g.lookup('t', { ...W, name: 'v' }, 1)],
  ['its rows', (g) => g.lookup('t', W, 1), (g) => g.lookup('t', { ...W, rows: 3 }, 1)],
  ['its input', (g) => g.lookup('t', W, 1), (g) => g.lookup('u', W, 1)],
  ['a transposed product', ...products()],
  [
    'the entries of a table',
    (g) => g.table(x(g, 4), { bits: 4, entries: ENTRIES }, 8),
    (g) => g.table(x(g, 4), { bits: 4, entries: ENTRIES.with(7, 1n) }, 8),
  ],
  [
    'the ring of a table',
    (g) => g.table(x(g, 4), { bits: 4, entries: ENTRIES }, 8),
    (g) => g.table(x(g, 4), { bits: 4, entries: ENTRIES }, 16),
  ],
  [
    'a coefficient',
    (g) => g.polynomial(x(g, 10), CUBIC, 32),
    (g) => g.polynomial(x(g, 10), { ...CUBIC, coefficients: CUBIC.coefficients.with(63, 9n) }, 32),
  ],
  [
    'the guard bits',
    (g) => g.polynomial(x(g, 10), CUBIC, 32),
    (g) => g.polynomial(x(g, 10), { ...CUBIC, guard: 3 }, 32),
  ],
  [
    'the two scales of a polynomial',
    (g) => g.polynomial(x(g, 10), CUBIC, 32),
    (g) => g.polynomial(x(g, 10), { ...CUBIC, s1: 9, s2: 7 }, 32),
  ],
  [
    'an amplitude of a sum of cosines',
    (g) => g.cosines([{ x: x(g, 22), sum: COSINES }], 32),
    (g) => g.cosines([{ x: x(g, 22), sum: { ...COSINES, terms: [{ ...COSINES.terms[0], amplitude: 2 }] } }], 32),
  ],
  [
    'sines for cosines',
    (g) => g.cosines([{ x: x(g, 22), sum: COSINES }], 32),
    (g) => g.cosines([{ x: x(g, 22), sum: { ...COSINES, odd: true } }], 32),
  ],
  [
    'the gate of a sum of cosines',
    (g) => [bit(g), g.cosines([{ x: x(g, 22), sum: COSINES }], 32)],
    (g) => {
      const gate = bit(g);
      g.cosines([{ x: x(g, 22), sum: COSINES, gate }], 32);
    },
  ],
  [
    'the segments of an exponential',
    (g) => g.exponential(x(g, 25), bit(g), 17, 17),
    (g) => g.exponential(x(g, 25), bit(g), 17, 17, { width: 8 }),
  ],
  [
    'the ring of an exponential',
    (g) => g.exponential(x(g, 25), bit(g), 17, 17),
    (g) => g.exponential(x(g, 25), bit(g), 17, 17, { k: 40 }),
  ],
  [
    'those of an exponential',
    (g) => g.exponential(x(g, 25), bit(g), 17, 17),
    (g) => g.exponential(x(g, 25), bit(g), 18, 16),
  ],
  ['what a product drops', (g) => g.mul(x(g), x(g)), (g) => g.mul(x(g), x(g), { drop: 8 })],
  ['what a matrix product drops', ...drops()],
  [
    'what a cubic drops',
    (g) => g.polynomial(x(g, 10), CUBIC, 32),
    (g) => g.polynomial(x(g, 10), CUBIC, 32, { drop: 4 }),
  ],
  [
    'what an exponential drops',
    (g) => g.exponential(x(g, 25), bit(g), 17, 17, { drop: 1 }),
    (g) => g.exponential(x(g, 25), bit(g), 17, 17, { drop: 2 }),
  ],
  [
    'what a choice drops',
    (g) => g.choose([bit(g)], [x(g, 8)], Uint8Array.of(0, 255)),
    (g) => g.choose([bit(g)], [x(g, 8)], Uint8Array.of(0, 255), { drop: 1 }),
  ],
  ['a joint table', (g) => g.jointTable([bit(g)], [0n, 1n], 8), (g) => g.jointTable([bit(g)], [1n, 0n], 8)],
  ['the ring of a sign', (g) => g.sign(g.input('x', [2], 8, 0)), (g) => g.sign(g.input('x', [2], 9, 0))],
  [
    'the bits of a segment',
    (g) => g.segment(g.input('x', [2], 8, 0), 4, NIBBLES, 1),
    (g) => g.segment(g.input('x', [2], 9, 0), 5, NIBBLES, 1),
  ],
  ['where a borrow begins', (g) => g.borrow(x(g, 8), 0, 4, 'less'), (g) => g.borrow(x(g, 8), 4, 4, 'less')],
  ['its bits', (g) => g.borrow(x(g, 8), 0, 4, 'less'), (g) => g.borrow(x(g, 8), 0, 3, 'less')],
  ['its leaf', (g) => g.borrow(x(g, 8), 0, 4, 'less'), (g) => g.borrow(x(g, 8), 0, 4, 'equal')],
  [
    'what a choice picks',
    (g) => g.choose([bit(g)], [x(g, 8)], Uint8Array.of(0, 255)),
    (g) => g.choose([bit(g)], [x(g, 8)], Uint8Array.of(255, 0)),
  ],
  ['which bit goes with which value of a sum', (g) => twoChoices(g, 0), (g) => twoChoices(g, 1)],
  ['which bits let which value of a sum through', (g) => gatedValues(g, 1), (g) => gatedValues(g, 2)],
  [
    'the order of what a sum of choices picks',
    (g) => g.chooseSum([chosen(g, [x(g, 8)], 0, 255), chosen(g, [x(g, 8)], 255, 0)]),
    (g) => g.chooseSum([chosen(g, [x(g, 8)], 255, 0), chosen(g, [x(g, 8)], 0, 255)]),
  ],
];

function orders(
  of: (g: Gates, a: ReturnType<Gates['input']>, b: ReturnType<Gates['input']>) => unknown = (g, a, b) => g.sub(a, b),
) {
  const both = (g: Gates) => [x(g), g.input('y', [4], 64, 0)] as const;
  return [
    (g: Gates) => {
      const [a, b] = both(g);
      return of(g, a, b);
    },
    (g: Gates) => {
      const [a, b] = both(g);
      return of(g, b, a);
    },
  ] as const;
}

function products() {
  const of = (transposed: boolean) => (g: Gates) =>
    g.matmul(g.input('x', [1, 2, 2], 64, 0), g.input('y', [1, 2, 2], 64, 0), { transposed });
  return [of(false), of(true)] as const;
}

function drops() {
  const of = (drop: number) => (g: Gates) =>
    g.matmul(g.input('x', [1, 2, 2], 64, 0), g.input('y', [1, 2, 2], 64, 0), { drop });
  return [of(3), of(4)] as const;
}

/** Methods of a builder that build no node, and those that only its own gates call. */
const NO_NODE = ['constructor', 'finish', 'section', 'zerosOf'].concat([
  'place',
  'local',
  'gate',
  'register',
  'at',
  'uses',
  'sourceOf',
  'shownBy',
  'opens',
  'select',
  'affineGate',
  // What a circuit has of the one before.
  'block',
  'follow',
  'note',
  'reuses',
  'knownOf',
  'gateBefore',
]);

/** Of a class and of what it extends. */
function methodsOf(prototype: object): string[] {
  if (prototype === Object.prototype) return [];
  return [...Object.getOwnPropertyNames(prototype), ...methodsOf(Object.getPrototypeOf(prototype) as object)];
}

describe('the hash of a circuit', () => {
  it.each(PAIRS)('tells circuits apart by %s', (_name, one, other) => {
    expect(hashOf(other)).not.toBe(hashOf(one));
    // The same circuit built again has the same hash: only the change is seen.
    expect(hashOf(one)).toBe(hashOf(one));
    expect(hashOf(other)).toBe(hashOf(other));
  });

  it('is tried for every method that builds a node', () => {
    const called = new Set<string>();
    const watched = () =>
      new Proxy(new CircuitBuilder('open'), {
        get: (target, name) => {
          called.add(String(name));
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    for (const [, one] of PAIRS) one(watched());
    const methods = methodsOf(CircuitBuilder.prototype).filter((name) => !NO_NODE.includes(name));
    // A truncation is a shift and a widening; products are those of `mul` and `matmul`.
    expect(methods.filter((name) => !called.has(name))).toEqual(['product', 'truncate']);
    expect(hashOf((g) => g.mul(x(g), x(g)))).not.toBe(hashOf((g) => g.add(x(g), x(g))));
  });

  it('tells open from secret weights', () => {
    const build = (g: Gates) => g.add(x(g), x(g));
    expect(hashOf(build, 'secret')).not.toBe(hashOf(build, 'open'));
  });

  const written = (...traits: readonly Trait[]): string => {
    const writer = new TraitWriter();
    for (const trait of traits) writer.write(trait);
    return toHex(writer.take());
  };

  it('writes every value as bytes of its own, none the beginning of another', () => {
    const values = [
      ...[1, '1', 1n, true, 'true', false, undefined, 'undefined', [1], ['1'], [[1]], [1, 2], ['1,2']],
      ...[{}, { a: 1 }, { a: 1n }, { b: 1 }, [], '', 0, 0n, -1, 127, 128, 255, 256, 2 ** 31, -(2 ** 31), 0.5],
      ...[Number.NaN, 2 ** 53, -1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, '18446744073709551616'],
      ...['Σ', 'Σ2', 'a\u0300', '\u00e0', '\ud800', '\ufffd', 'x'.repeat(300), 'x'.repeat(301)],
    ];
    const tables = [
      ...[Uint8Array.of(), Uint8Array.of(1), Uint8Array.of(1, 0, 0, 0), Uint32Array.of(1), Int32Array.of(1)],
      ...[BigUint64Array.of(1n), BigInt64Array.of(1n), new Uint8Array(255), new Uint8Array(256), new Uint8Array(257)],
      ...[new Uint8Array(300).fill(1, 299), new Uint32Array(64)],
    ];
    const all = [...values, ...tables].map((value) => written(value));
    expect(new Set(all).size).toBe(all.length);
    for (const [i, one] of all.entries())
      for (const [j, other] of all.entries()) expect(i !== j && other.startsWith(one), `${i} ${j}`).toBe(false);
    // The order in which a property was written does not matter, nor one that is not there.
    expect(written({ b: 2, a: 1, c: undefined })).toBe(written({ a: 1, b: 2 }));
    // One writer for many, and one that has grown.
    expect(written(...values)).toBe(values.map((value) => written(value)).join(''));
  });

  it('covers what is in a block, and where a block is', () => {
    const within = (inner: (g: Gates, a: Wire) => Wire, before = 0) =>
      hashOf((g) => {
        let a = x(g);
        for (let i = 0; i < before; i++) a = g.add(a, a);
        const [b] = g.block('one', [a], () => [g.add(inner(g, a), a)]);
        for (let i = before; i < 2; i++) a = g.add(a, a);
        g.output('b', b);
      });
    const bare = hashOf((g) => {
      const a = x(g);
      const b = g.add(g.scale(a, 3n), a);
      g.output('b', g.add(g.add(b, b), b));
    });
    const hashes = [
      within((g, a) => g.scale(a, 3n)),
      within((g, a) => g.scale(a, 4n)),
      within((g, a) => g.lift(a)),
      within((g, a) => g.scale(a, 3n), 1),
      within((g, a) => g.scale(a, 3n), 2),
      bare,
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(within((g, a) => g.scale(a, 3n))).toBe(hashes[0]);
  });

  it('covers what is proved of an input', () => {
    const forms = [undefined, 'bits', 'units'] as const;
    const hashes = forms.map((form) => {
      const builder = new CompleteBuilder('secret');
      builder.output('b', builder.input('x', [2, 2], 64, 0, form));
      return fingerprint(builder.finish());
    });
    expect(new Set(hashes).size).toBe(forms.length);
  });

  it('covers where proofs are cut: a party that cuts otherwise built another circuit', () => {
    const builder = new CompleteBuilder('open');
    builder.output('b', builder.input('x', [4], 64, 0));
    const circuit = builder.finish();
    const cuts = [circuit.proving, ['segments by half-rounds', PART_OF_SEVERAL / 2], undefined];
    const hashes = cuts.map((proving) => fingerprint({ ...circuit, proving }));
    expect(new Set(hashes).size).toBe(3);
    expect(fingerprint(circuit)).toBe(hashes[0]);
  });
});
