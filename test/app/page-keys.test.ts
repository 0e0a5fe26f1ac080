/** The page's markup and the names by which views reach it: each name is there, once where it must be, and no other. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TASKS } from '../../src/ml/tasks/table.ts';
import { BAR_KEYS, IDS, TEXT_KEYS } from '../../src/app/page-keys.ts';

const ROOT = new URL('../../', import.meta.url);
const page = readFileSync(new URL('index.html', ROOT), 'utf8').replace(/<!--.*?-->/gs, '');
const views = readdirSync(new URL('src/app/', ROOT), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && file !== 'page-keys.ts')
  .map((file) => readFileSync(new URL(`src/app/${file}`, ROOT), 'utf8'))
  .join('\n');
const named = (attribute: string, text = page): string[] =>
  [...text.matchAll(new RegExp(`\\s${attribute}="([^"]*)"`, 'g'))].map(([, name]) => name);
const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

describe('the page and its names', () => {
  it('every text and bar of the state has a place in the page, and every place a text or a bar', () => {
    expect(sorted(named('data-bind'))).toEqual(sorted(TEXT_KEYS));
    expect(sorted(named('data-bar'))).toEqual(sorted(BAR_KEYS));
  });

  it('every id that a view reaches is in the page exactly once, and is reached', () => {
    const ids = named('id');
    for (const id of IDS) {
      expect(
        ids.filter((found) => found === id),
        id,
      ).toHaveLength(1);
      expect(views, `${id} is reached by nobody`).toContain(`'${id}'`);
    }
  });

  it('fields are for tasks that there are', () => {
    const tasks = named('data-for').flatMap((names) => names.split(' '));
    expect(tasks.length).toBeGreaterThan(3);
    expect(tasks.filter((task) => !(TASKS as readonly string[]).includes(task))).toEqual([]);
  });

  it('the card’s form is the page’s: the same box, label and help for the same thing', () => {
    const card = readFileSync(new URL('widget-frame.html', ROOT), 'utf8').replace(/<!--.*?-->/gs, '');
    // Opening tags with an id, a label's or a field's name, and the words of a label.
    const parts = (text: string): string[] => {
      const form = /<form id="form"[\s\S]*?<\/form>/.exec(text)?.[0] ?? '';
      return (
        [...form.matchAll(/<(?:input|textarea|label|p|button|div)\b[^>]*(?:data-field|data-for|for=|id=)[^>]*>[^<]*/g)]
          .map(([part]) => part.replace(/\s+/g, ' ').trim())
          // What only one of them has, or has for a reason.
          .filter((part) => !/credential|consent|shares|"run"|pieces|temperature|top[KP]|seed|options/.test(part))
      );
    };
    expect(parts(card).length).toBeGreaterThan(10);
    expect(parts(card)).toEqual(parts(page));
  });

  it('a name that is not in the page would be noticed: the control', () => {
    const without = page.replace('data-bind="aside"', 'data-bind="asides"').replace('id="run"', 'id="ran"');
    expect(sorted(named('data-bind', without))).not.toEqual(sorted(TEXT_KEYS));
    expect(named('id', without)).not.toContain('run');
  });
});
