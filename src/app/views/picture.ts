/**
 * What of the picture is not plain text: its phase, the words in the browser's territory, the bytes in the
 * parties', the failed place.
 */
import type { PartyHealth } from '../../owner/types/index.ts';
import { FROM_DEALER, SEED_ONLY } from '../copy.ts';
import { gainOf } from '../selectors/metrics.ts';
import { hexGroups, rightToLeft, tail, wrap } from '../format.ts';
import { streamingTextOf } from '../streaming.ts';
import { holdsPlace } from '../selectors/labels.ts';
import { lostOf, movingOf, onlyAhead, phaseOf, sampleOf, silenceOf } from '../selectors/run.ts';
import { type State, dealerOf, entryOf } from '../state.ts';
import { blankOf } from '../form.ts';
import { all, byId, onceLaidOut, setAttribute, setText, svg } from './dom.ts';

/** Bytes in one line of hex, in the wide and the narrow drawing. */
const LINE_BYTES: Record<string, number> = { p: 10, n: 8 };

/** Where the other drawing is shown: style/picture.css. */
const NARROW = '(max-width: 679px)';

/** Of a text that grows the end is shown; it fits both drawings. */
const GROWING_LENGTH = 46;

export function picture(): (now: State) => void {
  const words = all<SVGTextElement>('[data-words]');
  const hex = all<SVGTextElement>('[data-hex]');
  // The drawing that is not shown has no widths: when it comes, its words are written anew.
  matchMedia(NARROW).addEventListener('change', () => {
    for (const node of words) writeWords(node, shownWords ?? '');
  });
  // Until a byte has left there is nothing to show but what such bytes look like; the line over it says so.
  const example: readonly [string, string] = [randomHex(30), randomHex(30)];
  let shownWords: string | undefined;
  return (now) => {
    marks(now);
    byId('phases').hidden =
      !['running', 'result', 'stopped'].includes(now.slot) && now.trouble?.run?.links === undefined;
    byId('gain').hidden = gainOf(now) === undefined;

    const bytes = sampleOf(now) ?? example;
    const none = dealerOf(now) === undefined ? SEED_ONLY : FROM_DEALER;
    for (const node of hex) {
      const [drawing, party, , line] = node.dataset['hex'] ?? '';
      const held = bytes[party === '1' ? 0 : 1];
      const length = 2 * LINE_BYTES[drawing];
      const first = Number(line) * length;
      // With open weights party 1 gets nothing ahead: it makes the same numbers from a seed.
      setText(node, held !== '' ? hexGroups(held.slice(first, first + length)) : first === 0 ? none : '');
    }
    const text = wordsOf(now);
    if (text !== shownWords) for (const node of words) writeWords(node, text);
    shownWords = text;
  };
}

/** What a page's styles draw from: the phase, who is lost, where bytes move. */
export function marks(now: State): void {
  const root = document.documentElement;
  const lost = lostOf(now);
  setAttribute(root, 'data-phase', phaseOf(now));
  setAttribute(root, 'data-dealer', dealerOf(now) && (standing(now, now.dealer.health) ?? ''));
  setAttribute(root, 'data-lost', lost.party === undefined ? undefined : `p${lost.party}`);
  setAttribute(
    root,
    'data-cut',
    lost.cut === undefined || lost.party === undefined ? undefined : `${lost.cut}-p${lost.party}`,
  );
  for (const party of [1, 2] as const) setAttribute(root, `data-p${party}`, stateOf(now, party));
  setAttribute(root, 'data-ahead', onlyAhead(now) ? '' : undefined);
  setAttribute(root, 'data-moving', movingOf(now).join(' '));
}

/** What the dot of a party says beside its words. */
function stateOf(state: State, party: 1 | 2): string | undefined {
  const silence = silenceOf(state);
  if (silence !== undefined && state.run?.onlineAt !== undefined && (silence.party ?? party) === party) return 'silent';
  return standing(state, state.health[party - 1]);
}

function standing(state: State, health: PartyHealth | undefined): string | undefined {
  if (health === undefined) return undefined;
  return !health.ok ? 'away' : health.load === 'full' && !holdsPlace(state) ? 'full' : 'there';
}

/** The user's text, with the blanks filled in once there is an answer, and the end of a text that grows. */
function wordsOf(state: State): string {
  const { outcome, subject } = state;
  const growing = streamingTextOf(state);
  if (growing !== undefined && growing.added !== '') return tail(`${growing.given}${growing.added}`, GROWING_LENGTH);
  if (outcome?.answer.task === 'zero-shot-classification') {
    const label = outcome.answer.result.label;
    return outcome.subject.template.replace('{mask}', () => label).replace('{text}', () => outcome.subject.text.trim());
  }
  if (outcome?.answer.task !== 'fill-mask') return outcome?.subject.text ?? subject.text;
  const { blanks } = outcome.answer.result;
  const blank = blankOf(entryOf(state));
  return outcome.subject.text
    .split(blank)
    .reduce((whole, part, i) => `${whole}${blanks[i - 1]?.[0]?.token_str.trim() ?? blank}${part}`);
}

function writeWords(node: SVGTextElement, text: string): void {
  const limits = (node.dataset['words'] ?? '').split(' ').map(Number);
  // A drawing has no direction of its own: from the right, the line starts at the other edge.
  const turned = rightToLeft(text);
  const left = Number(node.getAttribute('x') ?? 0);
  const width = node.ownerSVGElement?.viewBox.baseVal.width ?? 0;
  const x = String(turned ? width - left : left);
  setAttribute(node, 'direction', turned ? 'rtl' : undefined);
  const lines = wrap(text, limits).map(
    (line, i) => svg('tspan', i === 0 ? { x } : { x, dy: 27 }, line) as SVGTSpanElement,
  );
  node.replaceChildren(...lines);
  // Lines are counted in letters; wide ones are drawn closer, inside the browser's territory.
  const room = width - 2 * left;
  onceLaidOut(() => {
    for (const line of lines.filter((one) => one.getComputedTextLength() > room))
      for (const [name, value] of Object.entries({ textLength: room, lengthAdjust: 'spacingAndGlyphs' }))
        setAttribute(line, name, String(value));
  });
}

function randomHex(length: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
}
