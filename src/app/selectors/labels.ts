/**
 * The sentences that follow the state: over the picture, beside the button, over the layer strip, and in each
 * party's territory. Pure.
 */
import type { Links, PartyHealth } from '../../owner/types/index.ts';
import {
  ASIDE,
  CONNECTING,
  DEVICE,
  DEALER,
  GONE,
  GROWING,
  KEYS_DROPPED,
  MESSAGES,
  PICTURE,
  PROTOCOL,
  STEPS,
  STOPPED,
  STOPPED_AGAIN,
  STOPPED_TEXT,
  TASKS,
  WEIGHTS,
  sectionOf,
} from '../copy.ts';
import { explain, failureOf } from '../errors.ts';
import { bytes, count, hexGroups, milliseconds, plural, seconds, wholePercent, wrap } from '../format.ts';
import type { Texts } from '../page-keys.ts';
import { willSee } from '../leaks.ts';
import { costOf } from '../results.ts';
import { type Silence, together, loadingOf, lostOf, phaseOf, sampleOf, runView, silenceOf, totalAhead } from './run.ts';
import { type Run, type State, dealerOf, entryOf, serversOf, weightsOf } from '../state.ts';
import { generationOf } from '../form.ts';

export function labels(state: State): Texts {
  return { ...partyTexts(state), ...lineTexts(state) };
}

function partyTexts(state: State): Texts {
  const texts: Texts = {};
  const lost = lostOf(state);
  const silence = silenceOf(state);
  const sampled = sampleOf(state) !== undefined;
  const verb =
    state.slot === 'result' || state.slot === 'stopped'
      ? 'saw'
      : !sampled
        ? 'will see'
        : state.run !== undefined || state.slot === 'error'
          ? 'sees'
          : 'sees so far';
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
        : [address.operator, address.place].filter((part) => part !== undefined && part !== '').join(', ') ||
          new URL(address.url).host;
    texts[`p${party}.place` as const] = wrap(place, [36])[0] ?? '';
    texts[`p${party}.placeShort` as const] = wrap(place, [22])[0] ?? '';
    const health = state.health[party - 1];
    const there = thereOf(health, holdsPlace(state));
    const proved = state.proved[party - 1] && health?.ok !== false ? `${there}, identity checked` : there;
    const unheard = silence !== undefined && state.run?.onlineAt !== undefined && (silence.party ?? party) === party;
    const instead = lost.party === party ? lost.mark : unheard ? `no message for ${whole(silence.ms)}` : undefined;
    texts[`p${party}.health` as const] = instead ?? proved;
    texts[`p${party}.healthShort` as const] = instead ?? there;
  }
  return { ...texts, ...dealerTexts(state, lost) };
}

/** The fourth box. */
function dealerTexts(state: State, lost: ReturnType<typeof lostOf>): Texts {
  const dealer = dealerOf(state);
  if (dealer === undefined) return { bothKeys: 'the only place with both keys' };
  const place = dealer.operator ?? dealer.place ?? new URL(dealer.url).host;
  const { health: found, proved } = state.dealer;
  const there = thereOf(found, holdsPlace(state));
  // The box is small: a check is said where there is nothing worse to say.
  const fine = found === undefined || (found.ok && (found.load !== 'full' || holdsPlace(state)));
  const health = lost.party === 3 ? lost.mark : proved && fine ? 'identity checked' : there;
  const sent = runView(state).links?.dealer;
  return {
    bothKeys: DEALER.bothKeys,
    'p3.place': wrap(place, [18])[0] ?? '',
    'p3.health': health,
    'p3.short': `Dealer: both keys, no text, ${health}`,
    'p03.sent': sent === undefined ? '–' : bytes(sent),
  };
}

const whole = (ms: number): string => `${Math.floor(ms / 1e3)}\u00a0s`;

/** Who waits for what. */
function silenceText({ party, ms }: Silence): string {
  return party === undefined
    ? `No message from either party for ${whole(ms)}.`
    : `No message from party ${party} for ${whole(ms)}.`;
}

/** Whether a place at both parties is this tab's own: a party that is full with it is not full for it. */
export function holdsPlace({ run, preparation }: State): boolean {
  return run !== undefined || preparation.status !== 'none';
}

/** What a party's health says in a few words. */
function thereOf(health: PartyHealth | undefined, own: boolean): string {
  if (health === undefined) return 'not asked yet';
  if (health.ok && health.load === 'full' && !own) return 'online, no free place';
  if (health.ok) return health.milliseconds === undefined ? 'online' : `online, ${milliseconds(health.milliseconds)}`;
  const failure = failureOf(health.error);
  return failure.code === 'ERR_INTERNAL'
    ? 'not reached'
    : explain(failure, { operators: ['', ''], maxTokens: undefined }).mark;
}

