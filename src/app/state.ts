/** All that the page shows comes from here: one value, changed only by the events of `reduce.ts`. */
import type {
  Capabilities,
  Deployment,
  Device,
  FallbackEvent,
  Links,
  ModelEntry,
  OnlinePart,
  PartyAddress,
  PartyHealth,
  ProgressEvent,
  Protocol,
  SentSample,
  ServersHealth,
  TextCheck,
  Transport,
  Weights,
} from '../owner/types/index.ts';
import type { TaskResult } from './results.ts';
import type { Failure } from './errors.ts';
import { EMPTY, type TaskKind, type Form, modelTask } from './form.ts';

export interface Settings {
  readonly protocol: Protocol;
  /** Of proofs, where there are any. */
  readonly level: 128 | 256;
  /** Undefined: as the model is served, open where it is served both ways. A choice holds, or is refused. */
  readonly weights: Weights | undefined;
  readonly device: 'auto' | Device;
  readonly transport: 'auto' | Transport;
  /** Whether the dealer of the deployment deals in place of this device. */
  readonly dealer: boolean;
  readonly prepareWhileTyping: boolean;
  /** The chosen model, if it is not the first of the deployment for the task. */
  readonly model: string | undefined;
}

/** What stays of a loaded model for the page. */
interface ModelFacts {
  readonly id: string;
  readonly device: Device;
  readonly layers: number;
  readonly maxTokens: number;
  readonly downloadedBytes: number;
}

/**
 * Why keys that were there are not there any more, or could not be made: the tab was hidden or left alone, they
 * grew old, a link ended, a party needed the place.
 */
export type Gone = 'hidden' | 'idle' | 'age' | 'lost' | 'asked' | 'failed';

/** Keys and helper numbers sent before the button. */
export interface Preparation {
  readonly status: 'none' | 'going' | 'ready';
  /** With `none`. */
  readonly gone: Gone | undefined;
  /** The bucket, in tokens. */
  readonly length: number;
  readonly progress: number;
  readonly links: Links | undefined;
  /** What this device has to do behind the button, where it is in the rounds. */
  readonly online: OnlinePart | undefined;
  readonly sample: SentSample | undefined;
  /** Clock readings: of its start, and of its end. */
  readonly startedAt: number;
  readonly readyAt: number | undefined;
  /** When bytes last went, and the clock while they go. */
  readonly movedAt: number;
  readonly now: number;
}

type RunPhase = 'prepare' | 'input' | 'compute' | 'output';

export interface Run {
  readonly phase: RunPhase;
  /** Whether keys from before the button are used, and whether all of them were ready then. */
  readonly ahead: boolean;
  readonly whole: boolean;
  /** Milliseconds from before the button, when all keys were ready then. */
  readonly aheadMs: number | undefined;
  /** Share of the preparing inside this run. */
  readonly preparing: number;
  readonly links: Links | undefined;
  readonly sample: SentSample | undefined;
  readonly layer: number;
  readonly section: string;
  /** Runs of others that compute first. */
  readonly queued?: { readonly before: number; readonly milliseconds?: number | undefined } | undefined;
  readonly progress: number;
  /** Clock readings: of the button, of the start of the online phase, of the message out. */
  readonly startedAt: number;
  readonly onlineAt: number | undefined;
  readonly sentAt: number | undefined;
  readonly now: number;
  /** When something last went or came; and when each party was last heard, once the text has left. */
  readonly movedAt: number;
  readonly heardAt: readonly [number, number];
  /** Messages that left with locked text. */
  readonly sent: number;
  /** What was asked. */
  readonly subject: Form;
  /** Text generation: what has come so far. */
  readonly pieces: readonly Piece[];
}

/** A piece of generated text: its text, and the clock when it came. */
interface Piece {
  readonly text: string;
  readonly at: number;
}

export interface Outcome {
  readonly answer: TaskResult;
  /** What was asked. */
  readonly subject: Form;
  readonly sinceButtonMs: number;
  /** How much of the keys was made before the button. */
  readonly ahead: 'whole' | 'part' | 'none';
}

/** An ended run, with where it was when it ended. */
export interface Trouble {
  readonly failure: Failure;
  readonly run: Run | undefined;
  readonly preparation: Preparation;
}

export interface State {
  readonly slot: 'idle' | 'running' | 'result' | 'stopped' | 'error';
  readonly deployment: Deployment | undefined;
  readonly capabilities: Capabilities | undefined;
  /** What the user wants to do. */
  readonly task: TaskKind;
  readonly settings: Settings;
  /** Name of the credential file that was chosen. The file itself is the controller's. */
  readonly credential: string | undefined;
  readonly model: ModelFacts | undefined;
  /** Bytes of each file of the model while they load. */
  readonly loading: Readonly<Record<string, { readonly loaded: number; readonly total: number }>> | undefined;
  readonly subject: Form;
  readonly check: TextCheck | undefined;
  /** What the model said against it when it was asked, although the text alone can run. */
  readonly refused: Failure | undefined;
  /** Whether the problem of the subject is shown: after the button, not while typing. */
  readonly problemShown: boolean;
  readonly preparation: Preparation;
  readonly run: Run | undefined;
  readonly outcome: Outcome | undefined;
  /** The answer that was there when the run began: it comes back if the run is stopped. */
  readonly previous: Outcome | undefined;
  readonly trouble: Trouble | undefined;
  /** A stopped run of which something had come: it is kept. */
  readonly kept: Run | undefined;
  readonly stopped: boolean;
  readonly health: readonly [PartyHealth | undefined, PartyHealth | undefined];
  /** Whether each party proved its identity to this model. */
  readonly proved: readonly [boolean, boolean];
  /** The dealer that deals instead of this device, where one was chosen. */
  readonly dealer: {
    readonly proved: boolean;
    readonly transport: Transport | undefined;
    readonly health: PartyHealth | undefined;
  };
  readonly transports: readonly [Transport | undefined, Transport | undefined];
  readonly fallbacks: readonly FallbackEvent[];
  /** Fallbacks that were dismissed: not said again. */
  readonly dismissed: readonly string[];
  /** The last run in full: shown beside the protocol in the settings. */
  readonly measured:
    | {
        readonly protocol: Protocol;
        readonly tokens: number;
        readonly totalMs: number;
        readonly sentBytes: number;
      }
    | undefined;
}

