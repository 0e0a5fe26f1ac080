/**
 * Writes the figures into every element that names them: both drawings of the picture, its table, the counters, the
 * cost.
 */
import { metrics } from '../selectors/metrics.ts';
import type { State } from '../state.ts';
import { all, setBar, setText } from './dom.ts';

/** @param where which of them; all where it is absent. */
export function bindings(where: (node: HTMLElement) => boolean = () => true): (now: State) => void {
  const texts = grouped('bind', where, setText);
  const bars = grouped('bar', where, setBar);
  return (now) => {
    const found = metrics(now);
    texts(found.texts);
    bars(found.bars);
  };
}

/** Writes what is another value than the last time: to ask the page what it shows would take longer. */
function grouped<T>(
  kind: 'bind' | 'bar',
  where: (node: HTMLElement) => boolean,
  write: (node: HTMLElement, value: T) => void,
): (values: Readonly<Record<string, T>>) => void {
  const groups = new Map<string, HTMLElement[]>();
  for (const node of all(`[data-${kind}]`).filter(where)) {
    const name = node.dataset[kind] ?? '';
    groups.set(name, [...(groups.get(name) ?? []), node]);
  }
  const shown = new Map<string, T>();
  return (values) => {
    for (const [name, nodes] of groups) {
      const value = values[name];
      if (value === undefined || value === shown.get(name)) continue;
      shown.set(name, value);
      for (const node of nodes) write(node, value);
    }
  };
}
