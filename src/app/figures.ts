/** State to the texts and bars of the picture, the counters and the tables: all that is written through `data-bind` and `data-bar`. Pure. */
import type { LinkBytes, Links, RunCost } from '../sdk/types.ts';
import { ASIDE, DEVICE, KEYS_DROPPED, PICTURE, PROTOCOL, STOPPED, WEIGHTS, sectionOf } from './copy.ts';
import { explain } from './errors.ts';
import { bytes, count, milliseconds, plural, seconds, wholePercent, wrap } from './format.ts';
import { type Run, type State, entryOf, operatorsOf, weightsOf } from './state.ts';

export type Phase = 'idle' | 'prepare' | 'input' | 'compute' | 'output' | 'done' | 'lost';
type Texts = Record<string, string>;
type Bars = Record<string, number>;

const NONE = '–';

/** What the figures are about: the run that goes or ended, the answer's run, or what was prepared. */
interface Shown {
  readonly links: Links | undefined;
  readonly run: Run | undefined;
  readonly cost: RunCost | undefined;
}

function shown(state: State): Shown {
  const run = state.run ?? state.trouble?.run;
  if (run !== undefined) return { links: run.links, run, cost: undefined };
  const cost = state.outcome?.answer.result.cost;
  return { links: cost?.links ?? (state.trouble?.preparation ?? state.preparation).links, run: undefined, cost };
}

export function phaseOf(state: State): Phase {
  // Connecting moves no byte of a run, so nothing in the picture moves either.
  if (state.run !== undefined) return state.run.links === undefined ? 'idle' : state.run.phase;
  if (state.slot === 'result') return 'done';
  if (state.slot === 'error') return state.trouble?.run === undefined ? 'idle' : 'lost';
  return state.preparation.status === 'going' && state.preparation.links !== undefined ? 'prepare' : 'idle';
}

/** The party that an error is about, and whether its links are crossed out. */
export function lostOf(state: State): { readonly party: 0 | 1 | 2 | undefined; readonly cut: boolean; readonly mark: string } {
  if (state.trouble === undefined) return { party: undefined, cut: false, mark: '' };
  const { party, cut, mark } = explain(state.trouble.failure, { operators: operatorsOf(state), maxTokens: state.model?.maxTokens });
  return { party, cut, mark };
}

/** Whether keys left but the text did not. */
export function onlyAhead(state: State): boolean {
  const { links, run, cost } = shown(state);
  return links !== undefined && cost === undefined && run?.sentAt === undefined;
}

export function totalAhead(links: Links | undefined): number {
  return links === undefined ? 0 : links.p1.ahead + links.p2.ahead;
}

export function figures(state: State): { readonly texts: Texts; readonly bars: Bars } {
  const { links, run, cost } = shown(state);
  const texts = { ...linkTexts(state, links), ...counterTexts(state), ...partyTexts(state), ...lineTexts(state), ...costTexts(cost) };
  const times = timeFigures(state, run, cost);
  return { texts: { ...texts, ...times.texts }, bars: { ...times.bars, prep: readyBar(state) } };
}

function linkTexts(state: State, links: Links | undefined): Texts {
  const texts: Texts = {};
  const done = state.slot === 'result';
  for (const name of ['p1', 'p2'] as const) {
    const link: LinkBytes | undefined = links?.[name];
    const key = `p0${name[1]}`;
    texts[`${key}.ahead`] = link === undefined ? NONE : bytes(link.ahead);
    texts[`${key}.input`] = link === undefined || (link.input === 0 && !done) ? NONE : bytes(link.input);
    texts[`${key}.output`] = done
      ? link === undefined || link.output === 0
        ? 'none'
        : bytes(link.output)
      : link === undefined || link.output === 0
        ? NONE
        : bytes(link.output);
  }
  const between = links?.between;
  const going = between !== undefined && between.rounds > 0;
  const of = going && !done ? ` of ${count(between.totalRounds)}` : '';
  return {
    ...texts,
    'p12.total': going ? bytes(between.bytes) : NONE,
    'p12.line': going ? `${count(between.rounds)}${of} rounds, ${bytes(between.bytes)}` : 'Parties 1 and 2',
    'p12.sub': going ? 'all of it locked' : 'nothing exchanged yet',
    'rounds.now': going ? count(between.rounds) : NONE,
    'rounds.of': of,
    'rounds.label': of === '' ? 'rounds' : `${of.trim()} rounds`,
  };
}

