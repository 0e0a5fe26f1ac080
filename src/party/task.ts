/** From what the user gave to what P0 shares, and from logits to an answer: both at P0 alone, both by task. */
import { TercetError } from '../core/errors.ts';
import { type FillMaskInput, type FillMaskPrediction, finishFillMask, prepareFillMask } from '../ml/tasks/fill-mask.ts';
import { type ClassificationPrediction, finishTextClassification, prepareTextClassification } from '../ml/tasks/text-classification.ts';
import { type Tokenizer, loadTokenizer } from '../ml/tokenizers/tokenizer.ts';
import type { OwnerInput } from '../session/inputs.ts';
import type { OpenedModel } from './model.ts';

export type Task = 'fill-mask' | 'text-classification';

export interface TaskRequest {
  readonly task: Task;
  /** The text, or undefined with random weights and a number of tokens. */
  readonly text: string | undefined;
  readonly tokens: number | undefined;
}

/** What logits say. Empty for random weights, whose logits mean nothing. */
export interface Answer {
  /** One list for each mask, best first. */
  readonly fillMask?: readonly (readonly FillMaskPrediction[])[];
  readonly classes?: readonly ClassificationPrediction[];
}

export interface PreparedTask {
  readonly input: OwnerInput;
  /** Reads logits of this input. */
  answer(logits: Float32Array, topK: number): Answer;
}

/** Checks and encodes the text before any process is started: bad input costs nothing. */
export async function prepareTask(request: TaskRequest, model: OpenedModel): Promise<PreparedTask> {
  if (model.files === undefined) return { input: syntheticInput(request, model), answer: () => ({}) };
  if (request.text === undefined) throw new TercetError('ERR_ARGUMENT', 'there is no text', 'give --text "…"');
  const tokenizer = await loadTokenizer(model.files);
  return request.task === 'fill-mask' ? fillMask(request.text, tokenizer, model) : classification(request.text, tokenizer, model);
}

function fillMask(text: string, tokenizer: Tokenizer, model: OpenedModel): PreparedTask {
  const input: FillMaskInput = prepareFillMask(text, tokenizer, model.config);
  return { input, answer: (logits, topK) => ({ fillMask: finishFillMask(logits, input, tokenizer, topK) }) };
}

function classification(text: string, tokenizer: Tokenizer, model: OpenedModel): PreparedTask {
  const { inputIds } = prepareTextClassification(text, tokenizer, model.config);
  return { input: { inputIds, maskPositions: [] }, answer: (logits, topK) => ({ classes: finishTextClassification(logits, model.config, topK) }) };
}

/** Token indices for random weights, which have no tokenizer: spread over the vocabulary; the mask in the middle. */
function syntheticInput({ task, tokens = 0 }: TaskRequest, { config }: OpenedModel): OwnerInput {
  if (!Number.isInteger(tokens) || tokens < 2 || tokens > config.maxPositions) {
    throw new TercetError('ERR_ARGUMENT', `--tokens must be from 2 to ${config.maxPositions}`, 'give for example --tokens 16');
  }
  const masked = task === 'fill-mask';
  if (masked !== (config.architecture === 'BertForMaskedLM')) {
    throw new TercetError('ERR_MODEL_UNSUPPORTED', `the configuration is a ${config.architecture}`, 'choose the task that it has');
  }
  const golden = (Math.sqrt(5) - 1) / 2;
  const inputIds = Array.from({ length: tokens }, (_, i) => Math.floor(((i * golden) % 1) * config.vocabSize));
  return { inputIds, maskPositions: masked ? [tokens >> 1] : [] };
}
