/** What the runs of one request took together, as its answer says it (`schemas.ts`). */
import type { RunCost } from '../owner/types/index.ts';

export function totalCost(costs: readonly RunCost[]) {
  const sum = (of: (cost: RunCost) => number) => costs.reduce((all, cost) => all + of(cost), 0);
  return {
    runs: costs.length,
    tokens: sum(({ tokens }) => tokens),
    padded_tokens: sum(({ paddedTokens }) => paddedTokens),
    rounds: sum(({ links }) => links.between.totalRounds),
    sent_bytes: sum(({ sentBytes }) => sentBytes[0]),
    prepared_ahead: costs.length > 0 && costs.every(({ preparedAhead }) => preparedAhead),
    ...(costs.some(({ proofs }) => proofs !== undefined) ? { proofs: proved(costs) } : {}),
  };
}

/** Of all runs together; the weakest of them decides. */
function proved(costs: readonly RunCost[]) {
  const all = costs.flatMap(({ proofs }) => (proofs === undefined ? [] : [proofs]));
  return {
    messages: all.reduce((sum, { provers }) => sum + provers.reduce((one, { messages }) => one + messages, 0), 0),
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    soundness: Math.max(...all.map(({ soundness }) => soundness)),
  };
}
