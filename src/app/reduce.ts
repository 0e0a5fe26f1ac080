/** State and event to state: pure, so that every path of a run is tested without a browser. */
import type { FallbackEvent, ProgressEvent } from '../owner/types/index.ts';
import { costOf } from './results.ts';
import { type AppEvent, NO_DEALER, NO_PREPARATION, type Run, type State, entryOf } from './state.ts';
import { type Field, type TaskKind, type Form, examplesOf, isExample, modelTask } from './form.ts';

export function reduce(state: State, event: AppEvent): State {
  switch (event.type) {
    case 'deployed': {
      const { deployment } = event;
      const served = deployment.entries.some((entry) => entry.task === modelTask(state.task));
      const task: TaskKind = served ? state.task : (deployment.entries[0]?.task ?? state.task);
      return withExample({ ...state, deployment, task }, state);
    }
    case 'capable':
      return { ...state, capabilities: event.capabilities };
    case 'task':
      return withExample(
        fresh({ ...state, task: event.task, settings: { ...state.settings, model: undefined } }),
        state,
      );
    case 'settings':
      return { ...state, settings: event.settings };
    case 'credential':
      return { ...state, credential: event.name };
    case 'load':
      return {
        ...fresh(state),
        model: undefined,
        check: undefined,
        loading: {},
        proved: [false, false],
        dealer: NO_DEALER,
        transports: [undefined, undefined],
        fallbacks: [],
      };
    case 'loaded':
      return { ...state, model: event.model, loading: undefined };
    case 'edit':
      return edited(state, event.change);
    case 'checked':
      return event.subject === state.subject ? { ...state, check: event.check } : state;
    case 'refused':
      return { ...fresh(state), refused: event.failure, problemShown: true };
    case 'show-problem':
      return { ...state, problemShown: true };
    case 'prepare':
      return {
        ...state,
        stopped: false,
        preparation: {
          ...NO_PREPARATION,
          status: 'going',
          length: event.length,
          startedAt: event.now,
          movedAt: event.now,
          now: event.now,
        },
      };
    case 'prepared':
      return { ...state, preparation: { ...state.preparation, status: 'ready', progress: 1, readyAt: event.now } };
    case 'unprepared':
      return { ...state, preparation: { ...NO_PREPARATION, gone: event.gone } };
    case 'run':
      return started(state, event.now);
    case 'progress':
      return progressed(state, event.event, event.now);
    case 'tick':
      if (state.run !== undefined) return { ...state, run: { ...state.run, now: event.now } };
      return state.preparation.status === 'going'
        ? { ...state, preparation: { ...state.preparation, now: event.now } }
        : state;
    case 'answered': {
      if (state.run === undefined) return state;
      const cost = costOf(event.answer);
      const sinceButtonMs = event.now - state.run.startedAt;
      const { p1, p2 } = cost.links;
      return {
        ...state,
        slot: 'result',
        run: undefined,
        previous: undefined,
        preparation: NO_PREPARATION,
        outcome: {
          answer: event.answer,
          subject: event.subject,
          sinceButtonMs,
          ahead: !cost.preparedAhead ? 'none' : state.run.whole ? 'whole' : 'part',
        },
        measured: {
          protocol: state.settings.protocol,
          tokens: cost.paddedTokens,
          totalMs: sinceButtonMs,
          sentBytes: p1.ahead + p1.input + p2.ahead + p2.input,
        },
      };
    }
    case 'stopped': {
      // What had come of a text stays; of anything else nothing was opened.
      const kept =
        state.run === undefined || state.run.pieces.length === 0 ? undefined : { ...state.run, now: event.now };
      const { previous } = state;
      // An answer that was there before is still the answer to what stands in the form.
      const shown =
        kept !== undefined
          ? { kept, slot: 'stopped' as const }
          : previous !== undefined
            ? { outcome: previous, slot: 'result' as const }
            : {};
      return { ...fresh(state), ...shown, stopped: true };
    }
    case 'failed': {
      const { preparation } = state;
      const run = state.run === undefined ? undefined : { ...state.run, now: event.now };
      return {
        ...fresh(state),
        slot: 'error',
        loading: undefined,
        trouble: { failure: event.failure, run, preparation },
      };
    }
    case 'health': {
      const [one, two, dealer] = event.health;
      return { ...state, health: [one, two], dealer: { ...state.dealer, health: dealer } };
    }
    case 'fallback':
      if (state.dismissed.includes(fallbackKey(event.event))) return state;
      return { ...state, fallbacks: [...state.fallbacks.filter((f) => f.what !== event.event.what), event.event] };
    case 'dismiss':
      return {
        ...state,
        fallbacks: state.fallbacks.filter((shown) => shown !== event.event),
        dismissed: [...state.dismissed, fallbackKey(event.event)],
      };
  }
}

/** Two events of one key say the same. */
export function fallbackKey({ what, from, to, reason }: FallbackEvent): string {
  return [what, from, to, reason].join(' ');
}

/** Nothing runs, nothing is shown of an earlier run, nothing is prepared. */
function fresh(state: State): State {
  const none = {
    run: undefined,
    outcome: undefined,
    previous: undefined,
    trouble: undefined,
    kept: undefined,
    refused: undefined,
  };
  return { ...state, ...none, slot: 'idle', stopped: false, problemShown: false, preparation: NO_PREPARATION };
}

