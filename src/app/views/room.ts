/**
 * A drawing does not wrap its words. Where a reader's own spacing or a wide face makes them longer than their room,
 * they are drawn closer, and nothing runs into anything else.
 */
import { all, setAttribute } from './dom.ts';

const GAP = 8;

interface Fitted {
  readonly text: SVGTextElement;
  /** In the units of the drawing; asked for after all lengths are known. */
  room(): number;
}

export function room(): () => void {
  const texts = all<SVGSVGElement>('.tri').flatMap(fitted);
  const draw = (): void => {
    for (const { text } of texts) text.removeAttribute('textLength');
    const rooms = texts.map(({ text, room: most }) => ({ text, room: most(), length: text.getComputedTextLength() }));
    for (const { text, room, length } of rooms) {
      setAttribute(text, 'lengthAdjust', length > room ? 'spacingAndGlyphs' : undefined);
      setAttribute(text, 'textLength', length > room ? String(Math.floor(room)) : undefined);
    }
  };
  // A change of spacing, of the face or of the window changes the height of the page.
  new ResizeObserver(draw).observe(document.body);
  return draw;
}

function fitted(drawing: SVGSVGElement): Fitted[] {
  const found: Fitted[] = [];
  for (const row of all('.row', drawing)) {
    const [words, value] = all<SVGTextElement>('text', row);
    const between = at(value, 'x') - at(words, 'x') - GAP;
    found.push({ text: words, room: () => between - value.getComputedTextLength() });
  }
  for (const chip of all('.chip', drawing)) {
    const [box] = all<SVGRectElement>('rect', chip);
    for (const text of all<SVGTextElement>('text', chip)) found.push({ text, room: () => at(box, 'width') - GAP });
  }
  const zones = [1, 2].flatMap((party) => all<SVGGElement>(`.zone-p${party}`, drawing));
  for (const zone of zones) {
    const [box] = all<SVGRectElement>('.zone-box', zone);
    const right = at(box, 'x') + at(box, 'width') - GAP;
    for (const text of all<SVGTextElement>('.name, .sub, .hex', zone))
      found.push({ text, room: () => right - at(text, 'x') });
  }
  if (drawing.matches('.tri-wide')) {
    const [left, right] = zones.map((zone) => at(all('.zone-box', zone)[0], 'x'));
    const between = right - left - at(all('.zone-p1 .zone-box', drawing)[0], 'width') - GAP;
    for (const text of all<SVGTextElement>('.link-p12 text', drawing)) found.push({ text, room: () => between });
  }
  return found;
}

function at(node: Element, name: string): number {
  return Number(node.getAttribute(name));
}
