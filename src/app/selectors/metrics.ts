/**
 * State to the numbers of the picture, the counters, the times and the cost: with the sentences, all that is
 * written through `data-bind` and `data-bar`. Pure; the last ones are kept, as several views ask for them.
 */
import type { LinkBytes, Links, RunCost } from '../../owner/types/index.ts';
import { costOf } from '../results.ts';
import { bytes, count, seconds } from '../format.ts';
import type { Bars, Texts } from '../page-keys.ts';
import { labels } from './labels.ts';
import { loadingOf, piecesOf, runView, together, totalAhead } from './run.ts';
import type { Run, State } from '../state.ts';

const NONE = '–';
/** A party that gets nothing ahead but a seed makes its own key and helper numbers from it. */
const SEED = 'a seed';

interface Figures {
  readonly texts: Texts;
  readonly bars: Bars;
}

let last: { readonly state: State; readonly figures: Figures } | undefined;

export function metrics(state: State): Figures {
  if (last?.state !== state) last = { state, figures: figuresOf(state) };
  return last.figures;
}

function figuresOf(state: State): Figures {
  const { links, run, cost } = runView(state);
  const texts = { ...linkTexts(state, links), ...counterTexts(state), ...labels(state), ...costTexts(cost) };
  const times = timeFigures(state, run, cost);
  return { texts: { ...texts, ...times.texts }, bars: { ...times.bars, prep: readyBar(state) } };
}

function linkTexts(state: State, links: Links | undefined): Texts {
  const texts: Texts = {};
  const done = state.slot === 'result';
  for (const name of ['p1', 'p2'] as const) {
    const link: LinkBytes | undefined = links?.[name];
    const key = `p0${name === 'p1' ? '1' : '2'}` as const;
    texts[`${key}.ahead` as const] =
      link === undefined || totalAhead(links) === 0 ? NONE : link.ahead === 0 ? SEED : bytes(link.ahead);
    texts[`${key}.input` as const] = link === undefined || (link.input === 0 && !done) ? NONE : bytes(link.input);
    texts[`${key}.output` as const] = done
      ? link === undefined || link.output === 0
        ? 'none'
        : bytes(link.output)
      : link === undefined || link.output === 0
        ? NONE
        : bytes(link.output);
  }
  const between = links?.between;
  const going = between !== undefined && between.rounds > 0;
  // Where the browser is in the rounds, the parties say how much they sent when they are through.
  const said = going && (done || !together(state));
  // Of a text that grows nobody knows how many rounds it will take.
  const of = going && !done && state.task !== 'text-generation' ? ` of ${count(between.totalRounds)}` : '';
  return {
    ...texts,
    'p12.total': said ? bytes(between.bytes) : NONE,
    'p12.line': going
      ? `${count(between.rounds)}${of} rounds${said ? `, ${bytes(between.bytes)}` : ''}`
      : 'Parties 1 and 2',
    'p12.sub': going ? 'all of it locked' : 'nothing exchanged yet',
    'rounds.now': going ? count(between.rounds) : NONE,
    'rounds.of': of,
    'rounds.label': of === '' ? 'rounds' : `${of.trim()} rounds`,
  };
}

function counterTexts(state: State): Texts {
  const { links, run } = runView(state);
  const sent = links === undefined ? 0 : totalAhead(links) + links.p1.input + links.p2.input;
  const elapsed = run !== undefined ? run.now - run.startedAt : state.outcome?.sinceButtonMs;
  return {
    msgs: messages(state),
    up: sent > 0 ? bytes(sent) : NONE,
    elapsed: elapsed === undefined ? NONE : seconds(elapsed),
    took: elapsed === undefined ? '' : `${seconds(elapsed)} from the button`,
  };
}