/** An example takes the place of an empty box or of another example, never of what somebody typed. */
function withExample(state: State, before: State): State {
  const untouched =
    before.subject.text === '' ||
    examplesOf(before.task, entryOf(before)).some((example) => isExample(before.subject, example));
  const first = examplesOf(state.task, entryOf(state))[0];
  const subject: Form =
    untouched && first !== undefined ? { ...state.subject, question: '', ...first.fields } : state.subject;
  return { ...state, subject, check: undefined };
}

/**
 * Editing takes an answer away, because it would no longer be the answer to what stands in the form. An error stays
 * until the next run.
 */
function edited(state: State, change: Partial<Form>): State {
  if ((Object.keys(change) as Field[]).every((key) => state.subject[key] === change[key])) return state;
  const shown =
    state.slot === 'result' || state.slot === 'stopped'
      ? { slot: 'idle' as const, outcome: undefined, kept: undefined }
      : {};
  return {
    ...state,
    ...shown,
    subject: { ...state.subject, ...change },
    refused: undefined,
    problemShown: false,
    stopped: false,
  };
}

function started(state: State, now: number): State {
  const { preparation } = state;
  const ahead = preparation.status !== 'none';
  const run: Run = {
    phase: preparation.status === 'ready' ? 'input' : 'prepare',
    ahead,
    whole: preparation.status === 'ready',
    aheadMs: preparation.readyAt === undefined ? undefined : preparation.readyAt - preparation.startedAt,
    preparing: preparation.progress,
    links: preparation.links,
    sample: preparation.sample,
    layer: 0,
    section: '',
    progress: 0,
    startedAt: now,
    onlineAt: preparation.status === 'ready' ? now : undefined,
    sentAt: undefined,
    now,
    movedAt: now,
    heardAt: [now, now],
    sent: 0,
    subject: state.subject,
    pieces: [],
  };
  return {
    ...state,
    slot: 'running',
    run,
    outcome: undefined,
    previous: state.outcome,
    trouble: undefined,
    kept: undefined,
    stopped: false,
    problemShown: false,
  };
}

function progressed(state: State, event: ProgressEvent, now: number): State {
  switch (event.status) {
    case 'progress':
      return state.loading === undefined
        ? state
        : { ...state, loading: { ...state.loading, [event.file]: { loaded: event.loaded, total: event.total } } };
    case 'connect':
      if (event.party === 3) return { ...state, dealer: { ...state.dealer, transport: event.transport } };
      return { ...state, transports: pair(state.transports, event.party, event.transport) };
    case 'handshake':
      if (event.party === 3) return { ...state, dealer: { ...state.dealer, proved: true } };
      return { ...state, proved: pair(state.proved, event.party, true) };
    case 'preprocess': {
      const { links, online, progress, done } = event;
      const { preparation, run } = state;
      const sample = event.sample ?? run?.sample ?? preparation.sample;
      if (run !== undefined) {
        // Keys for a later piece of a text come while the run is already under way.
        const begun =
          done && run.sentAt === undefined
            ? { onlineAt: now, phase: 'input' as const, heardAt: [now, now] as const }
            : {};
        return { ...state, run: { ...run, links, sample, preparing: progress, now, movedAt: now, ...begun } };
      }
      return preparation.status === 'none'
        ? state
        : {
            ...state,
            preparation: { ...preparation, length: event.length, links, online, progress, sample, movedAt: now, now },
          };
    }
    case 'input':
      return moved(state, event, {
        phase: 'input',
        // Behind a piece of a text the layers begin anew.
        ...{ layer: 0, section: '', progress: 0 },
        sentAt: state.run?.sentAt ?? now,
        now,
        sent: (state.run?.sent ?? 0) + 1,
      });
    case 'queued':
      return state.run === undefined ? state : { ...state, run: { ...state.run, queued: event, now } };
    case 'layer':
      return moved(state, event, {
        phase: 'compute',
        queued: undefined,
        layer: event.layer,
        section: event.section,
        progress: event.progress,
        sentAt: state.run?.sentAt ?? now,
        now,
      });
    case 'reconstruct':
      return moved(state, event, { phase: 'output', progress: 1, now, heardAt: [now, now] });
    case 'token':
      return moved(state, event, {
        pieces: [...(state.run?.pieces ?? []), { text: event.text, at: now }],
        now,
        heardAt: [now, now],
      });
    case 'heard':
      if (state.run === undefined) return state;
      return {
        ...state,
        // Who speaks is there, whatever it did not answer before.
        health:
          state.health[event.party - 1]?.ok === false
            ? pair(state.health, event.party, { party: event.party, ok: true })
            : state.health,
        run: { ...state.run, now, heardAt: pair(state.run.heardAt, event.party, now) },
      };
    default:
      return state;
  }
}

function moved(
  state: State,
  event: Extract<ProgressEvent, { readonly status: 'input' | 'layer' | 'reconstruct' | 'token' }>,
  change: Partial<Run>,
): State {
  const { run } = state;
  const sample = 'sample' in event ? event.sample : undefined;
  return run === undefined
    ? state
    : {
        ...state,
        run: {
          ...run,
          links: event.links,
          sample: sample ?? run.sample,
          movedAt: change.now ?? run.movedAt,
          ...change,
        },
      };
}

function pair<T>(values: readonly [T, T], party: 1 | 2, value: T): readonly [T, T] {
  return party === 1 ? [value, values[1]] : [values[0], value];
}
