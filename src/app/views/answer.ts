/** The answer: the sentence with the blank filled in, or the label, and the scores as bars on a scale of 0 to 100 %, never stretched to the best. */
import { BLANK } from '../copy.ts';
import { percent } from '../format.ts';
import type { Outcome, State } from '../state.ts';
import { byId, el, setBar } from './dom.ts';

const SHOWN = 5;

interface Score {
  readonly word: string;
  readonly score: number;
}

export function answer(): (now: State, before: State) => void {
  return ({ outcome }, before) => {
    if (outcome === before.outcome || outcome === undefined) return;
    byId('answer').replaceChildren(...sentence(outcome));
    byId('scores').replaceChildren(...tables(outcome));
  };
}

function sentence({ answer: { task, result }, text }: Outcome): Node[] {
  if (task === 'text-classification') return [el('mark', 'filled', result.label)];
  const nodes: Node[] = [];
  text.split(BLANK).forEach((part, i) => {
    if (i > 0) nodes.push(el('mark', 'filled', result.blanks[i - 1]?.[0]?.token_str.trim() ?? BLANK));
    nodes.push(document.createTextNode(part));
  });
  return nodes;
}

function tables({ answer: { task, result } }: Outcome): Node[] {
  if (task === 'text-classification')
    return [
      table(
        'Labels with their probability',
        'Label',
        result.labels.slice(0, SHOWN).map(({ label, score }) => ({ word: label, score })),
      ),
    ];
  return result.blanks.flatMap((list, i) => {
    const scores = list.slice(0, SHOWN).map(({ token_str, score }) => ({ word: token_str.trim(), score }));
    const made = table('Most likely words with their probability', 'Word', scores);
    return result.blanks.length === 1 ? [made] : [el('h4', 'mini', `Blank ${i + 1}`), made];
  });
}

function table(caption: string, what: string, scores: readonly Score[]): HTMLTableElement {
  const head = el('tr', '', ...[what, 'Share of probability', 'Per cent'].map((title) => scoped(el('th', '', title), 'col')));
  const rows = scores.map(({ word, score }) => {
    const fill = el('i');
    setBar(fill, score);
    return el('tr', '', scoped(el('th', 'w', word), 'row'), el('td', '', el('div', 'bar', fill)), el('td', 'p num', percent(score)));
  });
  return el('table', 'scores', el('caption', 'vh', caption), el('thead', 'vh', head), el('tbody', '', ...rows));
}

function scoped(cell: HTMLTableCellElement, scope: 'row' | 'col'): HTMLTableCellElement {
  cell.scope = scope;
  return cell;
}