function counterTexts(state: State): Texts {
  const { links, run, cost } = shown(state);
  const sent = links === undefined ? 0 : totalAhead(links) + links.p1.input + links.p2.input;
  const elapsed = run !== undefined ? run.now - run.startedAt : state.outcome?.sinceButtonMs;
  return {
    msgs: cost !== undefined ? '1 out, 1 in' : run?.sentAt !== undefined ? '1 out' : NONE,
    up: sent > 0 ? bytes(sent) : NONE,
    elapsed: elapsed === undefined ? NONE : seconds(elapsed),
    took: elapsed === undefined ? '' : `${seconds(elapsed)} from the button`,
  };
}

function partyTexts(state: State): Texts {
  const texts: Texts = {};
  const lost = lostOf(state);
  const sampled = sampleOf(state) !== undefined;
  const verb = state.slot === 'result' ? 'saw' : !sampled ? 'will see' : state.run !== undefined || state.slot === 'error' ? 'sees' : 'sees so far';
  texts['sees'] = verb === 'will see' ? 'will see numbers like these' : verb;
  texts['seesShort'] = verb;
  const device = state.model === undefined ? '' : DEVICE[state.model.device];
  texts['p0.health'] = ['this tab', lost.party === 0 ? lost.mark : device].filter((part) => part !== '').join(', ');
  texts['p0.healthShort'] = lost.party === 0 ? lost.mark : device;
  for (const party of [1, 2] as const) {
    const address = state.deployment?.parties[party - 1];
    const place =
      address === undefined
        ? ''
        : [address.operator, address.place].filter((part) => part !== undefined && part !== '').join(', ') || new URL(address.url).host;
    texts[`p${party}.place`] = wrap(place, [36])[0] ?? '';
    texts[`p${party}.placeShort`] = wrap(place, [22])[0] ?? '';
    const health = state.health[party - 1];
    const there =
      health === undefined
        ? 'not asked yet'
        : health.ok
          ? ['online', health.milliseconds === undefined ? '' : milliseconds(health.milliseconds)].filter(Boolean).join(', ')
          : 'not reached';
    const proved = state.proved[party - 1] && health?.ok !== false ? `${there}, identity checked` : there;
    texts[`p${party}.health`] = lost.party === party ? lost.mark : proved;
    texts[`p${party}.healthShort`] = lost.party === party ? lost.mark : there;
  }
  return texts;
}

/** The bytes to show in the picture: the answer's captured ones, else the latest that were sent. */
export function sampleOf(state: State): readonly [string, string] | undefined {
  const captured = state.outcome?.answer.result.captured.tokens;
  if (captured !== undefined && captured.length > 0) return [captured.map((token) => token.p1).join(''), captured.map((token) => token.p2).join('')];
  return (state.run ?? state.trouble?.run)?.sample ?? (state.trouble?.preparation ?? state.preparation).sample;
}

function lineTexts(state: State): Texts {
  const { run } = state;
  const layers = state.model?.layers ?? 0;
  const title = run === undefined ? '' : run.phase === 'prepare' ? 'Preparing' : stepTitle(run.layer, layers);
  const sub =
    run === undefined
      ? ''
      : run.phase === 'prepare'
        ? `keys and helper numbers, ${bytes(totalAhead(run.links))} sent`
        : run.phase === 'input'
          ? 'sending the locked text'
          : run.phase === 'output'
            ? 'the locked answer comes back'
            : sectionOf(run.section).words;
  const share = run === undefined ? 0 : run.phase === 'prepare' ? run.preparing : run.progress;
  const device = state.model === undefined ? undefined : DEVICE[state.model.device];
  const tokens = state.check?.tokens;
  return {
    picLine: pictureLine(state),
    aside: run?.phase === 'prepare' ? ASIDE.preparing : ASIDE.waiting,
    readyText: readyText(state),
    stepTitle: title,
    stepSub: sub,
    pct: wholePercent(share),
    config: [entryOf(state)?.id, PROTOCOL[state.settings.protocol], WEIGHTS[weightsOf(state)], device].filter((part) => part !== undefined).join(', '),
    tokens: tokens === undefined ? '' : `${plural(tokens, 'token')}${state.check?.paddedTokens === undefined ? '' : `, padded to ${state.check.paddedTokens}`}`,
    runLabel: state.slot === 'running' ? 'Stop' : state.slot === 'result' ? 'Run again' : 'Run privately',
    layerCount: layers === 0 ? '' : plural(layers, 'layer'),
  };
}

/** The line over the picture. */
function pictureLine(state: State): string {
  if (state.slot === 'error') return shown(state).links === undefined ? PICTURE.unsent : PICTURE.lost;
  const phase = phaseOf(state);
  return PICTURE[phase === 'idle' && state.preparation.status === 'ready' ? 'ready' : phase];
}

