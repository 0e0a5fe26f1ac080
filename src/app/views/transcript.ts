/**
 * What each party saw: bytes of this run beside the words they stand for, one word put back together, and what the
 * parties do see.
 */
import type { Captured } from '../../owner/types/index.ts';
import { bytes, hexGroups, plural } from '../format.ts';
import { didSee } from '../leaks.ts';
import { costOf } from '../results.ts';
import type { Outcome } from '../state.ts';
import { all, auto, button, byId, el, svg } from './dom.ts';

/** Rows before "Show all". */
const ROWS = 16;
/** So many in a task: a phone's processor cannot lay out all of them in one. */
const AT_ONCE = 2;
const BINS = 64;
const WORD = 1n << 64n;

/** What the words are about; they follow, a few in a task. */
export function transcriptWords(captured: Captured, outcome: Outcome): void {
  const { tokens } = readable(captured, outcome);
  const [howMany, halves, sentAhead] = all('span', byId('saw-lead'));
  const proved = costOf(outcome.answer).proofs !== undefined;
  howMany.textContent = plural(tokens.length, 'token');
  halves.hidden = proved;
  sentAhead.hidden = !proved;
  byId('saw-body').replaceChildren();
  const old = byId('saw-more');
  const more = button('text-btn', `Show all ${tokens.length}`, () => {
    more.hidden = true;
    append(tokens.slice(ROWS));
  });
  more.id = old.id;
  more.hidden = tokens.length <= ROWS;
  old.replaceWith(more);
}

export const transcriptRows = Array.from(
  { length: ROWS / AT_ONCE },
  (_, i) =>
    (captured: Captured, outcome: Outcome): void =>
      append(readable(captured, outcome).tokens.slice(i * AT_ONCE, (i + 1) * AT_ONCE)),
);

const append = (tokens: Captured['tokens']): void => byId('saw-body').append(...tokens.map(row));

export function transcriptSums(captured: Captured, outcome: Outcome): void {
  byId('sums').replaceChildren(...sums(readable(captured, outcome)));
}

export function transcriptBytes({ histograms }: Captured): void {
  for (const name of ['text', 'p1', 'p2'] as const) histogram(name, histograms[name]);
}

export function transcriptStill(_: Captured, { answer }: Outcome): void {
  byId('still').textContent = didSee(answer);
}

/** How byte-level vocabularies spell a space. */
const SPACE = 'Ġ';

/**
 * Pieces of a byte-level vocabulary as they stand in the text, where one text was asked about; else without the
 * sign for a space.
 */
function readable(captured: Captured, { answer, subject }: Outcome): Captured {
  if (!captured.tokens.some(({ text }) => text.startsWith(SPACE))) return captured;
  const single = answer.task !== 'question-answering' && answer.task !== 'zero-shot-classification';
  const word = ({ text, span }: Captured['tokens'][number]): string => {
    const written = single && span !== undefined ? subject.text.slice(...span).trim() : '';
    return written !== '' ? written : text.startsWith(SPACE) && text.length > 1 ? text.slice(1) : text;
  };
  return { ...captured, tokens: captured.tokens.map((token) => ({ ...token, text: word(token) })) };
}

function row({ text, id, p1, p2 }: Captured['tokens'][number]): HTMLTableRowElement {
  const cell = (key: 1 | 2, hex: string): HTMLTableCellElement =>
    el(
      'td',
      '',
      el(
        'div',
        'hx',
        el('span', '', `half ${key}`, el('span', 'who', `, party ${key} only`)),
        el('code', '', hexGroups(hex)),
      ),
    );
  const word = el(
    'th',
    '',
    auto(el('span', 'tok', text)),
    ' ',
    el('span', 'id', el('span', 'vh', 'number '), String(id)),
  );
  word.scope = 'row';
  const made = el('tr', '', word, cell(1, p1), cell(2, p2));
  // On a phone the table is laid out as blocks, which would take its meaning away from screen readers.
  made.role = 'row';
  for (const part of made.cells) part.role = part === word ? 'rowheader' : 'cell';
  return made;
}

/** The sum is done here, from the words that the keys opened to: if they did not add up, the page would say so. */
function sums({ tokens, sum }: Captured): Node[] {
  const token = tokens[sum.index];
  const line = (row: number, words: readonly [string, string], meaning: Node): HTMLElement => {
    const total = (BigInt(`0x${words[0]}`) + BigInt(`0x${words[1]}`)) % WORD;
    const part = (key: 1 | 2): HTMLElement =>
      el('span', '', el('span', 'k', `half ${key} opens to`), el('code', '', hexGroups(words[key - 1])));
    const result = el('span', '', el('span', 'k', `number ${row}`), el('code', '', `${total}`), meaning);
    return el('p', 'sum', part(1), el('span', 'op', '+'), part(2), el('span', 'op', '='), result);
  };
  return token === undefined
    ? []
    : [
        line(token.id, sum.words, auto(el('span', 'res', token.text))),
        line(sum.otherId, sum.otherWords, el('span', 'res-k', 'another word, so 0')),
      ];
}

function histogram(name: 'text' | 'p1' | 'p2', counts: readonly number[]): void {
  const bins = Array.from({ length: BINS }, (_, i) => counts.slice(i * 4, i * 4 + 4).reduce((a, b) => a + b, 0));
  const total = bins.reduce((a, b) => a + b, 0);
  const mean = total / BINS;
  const most = Math.max(...bins);
  const top = name === 'text' ? most : Math.max(most, 2.2 * mean);
  const bars = bins.map((n, i) => `M${i * 4} 64v${(-62 * n) / Math.max(1, top)}h3V64`).join('');
  for (const drawing of all<SVGSVGElement>(`[data-hist="${name}"]`)) drawing.replaceChildren(svg('path', { d: bars }));
  const [title, note] =
    name === 'text'
      ? ['Bytes of your text.', 'Peaks: language has patterns.']
      : [`Bytes party ${name[1]} received.`, `${flatness(bins, mean)} ${bytes(total)} counted.`];
  for (const caption of all(`[data-hist-caption="${name}"]`)) caption.replaceChildren(el('b', '', title), ` ${note}`);
}

/**
 * Says flat only of what is. Single bits travel as whole bytes, so short runs may peak at the very left, whatever
 * the text.
 */
function flatness(bins: readonly number[], mean: number): string {
  const outside = bins.slice(1).every((n) => Math.abs(n - mean) < Math.max(0.25 * mean, 4 * Math.sqrt(mean)));
  if (!outside) return 'Sizes and counters stand out; they are the same for any text.';
  return bins[0] > 1.3 * mean
    ? 'Flat but for single bits at the left, which are random too.'
    : 'Flat: no pattern to find.';
}
