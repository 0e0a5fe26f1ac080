/** What a caller may ask for: when a model loads, when it prepares, and for each task. */
import type { Deployment, Device, PartyAddress, Protocol, Transport, Weights } from './deployment.ts';
import type { TraceEvent } from '../../mpc/protocol/trace.ts';
import type { FallbackEvent, ProgressEvent } from './events.ts';

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

/** How a model is loaded, and over what it is reached. All have defaults in a page; Node needs `deployment`. */
export interface PretrainedOptions {
  /** The deployment: its document, or where to fetch it (default `../sdk/tercet.json` beside the page). */
  readonly deployment?: Deployment | string | URL | undefined;
  /**
   * Loads configuration and tokenizer from a hub instead of from beside the deployment, at the commit and with the
   * hashes that the deployment says, and keeps them: in the browser's cache (where there is none, in memory while
   * the model is loaded), in Node on disk. The hub then learns that somebody at this address uses the model. A
   * page's Content-Security-Policy must allow it, and where it sends large files. Default: no hub is asked.
   */
  readonly hub?: boolean | HubSource;
  /** Default '3pc_semi_honest'. */
  readonly protocol?: Protocol | undefined;
  /**
   * With '3pc_malicious' and 'aby3': what their proofs promise. 128, the default: a wrong run passes with at most
   * 2^-46. 256 is the name of a bound of 2^-63, at twice the bytes of proofs and some more computing. Without proofs it
   * is refused.
   */
  readonly securityLevel?: 128 | 256 | undefined;
  /**
   * 'secret' needs a credential. Secret weights are kept from the compute parties as long as every enrolled owner
   * is trusted with them: an owner that deals falsely can read them alone, exactly, and nobody notices. With
   * '3pc_malicious' and 'aby3' it is caught; that helps where both parties serve these alone.
   */
  readonly weights?: Weights;
  /**
   * For secret weights: the credential file that the model's owner made for you (`tercet owner enrol`): a File or
   * Blob, its bytes, its text, or the object in it. It holds a private key and the seeds of the weights' masks,
   * stays in memory, and is presented to the two parties alone, once they have proved who they are.
   */
  readonly credential?: string | Uint8Array | ArrayBuffer | Blob | object | undefined;
  /**
   * Default false: this device deals. `true` takes the deployment's dealer, an address one of your own: it deals
   * instead, and this device sends its input only. **No two of the three servers may collude**: the dealer alone learns
   * nothing, the dealer and either compute party together learn the text, and secret weights too. For these the
   * credential must name the dealer, else ERR_CREDENTIAL_DEALER.
   */
  readonly dealer?: boolean | PartyAddress | undefined;
  /**
   * What runs save, which the compute parties see. 'lan', the default: computing. 'wan-cloud': about half of what this
   * device sends ahead; the parties send each other some more and compute more, in as many rounds. The answer is the
   * same but for its last bits.
   */
  readonly plan?: 'lan' | 'wan-cloud';
  /** Default 'auto': WebGPU where a page has it, else WebAssembly with a `fallback` event. In Node WebAssembly. */
  readonly device?: 'auto' | Device;
  /** 'auto': WebRTC, and after `transportTimeoutMs` without a link WebSocket, with a `fallback` event. */
  readonly transport?: 'auto' | Transport;
  /** Milliseconds that WebRTC gets before WebSocket is used (default 5,000). */
  readonly transportTimeoutMs?: number;
  /**
   * WebRTC associations per party, 1 to 4 (default 1): more carry more over a link that is long and fast, where the
   * window of one is the limit.
   */
  readonly associations?: number;
  /** Texts are padded to one of these lengths (default 16, 32, 64, 128, and the model's maximum). */
  readonly buckets?: readonly number[];
  /**
   * Texts of a list in one run of the protocol, from 1 to 256 (default 8). A call may say another number; where the
   * parties take fewer of so long texts, there are more runs.
   */
  readonly batchSize?: number | undefined;
  /**
   * Longest text, in characters, from 1 to 100,000 (default: what the deployment says, else 10,000). A longer one is
   * refused with ERR_TEXT_TOO_LONG.
   */
  readonly maxCharacters?: number | undefined;
  /**
   * In a worker of your own, whose page lends its WebRTC: the other port of the one that the page gave to
   * `serveWebRtc`. Addresses are relative to the worker's script there, so give `deployment` in full.
   */
  readonly page?: InstanceType<typeof MessagePort>;
  /** Hears what loads and runs. It must not throw. */
  readonly progress_callback?: (event: ProgressEvent) => void;
  /** Hears of a device or transport that took the place of another. */
  readonly onFallback?: (event: FallbackEvent) => void;
  /**
   * Every step of this device's party, as it is done: gate, half-round, bytes and milliseconds, never a value. The
   * compute parties' own steps stay with them. It must not throw.
   */
  readonly trace?: ((event: TraceEvent) => void) | undefined;
  /** Stops the loading. Rejects with ERR_ABORTED. */
  readonly signal?: AbortSignal;
}

