/**
 * What a host page is handed of an answer. An answer of the SDK also has pieces of the text, the text with the blanks
 * filled in, and bytes that left this device: none of that is handed over.
 */
import type { TaskResult } from '../app/results.ts';
import type { WidgetAnswer } from './types.ts';

export function handedOver({ task, result }: TaskResult): WidgetAnswer {
  switch (task) {
    case 'fill-mask':
      return {
        task,
        blanks: result.blanks.map((list) =>
          list.map(({ token_str, score }) => ({ token_str: token_str.trim(), score })),
        ),
      };
    case 'text-classification':
    case 'zero-shot-classification':
      return { task, labels: result.labels.map(({ label, score }) => ({ label, score })) };
    case 'question-answering':
      return { task, answers: result.answers.map(({ answer, score }) => ({ answer, score })) };
    case 'token-classification':
      return {
        task,
        entities: result.entities.map(({ text, label, score }) => ({ word: text, entity_group: label, score })),
      };
    case 'text-generation':
      return { task, text: result.text };
    case 'feature-extraction': {
      const [{ dims, data }] = result.vectors;
      return { task, dims: [...dims], data: Float32Array.from(data) };
    }
  }
}
