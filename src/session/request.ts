/** What a data owner asks for: all of it public, and signed by each party before anything is sent. */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from '../core/bytes.ts';
import { TercetError } from '../core/errors.ts';
import type { ModelConfig } from '../ml/config.ts';
import type { RunShape } from '../ml/models/run.ts';
import { MAX_ATTENTION } from '../mpc/secure/attention.ts';
import type { ProtocolId } from '../mpc/protocol/types.ts';

export const SESSION_VERSION = 4;

export type WeightMode = 'open' | 'secret';

/** The shape of a run. */
export type RequestShape = RunShape;

export interface Request extends RequestShape {
  /** Which of the parties' models: the SHA-256 that the owner pins, or undefined where they serve one. */
  readonly model?: string | undefined;
  readonly protocol: ProtocolId;
  readonly weights: WeightMode;
}

/** Most sequences of a run, and most positions of them all: what a party is ready to hold in memory for one owner. */
export const MAX_SEQUENCES = 256;
export const MAX_POSITIONS = 16_384;

/** SHA-256 of what a request asks for beside the model, in hex. */
export function requestHash({ protocol, weights, sequences, tokens, rows, padded, pair, steps }: Request): string {
  const fields = [SESSION_VERSION, protocol, weights, sequences, tokens, rows, padded, pair, steps];
  return toHex(sha256(new TextEncoder().encode(JSON.stringify(fields))));
}

/** Why a shape does not fit a model, or undefined. Both sides ask: the owner before it sends, a party because what arrives is hostile. */
export function misfit(config: ModelConfig, { sequences, tokens, rows, pair, padded, steps }: RequestShape): string | undefined {
  const positions = tokens + steps;
  if (tokens < 1 || positions > Math.min(config.maxPositions, MAX_ATTENTION)) return `${positions} positions for a model of ${config.maxPositions}`;
  if (sequences < 1 || sequences > MAX_SEQUENCES || sequences * tokens > MAX_POSITIONS) return `${sequences} sequences of ${tokens} positions`;
  if (rows < 0 || rows > tokens) return `${rows} rows of ${tokens} positions`;
  if (pair && config.typeVocabSize < 2) return 'token types, which the model does not have';
  switch (config.head) {
    case 'masked-lm':
      return rows < 1 || steps > 0 ? 'a masked language model without a mask' : undefined;
    case 'causal-lm':
      // Padding hides where the prompt ends, so its last row must be chosen in secret too.
      if (steps > 0 && sequences > 1) return 'several prompts at once';
      return rows !== (padded ? 1 : 0) ? 'a prompt whose last row is not chosen as its padding asks' : undefined;
    case 'none':
      return steps > 0 ? 'steps of a model that does not generate' : undefined;
    default:
      return rows > 0 || steps > 0 ? 'rows that the head does not choose' : undefined;
  }
}

/** @throws {TercetError} ERR_SHAPE when the model cannot run the shape; callers check lengths of texts before, with better words. */
export function checkShape(config: ModelConfig, shape: RequestShape): void {
  const what = misfit(config, shape);
  if (what !== undefined) throw new TercetError('ERR_SHAPE', `the request asks for ${what}`, 'this is a bug in Tercet, please report it');
}
