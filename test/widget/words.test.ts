/** Replaced words: every place of a sentence is kept, and nothing but the interface's own words is replaced. */
import { describe, expect, it } from 'vitest';
import { explain } from '../../src/app/errors.ts';
import type { AppEvent } from '../../src/app/state.ts';
import { Store } from '../../src/app/store.ts';
import { CardStore } from '../../src/widget/frame/own-words.ts';
import { keyOf, replaced } from '../../src/widget/frame/words.ts';

describe('a sentence', () => {
  it.each([
    ['Run privately', 'Run privately', []],
    ['9 tokens, padded to 16', '{1} tokens, padded to {2}', ['9', '16']],
    ['Ready for 16 tokens, 3.1\u00a0MB sent ahead.', 'Ready for {1} tokens, {2} sent ahead.', ['16', '3.1\u00a0MB']],
    ['Party 2 stopped answering', 'Party {1} stopped answering', ['2']],
    ['>99.9\u00a0%', '{1}', ['>99.9\u00a0%']],
    [
      'No message came from Alder in time, at layer 3 of 4.',
      'No message came from {operator1} in time, at layer {1} of {2}.',
      ['Alder', '3', '4'],
    ],
  ])('%s', (text, key, figures) => {
    const found = keyOf(text, ['Alder', 'Birch']);
    expect(found.key).toBe(key);
    expect([...found.places.values()]).toEqual(figures);
  });
});

describe('a replacement', () => {
  const strings = {
    Answer: 'Antwort',
    '{1} tokens, padded to {2}': 'auf {2} aufgefüllt: {1}',
    'Party {1} stopped answering': 'Eine Partei antwortet nicht',
    Stop: '  ',
  };

  it('may turn the places around, and keeps the spaces around a text', () => {
    expect(replaced(' Answer ', strings)).toBe(' Antwort ');
    expect(replaced('9 tokens, padded to 16', strings)).toBe('auf 16 aufgefüllt: 9');
  });

  it('that leaves a place out, or says nothing, is not taken', () => {
    expect(replaced('Party 2 stopped answering', strings)).toBeUndefined();
    expect(replaced('Stop', strings)).toBeUndefined();
    expect(replaced('toString', strings)).toBeUndefined();
    expect(replaced('Anything else', strings)).toBeUndefined();
  });
});

describe('what a card says of its tag', () => {
  const failed = (code: 'ERR_MODEL_NOT_FOUND' | 'ERR_ARGUMENT' | 'ERR_PEER_TIMEOUT'): AppEvent => ({
    type: 'failed',
    failure: { code, message: 'm', hint: 'h' },
    now: 0,
  });
  const names = { operators: ['A', 'B'], maxTokens: undefined } as const;
  const said = (store: Store): string => {
    const { trouble } = store.state;
    if (trouble === undefined) throw new Error('there is no trouble');
    const { title, remedy } = explain(trouble.failure, names);
    return `${title} ${remedy}`;
  };

  it.each(['ERR_MODEL_NOT_FOUND', 'ERR_ARGUMENT'] as const)('is for the page around it: %s', (code) => {
    const [card, app] = [new CardStore(), new Store()];
    for (const store of [card, app]) store.dispatch(failed(code));
    expect(said(card)).toMatch(/tell whoever runs the page around it/);
    expect(said(app)).not.toMatch(/around/);
  });

  it('and of everything else what the app says', () => {
    const [card, app] = [new CardStore(), new Store()];
    for (const store of [card, app]) store.dispatch(failed('ERR_PEER_TIMEOUT'));
    expect(said(card)).toBe(said(app));
    // With a model, a code is not about the tag.
    const model = { id: 'm', device: 'wasm', layers: 1, maxTokens: 16, downloadedBytes: 1 } as const;
    for (const store of [card, app]) {
      store.dispatch({ type: 'loaded', model });
      store.dispatch(failed('ERR_ARGUMENT'));
    }
    expect(said(card)).toBe(said(app));
  });
});