/** What every run of one text takes. */
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

/** Options of `Model.predict`. */
export interface PredictOptions extends RunOptions {
  /** Only these words compete for the blank; each must be one piece of the vocabulary. */
  readonly targets?: readonly string[];
}

/** Options of `Model.classify`. Those of another kind of model are refused with ERR_ARGUMENT. */
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

/** Options of `Model.classifyBatch`. */
export interface BatchOptions extends ClassifyOptions {
  /** Texts in one run of the protocol (default: that of the model, 8). */
  readonly batchSize?: number;
}

/** Options of `Model.answerQuestion`. */
export interface AnswerOptions extends RunOptions {
  /** Longest answer, in pieces (default 15). */
  readonly maxAnswerLength?: number;
  /** Whether "there is no answer" may win; its text is empty. */
  readonly handleImpossible?: boolean;
}

/** Options of `Model.extractEntities`. */
export interface EntityOptions {
  /** As transformers' aggregation_strategy. Default 'first': whole words. */
  readonly aggregation?: 'none' | 'simple' | 'first' | 'average' | 'max';
  /** Labels that are left out of the answer. Default `['O']`: what is no name. */
  readonly ignoreLabels?: readonly string[];
  readonly signal?: AbortSignal;
  readonly specialTokens?: SpecialTokens;
}

/** Options of `Model.embed`. */
export interface EmbedOptions {
  /**
   * Default: as the model's files declare (sentence-transformers' `modules.json`, `1_Pooling/config.json`), else
   * 'mean'. Pooled vectors are made before they open, so nobody, not even you, sees those of single words.
   */
  readonly pooling?: 'mean' | 'cls' | 'none';
  /** Vectors of length one. Default: as the model's files declare, else true. */
  readonly normalize?: boolean;
  /** Texts in one run of the protocol (default: that of the model, 8). */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  readonly specialTokens?: SpecialTokens;
}

/**
 * Options of `Model.generate`. Where they mean the same, names are those of transformers.js. What is left out is as
 * the model's `generation_config.json` says (else `config.json`), and without that the default. Sampling happens
 * here, after the logits opened to this device alone.
 */
export interface GenerateOptions {
  /** New pieces (default 20). */
  readonly maxNewTokens?: number;
  /** Prompt and new pieces together; the smaller of the two counts. */
  readonly maxLength?: number;
  /** 0: the likeliest piece, always (the default without any other sampling option). */
  readonly temperature?: number;
  /** Only so many of the likeliest pieces, 1 or more; default: all. */
  readonly topK?: number;
  /** Only the likeliest pieces that make up this probability, 0 to 1. */
  readonly topP?: number;
  /** Above 1: pieces that came before are less likely. */
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
  /** Texts that end the generation; they are not part of the result. */
  readonly stop?: readonly string[];
  readonly specialTokens?: SpecialTokens;
  /**
   * Makes the same draws again. Outputs of private runs differ in their last bits, so where two pieces are about as
   * likely the text may still turn out another one.
   */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

/** What of a run's shape, beside the length, `Model.prepare` is for. */
export interface PrepareOptions {
  /** Fill-mask: blanks of the text (default 1). */
  readonly blanks?: number;
  /** Texts in one run (default 1). */
  readonly sequences?: number;
  /** Text generation: new pieces that may follow (default 20). */
  readonly maxNewTokens?: number;
  readonly signal?: AbortSignal;
}
