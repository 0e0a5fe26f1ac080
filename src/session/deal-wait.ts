/** How long a compute party waits for what an owner or its dealer makes: what is dealt, and the owner's own proof. */
import type { Circuit } from '../mpc/protocol/frame/circuit.ts';
import type { Channel } from '../net/wire/types.ts';
import { type Patience, inTime, msFor, tooSlow } from './place.ts';
import type { Walk } from './proving.ts';

/**
 * Longest wait for the owner's own proof, which comes behind the rounds and before the answer: as long as for what it
 * is about, which is all that the owner dealt and sent.
 */
export function provingMs({ gates, cost, owner }: Circuit, patience: Patience): number {
  if (!gates.some(({ relations }) => relations?.some(({ prover }) => prover === 0))) return 0;
  const { p0ToP1Ahead, p0ToP2Ahead } = cost;
  const inRounds = owner === undefined ? 0 : owner.p0ToP1 + owner.p0ToP2;
  return patience.dealMs + msFor(p0ToP1Ahead + p0ToP2Ahead + inRounds, patience);
}

/**
 * Bytes that are dealt to the other compute party before the first that are dealt to this one: dealing goes gate by
 * gate. Undefined where this one is dealt nothing.
 */
export function dealtBefore({ gates }: Pick<Circuit, 'gates'>, id: 1 | 2): number | undefined {
  let before = 0;
  for (const { cost } of gates) {
    const [toP1, toP2] = [cost.p0ToP1Ahead ?? 0, cost.p0ToP2Ahead ?? 0];
    // A gate's word for P2 goes first.
    if (id === 2 && toP2 > 0) return before;
    if (id === 1 && toP1 > 0) return before + toP2;
    before += toP1 + toP2;
  }
  return undefined;
}

/**
 * Takes the correlations. The first of them comes soon, and all of them at some rate: an owner does not keep its
 * place by single bytes. It may be at work for the other party before it has anything for this one.
 */
export async function dealt(
  engine: Pick<Walk, 'deal'>,
  source: Channel,
  patience: Patience,
  circuit: Circuit,
  id: 1 | 2,
): Promise<void> {
  const { receivedFrames } = source.stats;
  const who = source.peer === 3 ? 3 : 0;
  const dealing = engine.deal();
  const { p0ToP1Ahead, p0ToP2Ahead } = circuit.cost;
  const all = patience.dealMs + msFor(p0ToP1Ahead + p0ToP2Ahead, patience);
  const before = dealtBefore(circuit, id);
  let check: ReturnType<typeof setTimeout> | undefined;
  const nothing = new Promise<never>((_resolve, reject) => {
    if (before === undefined) return;
    const soon = patience.dealMs + msFor(before, patience);
    check = setTimeout(() => {
      if (source.stats.receivedFrames === receivedFrames) reject(tooSlow('deal anything', soon, who));
    }, soon);
  });
  try {
    await Promise.race([inTime(dealing, all, 'deal its correlations', who), nothing]);
  } finally {
    clearTimeout(check);
  }
}
