/** What a deployment serves, and what is there to run it: parties, models, this device. All of it is public. */
import type { TercetError } from '../../core/errors.ts';
import type { ModelTask } from '../../ml/tasks/table.ts';
import type { IceServer } from '../../net/webrtc/types.ts';

/**
 * What a model was made for: its head. Zero-shot classification is a call on models for fill-mask, or for
 * classification where they were trained on entailment.
 */
export type Task = ModelTask;
/**
 * How the parties compute. With `3pc_semi_honest` they follow the protocol, and may be curious. With `3pc_malicious`
 * one of them may do anything: its messages are proved before the answer opens. `aby3` claims the same, and is there to
 * compare with: the data owner answers in two of three rounds. Parties serve it where their operator names it. What is
 * not there is refused with ERR_PROTOCOL_UNAVAILABLE, and by a party that does not serve it with ERR_PEER_MISMATCH and
 * words for it. Nothing weaker is used in its place.
 */
export type Protocol = '3pc_semi_honest' | '3pc_malicious' | 'aby3';
/** Whether the compute parties hold the weights in the clear (`open`), or as shares (`secret`). */
export type Weights = 'open' | 'secret';
/** What computes: a graphics device, or WebAssembly on the CPU. */
export type Device = 'webgpu' | 'wasm';
/** How bytes reach a party: a data channel over UDP, or a WebSocket over TCP. The keys and checks are the same. */
export type Transport = 'webrtc' | 'websocket';

/** A compute party as the data owner knows it: where it listens, and the identity it must prove. */
export interface PartyAddress {
  /** Base of its HTTPS interface, like `https://alder.example`. Plain `http:` only for this machine (loopback). */
  readonly url: string;
  /** Its Ed25519 public key, 64 hex digits. */
  readonly identity: string;
  /**
   * The key that it changes to, and until when the old one is accepted too (an ISO 8601 time). From then on this one
   * alone is.
   */
  readonly next?: { readonly identity: string; readonly until: string } | undefined;
  /** Who runs it and where, for people. */
  readonly operator?: string | undefined;
  /** Where it stands, for people. */
  readonly place?: string;
}

/** A file of a model that the data owner downloads: never the weights. */
export interface PinnedFile {
  /** 64 hex digits. What arrives is compared before it is read. */
  readonly sha256: string;
  /** Its exact size. */
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
  /** What `fromPretrained` and `pipeline` are given. */
  readonly id: string;
  /** What its head was trained for. */
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
  readonly hub?: HubPlace | undefined;
  /** Texts to try; with a question, the text is the context that answers it. */
  readonly examples: readonly { readonly label: string; readonly text: string; readonly question?: string }[];
}

/** What a page needs to know of a deployment; served as `tercet.json` beside it. All public. */
export interface Deployment {
  /** Of this format. */
  readonly version: 1;
  /** Party 1 and party 2: two operators that must not collude. */
  readonly parties: readonly [PartyAddress, PartyAddress];
  /**
   * A dealer that owners may choose (`dealer` of `PretrainedOptions`). It must collude with neither party: with one of
   * them it reads the text.
   */
  readonly dealer?: PartyAddress | undefined;
  /** Where the models' files are, relative to this document. */
  readonly models: string;
  /** What is served. */
  readonly entries: readonly ModelEntry[];
  /** STUN and TURN servers. Empty by default: nobody else is asked for anything. */
  readonly iceServers?: readonly IceServer[];
  /** Longest text that its pages take, in characters (default 10,000). */
  readonly maxCharacters?: number | undefined;
}

// ── what is there, and why not ─────────────────────────────────────────────

/**
 * Whether something can be used here. `reason` is a word for programs, `detail` a sentence for people.
 *
 * @example
 * const { webgpu } = await capabilities();
 * if (!webgpu.ok) console.log(webgpu.reason, webgpu.detail);
 */
export type Availability =
  | { readonly ok: true; readonly detail: string }
  | { readonly ok: false; readonly reason: string; readonly detail: string };

/** What a page or a process can run, and why not: the answer of `capabilities()`. */
export interface Capabilities {
  /** reason: 'no-api' | 'no-adapter' | 'no-device' | 'insecure-context' | 'fallback-adapter'. */
  readonly webgpu: Availability;
  /** reason: 'no-wasm' | 'no-simd' | 'blocked-by-csp'. */
  readonly wasm: Availability;
  /** reason: 'no-api'. */
  readonly webrtc: Availability;
  /** reason: 'no-api'. */
  readonly workers: Availability;
  /** Threads that WebAssembly would use. */
  readonly threads: number;
  /** Whether the page is isolated; Tercet does not need it. */
  readonly crossOriginIsolated: boolean;
  /** What `device: 'auto'` takes here; undefined when nothing can run. */
  readonly device: Device | undefined;
}

/** A party as its health endpoint describes it. */
export interface PartyHealth {
  /** Which compute party; 3 is the dealer. */
  readonly party: 1 | 2 | 3;
  /** Whether it answered, as the identity that the deployment names. */
  readonly ok: boolean;
  /** Round trip of the health request. */
  readonly milliseconds?: number | undefined;
  /** What it computes on, in its words. */
  readonly device?: string | undefined;
  /** Of Tercet, as it says. */
  readonly version?: string | undefined;
  /** Protocols that it serves, as it says. */
  readonly protocols?: readonly string[] | undefined;
  /**
   * Whether it has a place for a run: `free`; `busy`, all are taken and one that only waits would give way; `full`,
   * there is none now.
   */
  readonly load?: 'free' | 'busy' | 'full' | undefined;
  /** Why it is not ok: ERR_PEER_UNREACHABLE, ERR_IDENTITY_KEY, ERR_DOWNLOAD. */
  readonly error?: TercetError;
}

/** Of the compute parties, and of the dealer where the owner chose one. */
export type ServersHealth = readonly [PartyHealth, PartyHealth, ...dealer: PartyHealth[]];