function lineTexts(state: State): Texts {
  const { run } = state;
  const layers = state.model?.layers ?? 0;
  const title =
    run === undefined ? '' : run.phase === 'prepare' ? 'Preparing' : pieceTitle(state, stepTitle(run.layer, layers));
  const share = run === undefined ? 0 : run.phase === 'prepare' ? run.preparing : run.progress;
  const device = state.model === undefined ? undefined : DEVICE[state.model.device];
  const tokens = state.check?.tokens;
  const silence = run === undefined ? undefined : silenceOf(state);
  return {
    picLine: pictureLine(state),
    aside:
      silence !== undefined
        ? `${silenceText(silence)} Nothing of your text is lost; Stop ends the run.`
        : run?.phase === 'prepare'
          ? ASIDE.preparing
          : together(state)
            ? ASIDE.working
            : state.task === 'text-generation'
              ? GROWING
              : ASIDE.waiting,
    ...MESSAGES[together(state) ? 'rounds' : 'one'],
    steps: STEPS[state.settings.protocol],
    textLabel: TASKS[state.task].text,
    leaks: willSee(state),
    agreed: agreedLine(state),
    options: optionsLine(state),
    returns: together(state)
      ? 'Messages go and return in the rounds.'
      : state.task === 'text-generation'
        ? 'One message returns for each piece.'
        : 'One message returns.',
    readyText: readyText(state),
    stepTitle: title,
    stepSub:
      run === undefined
        ? ''
        : silence === undefined
          ? stepSub(run)
          : `waiting for ${silence.party === undefined ? 'the parties' : `party ${silence.party}`}`,
    pct: wholePercent(share),
    config: [entryOf(state)?.id, PROTOCOL[state.settings.protocol], WEIGHTS[weightsOf(state)], device]
      .filter((part) => part !== undefined)
      .join(', '),
    readAs: (state.check?.notices ?? []).join(' '),
    tokens:
      tokens === undefined
        ? ''
        : `${plural(tokens, 'token')}${state.check?.paddedTokens === undefined ? '' : `, padded to ${state.check.paddedTokens}`}`,
    runLabel:
      state.slot === 'running'
        ? 'Stop'
        : state.slot === 'result' || state.slot === 'stopped'
          ? 'Run again'
          : 'Run privately',
    layerCount: layers === 0 ? '' : plural(layers, 'layer'),
  };
}

/** What both parties signed for before anything was sent to them. The page has no weights to compare an answer with. */
function agreedLine(state: State): string {
  const hash = entryOf(state)?.weights[weightsOf(state)];
  const { outcome } = state;
  if (hash === undefined || outcome === undefined) return '';
  const proved = costOf(outcome.answer).proofs === undefined ? '' : '. Every message of the run was proved.';
  return `Each proved its identity and signed for the model that this page names, SHA-256 ${hexGroups(hash.slice(0, 16))}…${proved}`;
}

/** The line over the picture. */
function pictureLine(state: State): string {
  if (state.slot === 'stopped' || (state.trouble?.run?.pieces.length ?? 0) > 0) return PICTURE.kept;
  if (state.slot === 'error') return runView(state).links === undefined ? PICTURE.unsent : PICTURE.lost;
  const silence = silenceOf(state);
  if (silence !== undefined) return silenceText(silence);
  const phase = phaseOf(state);
  if (phase === 'idle' && dealerOf(state) !== undefined) return DEALER.picture;
  if (together(state)) {
    if (phase === 'input') return PICTURE.leaves;
    if (phase === 'compute') return PICTURE.together;
  }
  return PICTURE[phase === 'idle' && state.preparation.status === 'ready' ? 'ready' : phase];
}

/** While a text grows: the piece first, then how far it is. It is the next one's turn once the last one was sent. */
function pieceTitle({ task, run }: State, step: string): string {
  return task === 'text-generation' && run !== undefined
    ? `Piece ${Math.max(1, run.sent)}, ${step.charAt(0).toLowerCase()}${step.slice(1)}`
    : step;
}

