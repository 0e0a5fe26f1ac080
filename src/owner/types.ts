/**
 * The public interface of the SDK: the same in a page, in a worker and in Node.
 *
 * Result and progress shapes follow transformers.js, with more members for what only a private run has: parties,
 * links, rounds, phases. Nothing here holds a share or a key; `Captured` holds bytes that left this device, for
 * people who want to look at them.
 */
import type { ErrorCode, TercetError } from '../core/errors.ts';

/**
 * What a model was made for: its head. Zero-shot classification is a call on models for fill-mask, or for
 * classification where they were trained on entailment.
 */
export type Task =
  | 'fill-mask'
  | 'text-classification'
  | 'question-answering'
  | 'token-classification'
  | 'text-generation'
  | 'feature-extraction';
export type Protocol = '3pc_semi_honest' | '3pc_malicious' | 'aby3';
export type Weights = 'open' | 'secret';
export type Device = 'webgpu' | 'wasm';
export type Transport = 'webrtc' | 'websocket';

/** A compute party as the data owner knows it: where it listens, and the identity it must prove. */
export interface PartyAddress {
  /** Base of its HTTPS interface, like `https://alder.example`. Plain `http:` only for this machine (loopback). */
  readonly url: string;
  /** Its Ed25519 public key, 64 hex digits. */
  readonly identity: string;
  /** Who runs it and where, for people. */
  readonly operator?: string;
  readonly place?: string;
}

/** A file of a model that the data owner downloads: never the weights. */
export interface PinnedFile {
  readonly sha256: string;
  readonly bytes: number;
}

/** A model on a hub, as it was at a commit. */
export interface HubPlace {
  /** `org/name`. */
  readonly repository: string;
  /** 40 hex digits. */
  readonly commit: string;
}

/** A model that the parties of a deployment serve. */
export interface ModelEntry {
  readonly id: string;
  readonly task: Task;
  /** One line for people. */
  readonly title: string;
  /** SHA-256 of the weights, or of the sharing, by mode. A mode that is absent is not served. */
  readonly weights: Readonly<Partial<Record<Weights, string>>>;
  /**
   * `config.json`, `tokenizer.json`, …, relative to `<base>/<id>/`. All public: what opens secret weights is in an
   * owner's credential.
   */
  readonly files: Readonly<Record<string, PinnedFile>>;
  /** Where the same files lie on a hub, if they came from one. */
  readonly hub?: HubPlace;
  /** Texts to try; with a question, the text is the context that answers it. */
  readonly examples: readonly { readonly label: string; readonly text: string; readonly question?: string }[];
}

/** What a page needs to know of a deployment; served as `tercet.json` beside it. All public. */
export interface Deployment {
  readonly version: 1;
  readonly parties: readonly [PartyAddress, PartyAddress];
  /** Where the models' files are, relative to this document. */
  readonly models: string;
  readonly entries: readonly ModelEntry[];
  /** STUN and TURN servers. Empty by default: nobody else is asked for anything. */
  readonly iceServers?: readonly RTCIceServer[];
}

// ── what is there, and why not ─────────────────────────────────────────────

export type Availability =
  | { readonly ok: true; readonly detail: string }
  | { readonly ok: false; readonly reason: string; readonly detail: string };

export interface Capabilities {
  /** reason: 'no-api' | 'no-adapter' | 'no-device' | 'insecure-context' | 'fallback-adapter'. */
  readonly webgpu: Availability;
  /** reason: 'no-wasm' | 'no-simd' | 'blocked-by-csp'. */
  readonly wasm: Availability;
  /** reason: 'no-api'. */
  readonly webrtc: Availability;
  readonly workers: Availability;
  readonly threads: number;
  readonly crossOriginIsolated: boolean;
  /** What `device: 'auto'` takes here; undefined when nothing can run. */
  readonly device: Device | undefined;
}

// ── progress ───────────────────────────────────────────────────────────────

/**
 * Payload bytes counted at the channels so far. `ahead`: correlations; `input`: the one message out; `output`: the
 * one message in.
 */
export interface LinkBytes {
  readonly ahead: number;
  readonly input: number;
  readonly output: number;
}

