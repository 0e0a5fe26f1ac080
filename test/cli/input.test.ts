/**
 * What the command line refuses, each with its exit code and its typed line, before any compute party exists where
 * that can be known before.
 */
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/core/errors.ts';
import { type Failure, ROOT, TINY, Workplace, expectFailure, expectNoOtherProcess, expectSuccess } from './command.ts';

const place = new Workplace();
afterAll(() => place.close());

const TIMEOUT = 60_000;
/** Words that no message of Tercet has by itself. */
const TEXT = 'Quillfeather wandered beyond Wobbleton towards [MASK].';
const EMBEDDED = join(ROOT, 'models', 'capitals-bert');
const LISTENS = /^tercet: party \d listens on 127\.0\.0\.1:\d+\n/;
const config = place.write('config.json', JSON.stringify(TINY));

/** Refused before anything is started, with and without --json: one line and nothing else. */
async function refused(args: readonly string[], failure: Failure): Promise<void> {
  const ended = await place.run(args, { timeoutMs: 15_000 });
  // A compute party listens before it loads anything, and says so.
  const stderr = args[0] === 'party' ? ended.stderr.replace(LISTENS, '') : ended.stderr;
  expectFailure({ ...ended, stderr }, { text: TEXT, ...failure });
  expectNoOtherProcess(ended);
}

function usage(code: ErrorCode, says?: RegExp): Failure {
  return { exit: 2, code, ...(says === undefined ? {} : { says }) };
}

/** A copy of the embedded model that `damage` has changed. */
let copies = 0;
function modelCopy(damage: (folder: string) => void): string {
  const folder = join(place.folder, `model-${++copies}`);
  cpSync(EMBEDDED, folder, { recursive: true });
  damage(folder);
  return folder;
}

function editJson(folder: string, file: string, change: Record<string, unknown>): void {
  const path = join(folder, file);
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), ...change }));
}

