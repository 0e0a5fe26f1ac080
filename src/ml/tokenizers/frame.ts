/**
 * How a text, or two, are framed by control tokens: the post-processor of tokenizer.json, checked against what the
 * family's models are trained with. A frame that differs is refused, since the tasks read the answer at fixed
 * places of it.
 */

import { quote, typeName } from '../describe.ts';
import { isRecord, own } from '../json.ts';
import { tokenizerError } from './errors.ts';
import type { SpecialTokens } from './special.ts';

/** A text (0 or 1), or the control token `cls` or `sep`, with its token type id. */
export interface FrameItem {
  readonly item: 0 | 1 | 'cls' | 'sep';
  readonly typeId: 0 | 1;
}
export interface Frame {
  readonly single: readonly FrameItem[];
  readonly pair: readonly FrameItem[];
}

const items = (...list: [FrameItem['item'], 0 | 1][]): FrameItem[] => list.map(([item, typeId]) => ({ item, typeId }));

/** GPT-2: a text alone. */
export const BARE: Frame = { single: items([0, 0]), pair: [] };
export const BERT_FRAME: Frame = {
  single: items(['cls', 0], [0, 0], ['sep', 0]),
  pair: items(['cls', 0], [0, 0], ['sep', 0], [1, 1], ['sep', 1]),
};
export const ROBERTA_FRAME: Frame = {
  single: items(['cls', 0], [0, 0], ['sep', 0]),
  pair: items(['cls', 0], [0, 0], ['sep', 0], ['sep', 0], [1, 0], ['sep', 0]),
};

/** The processor that adds control tokens, or undefined when none does. */
export function framingProcessor(value: unknown): Record<string, unknown> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isRecord(value)) throw tokenizerError(`has a post_processor of type ${typeName(value)}, not an object`);
  const type = own(value, 'type');
  if (type === 'ByteLevel') return undefined;
  if (type === 'Sequence') {
    const list = own(value, 'processors');
    if (!Array.isArray(list)) throw tokenizerError(`has post-processors of type ${typeName(list)}, not a list`);
    const framing = (list as unknown[]).map(framingProcessor).filter((processor) => processor !== undefined);
    if (framing.length > 1)
      throw tokenizerError(`has ${framing.length} post-processors that add tokens, and at most one is supported`);
    return framing[0];
  }
  if (type === 'TemplateProcessing') {
    const single = own(value, 'single');
    // A template of the text alone adds nothing.
    return Array.isArray(single) && single.length === 1 ? undefined : value;
  }
  if (type === 'RobertaProcessing' || type === 'BertProcessing') return value;
  throw tokenizerError(
    `has a post_processor of type ${typeof type === 'string' ? quote(type) : typeName(type)}, which is not supported`,
  );
}

/** The frame of a processor that `framingProcessor` found, for the family's special tokens. */
export function readFrame(processor: Record<string, unknown>, special: SpecialTokens): Frame {
  const type = own(processor, 'type');
  if (type === 'TemplateProcessing') {
    const tokens = own(processor, 'special_tokens');
    if (!isRecord(tokens))
      throw tokenizerError(`has a template with special tokens of type ${typeName(tokens)}, not an object`);
    const read = (key: string): FrameItem[] => readTemplate(own(processor, key), key, tokens, special);
    return { single: checkShape(read('single'), /^c0s$/), pair: checkShape(read('pair'), /^c0ss?1s$/) };
  }
  for (const role of ['cls', 'sep'] as const) {
    const entry = own(processor, role);
    const [spelling, id] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (spelling !== special[role]?.spelling || id !== special[role]?.id)
      throw tokenizerError(`has a post_processor with another ${role} token`);
  }
  return type === 'RobertaProcessing' ? ROBERTA_FRAME : BERT_FRAME;
}

function readTemplate(
  list: unknown,
  key: string,
  tokens: Record<string, unknown>,
  special: SpecialTokens,
): FrameItem[] {
  if (!Array.isArray(list) || list.length > 8)
    throw tokenizerError(`has a template whose ${key} is not a list of up to 8`);
  return (list as unknown[]).map((entry) => {
    const text = isRecord(entry) ? own(entry, 'Sequence') : undefined;
    const control = isRecord(entry) ? own(entry, 'SpecialToken') : undefined;
    const part = isRecord(text) ? text : control;
    if (!isRecord(part))
      throw tokenizerError('has a template with an entry that is neither a text nor a special token');
    const typeId = own(part, 'type_id') ?? 0;
    if (typeId !== 0 && typeId !== 1) throw tokenizerError('has a template with a type id that is neither 0 nor 1');
    const id = own(part, 'id');
    if (part === text) {
      if (id !== 'A' && id !== 'B') throw tokenizerError('has a template with a text that is neither A nor B');
      return { item: id === 'A' ? 0 : 1, typeId };
    }
    const token = typeof id === 'string' ? own(tokens, id) : undefined;
    const ids = isRecord(token) ? own(token, 'ids') : undefined;
    const only: unknown = Array.isArray(ids) && ids.length === 1 ? ids[0] : undefined;
    if (only !== undefined && only === special.cls?.id) return { item: 'cls', typeId };
    if (only !== undefined && only === special.sep?.id) return { item: 'sep', typeId };
    throw tokenizerError('has a template with a special token that is neither the cls nor the sep token');
  });
}

function checkShape(list: FrameItem[], shape: RegExp): FrameItem[] {
  const spelled = list.map(({ item }) => (item === 'cls' ? 'c' : item === 'sep' ? 's' : item)).join('');
  if (!shape.test(spelled)) throw tokenizerError('has a template that frames a text unlike BERT and RoBERTa do');
  return list;
}
