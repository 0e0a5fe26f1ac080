/** What a model is for, as `config.json` names it: its type, its class, and the head that the class has. */
import { configError, unsupported } from './config-fields.ts';
import { typeName } from './describe.ts';
import { isRecord, own } from './json.ts';
import { MODEL_TYPES, type ModelType, TRAITS } from './model-types.ts';

/** What stands on top of the layers. 'none': the last hidden states themselves, for feature extraction. */
export type Head =
  | 'masked-lm'
  | 'sequence-classification'
  | 'question-answering'
  | 'token-classification'
  | 'causal-lm'
  | 'none';

const HEADS: Readonly<Record<string, Head>> = {
  MaskedLM: 'masked-lm',
  PreTraining: 'masked-lm',
  SequenceClassification: 'sequence-classification',
  QuestionAnswering: 'question-answering',
  TokenClassification: 'token-classification',
};

/** The type of a parsed config.json. @throws {TercetError} as parseModelConfig */
export function modelTypeOf(json: unknown): ModelType {
  if (!isRecord(json)) throw configError(`is ${typeName(json)}, not an object`);
  return parseModelType(json);
}

export function parseModelType(json: Record<string, unknown>): ModelType {
  const value = own(json, 'model_type') ?? typeByName(json);
  if (value === undefined) throw configError('has no model_type', `add it: one of ${MODEL_TYPES.join(', ')}`);
  if (typeof value !== 'string') throw configError(`has model_type of type ${typeName(value)}, expected a string`);
  if (!Object.hasOwn(TRAITS, value))
    throw unsupported('model_type', value, 'this version runs bert, roberta, distilbert and gpt2 models');
  return value as ModelType;
}

/** Files of before model_type have its class alone. */
function typeByName(json: Record<string, unknown>): ModelType | undefined {
  const list = own(json, 'architectures');
  const name: unknown = Array.isArray(list) ? list[0] : undefined;
  if (typeof name !== 'string') return undefined;
  return MODEL_TYPES.find((type) => name.startsWith(TRAITS[type].prefix));
}

/** The class of a head, as config.json would name it. */
function classOf(modelType: ModelType, head: Head): string {
  const { prefix } = TRAITS[modelType];
  if (head === 'none') return `${prefix}Model`;
  if (head === 'causal-lm') return `${prefix}LMHeadModel`;
  return `${prefix}For${Object.keys(HEADS).find((name) => HEADS[name] === head) ?? ''}`;
}

/** Whether config.json leaves the head to whoever loads the model. */
export function namesNoHead(json: unknown): boolean {
  const list = isRecord(json) ? (own(json, 'architectures') ?? []) : undefined;
  return Array.isArray(list) && list.length !== 1;
}

/**
 * The class and its head.
 * @param wanted as parseModelConfig has it. @throws {TercetError} as parseModelConfig
 */
export function parseArchitecture(
  json: Record<string, unknown>,
  modelType: ModelType,
  wanted: Head | undefined,
): { architecture: string; head: Head } {
  const { prefix, causal } = TRAITS[modelType];
  const fits = wanted !== undefined && (wanted === 'none' || (wanted === 'causal-lm') === causal);
  if (wanted !== undefined && fits && (wanted === 'none' || namesNoHead(json)))
    return { architecture: classOf(modelType, wanted), head: wanted };
  const list = own(json, 'architectures') ?? [];
  if (Array.isArray(list) && list.length === 0)
    throw configError(
      'has no architectures, and neither the task nor the weights say what the model is for',
      'name the task',
    );
  if (Array.isArray(list) && list.length > 1) throw configError(`has ${list.length} architectures`, 'name the task');
  if (!Array.isArray(list) || typeof list[0] !== 'string') {
    throw configError(`has architectures of type ${typeName(list)}, expected a list of one name`);
  }
  const name: string = list[0];
  const hint = `this version runs, of ${modelType} models, ${namesOf(modelType).join(', ')}`;
  if (!name.startsWith(prefix)) throw unsupported('architectures', name, hint);
  const rest = name.slice(prefix.length);
  if (rest === 'Model') return { architecture: name, head: 'none' };
  if (causal) {
    if (rest === 'LMHeadModel') return { architecture: name, head: 'causal-lm' };
    throw unsupported('architectures', name, hint);
  }
  const head = rest.startsWith('For') && Object.hasOwn(HEADS, rest.slice(3)) ? HEADS[rest.slice(3)] : undefined;
  if (head === undefined) throw unsupported('architectures', name, hint);
  return { architecture: name, head };
}

function namesOf(modelType: ModelType): string[] {
  const { prefix, causal } = TRAITS[modelType];
  if (causal) return [`${prefix}LMHeadModel`, `${prefix}Model`];
  return [...Object.keys(HEADS).map((head) => `${prefix}For${head}`), `${prefix}Model`];
}
