/**
 * A text that grows, piece by piece, after the words that it began with. Nothing here is announced: see
 * announce.ts.
 */
import { streamingTextOf } from '../streaming.ts';
import type { State } from '../state.ts';
import { all, byId, setText } from './dom.ts';

export function streamingView(): (now: State) => void {
  const template = byId<HTMLTemplateElement>('streaming');
  const places = all('[data-growing]').map((place) => {
    place.append(template.content.cloneNode(true));
    return {
      place,
      given: part(place, '[data-given]'),
      added: part(place, '[data-added]'),
      caret: part(place, '.caret'),
      line: part(place, '[data-line]'),
    };
  });
  return (now) => {
    const found = streamingTextOf(now);
    for (const { place, given, added, caret, line } of places) {
      place.hidden = found === undefined;
      if (found === undefined) continue;
      setText(given, found.given);
      setText(added, found.added);
      setText(line, found.line);
      caret.hidden = !found.going;
    }
  };
}

function part(place: HTMLElement, selector: string): HTMLElement {
  const found = place.querySelector<HTMLElement>(selector);
  if (found === null) throw new Error(`no ${selector} in a growing text`);
  return found;
}