/** Live figures of the three links. */
export interface Links {
  readonly p1: LinkBytes;
  readonly p2: LinkBytes;
  /** Between the compute parties, as they report it: bytes both ways, rounds done and rounds in all. */
  readonly between: { readonly bytes: number; readonly rounds: number; readonly totalRounds: number };
}

/**
 * Hex of the latest bytes that left this device for party 1 and party 2, 30 bytes each where there are so many: for
 * people who want to look at them.
 */
export type SentSample = readonly [string, string];

export type ProgressEvent =
  // transformers.js
  | { readonly status: 'initiate' | 'download' | 'done'; readonly name: string; readonly file: string }
  | {
      readonly status: 'progress';
      readonly name: string;
      readonly file: string;
      readonly progress: number;
      readonly loaded: number;
      readonly total: number;
    }
  | { readonly status: 'ready'; readonly task: Task; readonly model: string }
  // private runs
  | { readonly status: 'connect'; readonly party: 1 | 2; readonly transport: Transport }
  | { readonly status: 'handshake'; readonly party: 1 | 2; readonly milliseconds: number }
  | {
      readonly status: 'preprocess';
      /** Tokens of the prepared bucket. */
      readonly length: number;
      readonly progress: number;
      readonly links: Links;
      readonly done: boolean;
      /** Whether this was dealt ahead (`prepare`) or inside a run. */
      readonly ahead: boolean;
      readonly sample?: SentSample;
    }
  | { readonly status: 'input'; readonly links: Links; readonly sample?: SentSample }
  | {
      readonly status: 'layer';
      /** 0: words in; 1 … layers; layers + 1: words out. */
      readonly layer: number;
      readonly layers: number;
      /** Like `attention/exponential`. */
      readonly section: string;
      /** Of the whole online phase, 0 to 1; of generated text, of the step for one piece. */
      readonly progress: number;
      readonly links: Links;
      readonly sample?: SentSample;
    }
  | { readonly status: 'reconstruct'; readonly links: Links; readonly sample?: SentSample }
  // before a run: what to know of how a text is read, like special tokens that became plain text; without a
  // callback it goes to the console
  | { readonly status: 'notice'; readonly message: string }
  // while the parties compute: a message of that party came, about once a second of each
  | { readonly status: 'heard'; readonly party: 1 | 2 }
  // what `prepare` made is not there any more
  | {
      readonly status: 'released';
      /** Tokens of the bucket that it was for. */
      readonly length: number;
      /** 'age': kept for as long as parties keep memory for nobody (5 minutes); 'lost': a link of it ended. */
      readonly reason: 'age' | 'lost';
      /**
       * With 'lost': what the party said, like ERR_PEER_LET_GO when it needed the place, or what the link ended
       * with.
       */
      readonly code?: ErrorCode;
    }
  // generated text: after every step's reconstruct
  | { readonly status: 'token'; readonly index: number; readonly text: string; readonly links: Links };

/** A choice that was not what was asked for, or not the best: said, never silent. */
export interface FallbackEvent {
  readonly what: 'device' | 'transport';
  readonly from: Device | Transport;
  readonly to: Device | Transport;
  readonly reason: string;
}

// ── options ────────────────────────────────────────────────────────────────

/** A hub to load from. */
export interface HubSource {
  /** The hub, or a mirror of it. Default `https://huggingface.co`; in Node what TERCET_HUB or HF_ENDPOINT name. */
  readonly endpoint?: string;
  /**
   * Nobody is asked: what is not kept from an earlier load is an error. In Node TERCET_OFFLINE and HF_HUB_OFFLINE
   * say so as well.
   */
  readonly offline?: boolean;
}

