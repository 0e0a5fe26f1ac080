/** What reads texts for a model: made of its public files. */
import type { ModelConfig } from '../ml/config.ts';
import { type DeclaredPooling, declaredPooling } from '../ml/declared-pooling.ts';
import type { ModelFiles } from '../ml/files.ts';
import { type GenerationSettings, loadGenerationSettings } from '../ml/generation-config.ts';
import { type Tokenizer, loadTokenizer } from '../ml/tokenizers/tokenizer.ts';
import { TercetError } from '../core/errors.ts';
import type { SpecialTokens } from './types/index.ts';

export interface TextContext {
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  /** What the model's files say of generated text, and of one vector for a text. */
  readonly generation: GenerationSettings;
  readonly pooling: DeclaredPooling;
}

/** @throws {TercetError} ERR_TOKENIZER and what else a file of a model can be wrong in */
export async function loadTextContext(files: ModelFiles, config: ModelConfig): Promise<TextContext> {
  const tokenizer = await loadTokenizer(files);
  const [generation, pooling] = await Promise.all([loadGenerationSettings(files), declaredPooling(files)]);
  return { config, tokenizer, generation, pooling };
}

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
