/**
 * The words of the interface that are not in `index.html`. Vocabulary: locked number, key 1 and 2, prepared ahead,
 * round; docs/GLOSSARY.md has the words.
 */
import type { Availability, Device, FallbackEvent, Protocol, Transport, Weights } from '../owner/types/index.ts';
import type { Gone } from './state.ts';
import type { TaskKind } from './form.ts';

export interface TaskWords {
  readonly long: string;
  readonly short: string;
  /** Over the box. */
  readonly text: string;
  readonly hasBlank: boolean;
  readonly scores: string;
  readonly column: string;
}

/**
 * The task picker, in its order: what somebody wants to do. A task is shown when the deployment serves a model for
 * it.
 */
export const TASKS: Readonly<Record<TaskKind, TaskWords>> = {
  'fill-mask': {
    long: 'Fill a blank',
    short: 'Fill',
    text: 'Your text',
    hasBlank: true,
    scores: 'Most likely words with their probability',
    column: 'Word',
  },
  'text-classification': {
    long: 'Classify a sentence',
    short: 'Classify',
    text: 'Your text',
    hasBlank: false,
    scores: 'Labels with their probability',
    column: 'Label',
  },
  'question-answering': {
    long: 'Answer a question',
    short: 'Answer',
    text: 'Text to search',
    hasBlank: false,
    scores: 'Possible answers with their scores',
    column: 'Answer',
  },
  'token-classification': {
    long: 'Find names',
    short: 'Names',
    text: 'Your text',
    hasBlank: false,
    scores: 'Names found',
    column: 'Name',
  },
  'text-generation': {
    long: 'Continue a text',
    short: 'Continue',
    text: 'How it begins',
    hasBlank: false,
    scores: '',
    column: '',
  },
  'zero-shot-classification': {
    long: 'Sort by your own labels',
    short: 'Sort',
    text: 'Your text',
    hasBlank: false,
    scores: 'Your labels with their probability',
    column: 'Label',
  },
  'feature-extraction': {
    long: 'Make a vector',
    short: 'Vector',
    text: 'Your text',
    hasBlank: false,
    scores: '',
    column: '',
  },
};
export const JOBS = Object.keys(TASKS) as TaskKind[];

export const DEVICE: Record<Device, string> = { webgpu: 'WebGPU', wasm: 'WASM' };
export const TRANSPORT: Record<Transport, string> = { webrtc: 'direct link (WebRTC)', websocket: 'WebSocket' };
export const PROTOCOL: Record<Protocol, string> = {
  '3pc_semi_honest': 'semi-honest',
  '3pc_malicious': 'malicious',
  aby3: 'ABY3',
};
/** What is said of parties that do not follow the steps. */
export const STEPS: Record<Protocol, string> = {
  '3pc_semi_honest':
    'The parties are trusted to follow the steps. One that does not can spoil the answer, and may learn from it.',
  '3pc_malicious':
    'One party may do anything: its numbers are proved before the answer is unlocked. It can still stop a run.',
  aby3: 'As malicious, but nothing of a product is dealt ahead: your browser answers in the rounds.',
};
export const WEIGHTS: Record<Weights, string> = { open: 'open weights', secret: 'secret weights' };

/** The line over the picture. */
export const PICTURE = {
  idle: 'Only your browser has both. Each compute party is missing one.',
  prepare: 'Now: keys and helper numbers go ahead. They are random and do not depend on your words.',
  ready: 'Ready: keys and helper numbers are there. Your text has not left.',
  input: 'Now: one message leaves, your text, locked.',
  compute: 'Now: the two parties compute on locked numbers. The browser waits.',
  leaves: 'Now: your text leaves, locked.',
  together: 'Now: all three compute on locked numbers. The browser answers in the rounds.',
  output: 'Now: the locked answer comes back.',
  done: 'Done: the locked answer came back and was unlocked here.',
  lost: 'Stopped: no answer was unlocked, and the keys are thrown away.',
  kept: 'Stopped: what had come was unlocked here, and the other keys are thrown away.',
  unsent: 'Stopped before anything was sent.',
} as const;

export const STOPPED = 'Stopped on all three parties. Nothing was opened.';
/** Beside the answer that was there before. */
export const STOPPED_AGAIN = 'Stopped on all three parties. The answer is that of the run before.';
export const STOPPED_TEXT = 'Stopped on all three parties. What had come stays.';
/** Said where a dealer is chosen, and over the picture. */
export const DEALER = {
  trust:
    'No two of the three servers may work together: the dealer alone learns nothing, the dealer and either party together learn your text.',
  trustSecret:
    'No two of the three servers may work together: the dealer and either party together learn your text, and the weights for good. Your credential says whether the model’s owner allows this dealer.',
  picture: 'The dealer makes the keys and gets no text. No two of the three servers may work together.',
  bothKeys: 'both keys, and the only text',
} as const;

