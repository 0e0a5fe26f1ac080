/**
 * What a person sees: `npm start`'s demonstration and the tables of `infer`; and `model share`, whose result is a
 * folder.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ROOT, TINY, Workplace, expectFailure, expectSuccess } from './command.ts';

const place = new Workplace();
afterAll(() => place.close());

const TIMEOUT = 60_000;
const config = place.write('config.json', JSON.stringify(TINY));
const RANDOM = ['--random-weights', '1', '--architecture', config];

/** `1.2 MB` as the tables print it. */
function bytesOf(text: string): number {
  const match = /^([\d.]+) (B|kB|MB|GB)$/.exec(text);
  if (match === null) throw new Error(`not a number of bytes: ${text}`);
  return Number(match[1]) * { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 }[match[2] as 'B'];
}

/** Rows of the tables, by their first cell. */
function rowsOf(output: string): Map<string, string[]> {
  const rows = output.split('\n').map((line) => line.trim().split(/ {2,}/));
  return new Map(rows.map(([head, ...cells]) => [head, cells]));
}

describe('the demonstration', () => {
  it('shows the answer, the plaintext model beside it, and what it cost whom', { timeout: TIMEOUT }, async () => {
    const ended = await place.run(['demo', '--no-page']);
    expectSuccess(ended);
    const { stdout, stderr } = ended;
    expect(stdout).toContain('The capital of France is [MASK].');
    expect(stdout).toMatch(/^ {2}private answer +score +plaintext model +score\n {2}paris +0\.9\d+ +paris +0\.9\d+$/m);
    expect(stdout).toMatch(/same first answer as in the clear: yes; largest logit difference 0\.0\d+/);
    const rows = rowsOf(stdout);
    for (const link of ['P0 → P1', 'P0 → P2', 'P1 → P2', 'P2 → P1', 'P1 → P0', 'P2 → P0'])
      expect(rows.get(link), link).toHaveLength(2);
    // The owner's work is ahead of the text and in one direction; nothing comes back but the answer.
    for (const link of ['P1 → P0', 'P2 → P0']) expect(rows.get(link)?.[0]).toBe('0 B');
    const sent = ['P0 → P1', 'P0 → P2']
      .flatMap((link) => rows.get(link) ?? [])
      .reduce((sum, cell) => sum + bytesOf(cell), 0);
    const [all, received, memory] = (rows.get('P0 owner') ?? []).map((cell) => (cell === 'wasm' ? 0 : bytesOf(cell)));
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThanOrEqual(all * 1.02);
    expect(sent).toBeGreaterThan(all * 0.9);
    expect(received).toBeGreaterThan(1_000);
    expect(memory).toBeGreaterThan(30e6);
    for (const party of ['P1 compute', 'P2 compute']) expect(rows.get(party)).toHaveLength(4);
    expect(stdout).toMatch(/tokens 9 {3}rounds P1↔P2 \d+ {3}rounds of P0 1/);
    expect(stdout).toMatch(/setup [\d.]+ m?s {3}preprocessing [\d.]+ m?s {3}online [\d.]+ m?s {3}plaintext [\d.]+ m?s/);
    expect(stderr).toMatch(/dealing correlations ahead of the text/);
    // The command that it suggests is one that works.
    expect(stdout).toMatch(/npm run -s tercet -- infer --text "Tokyo is the capital of \[MASK\]\." --compare/);
  });
});

describe('infer for a person', () => {
  it('names each mask and says what it does, without a word of the text on stderr', { timeout: TIMEOUT }, async () => {
    const ended = await place.run([
      'infer',
      '--text',
      'Paris is the capital of [MASK] and Madrid is the capital of [MASK].',
      '--top-k',
      '1',
    ]);
    expectSuccess(ended);
    expect(ended.stdout).toMatch(/^ {2}mask 1\b.* score\n {2}\S+ +[01]\.\d{4}$/m);
    expect(ended.stdout).toMatch(/^ {2}mask 2\b.* score\n {2}\S+ +[01]\.\d{4}$/m);
    expect(ended.stdout).not.toMatch(/plaintext/);
    expect(ended.stderr.toLowerCase()).not.toMatch(/paris|madrid|capital/);
    const lines = ended.stderr.split('\n');
    expect(
      lines.filter((line) => line.trim() === ''),
      'empty lines of progress',
    ).toEqual(['']);
    expect(
      lines.filter((line, i) => line !== '' && lines.indexOf(line) !== i),
      'progress that is said twice',
    ).toEqual([]);
  });
});

