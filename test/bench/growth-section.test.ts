import { describe, expect, it } from 'vitest';
// @ts-expect-error a script's own JavaScript, without types
import { growthSection } from '../../scripts/results-growth.mjs';

const law = (largestError: number) => ({ constant: 1, tokens: 2, tokensSquared: 0, largestError, largestAt: 512 });
const kept = (betweenBytes: number, cpuS: number) => ({
  commit: 'abc',
  command: 'node bench/growth.mjs',
  date: 'today',
  rows: [
    { name: '16 tokens', declared: true, ownerBytes: 2e6, betweenBytes: 3e6, rounds: 7 },
    { name: '16 tokens', cpuS: 1, seconds: 2, ownerBytes: 2e6, betweenBytes: 3e6, peakBytes: 4e6, rounds: 7 },
    { name: 'law by tokens', laws: { betweenBytes: law(betweenBytes), cpuS: law(cpuS) } },
  ],
});

describe('the section on how a run grows', () => {
  it('says of laws that hold that they do', () => {
    const text = growthSection(kept(0.01, 0.1)) as string;
    expect(text).toContain('By tokens as designed, within: P1↔P2 (1.0 %), CPU of all parties (10.0 %).');
    expect(text).not.toContain('**not**');
  });

  it('says where a law does not hold, and why; what was measured once may be further off', () => {
    const text = growthSection(kept(0.1, 0.1)) as string;
    expect(text).toMatch(/\*\*not\*\* as designed: P1↔P2, 10.0 % off at 512 tokens: the maximum .* more bytes\./);
    expect(text).toContain('as designed, within: CPU of all parties (10.0 %)');
  });

  it('shows what circuits declare beside what was measured', () => {
    const text = growthSection(kept(0.01, 0.1)) as string;
    expect(text).toContain('| 16 tokens, declared | – | – | 2.0 MB | 3.0 MB | – | 7 |');
    expect(text).toContain('| 16 tokens | 1.0 s | 2.0 s |');
  });
});
