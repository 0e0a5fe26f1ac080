import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkFileName, memoryFiles } from '../../src/ml/files.ts';
import { folderFiles } from '../../src/ml/files-node.ts';
import { parseModelJson } from '../../src/ml/json.ts';
import { failure } from '../failure.ts';

const ESCAPES = [
  '../x',
  'a/../../x',
  '..',
  '.',
  '/etc/passwd',
  'C:\\x',
  'C:/x',
  'a\\b',
  'a\0b',
  '',
  'a//b',
  'a/',
  './a',
  '.hidden',
  'a b',
  'a\n',
  'x'.repeat(256),
];

describe('checkFileName', () => {
  it.each(['config.json', 'model-00001-of-00002.safetensors', 'onnx/model_1.json', '_a'])('accepts %s', (name) => {
    expect(checkFileName(name)).toBe(name);
  });
  it.each(ESCAPES)('refuses %j', async (name) => {
    await failure('ERR_MODEL_FORMAT', () => checkFileName(name));
  });
});

describe('folderFiles', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'tercet-files-'));
    await mkdir(join(root, 'model', 'sub'), { recursive: true });
    await writeFile(join(root, 'secret.txt'), 'outside');
    await writeFile(join(root, 'model', 'a.json'), 'hello');
    await writeFile(join(root, 'model', 'sub', 'b.bin'), 'nested');
  });
  afterAll(() => rm(root, { recursive: true }));

  it('reads files, parts of them and their sizes', async () => {
    const files = await folderFiles(join(root, 'model'));
    expect(files.name).toBe('model');
    expect(await files.has('a.json')).toBe(true);
    expect(await files.has('sub')).toBe(false);
    expect(new TextDecoder().decode(await files.read('a.json'))).toBe('hello');
    expect(new TextDecoder().decode(await files.read('sub/b.bin'))).toBe('nested');
    expect(await files.size?.('a.json')).toBe(5);
    expect(new TextDecoder().decode(await files.readRange?.('a.json', 1, 3))).toBe('el');
    expect(await files.readRange?.('a.json', 2, 2)).toEqual(new Uint8Array(0));
    await failure('ERR_MODEL_FORMAT', () => files.readRange?.('a.json', 3, 6));
  });

  it('says what is missing', async () => {
    const files = await folderFiles(join(root, 'model'));
    expect((await failure('ERR_MODEL_NOT_FOUND', () => files.read('c.json'))).message).toContain('c.json');
    await failure('ERR_MODEL_NOT_FOUND', () => files.size?.('c.json'));
    await failure('ERR_MODEL_NOT_FOUND', () => folderFiles(join(root, 'nowhere')));
    expect((await failure('ERR_MODEL_NOT_FOUND', () => folderFiles(join(root, 'secret.txt')))).message).toContain(
      'not a folder',
    );
  });

  it('does not leave the folder', async () => {
    const files = await folderFiles(join(root, 'model'));
    for (const name of ['../secret.txt', 'sub/../../secret.txt', join(root, 'secret.txt')]) {
      await failure('ERR_MODEL_FORMAT', () => files.read(name));
      await failure('ERR_MODEL_FORMAT', () => files.has(name));
      await failure('ERR_MODEL_FORMAT', () => files.readRange?.(name, 0, 1));
    }
  });
});

describe('memoryFiles', () => {
  it('keeps the same rules', async () => {
    const files = memoryFiles('m', new Map([['a', Uint8Array.of(1)]]));
    expect(await files.has('b')).toBe(false);
    await failure('ERR_MODEL_NOT_FOUND', () => files.read('b'));
    await failure('ERR_MODEL_FORMAT', () => files.read('../a'));
  });
});

describe('parseModelJson', () => {
  const parse = (text: string): unknown => parseModelJson(new TextEncoder().encode(text), 'x.json', 'ERR_TOKENIZER');
  it('parses', () => {
    expect(parse(' {"a":[1]}')).toEqual({ a: [1] });
  });
  it.each([
    ['nothing', ''],
    ['a cut file', '{"secret": "hunter2'],
    ['plain words', 'hunter2'],
  ])('refuses %s and quotes nothing', async (_, text) => {
    expect((await failure('ERR_TOKENIZER', () => parse(text))).line()).not.toContain('hunter2');
  });
  it('recognises a web page', async () => {
    expect((await failure('ERR_TOKENIZER', () => parse('\n<!DOCTYPE html><html></html>'))).message).toBe(
      'x.json is HTML, not JSON',
    );
  });
  it('refuses bytes that are not UTF-8', async () => {
    await failure('ERR_TOKENIZER', () => parseModelJson(Uint8Array.of(0x22, 0xff, 0x22), 'x.json', 'ERR_TOKENIZER'));
  });
});
