/**
 * Which family a tokenizer is of: every tokenizer but those of BERT, RoBERTa and GPT-2 is refused. The parts of each
 * are read in a file of its own; byte-level ones are loaded where a model has one.
 */

import type { TercetError } from '../../core/errors.ts';
import { own } from '../json.ts';
import { PIECES_FILE, TOKENIZER_CONFIG_FILE, VOCAB_FILE, tokenizerError } from './errors.ts';
import { type Named, namedTokenizer } from './named.ts';
import { type Parts, kind, section } from './parts.ts';
import type { Source } from './source.ts';
import type { Family } from './types.ts';
import { fromPieceList, fromWordPiece } from './wordpiece-parts.ts';

/** Loads the library where the vocabulary is byte-level. */
export async function readParts(source: Source): Promise<Parts> {
  const named = namedTokenizer(source.config, source.model);
  if (source.kind === 'json') return fromJson(source, named);
  const file = source.kind === 'bpe' ? VOCAB_FILE : PIECES_FILE;
  if (named === undefined)
    throw tokenizerError(
      'does not say whose vocabulary it is: tokenizer_config.json has no tokenizer_class, and config.json no model_type that has one',
      file,
    );
  if (source.kind === 'pieces') {
    if (named.family !== 'bert') throw contradicted(named, 'bert');
    return fromPieceList(source);
  }
  if (named.family === 'bert')
    throw tokenizerError('names a BERT tokenizer, which needs a tokenizer.json or a vocab.txt', TOKENIZER_CONFIG_FILE);
  return (await import('./byte-level-parts.ts')).fromVocabulary(source, named.family);
}

async function fromJson(source: Source & { kind: 'json' }, named: Named | undefined): Promise<Parts> {
  const model = section(source.json, 'model');
  // Early files leave the type out.
  const type = own(model, 'type') ?? (Array.isArray(own(model, 'merges')) ? 'BPE' : 'WordPiece');
  if (type === 'WordPiece') {
    // What a model is does not say what its author cut words with: there are GPT-2s with BERT's pieces. A class
    // that is named does.
    if (named?.by === 'class' && named.family !== 'bert') throw contradicted(named, 'bert');
    return fromWordPiece(source, model, named);
  }
  if (type === 'BPE') {
    if (named?.family === 'bert') throw contradicted(named, 'gpt2');
    return (await import('./byte-level-parts.ts')).fromByteLevel(source, model, named);
  }
  throw tokenizerError(
    `has a model of type ${kind(type)}, and only WordPiece (BERT) and byte-level BPE (GPT-2, RoBERTa) are supported`,
  );
}

function contradicted({ family }: Named, found: Family): TercetError {
  return tokenizerError(
    `names a tokenizer of ${family}, while the other files are of ${found}'s kind`,
    TOKENIZER_CONFIG_FILE,
  );
}
