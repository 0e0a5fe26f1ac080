/** Patterns against the lists that they stand for, each written out here as a formula of the position. */
import { describe, expect, it } from 'vitest';
import {
  type Pattern,
  Lists,
  listOf,
  patternCount,
  patternReach,
  strided,
  triangle,
} from '../../src/compute/pattern.ts';
import { Lru } from '../../src/core/lru.ts';

/** Every pattern, and the place that its word i comes from. */
function cases(): [string, Pattern, (i: number) => number][] {
  const [B, H, T, D] = [3, 2, 5, 4];
  const C = H * D;
  // Packed places of the words on and below the diagonals of B squares, by position.
  const inside = new Map<number, number>();
  for (let i = 0; i < B * T * T; i++) if (i % T <= Math.floor(i / T) % T) inside.set(i, inside.size);
  const packed = [...inside.keys()];
  return [
    ['one word', strided(7), () => 7],
    ['nothing', strided(3, [0, 1]), () => Number.NaN],
    [
      'head split',
      strided(0, [B, T * C], [H, D], [T, C], [D, 1]),
      (i) => {
        const [b, h, t, d] = [Math.floor(i / (H * T * D)), Math.floor(i / (T * D)) % H, Math.floor(i / D) % T, i % D];
        return (b * T + t) * C + h * D + d;
      },
    ],
    [
      'head merge',
      strided(0, [B, H * T * D], [T, D], [H, T * D], [D, 1]),
      (i) => {
        const [b, t, h, d] = [Math.floor(i / (T * C)), Math.floor(i / C) % T, Math.floor(i / D) % H, i % D];
        return ((b * H + h) * T + t) * D + d;
      },
    ],
    ['columns', strided(2, [B, T], [3, 1]), (i) => Math.floor(i / 3) * T + 2 + (i % 3)],
    ['rows repeated', strided(0, [B, T], [4, 0], [T, 1]), (i) => Math.floor(Math.floor(i / T) / 4) * T + (i % T)],
    ['first column repeated', strided(0, [B, T], [T, 0]), (i) => i - (i % T)],
    ['triangle, clamped', triangle('clamp', B, T), (i) => (inside.has(i) ? i : i - (i % T))],
    ['triangle, packed', triangle('pack', B, T), (i) => packed[i]],
    ['triangle, spread', triangle('spread', B, T), (i) => inside.get(i) ?? inside.size],
    ['triangle of one word', triangle('spread', B, 1), (i) => i],
  ];
}

describe('a pattern', () => {
  it.each(cases())('%s: its list, its length and its reach', (_name, pattern, place) => {
    const list = listOf(pattern);
    expect(list.length).toBe(patternCount(pattern));
    expect([...list]).toEqual(Array.from(list, (_, i) => place(i)));
    expect(patternReach(pattern)).toBe(list.length === 0 ? 0 : Math.max(...list) + 1);
  });

  it('of one shape has one list, and lists that do not fit are written anew', () => {
    const lists = new Lists();
    const pattern = strided(0, [1000, 3], [2, 1]);
    // Compared by identity: a matcher would compare millions of words to say more.
    const same = (one: Pattern, other: Pattern) => lists.of(one) === lists.of(other);
    expect(same(pattern, { ...pattern })).toBe(true);
    expect(same(pattern, strided(0, [1000, 3], [2, 2]))).toBe(false);
    const large = strided(0, [9_000_000, 1]);
    expect(same(large, large)).toBe(false);
    // Control: the small one is still there.
    expect(same(pattern, pattern)).toBe(true);
  });
});

describe('a bounded cache', () => {
  it('lets go of what was not asked for longest, and never holds more than its limit', () => {
    const cache = new Lru<string>(10);
    cache.set('a', 'A', 4);
    cache.set('b', 'B', 4);
    expect(cache.get('a')).toBe('A');
    cache.set('c', 'C', 4);
    expect([cache.get('a'), cache.get('b'), cache.get('c'), cache.weight, cache.size]).toEqual([
      'A',
      undefined,
      'C',
      8,
      2,
    ]);
    cache.set('a', 'A2', 6);
    expect([cache.get('a'), cache.weight]).toEqual(['A2', 10]);
    cache.set('huge', 'H', 11);
    expect([cache.get('huge'), cache.weight]).toEqual([undefined, 10]);
    cache.delete('a');
    expect([cache.weight, cache.size]).toEqual([4, 1]);
  });
});
