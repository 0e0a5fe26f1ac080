/** What a model is for, as `config.json` names it: its type, its class, and the head that the class has. */
import { configError, unsupported } from './config-fields.ts';
import { typeName } from './describe.ts';
import { isRecord, own } from './json.ts';
import { type Head, MODEL_TYPES, type ModelType, TRAITS } from './model-types.ts';

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
    throw unsupported('model_type', value, `this version runs models of type ${MODEL_TYPES.join(', ')}`);
  return value as ModelType;
}

/** Files of before model_type have its class alone. */
function typeByName(json: Record<string, unknown>): ModelType | undefined {
  const list = own(json, 'architectures');
  const name: unknown = Array.isArray(list) ? list[0] : undefined;
  if (typeof name !== 'string') return undefined;
  return MODEL_TYPES.find((type) => name.startsWith(TRAITS[type].prefix));
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
  const { prefix, heads } = TRAITS[modelType];
  const asked = Object.keys(heads).find((name) => heads[name] === wanted);
  if (wanted !== undefined && asked !== undefined && (wanted === 'none' || namesNoHead(json)))
    return { architecture: `${prefix}${asked}`, head: wanted };
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
  const rest = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  if (!Object.hasOwn(heads, rest)) {
    const names = Object.keys(heads).map((each) => `${prefix}${each}`);
    throw unsupported('architectures', name, `this version runs, of ${modelType} models, ${names.join(', ')}`);
  }
  return { architecture: name, head: heads[rest] };
}
