/**
 * Answers that are parts of a text: the answer to a question marked in its context, names marked in their sentence.
 * Kinds are words, never colour alone.
 */
import { kindName } from '../results.ts';
import { percent } from '../format.ts';
import type { AnswerResult, EntitiesResult, Entity } from '../../owner/types/index.ts';
import { auto, el } from './dom.ts';
import { scoped } from './score-table.ts';

/** Underlines that can be told apart. */
const STYLES = 4;

export function markedAnswer(context: string, { answer, start, end, score }: AnswerResult): Node[] {
  if (answer === '') return [auto(el('p', 'passage', context))];
  return [
    auto(el('p', 'passage', context.slice(0, start), el('mark', '', context.slice(start, end)), context.slice(end))),
    el('p', 'fine num', `characters ${start} to ${end} of the text, score ${percent(score)}`),
  ];
}

export function markedNames(text: string, { entities }: EntitiesResult): Node[] {
  const ordered = entities.toSorted((a, b) => a.start - b.start);
  const kinds = [...new Set(ordered.map(({ label }) => kindName(label)))];
  const passage = auto(el('p', 'passage big'));
  let at = 0;
  for (const entity of ordered) {
    if (entity.start < at) continue;
    const kind = kindName(entity.label);
    const name = el('mark', `ent ent-${kinds.indexOf(kind) % STYLES}`, text.slice(entity.start, entity.end));
    passage.append(text.slice(at, entity.start), name, el('span', 'ent-k', ` ${kind}`));
    at = entity.end;
  }
  passage.append(text.slice(at));
  return entities.length === 0
    ? [passage, el('p', 'fine', 'No names were found in this text.')]
    : [passage, nameTable(ordered)];
}

function nameTable(entities: readonly Entity[]): HTMLTableElement {
  const head = el(
    'tr',
    '',
    ...['Name', 'Kind', 'Score'].map((title, i) => scoped(el('th', i === 2 ? 'r' : '', title), 'col')),
  );
  const rows = entities.map(({ text, label, score }) =>
    el(
      'tr',
      '',
      scoped(auto(el('th', 'w', text)), 'row'),
      el('td', '', kindName(label)),
      el('td', 'p r num', percent(score)),
    ),
  );
  return el(
    'table',
    'plain names',
    el('caption', 'vh', 'Names found'),
    el('thead', '', head),
    el('tbody', '', ...rows),
  );
}
