/** The answers of all tasks as one type, and what each of them has: a cost, bytes that left, words to say. Pure. */
import type {
  AnswerResult,
  Captured,
  ClassifyResult,
  EmbedResult,
  EntitiesResult,
  GenerateResult,
  PredictResult,
  RunCost,
} from '../owner/types/index.ts';

export type TaskResult =
  | { readonly task: 'fill-mask'; readonly result: PredictResult }
  | { readonly task: 'text-classification' | 'zero-shot-classification'; readonly result: ClassifyResult }
  | { readonly task: 'question-answering'; readonly result: AnswerResult }
  | { readonly task: 'token-classification'; readonly result: EntitiesResult }
  | { readonly task: 'text-generation'; readonly result: GenerateResult }
  | { readonly task: 'feature-extraction'; readonly result: EmbedResult };

export function costOf(answer: TaskResult): RunCost {
  // One text, so one run.
  return answer.task === 'feature-extraction' ? answer.result.costs[0] : answer.result.cost;
}

/** Undefined where the SDK gives none: for vectors. */
export function capturedOf(answer: TaskResult): Captured | undefined {
  return answer.task === 'feature-extraction' ? undefined : answer.result.captured;
}

/** The answer in a few words, for the live region and the picture. */
export function resultWords({ task, result }: TaskResult): string {
  switch (task) {
    case 'fill-mask':
      return result.blanks.map((list) => list[0]?.token_str.trim() ?? '').join(', ');
    case 'text-classification':
    case 'zero-shot-classification':
      return result.label;
    case 'question-answering':
      return result.answer === '' ? 'none in this text' : result.answer;
    case 'token-classification':
      return result.entities.length === 0
        ? 'no names found'
        : result.entities.map(({ text, label }) => `${text}, ${kindName(label)}`).join('; ');
    case 'text-generation':
      return result.text.trim() === '' ? 'no text' : result.text.trim();
    case 'feature-extraction':
      return `${result.vectors[0]?.dims[1] ?? 0} numbers`;
  }
}

const KINDS: Readonly<Record<string, string>> = {
  per: 'person',
  loc: 'place',
  location: 'place',
  org: 'organisation',
  corporation: 'company',
  misc: 'other name',
  'creative-work': 'work',
};

/** A class of names in plain words: `PER`, `creative-work` and the like; anything else as the model calls it. */
export function kindName(label: string): string {
  const name = label.toLowerCase();
  return Object.hasOwn(KINDS, name) ? KINDS[name] : name.replace(/[-_]/g, ' ');
}
