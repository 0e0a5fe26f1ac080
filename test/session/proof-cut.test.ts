/**
 * Where a proof is cut is the same at all parties, or there is no run (ADR 95): who cuts otherwise is told so by name,
 * and no text goes. The control has the same wrapper around the cut that everybody has.
 */
import { describe, expect, it } from 'vitest';
import type { TercetError } from '../../src/core/errors.ts';
import type { Trait } from '../../src/mpc/protocol/frame/traits.ts';
import type { PartyId } from '../../src/net/wire/types.ts';
import { CUT, PART_OF_SEVERAL } from '../../src/mpc/protocol/malicious/proving/plan.ts';
import { Circuits } from '../../src/session/circuits.ts';
import type { Proving } from '../../src/session/proving.ts';
import { TOY_INPUT, proving, toy, toyAnswer } from './proved-toy.ts';

type Weights = 'open' | 'secret';

/** A party of a version that cuts so. */
function cutting(cut: Trait | undefined): Proving {
  return {
    ...proving,
    builder: (request) => {
      const builder = proving.builder(request);
      const finish = builder.finish.bind(builder);
      return Object.assign(builder, { finish: () => ({ ...finish(), proving: cut }) });
    },
  };
}

/** A session of which one party cuts so, with circuits of its own at every party. */
async function play(weights: Weights, other: PartyId, cut: Trait | undefined) {
  const tags: string[] = [];
  const of = (id: PartyId) => (id === other ? cutting(cut) : proving);
  const { owner, ends } = toy(weights, {
    proving: of(0),
    compute: (id) => ({ proving: of(id), circuits: new Circuits() }),
    tap: (_direction, tag) => void tags.push(tag),
  });
  let logits: readonly number[] | undefined;
  let failed: TercetError | undefined;
  try {
    const session = await owner;
    await session.prepare();
    logits = Array.from((await session.run(TOY_INPUT)).logits);
  } catch (error) {
    failed = error as TercetError;
  }
  return { logits, ended: [failed, ...(await Promise.all(ends))], tags };
}

const PARTIES = [
  ['the owner', 0],
  ['P1', 1],
  ['P2', 2],
] as const;

describe.each(['open', 'secret'] as const)('a session of %s weights', (weights) => {
  it.each(PARTIES)('answers where %s cuts as all others do', async (_who, other) => {
    const { logits, ended, tags } = await play(weights, other, CUT);
    expect(ended).toEqual([undefined, 'answered', 'answered']);
    expect(logits).toEqual(toyAnswer(weights).map(Math.fround));
    expect(tags.some((tag) => tag.startsWith('proof-answer/'))).toBe(true);
  });

  describe.each([
    ['half as much in a segment', ['segments by half-rounds', PART_OF_SEVERAL / 2]],
    ['as versions did whose circuits do not say how', undefined],
  ] as const)('%s', (_how, cut) => {
    it.each(PARTIES)('%s: is refused with ERR_PEER_MISMATCH, and no text goes', async (_who, other) => {
      const { logits, ended, tags } = await play(weights, other, cut);
      expect(logits).toBeUndefined();
      // Who compares is a compute party, with what the owner built.
      const odd = other === 0 ? [1, 2] : [other];
      for (const id of odd)
        expect(ended[id]).toMatchObject({
          code: 'ERR_PEER_MISMATCH',
          message: expect.stringContaining('another circuit') as string,
        });
      // Another may see no more than that it leaves.
      expect(ended).not.toContain('answered');
      expect(ended[0]).toMatchObject({ kind: 'peer' });
      // The owner may have dealt already, which is of no text. Nothing that follows on one is sent.
      expect(tags.filter((tag) => !/^(control|binding|proof-anchor)\/|-deal\//.test(tag))).toEqual([]);
    });
  });
});
