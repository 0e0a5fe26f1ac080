/** A text of any task but filling blanks, as the parties would get it. */
import { TercetError } from '../core/errors.ts';
import type { TaskInput } from '../ml/tasks/common.ts';
import { prepareEntities } from '../ml/tasks/named-entities.ts';
import { prepareFeatures } from '../ml/tasks/feature-extraction.ts';
import { prepareFillMask } from '../ml/tasks/fill-mask.ts';
import { prepareGeneration } from '../ml/tasks/generate.ts';
import { prepareQuestion } from '../ml/tasks/question-answering.ts';
import { prepareTextClassification } from '../ml/tasks/text-classification.ts';
import type { ModelContext } from './model-context.ts';
import type { TaskText } from './types/index.ts';

/**
 * A question with its context, where a caller without types may have given anything. @throws {TercetError}
 * ERR_ARGUMENT
 */
export function questionOf(input: unknown): { readonly question: string; readonly context: string } {
  if (typeof input === 'object' && input !== null && 'question' in input && 'context' in input) {
    // Their types are checked where they are read.
    return input as { readonly question: string; readonly context: string };
  }
  throw new TercetError('ERR_ARGUMENT', 'there is no question with a context', "give { question: '…', context: '…' }");
}

/** @throws {TercetError} what the model's task says of the text */
export function inputFor({ tokenizer, config, generation }: ModelContext, text: TaskText): TaskInput {
  switch (config.head) {
    case 'masked-lm':
      return prepareFillMask(text, tokenizer, config);
    case 'question-answering': {
      const { question, context } = questionOf(text);
      return prepareQuestion(question, context, tokenizer, config);
    }
    case 'sequence-classification':
      return prepareTextClassification(text, tokenizer, config);
    case 'token-classification':
      return prepareEntities(text, tokenizer, config);
    case 'causal-lm':
      return prepareGeneration(text, tokenizer, config, {}, generation);
    case 'none':
      return prepareFeatures(text, tokenizer, config, { pooling: 'mean' });
  }
}
