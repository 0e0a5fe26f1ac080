/** What a deployment serves, and what is there to run it: parties, models, this device. All of it is public. */
import type { TercetError } from '../../core/errors.ts';
import type { ModelTask } from '../../ml/tasks/table.ts';

/** What a model was made for: its head. */
export type Task = ModelTask;
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