/** Layer 0 looks the words up; the one after the last scores them. */
export function stepTitle(layer: number, layers: number): string {
  return layer === 0 ? 'Words in' : layer > layers ? 'Words out' : `Layer ${layer} of ${layers}`;
}

function readyText(state: State): string {
  const { preparation, run, loading } = state;
  const sent = (links: Links | undefined): string => bytes(totalAhead(links));
  if (loading !== undefined) return loading.total > 0 ? `Loading the word list: ${bytes(loading.loaded)} of ${bytes(loading.total)}` : 'Loading the word list.';
  if (run !== undefined) {
    if (run.phase === 'prepare') return `Preparing first: ${sent(run.links)} sent`;
    return run.ahead ? `Using the ${sent(run.links)} sent ahead.` : `Prepared after the button: ${sent(run.links)}.`;
  }
  if (state.slot === 'error') return shown(state).links === undefined ? '' : KEYS_DROPPED;
  if (state.stopped) return STOPPED;
  if (preparation.status === 'none')
    return state.settings.prepareWhileTyping ? (state.slot === 'result' ? '' : 'Preparation starts as you type.') : 'Keys are made after you press the button.';
  const next = state.slot === 'result';
  if (preparation.status === 'ready') return `${next ? 'Next run ready:' : `Ready for ${preparation.length} tokens,`} ${sent(preparation.links)} sent ahead.`;
  return `${next ? 'Preparing the next run' : `Preparing for ${preparation.length} tokens`}: ${sent(preparation.links)} sent`;
}

function readyBar({ preparation, run, slot, loading }: State): number {
  if (loading !== undefined) return loading.total > 0 ? loading.loaded / loading.total : 0;
  if (run !== undefined) return run.phase === 'prepare' ? run.preparing : 1;
  return slot === 'error' ? 0 : preparation.progress;
}

function timeFigures(state: State, run: Run | undefined, cost: RunCost | undefined): { readonly texts: Texts; readonly bars: Bars } {
  const live = run === undefined ? undefined : liveTimes(run);
  const t =
    cost === undefined ? live : { prep: cost.timing.prepareMs, input: cost.timing.inputMs, compute: cost.timing.computeMs, output: cost.timing.outputMs };
  const names = ['prep', 'input', 'compute', 'output'] as const;
  const longest = Math.max(1, ...names.map((name) => t?.[name] ?? 0));
  const texts: Texts = { 't.when': (cost?.preparedAhead ?? run?.ahead) === true ? 'before the button' : 'after the button' };
  const bars: Bars = {};
  for (const name of names) {
    texts[`t.${name}`] = t?.[name] === undefined ? NONE : seconds(t[name]);
    bars[`t.${name}`] = (t?.[name] ?? 0) / longest;
  }
  const gain = gainOf(state);
  return { texts: { ...texts, 'gain.from': gain === undefined ? '' : seconds(gain.from), 'gain.to': gain === undefined ? '' : seconds(gain.to) }, bars };
}

/** While it runs, by this tab's clock and the moments at which messages went and came. */
function liveTimes(run: Run): { readonly prep?: number; readonly input?: number; readonly compute?: number; readonly output?: number } {
  const { startedAt, onlineAt, sentAt, now } = run;
  return {
    ...(run.ahead ? {} : { prep: (onlineAt ?? now) - startedAt }),
    ...(onlineAt === undefined ? {} : { input: (sentAt ?? now) - onlineAt }),
    ...(sentAt === undefined ? {} : { compute: now - sentAt }),
  };
}

/** What preparing before the button saved, when both are known. */
export function gainOf(state: State): { readonly from: number; readonly to: number } | undefined {
  const { outcome } = state;
  if (outcome === undefined) return undefined;
  const { preparedAhead, timing } = outcome.answer.result.cost;
  const from = timing.prepareMs + timing.totalMs;
  const to = Math.max(timing.totalMs, outcome.sinceButtonMs);
  return preparedAhead && timing.prepareMs > 0 && seconds(to) !== seconds(from) && to < from ? { from, to } : undefined;
}

function costTexts(cost: RunCost | undefined): Texts {
  if (cost === undefined) return {};
  const { p1, p2, between } = cost.links;
  const row = (key: string, link: LinkBytes): Texts => ({
    [`c.${key}a`]: bytes(link.ahead),
    [`c.${key}i`]: bytes(link.input),
    [`c.${key}o`]: bytes(link.output),
    [`c.${key}`]: bytes(link.ahead + link.input + link.output),
  });
  return { ...row('01', p1), ...row('02', p2), 'c.12': bytes(between.bytes) };
}
