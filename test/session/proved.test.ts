import { describe, expect, it } from 'vitest';
import { TOY_INPUT, toy, toyAnswer } from './proved-toy.ts';

describe.each(['open', 'secret'] as const)('a proved session, %s weights', (weights) => {
  it('answers', async () => {
    const { owner, ends, sent } = toy(weights);
    const session = await owner;
    await session.prepare();
    const { logits } = await session.run(TOY_INPUT);
    expect(Array.from(logits)).toEqual(toyAnswer(weights).map(Math.fround));
    expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
  });
});
