/**
 * What the page around the card is told: that a model is there, how far a run is, that one is done. No byte count and
 * no length, which would tell how long a text is; nothing while somebody types; no error that is about the text.
 */
import { explain } from '../../app/errors.ts';
import { loadingOf } from '../../app/selectors/run.ts';
import type { Run, State } from '../../app/state.ts';
import type { Store } from '../../app/store.ts';
import { handedOver } from '../answer.ts';
import type { ToHost } from '../messages.ts';

/** Told in steps of one in a hundred. */
const STEPS = 100;

export function reports(store: Store, tell: (message: ToHost) => void, shared: () => boolean): void {
  store.subscribe((now, before) => {
    for (const message of changes(now, before, shared)) tell(message);
  });
}

/** Exported for tests: every pair of states gives these messages and no others. */
export function changes(now: State, before: State, shared: () => boolean): ToHost[] {
  const messages: ToHost[] = [];
  if (now.model !== undefined && now.model !== before.model)
    messages.push({ op: 'ready', detail: { model: now.model.id, task: now.task, device: now.model.device } });
  const progress = progressOf(now);
  const last = progressOf(before);
  if (progress !== undefined && (progress.phase !== last?.phase || progress.progress !== last.progress))
    messages.push({ op: 'progress', detail: progress });
  if (now.slot === 'running' && before.slot !== 'running') messages.push({ op: 'running' });
  else if (before.slot !== now.slot && now.outcome === undefined && (before.outcome ?? before.run) !== undefined)
    messages.push({ op: 'cleared' });
  for (const event of now.fallbacks)
    if (!before.fallbacks.includes(event)) messages.push({ op: 'fallback', detail: event });
  if (now.outcome !== undefined && now.outcome !== before.outcome)
    messages.push({ op: 'result', detail: { answer: shared() ? handedOver(now.outcome.answer) : undefined } });
  const { trouble } = now;
  if (trouble !== undefined && trouble !== before.trouble) {
    const { title, input } = explain(trouble.failure, { operators: ['party 1', 'party 2'], maxTokens: undefined });
    if (!input) messages.push({ op: 'error', detail: { code: trouble.failure.code, message: title } });
  }
  return messages;
}

function progressOf(
  state: State,
): { readonly phase: 'load' | 'prepare' | 'run'; readonly progress: number } | undefined {
  const loading = loadingOf(state);
  if (loading !== undefined)
    return loading.total === 0 ? undefined : { phase: 'load', progress: inSteps(loading.loaded / loading.total) };
  return state.run === undefined ? undefined : ofRun(state.run);
}

function ofRun({ phase, preparing, progress }: Run): { readonly phase: 'prepare' | 'run'; readonly progress: number } {
  return phase === 'prepare'
    ? { phase: 'prepare', progress: inSteps(preparing) }
    : { phase: 'run', progress: inSteps(progress) };
}

const inSteps = (share: number): number => Math.floor(Math.min(1, share) * STEPS) / STEPS;
