import { describe, expect, it } from 'vitest';
// @ts-expect-error a benchmark's own JavaScript, without types
import { fitted } from '../../bench/least-squares.mjs';

const TERMS = { constant: () => 1, tokens: (t: number) => t, tokensSquared: (t: number) => t * t };
const law = (t: number) => 5 + 3 * t + 0.01 * t * t;

describe('a law fitted to how a run grows', () => {
  it('is found again where the points follow it', () => {
    const points = [16, 32, 64, 128, 256].map((t) => [t, law(t)]);
    const { largestError, largestAt: _, ...coefficients } = fitted(points, TERMS);
    expect(coefficients).toEqual({ constant: 5, tokens: 3, tokensSquared: 0.01 });
    expect(largestError).toBeLessThan(1e-12);
  });

  it('says by how much a point is off, and which', () => {
    const points = [16, 32, 64, 128, 256].map((t) => [t, t === 256 ? 1.2 * law(t) : law(t)]);
    const found = fitted(points, { constant: () => 1, tokens: (t: number) => t });
    expect(found.largestError).toBeGreaterThan(0.05);
    expect(found.largestAt).toBe(256);
  });
});
