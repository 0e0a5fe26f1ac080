/** What a data owner asks for: all of it public, and signed by each party before anything is sent. */
import { fromHex, toHex } from '../core/bytes.ts';
import { TercetError } from '../core/errors.ts';
import type { ModelConfig } from '../ml/config.ts';
import type { RunShape } from '../ml/models/run.ts';
import { MAX_ATTENTION } from '../mpc/secure/attention-form.ts';
import type { ProtocolId, Widening } from '../mpc/protocol/types.ts';
import type { Fields } from './control.ts';

export const SESSION_VERSION = 5;

export type WeightMode = 'open' | 'secret';

/** The names of what proofs promise (PROTOCOL §15.8). */
export type SecurityLevel = 128 | 256;

export interface Request extends RunShape {
  /** Which of the parties' models: the SHA-256 that the owner pins, or undefined where they serve one. */
  readonly model?: string | undefined;
  readonly protocol: ProtocolId;
  readonly weights: WeightMode;
  /** The identity of the dealer that deals instead of the owner, 64 hex digits; undefined: the owner deals. */
  readonly dealer?: string | undefined;
  /** How widenings get the wrap, the same at all parties; undefined: by words of who deals. */
  readonly widening?: Widening | undefined;
  /** Undefined: 128. The parameters of proofs follow from it, at all parties. */
  readonly securityLevel?: 256 | undefined;
}

/** What the code of a request says of it. */
export interface CodedRequest extends Omit<Request, 'model' | 'dealer'> {
  /** Whether a dealer deals. Which one stands in the request itself. */
  readonly dealt: boolean;
}

/**
 * Most words of one vector of a run. A vector then fits in one buffer of 2 GiB, and the longest key stream of a
 * gate, 512 entries of two bytes for half of the words, stays below the 2^38 bytes that a ChaCha20 nonce has. What
 * a party is ready to hold for an owner is another question: `daemon/budgets.ts`.
 */
const MAX_WORDS = 2 ** 28;
/** Sequences of one command or call, where its user names a number: more are several runs. */
export const MAX_SEQUENCES = 256;

/** Most sequences of so many positions that the model's widest vector has room for. */
export function mostSequences(
  { hiddenSize, intermediateSize, heads, vocabSize }: ModelConfig,
  { tokens, rows }: Pick<RunShape, 'tokens' | 'rows'>,
): number {
  return Math.floor(
    MAX_WORDS / Math.max(tokens * Math.max(hiddenSize, intermediateSize, heads * tokens), rows * vocabSize),
  );
}

/** Index is the byte. That a code names a protocol does not say that a party runs it. */
const PROTOCOLS: readonly ProtocolId[] = ['3pc_semi_honest', '3pc_malicious', 'aby3'];
const CODE_BYTES = 32;

/**
 * What a request asks for beside the model, as 32 bytes in hex: small enough to stand in the first message of a
 * handshake, where the party reads it, judges it and signs it. Version, protocol, weights, flags, then sequences,
 * tokens, rows and steps as 32-bit words; the rest is zero.
 */
export function requestCode({
  protocol,
  weights,
  sequences,
  tokens,
  rows,
  padded,
  pair,
  steps,
  dealer,
  widening,
  securityLevel,
}: Omit<Request, 'model'>): string {
  const dealt = dealer !== undefined;
  return codeOf({ protocol, weights, sequences, tokens, rows, padded, pair, steps, dealt, widening, securityLevel });
}

function codeOf(request: CodedRequest): string {
  const { protocol, weights, sequences, tokens, rows, padded, pair, steps, dealt, widening, securityLevel } = request;
  const bytes = new Uint8Array(CODE_BYTES);
  bytes.set([
    SESSION_VERSION,
    PROTOCOLS.indexOf(protocol),
    weights === 'open' ? 0 : 1,
    (padded ? 1 : 0) |
      (pair ? 2 : 0) |
      (dealt ? 4 : 0) |
      (widening === 'ot' ? 8 : 0) |
      (securityLevel === 256 ? 16 : 0),
  ]);
  const view = new DataView(bytes.buffer);
  for (const [i, count] of [sequences, tokens, rows, steps].entries()) view.setUint32(4 + 4 * i, count, true);
  return toHex(bytes);
}