describe.concurrent('texts that are refused', () => {
  const inFile = (name: string, bytes: string | Uint8Array) => ['--text-file', place.write(name, bytes)];
  const cases: readonly [string, readonly string[], ErrorCode][] = [
    ['an empty text', ['--text', ''], 'ERR_TEXT_EMPTY'],
    ['only white space', ['--text', ' \t \n  '], 'ERR_TEXT_EMPTY'],
    ['only characters that show nothing', ['--text', '\u200b\u200d\ufeff'], 'ERR_TEXT_EMPTY'],
    ['an empty file', inFile('empty.txt', ''), 'ERR_TEXT_EMPTY'],
    ['10,001 characters', ['--text', TEXT.padEnd(10_001, ' quillfeather')], 'ERR_TEXT_TOO_LONG'],
    ['10,001 characters in a file', inFile('long.txt', TEXT.padEnd(10_001, ' ')), 'ERR_TEXT_TOO_LONG'],
    ['a file of 100 kB', inFile('longer.txt', TEXT.padEnd(100_000, 'é ')), 'ERR_TEXT_TOO_LONG'],
    [
      'more tokens than the model has positions',
      ['--text', `${'the '.repeat(125)}Wobbleton [MASK]`],
      'ERR_TOO_MANY_TOKENS',
    ],
    ['no [MASK]', ['--text', TEXT.replace('[MASK]', 'home')], 'ERR_NO_MASK'],
    ['a [mask] in small letters', ['--text', TEXT.toLowerCase()], 'ERR_NO_MASK'],
    ['bytes that are not UTF-8', inFile('latin1.txt', Buffer.from(`${TEXT} caf\u00e9`, 'latin1')), 'ERR_TEXT_ENCODING'],
    ['UTF-8 that was cut', inFile('cut.txt', Buffer.from(`${TEXT}é`).subarray(0, -1)), 'ERR_TEXT_ENCODING'],
    [
      'an encoded surrogate',
      inFile('surrogate.txt', Buffer.concat([Buffer.from(TEXT), Buffer.from([0xed, 0xa0, 0x80])])),
      'ERR_TEXT_ENCODING',
    ],
    ['UTF-16', inFile('utf16.txt', Buffer.from(`\ufeff${TEXT}`, 'utf16le')), 'ERR_TEXT_ENCODING'],
    ['a NUL character', inFile('nul.txt', `${TEXT}\0`), 'ERR_TEXT_CONTROL'],
    ['an escape sequence', ['--text', `${TEXT}\u001b[31m`], 'ERR_TEXT_CONTROL'],
    ['a C1 control character', inFile('c1.txt', `\u009b31m${TEXT}`), 'ERR_TEXT_CONTROL'],
  ];
  it.each(cases)('%s', { timeout: TIMEOUT }, async (_name, args, code) => {
    await refused(['infer', ...args, '--json'], usage(code));
  });

  it('says one line too when the output is for a person', { timeout: TIMEOUT }, async () => {
    const ended = await place.run(['infer', '--text', TEXT.replace('[MASK]', 'home')]);
    expectFailure(ended, { exit: 2, code: 'ERR_NO_MASK', text: TEXT });
    expect(ended.stderr.split('\n'), 'nothing was started, so nothing else is said').toHaveLength(2);
  });

  it('keeps the text out of the stack that --debug prints, and says where to read', { timeout: TIMEOUT }, async () => {
    const ended = await place.run(['infer', '--text', TEXT.replace('[MASK]', 'home'), '--debug'], {
      env: { TERCET_DOCS: 'https://docs.example/tercet' },
    });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('\ntercet: see https://docs.example/tercet/errors.html#err_no_mask\n');
    expect(ended.stderr).toMatch(/^\s+at /m);
    expect(ended.stderr.toLowerCase()).not.toMatch(/quillfeather|wobbleton/);
  });

  it('accepts a text with as many tokens as the model has positions', { timeout: TIMEOUT }, async () => {
    const folder = modelCopy(() => undefined);
    const ended = await place.run(['infer', '--model', folder, '--text', `${'the '.repeat(125)}[MASK]`, '--json']);
    expectSuccess(ended);
    expect(JSON.parse(ended.stdout)).toMatchObject({ tokens: 128 });
  });
});

