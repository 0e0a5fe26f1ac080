/**
 * What keeps a hostile page out of the frame: who is listened to and how often, whose parties are taken, and what a
 * visitor must have had in sight. The same on two real origins: e2e/widget-hostile.spec.ts.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { chosen, deviceOf, isForeign } from '../../src/widget/choice.ts';
import type { Deployment } from '../../src/owner/types/index.ts';
import { failure } from '../failure.ts';
import { type Host, meetHost } from '../../src/widget/frame/host-link.ts';
import { Sight } from '../../src/widget/frame/sight.ts';
import { type ToFrame, VERSION } from '../../src/widget/messages.ts';

const SETUP = { model: 'sst2-bert', task: '', deployment: '', device: 'auto', page: 'p', shareResult: true };
const LOOK = { theme: 'auto', lang: 'en', dir: 'ltr', disabled: false, strings: {}, colours: {} };

afterEach(() => vi.unstubAllGlobals());

describe('the page around the frame', () => {
  type Greeted = (event: object) => void;
  const around = { postMessage: vi.fn() };
  let greeted: Greeted | undefined;
  let met: Host[];

  beforeEach(() => {
    around.postMessage.mockClear();
    greeted = undefined;
    met = [];
    vi.stubGlobal('parent', around);
    vi.stubGlobal('self', {});
    vi.stubGlobal('addEventListener', (_: string, on: Greeted) => (greeted = on));
    vi.stubGlobal('removeEventListener', () => (greeted = undefined));
    meetHost((host) => met.push(host));
  });

  /** The nonce of this document, as only the window around it was told. */
  const nonce = () => (around.postMessage.mock.calls[0][0] as { readonly nonce: string }).nonce;
  function greet(
    change: object = {},
    data: object = {},
  ): { readonly port: { onmessage?: unknown; close: () => void } } {
    const port = { close: vi.fn(), postMessage: vi.fn() };
    const connect = { tercet: 'connect', version: VERSION, nonce: nonce(), setup: SETUP, look: LOOK, ...data };
    greeted?.({ data: connect, source: around, origin: 'https://news.example', ports: [port], ...change });
    return { port };
  }

  it('is met when it answers the greeting of this document: the control', () => {
    greet();
    expect(met.map(({ origin }) => origin)).toEqual(['https://news.example']);
  });

  it('is not met with another nonce, from another window, twice, or with more ports', () => {
    greet({}, { nonce: crypto.randomUUID() });
    greet({}, { nonce: undefined });
    greet({ source: {} });
    greet({ ports: [] });
    greet({ ports: [{}, {}] });
    expect(met).toEqual([]);
    greet();
    greet();
    expect(met).toHaveLength(1);
  });

  it('is not listened to any more once it floods', () => {
    const { port } = greet();
    const heard: ToFrame[] = [];
    met[0].listen((message) => heard.push(message));
    const send = port.onmessage as (event: object) => void;
    for (let i = 0; i < 500 && typeof port.onmessage === 'function'; i++) send({ data: { op: 'abort' }, ports: [] });
    expect(heard.length).toBeGreaterThanOrEqual(60);
    expect(heard.length).toBeLessThan(100);
    expect(port.close).toHaveBeenCalledOnce();
  });
});

describe('a deployment', () => {
  const OWN = 'https://tercet.example/tercet.json';

  it('is the one of the frame\u2019s own server, to the letter', () => {
    expect(isForeign(OWN, OWN)).toBe(false);
    for (const other of ['https://evil.example/tercet.json', 'https://tercet.example/other.json', `${OWN}?x`, ''])
      expect(isForeign(other, OWN), other).toBe(true);
  });
});

describe('a task that a tag names', () => {
  const entry = (id: string, task: string) => ({ id, task }) as Deployment['entries'][number];
  const entries = [entry('sst2-bert', 'text-classification'), entry('wnut-roberta', 'token-classification')];

  it('may have any of its names; one that nobody serves is not replaced by another', async () => {
    for (const task of ['token-classification', 'ner'])
      expect(chosen({ model: '', task }, { entries })).toEqual({ task: 'token-classification', model: entries[1] });
    expect(chosen({ model: 'sst2-bert', task: 'sentiment-analysis' }, { entries }).model).toBe(entries[0]);
    for (const task of ['fill-mask', 'reading', 'constructor'])
      await failure('ERR_MODEL_NOT_FOUND', () => chosen({ model: '', task }, { entries }));
    await failure('ERR_MODEL_NOT_FOUND', () => chosen({ model: 'sst2-bert', task: 'ner' }, { entries }));
  });
});

describe('that an answer is shared', () => {
  let look: (entries: readonly object[]) => void = () => undefined;
  beforeEach(() =>
    vi.stubGlobal(
      'IntersectionObserver',
      class {
        constructor(on: typeof look) {
          look = on;
        }
        observe(): void {}
      },
    ),
  );

  it('must have been in sight when somebody typed or pressed: not covered, not pale, not scrolled away', () => {
    const sight = new Sight({} as Element);
    look([{ isIntersecting: true, isVisible: true }]);
    sight.look();
    expect(sight.agreed).toBe(true);
    for (const hidden of [
      { isIntersecting: true, isVisible: false },
      { isIntersecting: false, isVisible: true },
    ]) {
      look([hidden]);
      // What was agreed to stands until the next thing that is done.
      sight.look();
      expect(sight.agreed).toBe(false);
      look([{ isIntersecting: true, isVisible: true }]);
      sight.look();
      expect(sight.agreed).toBe(true);
    }
  });
});

describe('what a tag asks for', () => {
  it.each(['protocol', 'security-level', 'security_config', 'weights', 'differential-privacy', 'top-k', 'dealer'])(
    'and does not have (%s) is refused by name, before a model is loaded',
    async (name) => {
      const tag = { device: 'wasm', attributes: ['model', name] };
      const error = await failure('ERR_ARGUMENT', () => deviceOf(tag));
      expect(error.message).toContain(`no attribute ${name},`);
    },
  );

  it('is taken with what a tag has, and beside what pages and frameworks write on every element', () => {
    const own = ['model', 'task', 'deployment', 'share-result', 'mode', 'theme', 'device', 'lang', 'name', 'required'];
    const theirs = ['class', 'id', 'style', 'part', 'slot', 'hidden', 'aria-label', 'data-v-7ba5bd90', '_ngcontent-x'];
    expect(deviceOf({ device: 'wasm', attributes: [...own, ...theirs] })).toBe('wasm');
  });
});