/** One out and one in; while a text grows, one of each for every piece. */
function messages(state: State): string {
  const { run, cost } = runView(state);
  if (cost !== undefined) {
    const pieces = piecesOf(state);
    return together(state) ? `in ${count(cost.onlineRounds)} rounds` : `${pieces} out, ${pieces} in`;
  }
  if (run?.sentAt === undefined) return NONE;
  if (together(state)) return 'in the rounds';
  const out = `${Math.max(1, run.sent)} out`;
  return run.pieces.length === 0 ? out : `${out}, ${run.pieces.length} in`;
}

function readyBar(state: State): number {
  const { preparation, run, slot } = state;
  const loading = loadingOf(state);
  if (loading !== undefined) return loading.total > 0 ? loading.loaded / loading.total : 0;
  if (run !== undefined) return run.phase === 'prepare' ? run.preparing : 1;
  return slot === 'error' || slot === 'stopped' ? 0 : preparation.progress;
}

function timeFigures(state: State, run: Run | undefined, cost: RunCost | undefined): Figures {
  const live = run === undefined ? undefined : liveTimes(run);
  const t =
    cost === undefined
      ? live
      : {
          prep: cost.timing.prepareMs,
          input: cost.timing.inputMs,
          compute: cost.timing.computeMs,
          output: cost.timing.outputMs,
        };
  const names = ['prep', 'input', 'compute', 'output'] as const;
  const longest = Math.max(1, ...names.map((name) => t?.[name] ?? 0));
  const ahead = state.outcome?.ahead ?? (run?.ahead === true ? (run.whole ? 'whole' : 'part') : 'none');
  const texts: Texts = {
    't.when': { whole: 'before the button', part: 'begun before the button', none: 'after the button' }[ahead],
  };
  const bars: Bars = {};
  for (const name of names) {
    texts[`t.${name}` as const] = t?.[name] === undefined ? NONE : seconds(t[name]);
    bars[`t.${name}` as const] = (t?.[name] ?? 0) / longest;
  }
  const gain = gainOf(state);
  return {
    texts: {
      ...texts,
      'gain.from': gain === undefined ? '' : seconds(gain.from),
      'gain.to': gain === undefined ? '' : seconds(gain.to),
    },
    bars,
  };
}

/** While it runs, by this tab's clock and the moments at which messages went and came. */
function liveTimes(run: Run): {
  readonly prep: number | undefined;
  readonly input: number | undefined;
  readonly compute: number | undefined;
  readonly output: undefined;
} {
  const { startedAt, onlineAt, sentAt, now } = run;
  const prep = run.ahead ? run.aheadMs : (onlineAt ?? now) - startedAt;
  return {
    prep,
    input: onlineAt === undefined ? undefined : (sentAt ?? now) - onlineAt,
    compute: sentAt === undefined ? undefined : now - sentAt,
    output: undefined,
  };
}

/** Less is no news: the click came while keys were being made. */
const LEAST_GAIN = 0.9;

/** What preparing before the button saved, when both are known. */
export function gainOf(state: State): { readonly from: number; readonly to: number } | undefined {
  const { outcome } = state;
  if (outcome === undefined) return undefined;
  const { preparedAhead, timing } = costOf(outcome.answer);
  const from = timing.prepareMs + timing.totalMs;
  const to = Math.max(timing.totalMs, outcome.sinceButtonMs);
  return preparedAhead && timing.prepareMs > 0 && to < LEAST_GAIN * from ? { from, to } : undefined;
}

function costTexts(cost: RunCost | undefined): Texts {
  if (cost === undefined) return {};
  const { p1, p2, between } = cost.links;
  const row = (key: '01' | '02', link: LinkBytes): Texts => ({
    [`c.${key}a`]: bytes(link.ahead),
    [`c.${key}i`]: bytes(link.input),
    [`c.${key}o`]: bytes(link.output),
    [`c.${key}`]: bytes(link.ahead + link.input + link.output),
  });
  return { ...row('01', p1), ...row('02', p2), 'c.12': bytes(between.bytes) };
}