/** Under the layer strip: what the browser does meanwhile. */
export const ASIDE = {
  preparing: 'The browser is making keys and helper numbers first. When you type, that happens before the button.',
  waiting: 'The browser is waiting, not working: after the one message out it takes part in none of the rounds.',
  working: 'The browser is working: what it answers in the rounds waits for your line.',
};
/** What leaves with the text and comes with the answer, who computes, and bytes of the browser meanwhile. */
export const MESSAGES = {
  one: {
    ...{ leaves: 'One message leaves: your text, locked.', workers: 'Parties 1 and 2' },
    ...{ in: 'locked text', out: 'locked answer', 'c.0': '0' },
  },
  rounds: {
    ...{ leaves: 'Your text leaves, locked.', workers: 'All three parties' },
    ...{ in: 'text, rounds', out: 'rounds, answer', 'c.0': 'counted beside' },
  },
} as const;
/** The same while a text grows: the browser chooses each piece, and locks it for the next. */
export const GROWING =
  'Both parties compute each piece without seeing any. The browser unlocks it, and sends it back locked for the next one.';
export const CONNECTING = 'Connecting to both parties.';
/** In place of the line that keys are ready. */
export const GONE: Record<Gone, string> = {
  hidden: 'The prepared keys were let go while this tab was hidden.',
  idle: 'Nobody was here for two minutes, so the prepared keys were let go. They are made anew as you type.',
  age: 'The prepared keys were let go after five minutes.',
  lost: 'The link to a party ended, so the prepared keys are gone.',
  asked: 'A party needed the place, so the prepared keys were let go. They are made anew as you type.',
  failed: 'Keys could not be made ahead. The button tries again.',
};
export const KEYS_DROPPED = 'The prepared keys were thrown away.';

/** Steps inside a layer, in their order: the prefix of the section's name, and what it is called here. */
const SECTIONS: readonly (readonly [prefix: string, words: string])[] = [
  ['attention/scores', 'attention: scores'],
  ['attention/maximum', 'attention: largest score'],
  ['attention/exponential', 'attention: softmax'],
  ['attention/context', 'attention: mix'],
  ['attention output', 'normalise'],
  ['feed-forward output', 'feed-forward: output, normalise'],
  ['feed-forward', 'feed-forward: GELU'],
  ['rows', 'picking out what the answer needs'],
  ['attention norm', 'normalise'],
  ['feed-forward norm', 'normalise'],
  ['attention', 'attention: projections'],
  ['embeddings', 'looking up the words'],
  ['head', 'scoring'],
];
const IN_LAYER = [
  'attention norm',
  'attention',
  'attention/scores',
  'attention/maximum',
  'attention/exponential',
  'attention/context',
  'attention output',
  'feed-forward norm',
  'feed-forward',
  'feed-forward output',
];

/** A section in words, and how far into its layer it is when that is known. */
export function sectionOf(section: string): { readonly words: string; readonly part: number } {
  const found = SECTIONS.find(([prefix]) => section === prefix || section.startsWith(`${prefix}/`));
  const step = found === undefined ? -1 : IN_LAYER.indexOf(found[0]);
  return { words: found?.[1] ?? section, part: step < 0 ? 0 : step / IN_LAYER.length };
}

/** Why something is not available here; the reasons are those of `capabilities()`. */
export function unavailable(what: 'webgpu' | 'wasm' | 'webrtc', found: Availability): string {
  if (found.ok) return '';
  const reasons: Record<string, string> = {
    'no-api': what === 'webrtc' ? 'This browser has no WebRTC.' : 'This browser has no WebGPU.',
    'no-adapter': 'This browser has WebGPU, but no graphics processor answered.',
    'no-device': 'The graphics processor refused a connection.',
    'insecure-context': 'Needs a page that was loaded over HTTPS.',
    'fallback-adapter': 'Only a software adapter is there, slower than the processor.',
    'no-wasm': 'This browser has no WebAssembly.',
    'no-simd': 'This browser has WebAssembly without SIMD.',
    'blocked-by-csp': 'The page is served with a policy that forbids WebAssembly.',
  };
  return `Not available. ${reasons[found.reason] ?? found.detail}`;
}

/** A choice that was not what was asked for: a notice, not an error. */
export function fallbackNotice({ what, from, reason }: FallbackEvent): {
  readonly title: string;
  readonly text: string;
} {
  if (what === 'transport') {
    return {
      title: 'The direct link did not open, so Tercet uses the WebSocket link.',
      text: 'Same privacy, same answer; sending is slower.',
    };
  }
  if (from === 'webgpu') {
    const said = reason.startsWith('no ') ? `there is ${reason}` : reason;
    const why = /in software/.test(reason)
      ? 'The only graphics adapter here is a software one'
      : `${said.charAt(0).toUpperCase()}${said.slice(1)}`;
    return {
      title: `${why}, so Tercet uses the processor (WASM).`,
      text: 'The answer is the same. Preparing takes longer.',
    };
  }
  return {
    title: 'The processor cannot be used, so Tercet uses the graphics processor (WebGPU).',
    text: 'The answer is the same.',
  };
}

/** In place of bytes, at a party that received none. */
export const SEED_ONLY = 'a short seed, nothing else';
/** The same where a dealer sends what is prepared. */
export const FROM_DEALER = 'what the dealer sent';
