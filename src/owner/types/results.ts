/** What a run returns: the answer of each task, what it cost, and what left this device for it. */
import type { TercetError } from '../../core/errors.ts';
import type { Entity } from '../../ml/tasks/named-entities.ts';
import type { Links } from './events.ts';

export type { Entity };

/**
 * Bytes that left this device in a run, and what they were made from. Made here, from this run; never sent
 * anywhere.
 */
export interface Captured {
  readonly tokens: readonly {
    readonly text: string;
    readonly id: number;
    /** Offset of the token in the text, in UTF-16 units; undefined for special tokens. */
    readonly span?: readonly [number, number] | undefined;
    /** First 8 bytes, hex, of what each compute party received for this token: a point-function key. */
    readonly p1: string;
    readonly p2: string;
  }[];
  /**
   * One token put back together: the two words (hex, 64 bits) that the parties' keys open to at row `id`, whose sum
   * mod 2^64 is 1, and at `otherId`, where it is 0.
   */
  readonly sum: {
    readonly index: number;
    readonly words: readonly [string, string];
    readonly otherId: number;
    readonly otherWords: readonly [string, string];
  };
  /** Counts of each byte value (256) in the text and in all that each compute party received in this run. */
  readonly histograms: {
    readonly text: readonly number[];
    readonly p1: readonly number[];
    readonly p2: readonly number[];
  };
}

/**
 * What a run cost, as it was counted and timed: bytes, milliseconds, and on what it ran. Nothing here is an
 * estimate.
 */
export interface RunCost {
  /** Of all texts of the run, or of a prompt. */
  readonly tokens: number;
  /** The bucket, times the sequences of the run: what the compute parties know of the length. */
  readonly paddedTokens: number;
  /** Payload bytes by link and phase, and the rounds. */
  readonly links: Links;
  /** Of this device: 1, one message out and one in, of each step; of `aby3` the half-rounds in which it has a part. */
  readonly onlineRounds: number;
  /** Wire bytes with frame headers, as each party counted them. */
  readonly sentBytes: readonly [number, number, number];
  readonly receivedBytes: readonly [number, number, number];
  /** Most memory, of this device and parties 1 and 2, as each says. */
  readonly peakMemoryBytes: readonly [number, number, number];
  /** What each party computed on. */
  readonly devices: readonly [string, string, string];
  /**
   * Milliseconds, of generated text those of all steps. `prepareMs` was spent before the call if `preparedAhead`,
   * else inside it. Later steps are dealt while earlier ones compute: only what there was to wait for beyond that is
   * counted in it, so the phases add up to what you waited.
   */
  readonly timing: {
    readonly prepareMs: number;
    readonly inputMs: number;
    readonly computeMs: number;
    readonly outputMs: number;
    /** From the call to the answer. */
    readonly totalMs: number;
  };
  readonly preparedAhead: boolean;
  /** What was proved before the answer opened; of runs of `3pc_malicious` and `aby3`. */
  readonly proofs?: RunProofs | undefined;
}

/**
 * What a run proved. Every message of it that somebody could have made up was proved to the two others, and all proofs
 * were accepted before the answer opened: else there is no result, but a `SecurityViolationError`.
 */
export interface RunProofs {
  /** Parties 1 and 2; with secret weights this device too, as party 0. */
  readonly provers: readonly {
    readonly prover: 0 | 1 | 2;
    /** Who received the messages, and who vouches for what the prover does not tell that one. */
    readonly verifiers: readonly [0 | 1 | 2, 0 | 1 | 2];
    /** Messages of the run that were proved. */
    readonly messages: number;
    readonly segments: number;
    /** Payload bytes of this proof. */
    readonly bytes: number;
  }[];
  /** Payload bytes of all proofs, on all links. */
  readonly bytes: number;
  /** Milliseconds that this device and parties 1 and 2 spent on proofs, waiting included, as each says. */
  readonly ms: readonly [number, number, number];
  /** A wrong run is accepted with probability 2^soundness at most (docs/SECURITY.md). */
  readonly soundness: number;
}

/** A word that fits a blank. Names as in transformers.js. */
export interface Prediction {
  /** The piece of the vocabulary. */
  readonly token: string;
  /** The same, as text. */
  readonly token_str: string;
  /** Its row in the vocabulary. */
  readonly token_id: number;
  /** 0 to 1. */
  readonly score: number;
  /** The text with the blank filled in. */
  readonly sequence: string;
}

/** What `Model.predict` returns. */
export interface PredictResult {
  /** Best first; one list for each blank of the text. */
  readonly predictions: readonly Prediction[];
  readonly blanks: readonly (readonly Prediction[])[];
  readonly cost: RunCost;
  readonly captured: Captured;
}

/** What `Model.classify` returns: the best class, and all that were asked for, best first. Scores are 0 to 1. */
export interface ClassifyResult {
  readonly label: string;
  readonly score: number;
  readonly labels: readonly { readonly label: string; readonly score: number }[];
  readonly cost: RunCost;
  readonly captured: Captured;
}

/** A span of the context that answers the question. */
export interface Answer {
  /** `context.slice(start, end)`; empty where there is no answer. */
  readonly text: string;
  readonly answer: string;
  readonly score: number;
  /** UTF-16 offsets into the context as it was given. */
  readonly start: number;
  readonly end: number;
}

/** The best answer, and all that were asked for. */
export interface AnswerResult extends Answer {
  readonly answers: readonly Answer[];
  readonly cost: RunCost;
  readonly captured: Captured;
}

/** What `Model.extractEntities` returns, in the order of the text. */
export interface EntitiesResult {
  readonly entities: readonly Entity[];
  readonly cost: RunCost;
  readonly captured: Captured;
}

/** What `Model.embed` returns. */
export interface EmbedResult {
  /** One for each text, (rows, width) row-major: one row with pooling. */
  readonly vectors: readonly { readonly dims: readonly [rows: number, width: number]; readonly data: Float32Array }[];
  readonly costs: readonly RunCost[];
}

/** What `Model.classifyBatch` returns. */
export interface BatchResult {
  /** In the order of the texts. */
  readonly results: readonly Omit<ClassifyResult, 'cost' | 'captured'>[];
  /** Of every run of the protocol. */
  readonly costs: readonly RunCost[];
}

/** What `Model.generate` returns when it is awaited. */
export interface GenerateResult {
  /** What was added to the prompt. */
  readonly text: string;
  /** Prompt and text. */
  readonly generated_text: string;
  readonly ids: readonly number[];
  /** An end-of-text piece, as many pieces as were asked for, or a stop text. */
  readonly reason: 'eos' | 'length' | 'stop';
  /** Of the whole text. */
  readonly cost: RunCost;
  /** Milliseconds from one piece to the next, the first from the call. */
  readonly pieceMs: readonly number[];
  readonly captured: Captured;
}

/**
 * A text under way: iterate over its pieces as they come, or await the whole. Leaving the loop early stops all
 * three parties.
 */
export interface GenerateStream extends AsyncIterable<string>, PromiseLike<GenerateResult> {}

/** What the text would become, without running anything or sending anything. */
export interface TextCheck {
  readonly tokens: number;
  readonly paddedTokens: number | undefined;
  readonly blanks: number;
  /** What to know of how the text is read; sentences. */
  readonly notices?: readonly string[] | undefined;
  /** Why it cannot run as it is: ERR_TEXT_EMPTY, ERR_TEXT_TOO_LONG, ERR_NO_MASK, …, with what to do. */
  readonly problem?: TercetError;
}
