/** Scores as bars on a scale of 0 to 100 %, never stretched to the best. */
import { percent } from '../format.ts';
import { auto, el, setBar } from './dom.ts';

export interface Score {
  readonly word: string;
  readonly score: number;
}

export function scoreTable(
  caption: string,
  column: string,
  scores: readonly Score[],
  shares = 'Share of probability',
): HTMLTableElement {
  const head = el('tr', '', ...[column, shares, 'Per cent'].map((title) => scoped(el('th', '', title), 'col')));
  const rows = scores.map(({ word, score }) => {
    const fill = el('i');
    setBar(fill, score);
    return el(
      'tr',
      '',
      scoped(auto(el('th', 'w', word)), 'row'),
      el('td', '', el('div', 'bar', fill)),
      el('td', 'p num', percent(score)),
    );
  });
  return el('table', 'scores', el('caption', 'vh', caption), el('thead', 'vh', head), el('tbody', '', ...rows));
}

export function scoped(cell: HTMLTableCellElement, scope: 'row' | 'col'): HTMLTableCellElement {
  cell.scope = scope;
  return cell;
}
