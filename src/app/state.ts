/** All that the page shows comes from here: one value, changed only by the events of `reduce.ts`. */
import type {
  Capabilities,
  Deployment,
  Device,
  FallbackEvent,
  Links,
  ModelEntry,
  PartyHealth,
  ProgressEvent,
  Protocol,
  SentSample,
  TextCheck,
  Transport,
  Weights,
} from '../sdk/types.ts';
import type { Answer } from './answers.ts';
import type { Failure } from './errors.ts';
import { EMPTY, type Job, type Subject, modelTask } from './subject.ts';

export interface Settings {
  readonly protocol: Protocol;
  readonly weights: Weights;
  readonly device: 'auto' | Device;
  readonly transport: 'auto' | Transport;
  readonly prepareWhileTyping: boolean;
  /** The chosen model, if it is not the first of the deployment for the task. */
  readonly model: string | undefined;
}

/** What stays of a loaded model for the page. */
export interface ModelFacts {
  readonly id: string;
  readonly device: Device;
  readonly layers: number;
  readonly maxTokens: number;
  readonly downloadedBytes: number;
}

/** Keys and helper numbers sent before the button. */
export interface Preparation {
  readonly status: 'none' | 'going' | 'ready';
  /** The bucket, in tokens. */
  readonly length: number;
  readonly progress: number;
  readonly links: Links | undefined;
  readonly sample: SentSample | undefined;
  /** Clock readings: of its start, and of its end. */
  readonly startedAt: number;
  readonly readyAt: number | undefined;
}

export type RunPhase = 'prepare' | 'input' | 'compute' | 'output';

export interface Run {
  readonly phase: RunPhase;
  /** Whether keys from before the button are used. */
  readonly ahead: boolean;
  /** Milliseconds from before the button, when all keys were ready then. */
  readonly aheadMs: number | undefined;
  /** Share of the preparing inside this run. */
  readonly preparing: number;
  readonly links: Links | undefined;
  readonly sample: SentSample | undefined;
  readonly layer: number;
  readonly section: string;
  readonly progress: number;
  /** Clock readings: of the button, of the start of the online phase, of the message out. */
  readonly startedAt: number;
  readonly onlineAt: number | undefined;
  readonly sentAt: number | undefined;
  readonly now: number;
  /** What was asked. */
  readonly subject: Subject;
  /** Text generation: what has come so far. */
  readonly pieces: readonly Piece[];
}

/** A piece of generated text: its text, and the clock when it came. */
export interface Piece {
  readonly text: string;
  readonly at: number;
}

export interface Outcome {
  readonly answer: Answer;
  /** What was asked. */
  readonly subject: Subject;
  readonly sinceButtonMs: number;
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
  readonly task: Job;
  readonly settings: Settings;
  /** Name of the credential file that was chosen. The file itself is the controller's. */
  readonly credential: string | undefined;
  readonly model: ModelFacts | undefined;
  /** Bytes of each file of the model while they load. */
  readonly loading: Readonly<Record<string, { readonly loaded: number; readonly total: number }>> | undefined;
  readonly subject: Subject;
  readonly check: TextCheck | undefined;
  /** What the model said against it when it was asked, although the text alone can run. */
  readonly refused: Failure | undefined;
  /** Whether the problem of the subject is shown: after the button, not while typing. */
  readonly nagging: boolean;
  readonly preparation: Preparation;
  readonly run: Run | undefined;
  readonly outcome: Outcome | undefined;
  readonly trouble: Trouble | undefined;
  /** A stopped run of which something had come: it is kept. */
  readonly kept: Run | undefined;
  readonly stopped: boolean;
  readonly health: readonly [PartyHealth | undefined, PartyHealth | undefined];
  /** Whether each party proved its identity to this model. */
  readonly proved: readonly [boolean, boolean];
  readonly transports: readonly [Transport | undefined, Transport | undefined];
  readonly fallbacks: readonly FallbackEvent[];
  /** Fallbacks that were dismissed: not said again in this tab. */
  readonly dismissed: readonly string[];
  /** The last run in full: shown beside the protocol in the settings. */
  readonly measured: { readonly tokens: number; readonly totalMs: number; readonly sentBytes: number } | undefined;
}

export type AppEvent =
  | { readonly type: 'deployed'; readonly deployment: Deployment }
  | { readonly type: 'capable'; readonly capabilities: Capabilities }
  | { readonly type: 'task'; readonly task: Job }
  | { readonly type: 'settings'; readonly settings: Settings }
  | { readonly type: 'credential'; readonly name: string }
  | { readonly type: 'load' }
  | { readonly type: 'loaded'; readonly model: ModelFacts }
  | { readonly type: 'edit'; readonly change: Partial<Subject> }
  | { readonly type: 'checked'; readonly subject: Subject; readonly check: TextCheck }
  | { readonly type: 'refused'; readonly failure: Failure }
  | { readonly type: 'nag' }
  | { readonly type: 'prepare'; readonly length: number; readonly now: number }
  | { readonly type: 'prepared'; readonly now: number }
  | { readonly type: 'unprepared' }
  | { readonly type: 'run'; readonly now: number }
  | { readonly type: 'progress'; readonly event: ProgressEvent; readonly now: number }
  | { readonly type: 'tick'; readonly now: number }
  | { readonly type: 'answered'; readonly answer: Answer; readonly subject: Subject; readonly now: number }
  | { readonly type: 'stopped'; readonly now: number }
  | { readonly type: 'failed'; readonly failure: Failure; readonly now: number }
  | { readonly type: 'health'; readonly health: readonly [PartyHealth, PartyHealth] }
  | { readonly type: 'fallback'; readonly event: FallbackEvent }
  | { readonly type: 'dismiss'; readonly event: FallbackEvent };

export const NO_PREPARATION: Preparation = { status: 'none', length: 0, progress: 0, links: undefined, sample: undefined, startedAt: 0, readyAt: undefined };

export const INITIAL: State = {
  slot: 'idle',
  deployment: undefined,
  capabilities: undefined,
  task: 'fill-mask',
  settings: { protocol: '3pc_semi_honest', weights: 'open', device: 'auto', transport: 'auto', prepareWhileTyping: true, model: undefined },
  credential: undefined,
  model: undefined,
  loading: undefined,
  subject: EMPTY,
  check: undefined,
  refused: undefined,
  nagging: false,
  preparation: NO_PREPARATION,
  run: undefined,
  outcome: undefined,
  trouble: undefined,
  kept: undefined,
  stopped: false,
  health: [undefined, undefined],
  proved: [false, false],
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
  return entries.find((entry) => entry.id === state.settings.model) ?? entries[0];
}

/** The weights mode in use: what was chosen, if the model is served that way. */
export function weightsOf(state: State): Weights {
  const served = entryOf(state)?.weights;
  const { weights } = state.settings;
  if (served === undefined || served[weights] !== undefined) return weights;
  return weights === 'open' ? 'secret' : 'open';
}

/** Operators of party 1 and 2, for sentences. */
export function operatorsOf(state: State): readonly [string, string] {
  const [p1, p2] = state.deployment?.parties ?? [];
  return [p1?.operator ?? 'party 1', p2?.operator ?? 'party 2'];
}
