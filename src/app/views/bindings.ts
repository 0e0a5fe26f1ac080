/**
 * Writes the figures into every element that names them: both drawings of the picture, its table, the counters, the
 * cost.
 */
import { metrics } from '../selectors/metrics.ts';
import type { State } from '../state.ts';
import { all, setBar, setText } from './dom.ts';

/** @param where which of them; all where it is absent. */
export function bindings(where: (node: HTMLElement) => boolean = () => true): (now: State) => void {
  const texts = grouped('bind', where);
  const bars = grouped('bar', where);
  return (now) => {
    const { texts: words, bars: shares } = metrics(now);
    for (const [name, value] of Object.entries(words)) for (const node of texts.get(name) ?? []) setText(node, value);
    for (const [name, value] of Object.entries(shares)) for (const node of bars.get(name) ?? []) setBar(node, value);
  };
}

function grouped(kind: 'bind' | 'bar', where: (node: HTMLElement) => boolean): Map<string, HTMLElement[]> {
  const groups = new Map<string, HTMLElement[]>();
  for (const node of all(`[data-${kind}]`).filter(where)) {
    const name = node.dataset[kind] ?? '';
    groups.set(name, [...(groups.get(name) ?? []), node]);
  }
  return groups;
}