export interface PretrainedOptions {
  /** The deployment: its document, or where to fetch it (default `../sdk/tercet.json` beside the page). */
  readonly deployment?: Deployment | string | URL;
  /**
   * Loads configuration and tokenizer from a hub instead of from beside the deployment, at the commit and with the
   * hashes that the deployment says, and keeps them: in the browser's cache (where there is none, in memory while
   * the model is loaded), in Node on disk. The hub then learns that somebody at this address uses the model. A
   * page's Content-Security-Policy must allow it, and where it sends large files. Default: no hub is asked.
   */
  readonly hub?: boolean | HubSource;
  readonly protocol?: Protocol;
  /**
   * 'secret' needs a credential. Secret weights are kept from the compute parties as long as every enrolled owner
   * is trusted with them: an owner that deals falsely can read them alone, exactly, and nobody notices.
   */
  readonly weights?: Weights;
  /**
   * For secret weights: the credential file that the model's owner made for you (`tercet owner enrol`): a File or
   * Blob, its bytes, its text, or the object in it. It holds a private key and the seeds of the weights' masks,
   * stays in memory, and is presented to the two parties alone, once they have proved who they are.
   */
  readonly credential?: string | Uint8Array | ArrayBuffer | Blob | object;
  readonly device?: 'auto' | Device;
  /** 'auto': WebRTC, and after `transportTimeoutMs` without a link WebSocket, with a `fallback` event. */
  readonly transport?: 'auto' | Transport;
  /** Default 5,000. */
  readonly transportTimeoutMs?: number;
  /**
   * WebRTC associations per party, 1 to 4 (default 1): more carry more over a link that is long and fast, where the
   * window of one is the limit.
   */
  readonly associations?: number;
  /** Texts are padded to one of these lengths (default 16, 32, 64, 128, and the model's maximum). */
  readonly buckets?: readonly number[];
  /**
   * In a worker of your own, whose page lends its WebRTC: the other port of the one that the page gave to
   * `serveWebRtc`. Addresses are relative to the worker's script there, so give `deployment` in full.
   */
  readonly page?: MessagePort;
  readonly progress_callback?: (event: ProgressEvent) => void;
  readonly onFallback?: (event: FallbackEvent) => void;
  readonly signal?: AbortSignal;
}

export interface RunOptions {
  /** Answers to return (default 5; all classes of a classifier; 1 for questions). */
  readonly topK?: number;
  /** Stops all three parties. Rejects with ERR_ABORTED; nothing was opened. */
  readonly signal?: AbortSignal;
  readonly specialTokens?: SpecialTokens;
}

/**
 * What becomes of special tokens that a text spells (`[SEP]`, `<|endoftext|>`, markers of entities or speakers).
 * 'cut', the default: plain text, with a notice, so that no text forges the structure of an input. 'allow': those
 * tokens, as in Python; padding alone stays text.
 */
export type SpecialTokens = 'cut' | 'allow';

export interface PredictOptions extends RunOptions {
  /** Only these words compete for the blank; each must be one piece of the vocabulary. */
  readonly targets?: readonly string[];
}

export interface ClassifyOptions extends RunOptions {
  /**
   * A classifier: names of its classes that compete, or new names for them. A fill-mask model, or one trained on
   * entailment: the classes, in words (zero-shot).
   */
  readonly labels?: readonly string[] | Readonly<Record<string, string>>;
  /** Zero-shot with a fill-mask model: the sentence with `{text}` and `{mask}`. Default `{text} It was {mask}.` */
  readonly template?: string;
  /**
   * Zero-shot with a fill-mask model: the word that stands for a label, where the label is not one piece of the
   * vocabulary.
   */
  readonly verbalizers?: Readonly<Record<string, string>>;
  /** Zero-shot with an entailment model. Default `This example is {label}.` */
  readonly hypothesisTemplate?: string;
  /** Zero-shot with an entailment model: every label for itself. */
  readonly multiLabel?: boolean;
}

export interface BatchOptions extends ClassifyOptions {
  /** Texts in one run of the protocol (default 8). */
  readonly batchSize?: number;
}

export interface AnswerOptions extends RunOptions {
  /** Longest answer, in pieces (default 15). */
  readonly maxAnswerLength?: number;
  /** Whether "there is no answer" may win; its text is empty. */
  readonly handleImpossible?: boolean;
}

export interface EntityOptions {
  /** As transformers' aggregation_strategy. Default 'first': whole words. */
  readonly aggregation?: 'none' | 'simple' | 'first' | 'average' | 'max';
  /** Labels that are left out of the answer. Default `['O']`: what is no name. */
  readonly ignoreLabels?: readonly string[];
  readonly signal?: AbortSignal;
  readonly specialTokens?: SpecialTokens;
}