describe.concurrent('options that are refused', () => {
  const text = ['--text', TEXT];
  const cases: readonly [string, readonly string[], Failure][] = [
    ['no text', ['infer'], usage('ERR_ARGUMENT', /text/)],
    ['--text without a value', ['infer', '--text'], usage('ERR_ARGUMENT', /--text/)],
    ['a text twice', ['infer', ...text, '--text-file', '-'], usage('ERR_ARGUMENT', /--text-file/)],
    [
      'a flag that a suite has no use for',
      ['bench', '--suite', 'gpt2', '--weights', 'open'],
      usage('ERR_ARGUMENT', /--weights/),
    ],
    [
      'gates alone of another suite',
      ['bench', '--suite', 'tamper', '--gates-only'],
      usage('ERR_ARGUMENT', /--suite tamper has no --gates-only/),
    ],
    [
      'gates without proofs of a protocol that has none',
      ['bench', '--suite', 'accuracy', '--gates-only'],
      usage('ERR_ARGUMENT', /3pc_malicious/),
    ],
    [
      'a text file that is not there',
      ['infer', '--text-file', '/nowhere/text.txt'],
      usage('ERR_ARGUMENT', /--text-file/),
    ],
    ['a folder as text file', ['infer', '--text-file', place.folder], usage('ERR_ARGUMENT', /--text-file/)],
    [
      'an unknown task',
      ['infer', ...text, '--task', 'translation'],
      usage('ERR_ARGUMENT', /fill-mask, text-classification/),
    ],
    ['an unknown protocol', ['infer', ...text, '--protocol', '2pc'], usage('ERR_ARGUMENT', /3pc_semi_honest/)],
    [
      'proofs of oblivious transfers',
      ['infer', ...text, '--protocol', '3pc_malicious', '--plan', 'wan-cloud'],
      usage('ERR_PROTOCOL_UNAVAILABLE', /wan-cloud.*3pc_malicious.*plan lan/),
    ],
    [
      'symmetric products with oblivious transfers',
      ['infer', ...text, '--protocol', 'aby3', '--plan', 'wan-cloud'],
      usage('ERR_PROTOCOL_UNAVAILABLE', /wan-cloud.*aby3.*plan lan/),
    ],
    [
      'a level of what proves nothing',
      ['infer', ...text, '--security-level', '256'],
      usage('ERR_PROTOCOL_UNAVAILABLE', /3pc_semi_honest has no level 256/),
    ],
    ['an unknown device', ['infer', ...text, '--device', 'tpu'], usage('ERR_ARGUMENT', /auto, wasm, native, webgpu/)],
    ['an unknown kind of weights', ['infer', ...text, '--weights', 'x'], usage('ERR_ARGUMENT', /open, secret/)],
    ['an unknown plan', ['infer', ...text, '--plan', 'home'], usage('ERR_ARGUMENT', /wan-cloud/)],
    ['an unknown profile', ['infer', ...text, '--profile', 'moon'], usage('ERR_ARGUMENT', /lan/)],
    ['--tokens without --random-weights', ['infer', ...text, '--tokens', '8'], usage('ERR_ARGUMENT', /--tokens/)],
    [
      '--random-weights without --architecture',
      ['infer', '--random-weights', '1', '--tokens', '8'],
      usage('ERR_ARGUMENT', /--architecture/),
    ],
    [
      '--random-weights without --tokens',
      ['infer', '--random-weights', '1', '--architecture', config],
      usage('ERR_ARGUMENT', /--tokens/),
    ],
    [
      '--random-weights beside --model',
      ['infer', '--random-weights', '1', '--architecture', config, '--model', EMBEDDED, '--tokens', '8'],
      usage('ERR_ARGUMENT'),
    ],
    [
      '--architecture without --random-weights',
      ['infer', ...text, '--architecture', config],
      usage('ERR_ARGUMENT', /--architecture/),
    ],
    [
      'a seed that is no number',
      ['infer', '--random-weights', 'x', '--architecture', config, '--tokens', '8'],
      usage('ERR_ARGUMENT', /--random-weights/),
    ],
    [
      'a seed of 33 bits',
      ['infer', '--random-weights', '4294967296', '--architecture', config, '--tokens', '8'],
      usage('ERR_ARGUMENT', /4294967295/),
    ],
    [
      '--tokens 1',
      ['infer', '--random-weights', '1', '--architecture', config, '--tokens', '1'],
      usage('ERR_ARGUMENT', /--tokens/),
    ],
    [
      'more --tokens than positions',
      ['infer', '--random-weights', '1', '--architecture', config, '--tokens', '33'],
      usage('ERR_ARGUMENT', /32/),
    ],
    [
      '--tokens 8.5',
      ['infer', '--random-weights', '1', '--architecture', config, '--tokens', '8.5'],
      usage('ERR_ARGUMENT', /--tokens/),
    ],
    ['a negative number of threads', ['infer', ...text, '--threads', '-1'], usage('ERR_ARGUMENT', /--threads/)],
    ['65 threads', ['infer', ...text, '--threads', '65'], usage('ERR_ARGUMENT', /--threads/)],
    ['--threads 1e1', ['infer', ...text, '--threads', '1e1'], usage('ERR_ARGUMENT', /--threads/)],
    ['--top-k 0', ['infer', ...text, '--top-k', '0'], usage('ERR_ARGUMENT', /--top-k/)],
    ['--top-k with nothing', ['infer', ...text, '--top-k', ''], usage('ERR_ARGUMENT', /--top-k/)],
    ['--peers with one address', ['infer', ...text, '--peers', '1=127.0.0.1:7001'], usage('ERR_ARGUMENT', /--peers/)],
    [
      '--peers with port 0',
      ['infer', ...text, '--peers', '1=127.0.0.1:0,2=127.0.0.1:7002'],
      usage('ERR_ARGUMENT', /--peers/),
    ],
    [
      '--peers with a port of 70000',
      ['infer', ...text, '--peers', '1=127.0.0.1:70000,2=127.0.0.1:7002'],
      usage('ERR_ARGUMENT', /--peers/),
    ],
    [
      '--peers with secret weights',
      ['infer', ...text, '--peers', '1=127.0.0.1:7001,2=127.0.0.1:7002', '--weights', 'secret'],
      { exit: 1, code: 'ERR_CREDENTIAL_MISSING', says: /--credential/ },
    ],
    [
      'a credential that is none',
      ['infer', ...text, '--weights', 'secret', '--credential', config],
      usage('ERR_ARGUMENT', /tercet owner enrol/),
    ],
    [
      'a credential that cannot be read',
      ['infer', ...text, '--weights', 'secret', '--credential', join(place.folder, 'none')],
      usage('ERR_ARGUMENT', /--credential/),
    ],
    ['an unknown option', ['infer', ...text, '--verbose'], usage('ERR_ARGUMENT', /option/)],
    ['a misspelt --text=, whose value is the text', ['infer', `--txet=${TEXT}`], usage('ERR_ARGUMENT', /option/)],
    ['a text that begins with a dash, without --text', ['infer', `-${TEXT}`], usage('ERR_ARGUMENT', /option/)],
    ['a text without --text', ['infer', TEXT], usage('ERR_ARGUMENT')],
    ['a text without a command', [TEXT], usage('ERR_ARGUMENT')],
    ['a text in the place of a subcommand', ['model', TEXT], usage('ERR_ARGUMENT')],
    ['a text given to the demonstration', ['demo', TEXT], usage('ERR_ARGUMENT')],
    ['model without a subcommand', ['model'], usage('ERR_ARGUMENT', /share/)],
    ['model share without --out', ['model', 'share'], usage('ERR_ARGUMENT', /--out/)],
    ['party without --party-id', ['party'], usage('ERR_ARGUMENT', /--party-id/)],
    ['party 0', ['party', '--party-id', '0'], usage('ERR_ARGUMENT', /--party-id/)],
    ['party with a port of 65536', ['party', '--party-id', '1', '--port', '65536'], usage('ERR_ARGUMENT', /--port/)],
    [
      'party 2 with an address that is none',
      ['party', '--party-id', '2', '--peers', '1=localhost'],
      usage('ERR_ARGUMENT', /--peers/),
    ],
    ['party 2 without the address of party 1', ['party', '--party-id', '2'], usage('ERR_ARGUMENT', /--peers/)],
  ];
  it.each(cases)('%s', { timeout: TIMEOUT }, async (_name, args, failure) => {
    const [command, ...rest] = args;
    await refused(command === 'infer' ? [command, '--json', ...rest] : args, failure);
  });

  // Whether there is a graphics device is found out in processes of their own, which are gone afterwards.
  it.each([
    ['infer', [...text, '--json']],
    ['party', ['--party-id', '1']],
  ] as const)('WebGPU without a driver: %s', { timeout: TIMEOUT }, async (command, args) => {
    const ended = await place.run([command, ...args, '--device', 'webgpu'], {
      timeoutMs: 30_000,
      env: { VK_ICD_FILENAMES: '/nowhere.json' },
    });
    expectFailure(
      { ...ended, stderr: ended.stderr.replace(LISTENS, '') },
      { ...usage('ERR_DEVICE_UNAVAILABLE'), text: TEXT },
    );
  });
});

