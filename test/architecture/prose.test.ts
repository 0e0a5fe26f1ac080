/**
 * Sentences of the documents are short: nine of ten have at most 25 words (CONTRIBUTING.md). Decisions (docs/adr)
 * are records, and are left as they were written.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MOST = 25;

/** Pieces of text that a sentence does not cross: paragraphs, items of lists, cells of tables. */
function pieces(text: string): string[] {
  return text
    .replace(/^```[\s\S]*?^```/gm, '\n')
    .replace(/^#.*$/gm, '\n')
    .replace(/^\s*(?:[-*>]|\d+\.)\s/gm, '\n\n')
    .split(/\n\s*\n|\|/)
    .map((piece) => piece.replace(/\]\([^)]*\)/g, ']').replace(/`[^`]*`/g, 'code'));
}

/** Words of every sentence, in order of length. */
function lengths(text: string): number[] {
  return pieces(text)
    .flatMap((piece) => piece.split(/(?<=[.!?:])\)?\*{0,2}\s+(?=[*“"(]*\p{Lu})/u))
    .map((sentence) => sentence.split(/\s+/).filter((word) => /\p{L}|\p{N}/u.test(word)).length)
    .filter((words) => words > 0)
    .sort((a, b) => a - b);
}

function ninetieth(text: string): number {
  const all = lengths(text);
  return all[Math.floor(all.length * 0.9)];
}

const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...['docs', 'docs/tasks', 'docs/guides', 'docs/checks'].flatMap((folder) =>
    readdirSync(`${ROOT}/${folder}`)
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
];

describe('sentences', () => {
  it.each(DOCUMENTS)(`of %s: nine of ten have at most ${MOST} words`, (file) => {
    expect(ninetieth(readFileSync(`${ROOT}/${file}`, 'utf8'))).toBeLessThanOrEqual(MOST);
  });

  it('are counted: a text of long ones does not pass, and lists, tables and code end or leave out words', () => {
    const long = `One ${'and another '.repeat(13)}word.`;
    expect(lengths(long)).toEqual([28]);
    expect(ninetieth(`Short. ${`${long} `.repeat(9)}`)).toBeGreaterThan(MOST);
    expect(
      lengths('Two words. Three short words.\n\n- an item\n- another\n\n| a | b c |\n```\nno no no no\n```\n'),
    ).toEqual([1, 1, 2, 2, 2, 3]);
  });
});

/** Layers that pages and programs use too: their users have no command line. */
const BELOW = ['core', 'compute', 'mpc', 'ml', 'session', 'owner', 'hub'];
/** Those that name what a program writes as well, and what an operator does. */
const BOTH = [
  "specialTokens: 'allow', --special-tokens allow",
  '(--pooling mean)',
  'have both compute parties serve the model with --ranges wide',
  'let the operator make the deployment with `tercet site --model org/name`',
  'look at its cause (on the command line: --debug)',
];

/** Options of the command line in texts of a source. */
function flagsOf(source: string): string[] {
  // What the engine is told is said to nobody.
  const code = source.replaceAll('--expose-gc', '').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  return [...code.matchAll(/(['`])(?:(?!\1)[^\n])*--[a-z][^\n]*?\1/g)]
    .map(([text]) => text)
    .filter((text) => !BOTH.some((known) => text.includes(known)));
}

describe('hints below the command line', () => {
  it('name no option of it alone', () => {
    const found = BELOW.flatMap((layer) =>
      readdirSync(`${ROOT}/src/${layer}`, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .flatMap((file) =>
          flagsOf(readFileSync(`${ROOT}/src/${layer}/${file}`, 'utf8')).map((text) => `${layer}/${file}: ${text}`),
        ),
    );
    expect(found).toEqual([]);
  });

  it('are looked for in texts, not in comments', () => {
    expect(flagsOf("throw new E('no device', 'use --device wasm');")).toHaveLength(1);
    expect(flagsOf('/** `tercet infer --device wasm` */\n// --plan\nx(`a`);')).toEqual([]);
  });
});
