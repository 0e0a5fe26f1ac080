/**
 * The places of `index.html` that the views fill, by name. The page is static markup, so that it is there before any
 * script and without one; these lists tie it to the types. `test/app/page-keys.test.ts` holds both against the page.
 */

/** Elements that the views reach by `id`. */
export const IDS = [
  ...[
    'add-blank',
    'answer',
    'cost-note',
    'credential',
    'credential-file',
    'error',
    'examples',
    'form',
    'gain',
    'proved-body',
  ],
  ...['layers', 'notices', 'peers', 'phases', 'run', 'saw-body', 'saw-lead', 'saw-more', 'say', 'scores'],
  ...['set-busy', 'set-close', 'set-device', 'set-h', 'set-model', 'set-prepare', 'set-prepare-note'],
  ...[
    'set-dealer',
    'set-level',
    'set-protocol',
    'set-transport',
    'set-weights',
    'settings',
    'slot',
    'still',
    'streaming',
    'sums',
    'tasks',
    'tech',
  ],
  ...['text', 'text-problem', 'theme'],
] as const;

export type PageId = (typeof IDS)[number];

/** Texts that follow the state, written through `data-bind`. */
export const TEXT_KEYS = [
  ...[
    'agreed',
    'aside',
    'config',
    'elapsed',
    'gain.from',
    'gain.to',
    'layerCount',
    'leaks',
    'leaves',
    'msgs',
    'options',
  ],
  ...['pct', 'picLine', 'readAs', 'readyText', 'returns', 'rounds.label', 'rounds.now', 'rounds.of', 'runLabel'],
  ...['sees', 'seesShort', 'stepSub', 'steps', 'stepTitle', 'textLabel', 'theme', 'tokens', 'took', 'up'],
  ...['c.01', 'c.01a', 'c.01i', 'c.01o', 'c.02', 'c.02a', 'c.02i', 'c.02o', 'c.12', 'c.0', 'in', 'out', 'workers'],
  ...['p01.ahead', 'p01.input', 'p01.output', 'p02.ahead', 'p02.input', 'p02.output'],
  ...['p12.line', 'p12.sub', 'p12.total', 'p0.health', 'p0.healthShort'],
  ...['p1.health', 'p1.healthShort', 'p1.place', 'p1.placeShort'],
  ...['p2.health', 'p2.healthShort', 'p2.place', 'p2.placeShort'],
  ...['p3.health', 'p3.place', 'p3.short', 'p03.sent', 'bothKeys'],
  ...['t.compute', 't.input', 't.output', 't.prep', 't.when'],
] as const;

export type TextKey = (typeof TEXT_KEYS)[number];
export type Texts = Partial<Record<TextKey, string>>;

/** Bars that follow the state, written through `data-bar`. */
export const BAR_KEYS = ['prep', 't.compute', 't.input', 't.output', 't.prep'] as const;

type BarKey = (typeof BAR_KEYS)[number];
export type Bars = Partial<Record<BarKey, number>>;