describe('models that are refused', () => {
  const infer = (model: string, ...more: string[]) => ['infer', '--text', TEXT, '--model', model, '--json', ...more];

  describe.concurrent('before a compute party exists', () => {
    const cases: readonly [string, () => string, ErrorCode, RegExp][] = [
      ['a folder that is not there', () => join(place.folder, 'nowhere'), 'ERR_MODEL_NOT_FOUND', /no model folder/],
      ['a file', () => config, 'ERR_MODEL_NOT_FOUND', /not a folder/],
      [
        'no config.json',
        () => modelCopy((folder) => rmSync(join(folder, 'config.json'))),
        'ERR_MODEL_NOT_FOUND',
        /config\.json/,
      ],
      [
        'no tokenizer',
        () => modelCopy((folder) => rmSync(join(folder, 'vocab.txt'))),
        'ERR_MODEL_NOT_FOUND',
        /tokenizer\.json/,
      ],
      [
        'a config.json that is cut',
        () => modelCopy((folder) => writeFileSync(join(folder, 'config.json'), '{"model_type":')),
        'ERR_MODEL_CONFIG',
        /JSON/,
      ],
      [
        'a config.json that is a list',
        () => modelCopy((folder) => writeFileSync(join(folder, 'config.json'), '[]')),
        'ERR_MODEL_CONFIG',
        /config\.json/,
      ],
      [
        'an unknown architecture',
        () => modelCopy((folder) => editJson(folder, 'config.json', { architectures: ['BertForQuestionAnswering'] })),
        'ERR_MODEL_UNSUPPORTED',
        /BertForQuestionAnswering/,
      ],
      [
        'another kind of model',
        () => modelCopy((folder) => editJson(folder, 'config.json', { model_type: 'llama' })),
        'ERR_MODEL_UNSUPPORTED',
        /llama/,
      ],
      [
        'another activation',
        () => modelCopy((folder) => editJson(folder, 'config.json', { hidden_act: 'silu' })),
        'ERR_MODEL_UNSUPPORTED',
        /silu/,
      ],
      [
        'heads that do not divide the width',
        () => modelCopy((folder) => editJson(folder, 'config.json', { num_attention_heads: 3 })),
        'ERR_MODEL_CONFIG',
        /num_attention_heads 3/,
      ],
      [
        'an insane size',
        () => modelCopy((folder) => editJson(folder, 'config.json', { num_hidden_layers: 1e9 })),
        'ERR_MODEL_CONFIG',
        /num_hidden_layers/,
      ],
      [
        'fewer rows than the tokenizer has pieces',
        () => modelCopy((folder) => editJson(folder, 'config.json', { vocab_size: 100 })),
        'ERR_MODEL_CONFIG',
        /vocab_size 100/,
      ],
      [
        'a tokenizer.json that is a web page',
        () =>
          modelCopy((folder) =>
            writeFileSync(join(folder, 'tokenizer.json'), '<!doctype html><title>Not found</title>'),
          ),
        'ERR_TOKENIZER',
        /tokenizer\.json is HTML/,
      ],
      [
        'a vocab.txt that is a web page',
        () =>
          modelCopy((folder) => writeFileSync(join(folder, 'vocab.txt'), '<!doctype html><title>Not found</title>')),
        'ERR_TOKENIZER',
        /vocab\.txt is HTML/,
      ],
      [
        'a tokenizer.json that is empty',
        () => modelCopy((folder) => writeFileSync(join(folder, 'tokenizer.json'), '')),
        'ERR_TOKENIZER',
        /empty/,
      ],
      ['a model of another task', () => join(ROOT, 'models', 'sst2-bert'), 'ERR_MODEL_UNSUPPORTED', /masked-lm head/],
    ];
    it.each(cases)('%s', { timeout: TIMEOUT }, async (_name, model, code, says) => {
      await refused(infer(model()), { exit: 1, code, says });
    });

    it('a --architecture that is not there, or not JSON', { timeout: TIMEOUT }, async () => {
      const random = (path: string) => [
        'infer',
        '--random-weights',
        '1',
        '--tokens',
        '8',
        '--json',
        '--architecture',
        path,
      ];
      await refused(random('/nowhere/config.json'), { exit: 1, code: 'ERR_MODEL_NOT_FOUND' });
      await refused(random(place.write('broken.json', '{')), { exit: 1, code: 'ERR_MODEL_CONFIG' });
      await refused(random(place.write('other.json', JSON.stringify({ ...TINY, model_type: 'llama' }))), {
        exit: 1,
        code: 'ERR_MODEL_UNSUPPORTED',
      });
    });
  });

  describe('by the compute parties, through infer', () => {
    const cases: readonly [string, (folder: string) => void, readonly string[], ErrorCode, RegExp][] = [
      [
        'no weights',
        (folder) => rmSync(join(folder, 'model.safetensors')),
        [],
        'ERR_MODEL_NOT_FOUND',
        /model\.safetensors/,
      ],
      [
        'no weights, to be kept secret',
        (folder) => rmSync(join(folder, 'model.safetensors')),
        ['--weights', 'secret'],
        'ERR_MODEL_NOT_FOUND',
        /safetensors/,
      ],
      [
        'weights that were cut',
        (folder) => writeFileSync(join(folder, 'model.safetensors'), weights().subarray(0, 1_000_000)),
        [],
        'ERR_MODEL_FORMAT',
        /model\.safetensors/,
      ],
      [
        'weights that were cut, to be kept secret',
        (folder) => writeFileSync(join(folder, 'model.safetensors'), weights().subarray(0, 1_000_000)),
        ['--weights', 'secret'],
        'ERR_MODEL_FORMAT',
        /model\.safetensors/,
      ],
      [
        'a config.json that says more layers',
        (folder) => editJson(folder, 'config.json', { num_hidden_layers: 5 }),
        [],
        'ERR_MODEL_CONFIG',
        /layer\.4/,
      ],
      [
        'a config.json that says another width',
        (folder) => editJson(folder, 'config.json', { intermediate_size: 256 }),
        [],
        'ERR_MODEL_CONFIG',
        /shape|size|\[/,
      ],
    ];
    it.each(cases)('%s', { timeout: TIMEOUT }, async (_name, damage, more, code, says) => {
      expectFailure(await place.run(infer(modelCopy(damage), ...more)), { exit: 1, code, text: TEXT, says });
    });
  });

  describe.concurrent('hostile weights, by a compute party', () => {
    const header = (json: string, data = 0) => {
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(Buffer.byteLength(json)));
      return Buffer.concat([length, Buffer.from(json), Buffer.alloc(data)]);
    };
    const lengthOf = (n: bigint) => {
      const bytes = Buffer.from(weights());
      bytes.writeBigUInt64LE(n);
      return bytes;
    };
    const entry = (shape: string, offsets: string, dtype = 'F32') =>
      `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;
    const cases: readonly [string, () => Uint8Array][] = [
      ['an empty file', () => Buffer.alloc(0)],
      ['a web page', () => Buffer.from('<!doctype html><title>Not found</title>')],
      ['a header longer than the file', () => lengthOf(BigInt(weights().length))],
      ['a header of 2^63 bytes', () => lengthOf(2n ** 63n)],
      ['a header of 2^64 - 1 bytes', () => lengthOf(2n ** 64n - 1n)],
      ['a header of no bytes', () => lengthOf(0n)],
      ['a header that is not JSON', () => header('{"a":')],
      ['a header that is a list', () => header('[]')],
      [
        'a shape whose product overflows',
        () => header(`{"a":${entry('[4294967296,4294967296,4294967296]', '[0,4]')}}`, 4),
      ],
      ['a negative size', () => header(`{"a":${entry('[-1]', '[0,4]')}}`, 4)],
      ['offsets beyond the file', () => header(`{"a":${entry('[1]', '[0,4]')}}`, 3)],
      ['offsets that run backwards', () => header(`{"a":${entry('[1]', '[4,0]')}}`, 4)],
      ['tensors that overlap', () => header(`{"a":${entry('[1]', '[0,4]')},"b":${entry('[1]', '[2,6]')}}`, 6)],
      ['one name twice', () => header(`{"a":${entry('[1]', '[0,4]')},"a":${entry('[1]', '[0,4]')}}`, 4)],
      ['an unknown element type', () => header(`{"a":${entry('[1]', '[0,4]', 'Q4')}}`, 4)],
      ['a byte more at the end', () => Buffer.concat([weights(), Buffer.alloc(1)])],
    ];
    it.each(cases)('%s', { timeout: TIMEOUT }, async (_name, bytes) => {
      const folder = join(place.folder, `hostile-${++copies}`);
      mkdirSync(folder);
      cpSync(join(EMBEDDED, 'config.json'), join(folder, 'config.json'));
      writeFileSync(join(folder, 'model.safetensors'), bytes());
      const ended = await place.run(['party', '--party-id', '1', '--model', folder]);
      const stderr = ended.stderr.replace(LISTENS, '');
      expectFailure({ ...ended, stderr }, { exit: 1, code: 'ERR_MODEL_FORMAT' });
    });
  });
});

describe.concurrent('help', () => {
  it('without a command: the help, and exit code 2', { timeout: TIMEOUT }, async () => {
    const ended = await place.run([]);
    expect(ended.code).toBe(2);
    expect(`${ended.stdout}${ended.stderr}`).toContain('Usage: tercet');
    expectNoOtherProcess(ended);
  });

  it('--help: both tasks, the limits of this build, and the exit codes', { timeout: TIMEOUT }, async () => {
    const ended = await place.run(['--help']);
    expectSuccess(ended);
    expect(ended.stderr).toBe('');
    for (const part of [
      'tercet infer --text "The capital of France is [MASK]."',
      'tercet infer --task text-classification --text',
      '3pc_malicious',
      'Exit codes: 0 done, 1 a run failed, 2 wrong usage or input, 3 a violation.',
      ...['infer', 'bench', 'party', 'model', 'demo'].map((name) => `\n  ${name}`),
    ]) {
      expect(ended.stdout).toContain(part);
    }
    const lines = ended.stdout.split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    // A paragraph that was wrapped by hand and then again by the library has a stub of a line inside.
    expect(lines.filter((line, i) => /^[a-z]\S*( \S+){0,3}$/i.test(line) && /^\S/.test(lines[i + 1] ?? ''))).toEqual(
      [],
    );
  });

  it.each([
    ['infer', ['--text', '--text-file', '--compare', '--json', '--weights', '--peers']],
    ['bench', ['--suite', '--json']],
    ['party', ['--party-id', '--port', '--peers', '--certificates']],
    ['demo', ['--debug']],
    ['model', ['share']],
    ['model share', ['--model', '--out']],
  ])('%s --help', { timeout: TIMEOUT }, async (command, options) => {
    const ended = await place.run([...command.split(' '), '--help']);
    expectSuccess(ended);
    expect(ended.stderr).toBe('');
    expect(ended.stdout).toMatch(new RegExp(`^Usage: tercet ${command} `));
    for (const option of options) expect(ended.stdout).toContain(option);
    expectNoOtherProcess(ended);
  });
});

function weights(): Buffer {
  return readFileSync(join(EMBEDDED, 'model.safetensors'));
}

it('leaves no certificates where nothing was started', { timeout: TIMEOUT }, async () => {
  const home = join(place.folder, 'untouched');
  mkdirSync(home);
  expectFailure(await place.run(['infer', '--text', '', '--json'], { home }), { exit: 2, code: 'ERR_TEXT_EMPTY' });
  expect(readdirSync(home)).toEqual([]);
});
