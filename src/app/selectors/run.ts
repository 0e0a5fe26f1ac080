/** What of the state the page is about at the moment, for pictures and figures alike. Pure. */
import type { Links, RunCost } from '../../owner/types/index.ts';
import { capturedOf, costOf } from '../results.ts';
import { explain } from '../errors.ts';
import { type Run, type State, operatorsOf } from '../state.ts';

export type Phase = 'idle' | 'prepare' | 'input' | 'compute' | 'output' | 'done' | 'lost';

/** What the figures are about: the run that goes or ended, the answer's run, or what was prepared. */
export interface RunView {
  readonly links: Links | undefined;
  readonly run: Run | undefined;
  readonly cost: RunCost | undefined;
}

export function runView(state: State): RunView {
  const run = state.run ?? state.trouble?.run ?? state.kept;
  if (run !== undefined) return { links: run.links, run, cost: undefined };
  const cost = state.outcome === undefined ? undefined : costOf(state.outcome.answer);
  return { links: cost?.links ?? (state.trouble?.preparation ?? state.preparation).links, run: undefined, cost };
}

export function phaseOf(state: State): Phase {
  // Connecting moves no byte of a run, so nothing in the picture moves either.
  if (state.run !== undefined) return state.run.links === undefined ? 'idle' : state.run.phase;
  if (state.slot === 'result') return 'done';
  if (state.slot === 'stopped') return 'lost';
  if (state.slot === 'error') return state.trouble?.run === undefined ? 'idle' : 'lost';
  return state.preparation.status === 'going' && state.preparation.links !== undefined ? 'prepare' : 'idle';
}

/** Whether the browser has a part in the rounds: of the answer that stands, or of the run that is asked for. */
export function together(state: State): boolean {
  const { cost } = runView(state);
  return cost === undefined ? state.settings.protocol === 'aby3' : cost.onlineRounds > piecesOf(state);
}

/** Texts that grow take one message out and one in for each piece. */
export function piecesOf({ outcome }: State): number {
  return outcome?.answer.task === 'text-generation' ? outcome.answer.result.pieceMs.length : 1;
}

/** So long without a sign is said. */
const SILENT_MS = 3_000;

/**
 * Of which party nothing was heard, and for how long; without a party where it is both, or where nothing goes and
 * nothing comes.
 */
export interface Silence {
  readonly party: 1 | 2 | undefined;
  readonly ms: number;
}

export function silenceOf({ run, preparation }: State): Silence | undefined {
  if (run === undefined) {
    const ms = preparation.now - preparation.movedAt;
    return preparation.status === 'going' && ms >= SILENT_MS ? { party: undefined, ms } : undefined;
  }
  if (run.onlineAt === undefined) {
    const ms = run.now - run.movedAt;
    return ms >= SILENT_MS ? { party: undefined, ms } : undefined;
  }
  const [p1, p2] = run.heardAt.map((at) => run.now - at);
  if (p1 >= SILENT_MS && p2 >= SILENT_MS) return { party: undefined, ms: Math.min(p1, p2) };
  if (p1 >= SILENT_MS) return { party: 1, ms: p1 };
  return p2 >= SILENT_MS ? { party: 2, ms: p2 } : undefined;
}

/** The links that carry bytes now, and which way: nothing is animated that is not happening. */
export function movingOf(state: State): readonly string[] {
  const { links } = runView(state);
  if (links === undefined || silenceOf(state) !== undefined) return [];
  const both = (way: 'down' | 'up', phase: 'ahead' | 'input' | 'output'): string[] =>
    (['p1', 'p2'] as const).filter((name) => links[name][phase] > 0).map((name) => `p0${name[1]}-${way}`);
  switch (phaseOf(state)) {
    case 'prepare':
      return both('down', 'ahead');
    case 'input':
      return ['p01-down', 'p02-down'];
    case 'compute':
      return together(state) ? ['p12', ...both('down', 'input'), ...both('up', 'output')] : ['p12'];
    case 'output':
      return both('up', 'output');
    default:
      return [];
  }
}

/** The party that an error is about, and whether its links are crossed out. */
export function lostOf(state: State): {
  readonly party: 0 | 1 | 2 | 3 | undefined;
  readonly cut: 'own' | 'all' | undefined;
  readonly mark: string;
} {
  if (state.trouble === undefined) return { party: undefined, cut: undefined, mark: '' };
  const { party, cut, mark } = explain(state.trouble.failure, {
    operators: operatorsOf(state),
    maxTokens: state.model?.maxTokens,
  });
  return { party, cut, mark };
}

/** Whether keys left but the text did not. */
export function onlyAhead(state: State): boolean {
  const { links, run, cost } = runView(state);
  return links !== undefined && cost === undefined && run?.sentAt === undefined;
}

export function totalAhead(links: Links | undefined): number {
  return links === undefined ? 0 : links.p1.ahead + links.p2.ahead;
}

/** The bytes to show in the picture: the answer's captured ones, else the latest that were sent. */
export function sampleOf(state: State): readonly [string, string] | undefined {
  const captured = state.outcome === undefined ? undefined : capturedOf(state.outcome.answer)?.tokens;
  if (captured !== undefined && captured.length > 0)
    return [captured.map((token) => token.p1).join(''), captured.map((token) => token.p2).join('')];
  return (
    (state.run ?? state.trouble?.run ?? state.kept)?.sample ?? (state.trouble?.preparation ?? state.preparation).sample
  );
}

/** Bytes of all files of the model that loads; undefined when none does. */
export function loadingOf({ loading }: State): { readonly loaded: number; readonly total: number } | undefined {
  if (loading === undefined) return undefined;
  const files = Object.values(loading);
  return {
    loaded: files.reduce((sum, file) => sum + file.loaded, 0),
    total: files.reduce((sum, file) => sum + file.total, 0),
  };
}