describe('model share', () => {
  it('writes a part for each party, readable by its owner only', { timeout: TIMEOUT }, async () => {
    const out = join(place.folder, 'shares');
    const ended = await place.run(['model', 'share', ...RANDOM, '--out', out]);
    expectSuccess(ended);
    // What to do with the parts, and the name of the sharing.
    expect(ended.stdout).toMatch(/^ {2}sharing [0-9a-f]{64}$/m);
    expect(readdirSync(out).sort()).toEqual(['issuer', 'owner', 'p1', 'p2']);
    for (const part of ['p1', 'p2'])
      expect(readdirSync(join(out, part)).sort()).toEqual([
        'config.json',
        'masked.safetensors',
        'plan.json',
        'seed',
        'share.json',
      ]);
    expect(readdirSync(join(out, 'owner')).sort()).toEqual(['config.json', 'hash', 'share.json']);
    expect(readdirSync(join(out, 'issuer')).sort()).toEqual(['enrolment.key', 'seeds', 'share.json']);
    const paths = readdirSync(out, { recursive: true, withFileTypes: true }).map((entry) =>
      join(entry.parentPath, entry.name),
    );
    for (const path of [out, ...paths]) {
      const stat = statSync(path);
      expect((stat.mode & 0o777).toString(8), path).toBe(stat.isDirectory() ? '700' : '600');
    }
    const seeds = readFileSync(join(out, 'issuer', 'seeds'));
    expect(seeds).toHaveLength(64);
    expect(seeds.subarray(0, 32).equals(readFileSync(join(out, 'p1', 'seed')))).toBe(true);
    expect(seeds.subarray(32).equals(readFileSync(join(out, 'p2', 'seed')))).toBe(true);
    const [one, two] = ['p1', 'p2'].map((part) => readFileSync(join(out, part, 'masked.safetensors')));
    expect(one.equals(two)).toBe(true);
    // A second sharing has other seeds, so other masks.
    const again = join(place.folder, 'again');
    expectSuccess(await place.run(['model', 'share', ...RANDOM, '--out', again]));
    expect(readFileSync(join(again, 'issuer', 'seeds')).equals(seeds)).toBe(false);
    expect(readFileSync(join(again, 'p1', 'masked.safetensors')).equals(one)).toBe(false);
  });

  it('refuses a folder that exists and leaves it as it is', { timeout: TIMEOUT }, async () => {
    const out = join(place.folder, 'existing');
    mkdirSync(out);
    writeFileSync(join(out, 'mine.txt'), 'mine');
    expectFailure(await place.run(['model', 'share', ...RANDOM, '--out', out]), {
      exit: 2,
      code: 'ERR_ARGUMENT',
      says: /folder/,
    });
    expect(readdirSync(out)).toEqual(['mine.txt']);
  });

  it('refuses a folder inside one that is not there', { timeout: TIMEOUT }, async () => {
    const out = join(place.folder, 'nowhere', 'shares');
    expectFailure(await place.run(['model', 'share', ...RANDOM, '--out', out]), { exit: 2, code: 'ERR_ARGUMENT' });
    expect(existsSync(join(place.folder, 'nowhere'))).toBe(false);
  });

  it('leaves nothing when the model is damaged', { timeout: TIMEOUT }, async () => {
    const model = join(place.folder, 'damaged');
    cpSync(join(ROOT, 'models', 'capitals-bert'), model, { recursive: true });
    const out = join(place.folder, 'partial');
    const weights = readFileSync(join(model, 'model.safetensors'));
    writeFileSync(join(model, 'model.safetensors'), weights.subarray(0, weights.length >> 1));
    expectFailure(await place.run(['model', 'share', '--model', model, '--out', out]), {
      exit: 1,
      code: 'ERR_MODEL_FORMAT',
    });
    expect(existsSync(out)).toBe(false);
    // A value that no fixed-point number holds is found late, when parts are written already.
    weights.set([0x00, 0x7e], weights.length - 2);
    writeFileSync(join(model, 'model.safetensors'), weights);
    expectFailure(await place.run(['model', 'share', '--model', model, '--out', out]), {
      exit: 1,
      code: ['ERR_RANGE', 'ERR_MODEL_FORMAT'],
    });
    expect(existsSync(out)).toBe(false);
    writeFileSync(
      join(model, 'model.safetensors'),
      readFileSync(join(ROOT, 'models', 'capitals-bert', 'model.safetensors')),
    );
    expectSuccess(await place.run(['model', 'share', '--model', model, '--out', out]));
    expect(readdirSync(out)).toHaveLength(4);
  });
});
