/**
 * Other words for those of the interface. The English text, with its figures as `{1}`, `{2}`, … and the names of
 * operators as `{operator1}`, `{operator2}`, is the key, so every sentence can be replaced and none is written twice.
 *
 * Security: a replacement is text, never markup, and keeps every place of the sentence that it replaces. What a
 * visitor typed and what a model answered is never looked up.
 */
import type { Deployment } from '../../owner/types/index.ts';

/** Words of the visitor or of the model, names, and details for a bug report. */
const OWN = '.words-in, .answer, .w, .passage, .vector, pre, script, style, template, [translate="no"]';
/** Attributes that are read to people. */
const ATTRIBUTES = ['aria-label', 'aria-valuetext', 'title'] as const;

/** A sentence as its key, and what stands in its places. */
export function keyOf(
  text: string,
  operators: readonly (string | undefined)[],
): { key: string; places: Map<string, string> } {
  const places = new Map<string, string>();
  let key = text.trim().replace(/[ \t\n]+/g, ' ');
  for (const [i, name] of operators.entries())
    if (name !== undefined && name !== '' && key.includes(name)) {
      places.set(`{operator${i + 1}}`, name);
      key = key.replaceAll(name, `{operator${i + 1}}`);
    }
  let count = 0;
  key = key.replace(/\{operator\d\}|[<>]?\d[\d,]*(?:\.\d+)?(?:\u00a0\S+?(?=[\s.,;:)]|$))?/g, (found) => {
    if (found.startsWith('{')) return found;
    const place = `{${++count}}`;
    places.set(place, found);
    return place;
  });
  return { key, places };
}

/** The replacement of a text; undefined where there is none, or one that leaves a place out. */
export function replaced(
  text: string,
  strings: Readonly<Record<string, string>>,
  operators: readonly (string | undefined)[] = [],
): string | undefined {
  if (text.trim() === '') return undefined;
  const { key, places } = keyOf(text, operators);
  const found = Object.hasOwn(strings, key) ? strings[key] : undefined;
  if (found === undefined || found.trim() === '' || [...places.keys()].some((place) => !found.includes(place)))
    return undefined;
  const filled = found.replace(/\{(?:operator)?\d+\}/g, (place) => places.get(place) ?? place);
  // Spaces around a text part it from its neighbours.
  return `${/^\s*/.exec(text)?.[0] ?? ''}${filled}${/\s*$/.exec(text)?.[0] ?? ''}`;
}

export class Words {
  readonly #root: HTMLElement;
  readonly #deployment: () => Deployment | undefined;
  readonly #observer: MutationObserver;
  #strings: Readonly<Record<string, string>> = {};
  /** What was written here, so that it is not taken for English; and the English behind it. */
  readonly #written = new WeakMap<Node, { readonly english: string; readonly shown: string }>();

  constructor(root: HTMLElement, deployment: () => Deployment | undefined) {
    this.#root = root;
    this.#deployment = deployment;
    this.#observer = new MutationObserver(() => this.#all());
  }

  use(strings: Readonly<Record<string, string>>): void {
    if (JSON.stringify(strings) === JSON.stringify(this.#strings)) return;
    this.#strings = strings;
    this.#all();
    this.#observer.observe(this.#root, {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true,
      attributeFilter: [...ATTRIBUTES],
    });
  }

  #all(): void {
    const operators = this.#deployment()?.parties.map(({ operator }) => operator) ?? [];
    const walker = document.createTreeWalker(this.#root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const text = node as Text;
      if (text.parentElement?.closest(OWN) !== null) continue;
      this.#put(text, text.data, operators, (words) => (text.data = words));
    }
    for (const element of this.#root.querySelectorAll('*')) {
      for (const name of ATTRIBUTES) {
        const attribute = element.getAttributeNode(name);
        if (attribute !== null && element.closest('[translate="no"]') === null)
          this.#put(attribute, attribute.value, operators, (words) => element.setAttribute(name, words));
      }
    }
    // What was written here is no news.
    this.#observer.takeRecords();
  }

  #put(node: Node, now: string, operators: readonly (string | undefined)[], write: (words: string) => void): void {
    const before = this.#written.get(node);
    const english = before !== undefined && before.shown === now ? before.english : now;
    const shown = replaced(english, this.#strings, operators) ?? english;
    this.#written.set(node, { english, shown });
    if (shown !== now) write(shown);
  }
}
