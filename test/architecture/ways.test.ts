/**
 * The ways of a text, a share and a key (docs/ARCHITECTURE.md): the files that the tables name are there, they are as
 * many as is said, and the text's way is no longer than it was agreed to be. What runs between `predict` and the first
 * message of the text is measured: a file that the table leaves out must be known to see nothing of the text.
 */
import { existsSync, readFileSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { FramedChannel } from '../../src/net/wire/channel.ts';
import { memorySite } from '../sdk/memory-site.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCUMENT = readFileSync(`${ROOT}docs/ARCHITECTURE.md`, 'utf8');
/** Files between `predict` and the first message. */
const MOST = 24;

/** The part of a way: its files up to the sentence that counts them, and what it says. */
function way(document: string, name: string): { readonly files: string[]; readonly said: number } {
  const from = document.indexOf(`**The way of a ${name}**`);
  const counted = /These are (\d+)\s+files/.exec(document.slice(from));
  if (from < 0 || counted === null) throw new Error(`no way of a ${name}`);
  const text = document.slice(from, from + counted.index);
  // The columns of files, where there is a table.
  const rows = text.split('\n').filter((line) => line.startsWith('| '));
  const cells = rows.length === 0 ? text : rows.map((row) => row.split('|')[2]).join(' ');
  const folders = ['mpc/protocol/semi-honest', 'mpc/protocol/frame'];
  const files = new Set<string>();
  for (const [, path] of cells.matchAll(/`([a-z/-]+)`/g)) {
    if (path.endsWith('/')) continue;
    if (path.includes('/')) folders.unshift(dirname(path));
    // A name without a folder is in the last one that has it.
    const found = path.includes('/')
      ? path
      : folders.map((folder) => `${folder}/${path}`).find((each) => existsSync(`${ROOT}src/${each}.ts`));
    files.add(found !== undefined && existsSync(`${ROOT}src/${found}.ts`) ? found : `${path} is not there`);
  }
  return { files: [...files], said: Number(counted[1]) };
}

/** Runs in a page and its worker only, where links are WebRTC. */
const IN_A_PAGE = [
  'net/chunks/transport',
  'net/webrtc/page-association',
  'net/webrtc/port-link',
  'net/wire/preamble',
  'sdk/worker/client',
  'sdk/worker/party-api',
];

/** Runs on the way, and gets nothing of the text, by what it is given in its place. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  'a number, a name or a tag': [
    'core/errors',
    'mpc/protocol/frame/gate',
    'mpc/prg/gate-id',
    'net/wire/frame',
    'net/wire/meter',
    'owner/buckets',
    'owner/methods',
    'owner/options',
  ],
  'the plan or the shape of a run': [
    'ml/models/run',
    'mpc/secure/attention-form',
    'owner/preprocessing-pool',
    'owner/prepared-run',
    'session/request',
  ],
  'a key, a stream or bytes that are masked already': ['core/bytes', 'mpc/prg/prg', 'net/wire/queue'],
  'that the run began': [
    'core/event-loop',
    'session/fault-attribution',
    'session/input-wait',
    'session/owner-options',
    'session/owner-steps',
    'session/owner-wait',
  ],
  'the tokenizer, not what it reads': ['owner/text-context'],
};

const SRC = `${ROOT}src/`;

/** Files of `src` with a function that ran since the last call. */
function ran(inspector: Session): Set<string> {
  const files = new Set<string>();
  inspector.post('Profiler.takePreciseCoverage', (error, { result }: Profiler.TakePreciseCoverageReturnType) => {
    if (error !== null) throw error;
    for (const { url, functions } of result) {
      const path = url.startsWith('file:') ? fileURLToPath(url) : url;
      if (path.startsWith(SRC) && functions.some(({ ranges }) => ranges[0].count > 0))
        files.add(path.slice(SRC.length).replace(/\.ts$/, ''));
    }
  });
  return files;
}

/** Files that ran from the call of `predict` of a prepared model until the first message of its text was sent. */
async function ranForText(): Promise<Set<string>> {
  const site = await memorySite('filler');
  const model = await site.load();
  const text = 'the capital of france is [MASK].';
  // What is loaded or made at the first run is not on the way of the second.
  await model.predict(text);
  await model.prepare(9);
  // The compute parties run here too, and come to rest.
  await sleep(100);
  const inspector = new Session();
  inspector.connect();
  inspector.post('Profiler.enable');
  inspector.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  let files: Set<string> | undefined;
  const { send } = FramedChannel.prototype;
  FramedChannel.prototype.send = function (tag, bytes) {
    const sent = send.call(this, tag, bytes);
    if (tag.startsWith('lookup-input')) files ??= ran(inspector);
    return sent;
  };
  try {
    ran(inspector);
    await model.predict(text);
  } finally {
    FramedChannel.prototype.send = send;
    inspector.post('Profiler.stopPreciseCoverage');
    inspector.disconnect();
    await model.dispose();
  }
  if (files === undefined) throw new Error('no message of the text was sent');
  return files;
}

/** Of these files those that neither the table has nor is said to see nothing of the text. Kernels are not counted. */
function unnamed(files: ReadonlySet<string>, document: string): string[] {
  const known = new Set([...way(document, 'text').files, ...Object.values(BESIDE).flat()]);
  return [...files].filter((file) => !known.has(file) && !/^(compute|net\/simulated)\//.test(file));
}

describe('what runs between `predict` and the first message', () => {
  let files: ReadonlySet<string>;
  beforeAll(async () => {
    files = await ranForText();
  }, 60_000);

  it('is in the table of the way of a text, or sees nothing of the text', () => {
    expect(unnamed(files, DOCUMENT)).toEqual([]);
    // And the table has nothing that a text does not pass.
    const { files: named } = way(DOCUMENT, 'text');
    expect(new Set(named.filter((file) => !files.has(file)))).toEqual(new Set(IN_A_PAGE));
    expect(
      Object.values(BESIDE)
        .flat()
        .filter((file) => !existsSync(`${SRC}${file}.ts`)),
    ).toEqual([]);
  });

  it('planted: a file that the table leaves out is found', () =>
    expect(unnamed(files, DOCUMENT.replace('`owner/runner`, ', ''))).toEqual(['owner/runner']));
});

describe('the way of', () => {
  it.each([
    ['text', 0],
    ['share', 0],
    // The kernels' stream has no file of one name.
    ['pair key', 1],
  ])('a %s is through as many files as is said, all there', (name, unnamed) => {
    const { files, said } = way(DOCUMENT, name);
    expect(files.filter((file) => file.endsWith('is not there'))).toEqual([]);
    expect(files.length + unnamed).toBe(said);
  });

  it('a text is short', () => expect(way(DOCUMENT, 'text').said).toBeLessThanOrEqual(MOST));

  it('planted: a file that is not there, and one more than is said, are found', () => {
    const planted = DOCUMENT.replace('`owner/runner`', '`owner/runner`, `owner/elsewhere`');
    const { files, said } = way(planted, 'text');
    expect(files).toContain('owner/elsewhere is not there');
    expect(files.length).toBe(said + 1);
  });
});