/** What is behind the disclosure, in a few words. */
function optionsLine({ subject }: State): string {
  const { maxNewTokens, temperature = 0, topP, topK, seed } = generationOf(subject);
  if ([maxNewTokens, temperature].some((value) => Number.isNaN(value))) return '';
  const drawn = temperature === 0 ? 'always the likeliest' : `temperature ${temperature}`;
  const more = [
    topP === undefined ? '' : `top-p ${topP}`,
    topK === undefined ? '' : `top-k ${topK}`,
    seed === undefined ? '' : `seed ${seed}`,
  ];
  return [plural(maxNewTokens, 'new piece'), drawn, ...more]
    .filter((part) => part !== '' && !part.endsWith('NaN'))
    .join(', ');
}

/** Layer 0 looks the words up; the one after the last scores them. */
export function stepTitle(layer: number, layers: number): string {
  return layer === 0 ? 'Words in' : layer > layers ? 'Words out' : `Layer ${layer} of ${layers}`;
}

/** What goes on inside the step. */
function stepSub(run: Run): string {
  switch (run.phase) {
    case 'prepare':
      return run.links === undefined
        ? 'connecting to both parties'
        : `keys and helper numbers, ${bytes(totalAhead(run.links))} sent`;
    case 'input':
      return run.queued === undefined ? 'sending the locked text' : queuedText(run.queued);
    case 'compute':
      return sectionOf(run.section).words;
    case 'output':
      return 'the locked answer comes back';
  }
}

/** Who waits for the runs of others. */
function queuedText({ before, milliseconds = 0 }: NonNullable<Run['queued']>): string {
  return `${plural(before, 'run')} before this one${milliseconds < 1e3 ? '' : `, about ${whole(milliseconds)}`}`;
}

const nameOf = ({ party }: PartyHealth): string => (party === 3 ? 'the dealer' : `party ${party}`);
const upper = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

/** What is still to do behind the button, before it is pressed: each half-round is one way over the line. */
function aheadOf({ preparation: { online }, health }: State): string {
  if (online === undefined) return '';
  const [one = 0, two = 0] = health.map((party) => party?.milliseconds);
  const wait = (online.rounds * Math.max(one, two)) / 2;
  const least = wait > 0 ? `, at least ${seconds(wait)} on this line` : '';
  return ` Then the browser answers in ${count(online.rounds)} rounds with ${bytes(online.sentBytes)}${least}.`;
}

function readyText(state: State): string {
  const { preparation, run } = state;
  const loading = loadingOf(state);
  const sent = (links: Links | undefined): string => bytes(totalAhead(links));
  if (loading !== undefined)
    return loading.total > 0
      ? `Loading the word list: ${bytes(loading.loaded)} of ${bytes(loading.total)}`
      : 'Loading the word list.';
  if (run !== undefined) {
    if (run.phase === 'prepare')
      return run.links === undefined ? CONNECTING : `Preparing first: ${sent(run.links)} sent`;
    return run.ahead ? `Using the ${sent(run.links)} sent ahead.` : `Prepared after the button: ${sent(run.links)}.`;
  }
  if (state.slot === 'error') return runView(state).links === undefined ? '' : KEYS_DROPPED;
  if (state.slot === 'stopped') return STOPPED_TEXT;
  if (state.stopped) return state.slot === 'result' ? STOPPED_AGAIN : STOPPED;
  const away = serversOf(state).find((server) => server?.ok === false);
  const full = serversOf(state).find((server) => server?.load === 'full');
  if (preparation.status === 'none') {
    if (away !== undefined) return `${upper(nameOf(away))} does not answer at the moment. The button tries again.`;
    if (full !== undefined) return `${upper(nameOf(full))} has no free place at the moment. The button tries again.`;
    if (preparation.gone !== undefined) return GONE[preparation.gone];
  } else if (preparation.status === 'ready' && away !== undefined)
    return `Prepared, but ${nameOf(away)} does not answer at the moment.`;
  if (preparation.status === 'none')
    return state.settings.prepareWhileTyping
      ? state.slot === 'result'
        ? ''
        : 'Preparation starts as you type.'
      : 'Keys are made after you press the button.';
  if (preparation.links === undefined) return CONNECTING;
  const next = state.slot === 'result';
  if (preparation.status === 'ready')
    return `${next ? 'Next run ready:' : `Ready for ${preparation.length} tokens,`} ${sent(preparation.links)} sent ahead.${aheadOf(state)}`;
  const silence = silenceOf(state);
  if (silence !== undefined) return `Preparing waits: nothing went or came for ${whole(silence.ms)}.`;
  return `${next ? 'Preparing the next run' : `Preparing for ${preparation.length} tokens`}: ${sent(preparation.links)} sent`;
}