/** The request of a code, without its model; undefined for bytes that are none of this version. */
export function requestOfCode(code: string): CodedRequest | undefined {
  if (!new RegExp(`^[0-9a-f]{${2 * CODE_BYTES}}$`).test(code)) return undefined;
  const bytes = fromHex(code);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const protocol = PROTOCOLS[bytes[1]];
  if (bytes[0] !== SESSION_VERSION || protocol === undefined) return undefined;
  // What proves nothing has no level of proofs.
  if (protocol === '3pc_semi_honest' && (bytes[3] & 16) === 16) return undefined;
  const [sequences, tokens, rows, steps] = [0, 1, 2, 3].map((i) => view.getUint32(4 + 4 * i, true));
  const request = {
    protocol,
    weights: bytes[2] === 0 ? 'open' : 'secret',
    sequences,
    tokens,
    rows,
    padded: (bytes[3] & 1) === 1,
    pair: (bytes[3] & 2) === 2,
    steps,
    dealt: (bytes[3] & 4) === 4,
    widening: (bytes[3] & 8) === 8 ? 'ot' : undefined,
    securityLevel: (bytes[3] & 16) === 16 ? 256 : undefined,
  } as const;
  // One request has one code: anything else in the bytes is of another version.
  return codeOf(request) === code ? request : undefined;
}

/** 32-bit words, as in a code; `misfit` holds them to what the model takes. */
const MAX_WORD = 2 ** 32 - 1;

/** Reads a shape from an untrusted message. @throws {TercetError} what `fields` throws */
export function shapeFromJson(fields: Fields): RunShape {
  return {
    sequences: fields.integer('sequences', MAX_WORD),
    tokens: fields.integer('tokens', MAX_WORD),
    rows: fields.integer('rows', MAX_WORD),
    padded: fields.boolean('padded'),
    pair: fields.boolean('pair'),
    steps: fields.integer('steps', MAX_WORD),
  };
}

/** Reads the choice of an untrusted request. @throws {TercetError} what `fields` throws */
export function wideningFromJson(fields: Fields): Widening | undefined {
  return fields.has('widening') ? fields.oneOf<Widening>('widening', ['dealer', 'ot']) : undefined;
}

/**
 * Why a shape does not fit a model, or undefined. Both sides ask: the owner before it sends, a party because what
 * arrives is hostile.
 */
export function misfit(config: ModelConfig, shape: RunShape): string | undefined {
  const { sequences, tokens, rows, pair, padded, steps } = shape;
  const positions = tokens + steps;
  if (tokens < 1 || positions > Math.min(config.maxPositions, MAX_ATTENTION))
    return `${positions} positions for a model of ${config.maxPositions}`;
  if (rows < 0 || rows > tokens) return `${rows} rows of ${tokens} positions`;
  if (sequences < 1 || sequences > mostSequences(config, shape)) return `${sequences} sequences of ${tokens} positions`;
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
    case 'sequence-classification':
    case 'question-answering':
    case 'token-classification':
      return rows > 0 || steps > 0 ? 'rows that the head does not choose' : undefined;
    default:
      return config.head satisfies never;
  }
}

/**
 * @throws {TercetError} ERR_SHAPE when the model cannot run the shape; callers check lengths of texts before, with
 * better words.
 */
export function checkShape(config: ModelConfig, shape: RunShape): void {
  const what = misfit(config, shape);
  if (what !== undefined)
    throw new TercetError('ERR_SHAPE', `the request asks for ${what}`, 'this is a bug in Tercet, please report it');
}

/**
 * What is public of a run before there is a text, enough to prepare for it. The head decides what of it the shape
 * says.
 */
export interface RunNeeds extends Omit<RunShape, 'rows'> {
  /** Rows of a sequence at places that the owner alone knows: masks, or one pooled vector. */
  readonly secretRows: number;
}

/** The shape for what is needed, by the model's head. */
export function shapeFor(
  config: ModelConfig,
  { sequences, tokens, secretRows, padded, pair, steps }: RunNeeds,
): RunShape {
  const rows = { 'masked-lm': Math.max(1, secretRows), 'causal-lm': padded ? 1 : 0, none: secretRows } as const;
  const { head } = config;
  return {
    sequences,
    tokens,
    rows: head === 'masked-lm' || head === 'causal-lm' || head === 'none' ? rows[head] : 0,
    padded,
    pair: pair && config.typeVocabSize >= 2,
    steps: head === 'causal-lm' ? steps : 0,
  };
}
