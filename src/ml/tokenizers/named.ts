/**
 * Which tokenizer the files name: a class, else what models of this type have. Never guessed from the pieces of a
 * vocabulary.
 */

import { quote } from '../describe.ts';
import { own } from '../json.ts';
import type { ModelType } from '../model-types.ts';
import { TOKENIZER_CONFIG_FILE, tokenizerError } from './errors.ts';
import type { Family } from './types.ts';

export interface Named {
  readonly family: Family;
  /** Whether by a class, or only by what the model is. */
  readonly by: 'class' | 'model';
}

const FAMILIES: Readonly<Record<string, Family>> = {
  BertTokenizer: 'bert',
  DistilBertTokenizer: 'bert',
  ElectraTokenizer: 'bert',
  MobileBertTokenizer: 'bert',
  RobertaTokenizer: 'roberta',
  LongformerTokenizer: 'roberta',
  BartTokenizer: 'roberta',
  GPT2Tokenizer: 'gpt2',
};
/** Classes that take tokenizer.json as it stands. */
const GENERIC = ['PreTrainedTokenizer', 'TokenizersBackend', 'AutoTokenizer'];
/** Classes of these architectures that cut words by rules that no tokenizer.json holds. */
const OWN_RULES = [
  'BertJapaneseTokenizer',
  'BertweetTokenizer',
  'PhobertTokenizer',
  'HerbertTokenizer',
  'CpmTokenizer',
  'JiebaTokenizer',
];
const MODELS: Readonly<Record<ModelType, Family>> = {
  bert: 'bert',
  distilbert: 'bert',
  roberta: 'roberta',
  gpt2: 'gpt2',
};

/**
 * The tokenizer that `tokenizer_class` names (in tokenizer_config.json, else in config.json), else the one of
 * `model_type`; undefined where a class takes the files as they stand, or nothing is named.
 * @throws {TercetError} ERR_TOKENIZER for a class whose rules are its own
 */
export function namedTokenizer(
  tokenizerConfig: Record<string, unknown>,
  modelConfig: Record<string, unknown>,
): Named | undefined {
  const said = own(tokenizerConfig, 'tokenizer_class') ?? own(modelConfig, 'tokenizer_class');
  if (typeof said === 'string') {
    const name = said.replace(/Fast$/, '');
    if (Object.hasOwn(FAMILIES, name)) return { family: FAMILIES[name], by: 'class' };
    if (OWN_RULES.includes(name))
      throw tokenizerError(`names a ${quote(said)}, which cuts words by rules of its own`, TOKENIZER_CONFIG_FILE);
    if (GENERIC.includes(name)) return undefined;
  }
  const type = own(modelConfig, 'model_type');
  return typeof type === 'string' && Object.hasOwn(MODELS, type)
    ? { family: MODELS[type as ModelType], by: 'model' }
    : undefined;
}