export type AppEvent =
  | { readonly type: 'deployed'; readonly deployment: Deployment }
  | { readonly type: 'capable'; readonly capabilities: Capabilities }
  | { readonly type: 'task'; readonly task: TaskKind }
  | { readonly type: 'settings'; readonly settings: Settings }
  | { readonly type: 'credential'; readonly name: string }
  | { readonly type: 'load' }
  | { readonly type: 'loaded'; readonly model: ModelFacts }
  | { readonly type: 'edit'; readonly change: Partial<Form> }
  | { readonly type: 'checked'; readonly subject: Form; readonly check: TextCheck }
  | { readonly type: 'refused'; readonly failure: Failure }
  | { readonly type: 'show-problem' }
  | { readonly type: 'prepare'; readonly length: number; readonly now: number }
  | { readonly type: 'prepared'; readonly now: number }
  | { readonly type: 'unprepared'; readonly gone: Gone | undefined }
  | { readonly type: 'run'; readonly now: number }
  | { readonly type: 'progress'; readonly event: ProgressEvent; readonly now: number }
  | { readonly type: 'tick'; readonly now: number }
  | { readonly type: 'answered'; readonly answer: TaskResult; readonly subject: Form; readonly now: number }
  | { readonly type: 'stopped'; readonly now: number }
  | { readonly type: 'failed'; readonly failure: Failure; readonly now: number }
  | { readonly type: 'health'; readonly health: ServersHealth }
  | { readonly type: 'fallback'; readonly event: FallbackEvent }
  | { readonly type: 'dismiss'; readonly event: FallbackEvent };

export const NO_PREPARATION: Preparation = {
  status: 'none',
  gone: undefined,
  length: 0,
  progress: 0,
  links: undefined,
  online: undefined,
  sample: undefined,
  startedAt: 0,
  readyAt: undefined,
  movedAt: 0,
  now: 0,
};

export const NO_DEALER: State['dealer'] = { proved: false, transport: undefined, health: undefined };

export const INITIAL: State = {
  slot: 'idle',
  deployment: undefined,
  capabilities: undefined,
  task: 'fill-mask',
  settings: {
    protocol: '3pc_semi_honest',
    level: 128,
    weights: undefined,
    device: 'auto',
    transport: 'auto',
    dealer: false,
    prepareWhileTyping: true,
    model: undefined,
  },
  credential: undefined,
  model: undefined,
  loading: undefined,
  subject: EMPTY,
  check: undefined,
  refused: undefined,
  problemShown: false,
  preparation: NO_PREPARATION,
  run: undefined,
  outcome: undefined,
  previous: undefined,
  trouble: undefined,
  kept: undefined,
  stopped: false,
  health: [undefined, undefined],
  proved: [false, false],
  dealer: NO_DEALER,
  transports: [undefined, undefined],
  fallbacks: [],
  dismissed: [],
  measured: undefined,
};

/** The models that the deployment serves for the task; the chosen one, or else the first, is used. */
export function entriesOf(state: State): readonly ModelEntry[] {
  return state.deployment?.entries.filter((entry) => entry.task === modelTask(state.task)) ?? [];
}

export function entryOf(state: State): ModelEntry | undefined {
  const entries = entriesOf(state);
  const { model } = state.settings;
  // A chosen one that is not served any more is not replaced by another.
  return model === undefined ? entries[0] : entries.find((entry) => entry.id === model);
}

/** The weights mode in use: what was chosen, else what the model is served with. */
export function weightsOf(state: State): Weights {
  const served = entryOf(state)?.weights;
  return state.settings.weights ?? (served !== undefined && served.open === undefined ? 'secret' : 'open');
}

/** The dealer that was chosen. */
export function dealerOf(state: State): PartyAddress | undefined {
  return state.settings.dealer ? state.deployment?.dealer : undefined;
}

/** The health of all that a run needs: the two parties, and the dealer where one was chosen. */
export function serversOf(state: State): readonly (PartyHealth | undefined)[] {
  return dealerOf(state) === undefined ? state.health : [...state.health, state.dealer.health];
}

/** Operators of party 1 and 2, for sentences. */
export function operatorsOf(state: State): readonly [string, string] {
  const [p1, p2] = state.deployment?.parties ?? [];
  return [p1?.operator ?? 'party 1', p2?.operator ?? 'party 2'];
}