export interface EmbedOptions {
  /**
   * Default: as the model's files declare (sentence-transformers' `modules.json`, `1_Pooling/config.json`), else
   * 'mean'. Pooled vectors are made before they open, so nobody, not even you, sees those of single words.
   */
  readonly pooling?: 'mean' | 'cls' | 'none';
  /** Vectors of length one. Default: as the model's files declare, else true. */
  readonly normalize?: boolean;
  /** Texts in one run of the protocol (default 8). */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  readonly specialTokens?: SpecialTokens;
}

/**
 * Where they mean the same, names are those of transformers.js. What is left out is as the model's
 * `generation_config.json` says (else `config.json`), and without that the default. Sampling happens here, after
 * the logits opened to this device alone.
 */
export interface GenerateOptions {
  /** New pieces (default 20). */
  readonly maxNewTokens?: number;
  /** Prompt and new pieces together; the smaller of the two counts. */
  readonly maxLength?: number;
  /** 0: the likeliest piece, always (the default without any other sampling option). */
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly repetitionPenalty?: number;
  /** No run of so many pieces comes twice; 0: any may. */
  readonly noRepeatNgramSize?: number;
  /** Whether pieces are drawn. */
  readonly doSample?: boolean;
  /** Pieces that end the text; an empty list: none. */
  readonly eosTokenId?: number | readonly number[];
  /** No end before so many new pieces, or so many with the prompt. */
  readonly minNewTokens?: number;
  readonly minLength?: number;
  /** Pieces that never come, that do not come first, and runs of pieces that never come. */
  readonly suppressTokens?: readonly number[];
  readonly beginSuppressTokens?: readonly number[];
  readonly badWordsIds?: readonly (readonly number[])[];
  /** The piece behind a prompt of one piece; pieces of which the last one of the longest text is one. */
  readonly forcedBosTokenId?: number;
  readonly forcedEosTokenId?: number | readonly number[];
  readonly stop?: readonly string[];
  readonly specialTokens?: SpecialTokens;
  /**
   * Makes the same draws again. Outputs of private runs differ in their last bits, so where two pieces are about as
   * likely the text may still turn out another one.
   */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

// ── results ────────────────────────────────────────────────────────────────

/**
 * Bytes that left this device in a run, and what they were made from. Made here, from this run; never sent
 * anywhere.
 */
export interface Captured {
  readonly tokens: readonly {
    readonly text: string;
    readonly id: number;
    /** Offset of the token in the text, in UTF-16 units; undefined for special tokens. */
    readonly span?: readonly [number, number];
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

export interface RunCost {
  /** Of all texts of the run, or of a prompt. */
  readonly tokens: number;
  /** The bucket, times the sequences of the run: what the compute parties know of the length. */
  readonly paddedTokens: number;
  readonly links: Links;
  /** Wire bytes with frame headers, as each party counted them. */
  readonly sentBytes: readonly [number, number, number];
  readonly receivedBytes: readonly [number, number, number];
  readonly peakMemoryBytes: readonly [number, number, number];
  readonly devices: readonly [string, string, string];
  /**
   * Milliseconds, of generated text those of all steps. `prepareMs` was spent before the call if `preparedAhead`,
   * else inside it; later steps are dealt while earlier ones compute, which is not counted.
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
}

export interface Prediction {
  readonly token: string;
  readonly token_str: string;
  readonly token_id: number;
  readonly score: number;
  /** The text with the blank filled in. */
  readonly sequence: string;
}

export interface PredictResult {
  /** Best first; one list for each blank of the text. */
  readonly predictions: readonly Prediction[];
  readonly blanks: readonly (readonly Prediction[])[];
  readonly cost: RunCost;
  readonly captured: Captured;
}

export interface ClassifyResult {
  readonly label: string;
  readonly score: number;
  readonly labels: readonly { readonly label: string; readonly score: number }[];
  readonly cost: RunCost;
  readonly captured: Captured;
}

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

export interface Entity {
  /** `text.slice(start, end)`. */
  readonly text: string;
  readonly label: string;
  readonly entity_group: string;
  /** As `text`; with aggregation 'none' the piece as the tokenizer reads it back, like `##s`. */
  readonly word: string;
  /** With aggregation 'none': place of the piece among those of the text, special ones counted. */
  readonly index?: number;
  readonly score: number;
  readonly start: number;
  readonly end: number;
}

export interface EntitiesResult {
  readonly entities: readonly Entity[];
  readonly cost: RunCost;
  readonly captured: Captured;
}

export interface EmbedResult {
  /** One for each text, (rows, width) row-major: one row with pooling. */
  readonly vectors: readonly { readonly dims: readonly [rows: number, width: number]; readonly data: Float32Array }[];
  readonly costs: readonly RunCost[];
}

export interface BatchResult {
  /** In the order of the texts. */
  readonly results: readonly Omit<ClassifyResult, 'cost' | 'captured'>[];
  /** Of every run of the protocol. */
  readonly costs: readonly RunCost[];
}

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

/** A party as its health endpoint describes it. */
export interface PartyHealth {
  readonly party: 1 | 2;
  readonly ok: boolean;
  /** Round trip of the health request. */
  readonly milliseconds?: number;
  readonly device?: string;
  readonly version?: string;
  /**
   * Whether it has a place for a run: `free`; `busy`, all are taken and one that only waits would give way; `full`,
   * there is none now.
   */
  readonly load?: 'free' | 'busy' | 'full';
  readonly error?: TercetError;
}

/** What a task works on: a text, or a question with the context that answers it. */
export type TaskText = string | { readonly question: string; readonly context: string };

/** What the text would become, without running anything or sending anything. */
export interface TextCheck {
  readonly tokens: number;
  readonly paddedTokens: number | undefined;
  readonly blanks: number;
  /** What to know of how the text is read; sentences. */
  readonly notices?: readonly string[];
  /** Why it cannot run as it is: ERR_INPUT… with what to do. */
  readonly problem?: TercetError;
}

export interface PrepareOptions {
  /** Fill-mask: blanks of the text (default 1). */
  readonly blanks?: number;
  /** Texts in one run (default 1). */
  readonly sequences?: number;
  /** Text generation: new pieces that may follow (default 20). */
  readonly maxNewTokens?: number;
  readonly signal?: AbortSignal;
}

export interface Model {
  readonly id: string;
  readonly task: Task;
  readonly device: Device;
  readonly layers: number;
  readonly maxTokens: number;
  /** Bytes downloaded to get here: deployment, config, tokenizer. */
  readonly downloadedBytes: number;
  /** Names of a classifier's classes, or of entities' tags. */
  readonly labels: readonly string[];
  /** Tokenizes here. Cheap; for every key stroke. */
  check(text: TaskText): Promise<TextCheck>;
  /**
   * Deals the correlations of one run for texts of up to `length` tokens (rounded up to a bucket), and keeps them
   * for 5 minutes. A second call for another bucket replaces the first.
   */
  prepare(length: number, options?: PrepareOptions): Promise<void>;
  /**
   * Lets go of what `prepare` made or makes, here and at both parties, so that they have room for others. For a
   * page that is hidden or left alone. Nothing, if nothing is prepared. A 'released' event tells when it goes
   * without this call.
   */
  release(): Promise<void>;
  predict(text: string, options?: PredictOptions): Promise<PredictResult>;
  classify(text: string, options?: ClassifyOptions): Promise<ClassifyResult>;
  classifyBatch(texts: readonly string[], options?: BatchOptions): Promise<BatchResult>;
  answerQuestion(
    input: { readonly question: string; readonly context: string },
    options?: AnswerOptions,
  ): Promise<AnswerResult>;
  extractEntities(text: string, options?: EntityOptions): Promise<EntitiesResult>;
  generate(prompt: string, options?: GenerateOptions): GenerateStream;
  embed(texts: string | readonly string[], options?: EmbedOptions): Promise<EmbedResult>;
  health(): Promise<readonly [PartyHealth, PartyHealth]>;
  /** Ends what runs, drops what was prepared, stops workers. */
  dispose(): Promise<void>;
}
