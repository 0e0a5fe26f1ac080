/** What reads texts for a model: made of its public files. */
import type { ModelConfig } from '../ml/config.ts';
import type { DeclaredPooling } from '../ml/declared-pooling.ts';
import type { ModelFiles } from '../ml/files.ts';
import type { GenerationSettings } from '../ml/tasks/generation-options.ts';
import { type Tokenizer, loadTokenizer } from '../ml/tokenizers/tokenizer.ts';
import { TercetError } from '../core/errors.ts';
import type { SpecialTokens } from './types/index.ts';

export interface TextContext {
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  /** What the files of a language model say of generated text, and those of one for embeddings of its vector. */
  readonly generation: GenerationSettings;
  readonly pooling: DeclaredPooling;
}

/**
 * @param maxCharacters of a text
 * @throws {TercetError} ERR_TOKENIZER and what else a file of a model can be wrong in; ERR_ARGUMENT for the length
 */
export async function loadTextContext(
  files: ModelFiles,
  config: ModelConfig,
  maxCharacters?: number,
): Promise<TextContext> {
  const tokenizer = await loadTokenizer(files, maxCharacters);
  return {
    config,
    tokenizer,
    generation: config.head === 'causal-lm' ? await generationOf(files) : { notices: [] },
    pooling: config.head === 'none' ? await poolingOf(files) : NOT_DECLARED,
  };
}

const NOT_DECLARED: DeclaredPooling = { pooling: undefined, normalize: undefined, problem: undefined };

// Read, and the code for it loaded, for the models that they are about.
const generationOf = async (files: ModelFiles): Promise<GenerationSettings> =>
  (await import('../ml/generation-config.ts')).loadGenerationSettings(files);
const poolingOf = async (files: ModelFiles): Promise<DeclaredPooling> =>
  (await import('../ml/declared-pooling.ts')).declaredPooling(files);

/**
 * The same model, its tokenizer reading special tokens of texts as asked. @throws {TercetError} ERR_ARGUMENT for
 * another choice
 */
export function reading<K extends Pick<TextContext, 'tokenizer'>>(known: K, specialTokens: SpecialTokens = 'cut'): K {
  if (specialTokens === 'cut') return known;
  if (specialTokens !== 'allow')
    throw new TercetError('ERR_ARGUMENT', "specialTokens is neither 'cut' nor 'allow'", "leave it out for 'cut'");
  return { ...known, tokenizer: known.tokenizer.readingSpecialTokens() };
}
