/**
 * The line under the cost table: memory, and what was downloaded before any run. The table itself is written by the
 * bindings.
 */
import { costOf } from '../results.ts';
import { bytes } from '../format.ts';
import type { Outcome, State } from '../state.ts';
import { byId } from './dom.ts';

const WHO = ['browser', 'party 1', 'party 2'];

export function cost({ answer }: Outcome, model: State['model']): void {
  const { peakMemoryBytes, sentBytes, receivedBytes, links } = costOf(answer);
  const memory = WHO.map((who, i) => (peakMemoryBytes[i] > 0 ? `${who} ${bytes(peakMemoryBytes[i])}` : '')).filter(
    (part) => part !== '',
  );
  const { dealer } = links;
  const own = dealer === undefined ? (['p1', 'p2'] as const) : [];
  const seeded = own.filter((name) => links[name].ahead === 0).map((name) => `Party ${name[1]}`);
  const sentences = [
    dealer === undefined
      ? ''
      : `The dealer sent what was prepared ahead; the browser handed it the keys of this run, ${bytes(dealer)} in all.`,
    seeded.length === 0
      ? ''
      : `${seeded.join(' and ')} got a short seed and made its key and helper numbers from that, so nothing more was sent ahead.`,
    memory.length === 0 ? '' : `Peak memory: ${memory.join(', ')}.`,
    `With the frames around them the browser sent ${bytes(sentBytes[0])} and received ${bytes(receivedBytes[0])}.`,
    model === undefined
      ? ''
      : `Set-up, beside the page itself: ${bytes(model.downloadedBytes)}; the private run downloads no weights.`,
  ];
  byId('cost-note').textContent = sentences.filter((part) => part !== '').join(' ');
}
