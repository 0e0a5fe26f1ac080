/**
 * The answer of each task: the sentence with the blank filled in, a label, a marked passage, a vector; and the
 * scores. Texts that grow are in streaming.ts.
 */
import type { ClassifyResult, EmbedResult, PredictResult } from '../../owner/types/index.ts';
import { resultWords } from '../results.ts';
import { TASKS } from '../copy.ts';
import { type Outcome, type State, entryOf } from '../state.ts';
import { blankOf } from '../form.ts';
import { markedAnswer, markedNames } from './answer-passage.ts';
import { byId, el } from './dom.ts';
import { scoreTable } from './score-table.ts';

const SHOWN = 5;
/** Numbers of a vector that are shown. */
const NUMBERS = 8;

type View = (now: State, before: State) => void;

/** The answer itself. Scores of another one go, until those of this one come. */
export const answer = (): View =>
  ofAnother((outcome, now) => {
    const title = headline(outcome, blankOf(entryOf(now)));
    byId('answer').hidden = title.length === 0;
    byId('answer').replaceChildren(...title);
    byId('scores').replaceChildren();
  });

/** Behind the answer: in one frame both would hold up a slow device. */
export const scores = (): View => ofAnother((outcome) => byId('scores').replaceChildren(...body(outcome)));

function ofAnother(write: (outcome: Outcome, now: State) => void): View {
  return (now, before) => {
    const { outcome } = now;
    if (outcome !== undefined && outcome !== before.outcome) write(outcome, now);
  };
}

function headline({ answer: found, subject }: Outcome, blank: string): Node[] {
  const filled = (word: string): HTMLElement => el('mark', 'filled', word);
  switch (found.task) {
    case 'fill-mask':
      return interleaved(subject.text.split(blank), (i) =>
        filled(found.result.blanks[i]?.[0]?.token_str.trim() ?? blank),
      );
    case 'zero-shot-classification':
      return interleaved(
        subject.template.split('{mask}').map((part) => part.replace('{text}', () => subject.text.trim())),
        () => filled(found.result.label),
      );
    case 'text-classification':
      return [filled(found.result.label)];
    case 'question-answering':
      return found.result.answer === ''
        ? [document.createTextNode('There is no answer in this text.')]
        : [filled(found.result.answer)];
    case 'feature-extraction':
      return [document.createTextNode(resultWords(found))];
    case 'token-classification':
    case 'text-generation':
      return [];
  }
}

function interleaved(parts: readonly string[], between: (index: number) => Node): Node[] {
  return parts.flatMap((part, i) =>
    i === 0 ? [document.createTextNode(part)] : [between(i - 1), document.createTextNode(part)],
  );
}

function body({ answer: found, subject }: Outcome): Node[] {
  const { scores, column } = TASKS[found.task];
  switch (found.task) {
    case 'fill-mask':
      return words(found.result, scores, column);
    case 'text-classification':
    case 'zero-shot-classification':
      return [labels(found.result, scores, column)];
    case 'question-answering': {
      const { answers } = found.result;
      const list = answers.map(({ answer: word, score }) => ({ word: word === '' ? 'no answer' : word, score }));
      return [
        ...markedAnswer(subject.text, found.result),
        ...(list.length < 2 ? [] : [scoreTable(scores, column, list, 'Score')]),
      ];
    }
    case 'token-classification':
      return markedNames(subject.text, found.result);
    case 'feature-extraction':
      return vector(found.result);
    case 'text-generation':
      return [];
  }
}

function words({ blanks }: PredictResult, caption: string, column: string): Node[] {
  return blanks.flatMap((list, i) => {
    const scores = list.slice(0, SHOWN).map(({ token_str, score }) => ({ word: token_str.trim(), score }));
    const made = scoreTable(caption, column, scores);
    return blanks.length === 1 ? [made] : [el('h4', 'mini', `Blank ${i + 1}`), made];
  });
}

function labels({ labels: list }: ClassifyResult, caption: string, column: string): Node {
  const scores = list.slice(0, SHOWN).map(({ label, score }) => ({ word: label, score }));
  return scoreTable(caption, column, scores);
}

function vector({ vectors: [first] }: EmbedResult): Node[] {
  const numbers = [...(first?.data ?? [])].slice(0, NUMBERS).map((value) => value.toFixed(4));
  return [
    el(
      'p',
      'fine',
      'One vector stands for the whole text. Texts that the model takes for alike have vectors that point alike. It begins with:',
    ),
    el('p', 'vector num', `${numbers.join('  ')} …`),
  ];
}
