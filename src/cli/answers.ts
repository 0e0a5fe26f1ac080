/** Answers for people, by task, with the plaintext model's beside them. */
import type { TaskAnswer } from '../owner/task-plans.ts';
import type { Inference } from './inference.ts';
import { table } from './tables.ts';

type Ranked = readonly (readonly [name: string, score: number])[];

/** Ranked answers, the plaintext model's in columns beside the private ones. */
function ranking(title: string, own: Ranked, plain: Ranked | undefined): string {
  const head = [title, 'score', ...(plain === undefined ? [] : ['plaintext model', 'score'])];
  const rows = own.map(([name, score], i) => [
    name,
    score.toFixed(4),
    ...(plain === undefined ? [] : [plain[i]?.[0] ?? '', plain[i]?.[1].toFixed(4) ?? '']),
  ]);
  return table([head, ...rows], [1, 3]);
}

const VECTOR_SHOWN = 6;

function rankings({
  blanks,
  labels,
  answers,
  entities,
  vector: _vector,
  generated: _generated,
  ...none
}: TaskAnswer): { readonly title: string; readonly list: Ranked }[] {
  // A member that is neither read here nor by printOne does not compile.
  none satisfies Record<string, never>;
  if (blanks !== undefined) {
    const title = (mask: number) => (blanks.length === 1 ? 'private answer' : `mask ${mask + 1}, private`);
    return blanks.map((list, mask) => ({
      title: title(mask),
      list: list.map(({ token, score }) => [token, score] as const),
    }));
  }
  if (labels !== undefined)
    return [{ title: 'private answer', list: labels.map(({ label, score }) => [label, score] as const) }];
  if (answers !== undefined)
    return [
      {
        title: 'private answer',
        list: answers.map(({ answer, start, end, score }) => [`${answer} [${start}, ${end})`, score] as const),
      },
    ];
  if (entities !== undefined)
    return [
      {
        title: 'private answer',
        list: entities.map(
          ({ text, label, start, end, score }) => [`${label}: ${text} [${start}, ${end})`, score] as const,
        ),
      },
    ];
  return [];
}

function printOne(answer: TaskAnswer, plain: TaskAnswer | undefined): string[] {
  const { vector, generated, entities } = answer;
  if (vector !== undefined) {
    const [rows, width] = vector.dims;
    const shown = [...vector.data.slice(0, VECTOR_SHOWN)].map((value) => value.toFixed(4)).join(', ');
    return [`  private answer: ${rows} × ${width} numbers, ${shown}, …`];
  }
  if (generated !== undefined)
    return [
      `  ended by ${{ eos: 'the end of the text', length: 'the number of tokens asked for', stop: 'the stop text' }[generated.reason]}`,
    ];
  if (entities?.length === 0) return ['  private answer: no entity'];
  const others = plain === undefined ? [] : rankings(plain);
  return rankings(answer).map(({ title, list }, i) => ranking(title, list, others[i]?.list));
}

export function printAnswers(result: Inference, texts: readonly string[], question?: string): string {
  const lines: string[] = [''];
  const { comparison, answers } = result;
  for (const [i, answer] of answers.entries()) {
    if (answer.generated === undefined && texts[i] !== undefined) lines.push(`  ${texts[i]}`, '');
    if (question !== undefined) lines.push(`  ${question}`, '');
    for (const block of printOne(answer, comparison?.answers[i])) lines.push(block, '');
  }
  if (comparison !== undefined) {
    const same = comparison.argmaxEqual ? 'yes' : 'NO';
    lines.push(
      `  same first answer as in the clear: ${same}; largest ${answers[0]?.vector === undefined ? 'logit' : 'state'} difference ${comparison.maxAbsLogitError.toFixed(5)}`,
      '',
    );
  }
  return lines.join('\n');
}
