import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TercetError } from '../../src/core/errors.ts';
import { type ModelFiles, memoryFiles } from '../../src/ml/files.ts';
import { openTensors, parseSafetensors } from '../../src/ml/safetensors.ts';
import { encodeSafetensors } from '../../src/ml/safetensors-encode.ts';
import { failure } from '../failure.ts';
import { jsonBytes } from './tiny-bert.ts';

const a = { name: 'a', dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) } as const;
const b = { name: 'b', dtype: 'I64', shape: [2], data: BigInt64Array.of(-1n, 2n ** 62n) } as const;
const c = { name: 'c', dtype: 'U8', shape: [3], data: Uint8Array.of(7, 8, 9) } as const;
const empty = { name: 'empty', dtype: 'F32', shape: [0, 5], data: new Float32Array(0) } as const;
const scalar = { name: 'scalar', dtype: 'F64', shape: [], data: Float64Array.of(0.5) } as const;

/** A file with exactly this header text and `dataBytes` zeros behind it. */
function file(header: string | object, dataBytes = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const out = new Uint8Array(8 + text.length + dataBytes);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(text, 8);
  return out;
}

describe('encodeSafetensors and parseSafetensors', () => {
  it('gives back what was written', async () => {
    const store = await parseSafetensors(encodeSafetensors([a, b, c, empty, scalar], { format: 'pt' }));
    expect([...store.entries.keys()].sort()).toEqual(['a', 'b', 'c', 'empty', 'scalar']);
    expect(await store.tensor('a', [2, 3])).toEqual({ shape: [2, 3], data: a.data });
    expect(await store.tensor('empty')).toEqual({ shape: [0, 5], data: new Float32Array(0) });
    expect((await store.tensor('scalar', [])).data[0]).toBe(0.5);
    const raw = await store.raw('b');
    expect(raw.dtype).toBe('I64');
    expect(new BigInt64Array(raw.bytes.buffer, raw.bytes.byteOffset, 2)).toEqual(b.data);
    expect((await store.raw('c')).bytes).toEqual(c.data);
  });

  it('writes the same bytes in any order, aligned', () => {
    const bytes = encodeSafetensors([a, b, c, scalar]);
    expect(encodeSafetensors([c, scalar, b, a])).toEqual(bytes);
    expect(new DataView(bytes.buffer).getBigUint64(0, true) % 8n).toBe(0n);
  });

  it('writes and reads a tensor called __proto__ like any other', async () => {
    const store = await parseSafetensors(
      encodeSafetensors([
        { ...a, name: '__proto__' },
        { ...a, name: 'constructor' },
      ]),
    );
    expect((await store.tensor('__proto__')).data).toEqual(a.data);
    expect((await store.tensor('constructor')).data).toEqual(a.data);
    await failure('ERR_MODEL_FORMAT', () => store.tensor('toString'));
  });

  it('reads a tensor that does not begin at a multiple of its element', async () => {
    const bytes = file({ x: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }, 4);
    expect((bytes.length - 4) % 4).not.toBe(0);
    new DataView(bytes.buffer).setFloat32(bytes.length - 4, 1.5, true);
    expect((await (await parseSafetensors(bytes)).tensor('x')).data[0]).toBe(1.5);
  });

  it('gives tensors memory of their own', async () => {
    const bytes = encodeSafetensors([a]);
    const store = await parseSafetensors(bytes);
    (await store.tensor('a')).data.fill(0);
    expect((await store.tensor('a')).data).toEqual(a.data);
  });

  it('refuses to write what is inconsistent', async () => {
    await failure('ERR_SHAPE', () => encodeSafetensors([{ ...a, shape: [2, 2] }]));
    await failure('ERR_SHAPE', () => encodeSafetensors([a, a]));
  });
});

describe('tensor', () => {
  it('names the tensor and both shapes', async () => {
    const store = await parseSafetensors(encodeSafetensors([a]), 'weights.safetensors');
    const error = await failure('ERR_MODEL_FORMAT', () => store.tensor('a', [3, 2]));
    expect(error.message).toContain('weights.safetensors: tensor "a" has shape (2, 3), expected (3, 2)');
    await failure('ERR_MODEL_FORMAT', () => store.tensor('A'));
  });

  it('refuses integers where floats are asked for', async () => {
    const store = await parseSafetensors(encodeSafetensors([b]));
    expect((await failure('ERR_MODEL_FORMAT', () => store.tensor('b'))).message).toContain('I64');
  });

  it.each([
    ['NaN in F32', 'F32', Float32Array.of(0, Number.NaN)],
    ['infinity in F32', 'F32', Float32Array.of(Number.NEGATIVE_INFINITY, 0)],
    ['infinity in F16', 'F16', Uint16Array.of(0x7c00, 0)],
    ['NaN in BF16', 'BF16', Uint16Array.of(0, 0xffff)],
    ['F64 beyond float32', 'F64', Float64Array.of(1, 1e300)],
  ] as const)('refuses %s', async (_, dtype, data) => {
    const store = await parseSafetensors(encodeSafetensors([{ name: 'x', dtype, shape: [2], data }]));
    expect((await failure('ERR_MODEL_FORMAT', () => store.tensor('x'))).message).toContain('"x"');
  });
});

describe('a bad header', () => {
  const one = { dtype: 'F32', shape: [1], data_offsets: [0, 4] };
  const prefix = (length: bigint, rest = 100): Uint8Array => {
    const out = new Uint8Array(8 + rest);
    new DataView(out.buffer).setBigUint64(0, length, true);
    return out;
  };
  const cases: [string, Uint8Array][] = [
    ['no bytes', new Uint8Array(0)],
    ['seven bytes', new Uint8Array(7)],
    ['length 0', prefix(0n)],
    ['length beyond the file by one', prefix(101n)],
    ['length beyond 100 MB', prefix(100_000_001n)],
    ['length 2^64 - 1', prefix(2n ** 64n - 1n)],
    ['zeros', prefix(100n)],
    ['a web page', file('<!doctype html>')],
    ['an array', file('[]')],
    ['null', file('null')],
    ['not UTF-8', Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0x22, 0xff, 0x22)],
    ['a byte order mark', file('\ufeff{}')],
    ['metadata of numbers', file({ __metadata__: { a: 1 } })],
    ['metadata that is a list', file({ __metadata__: [] })],
    ['an entry that is a string', file({ x: 'F32' })],
    ['an unknown dtype', file({ x: { ...one, dtype: 'F8' } }, 4)],
    ['a dtype named like a property of every object', file({ x: { ...one, dtype: 'toString' } }, 4)],
    ['a dtype that is a number', file({ x: { ...one, dtype: 32 } }, 4)],
    ['no dtype', file({ x: { shape: [1], data_offsets: [0, 4] } }, 4)],
    ['an entry through __proto__', file(`{"x":{"__proto__":${JSON.stringify(one)}}}`, 4)],
    ['an unknown key', file({ x: { ...one, extra: 1 } }, 4)],
    ['a negative size', file({ x: { ...one, shape: [-1] } }, 4)],
    ['a fractional size', file({ x: { ...one, shape: [1.5] } }, 4)],
    ['a size that is a string', file({ x: { ...one, shape: ['1'] } }, 4)],
    [
      'a size beyond the exact integers',
      file(`{"x":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,4]}}`, 4),
    ],
    ['a shape whose product overflows to the right size', file({ x: { ...one, shape: [2 ** 32, 2 ** 32, 0.5] } }, 4)],
    ['a product beyond the exact integers', file({ x: { ...one, shape: [2 ** 40, 2 ** 40] } }, 4)],
    ['too many dimensions', file({ x: { ...one, shape: new Array(17).fill(1) } }, 4)],
    ['no shape', file({ x: { dtype: 'F32', data_offsets: [0, 4] } }, 4)],
    ['one offset', file({ x: { ...one, data_offsets: [0] } }, 4)],
    ['offsets in the wrong order', file({ x: { ...one, shape: [0], data_offsets: [4, 0] } }, 4)],
    ['an end behind the file', file({ x: { ...one, shape: [2], data_offsets: [0, 8] } }, 4)],
    ['a negative begin', file({ x: { ...one, data_offsets: [-4, 0] } }, 4)],
    ['fewer bytes than the shape needs', file({ x: { ...one, shape: [2] } }, 4)],
    ['an overlap', file({ x: one, y: { ...one, data_offsets: [2, 6] } }, 6)],
    ['the same bytes twice', file({ x: one, y: one }, 4)],
    ['a hole', file({ x: one, y: { ...one, data_offsets: [5, 9] } }, 9)],
    ['a byte behind the last tensor', file({ x: one }, 5)],
    ['data without tensors', file({}, 1)],
    ['a tensor twice', file(`{"x":${JSON.stringify(one)},"x":${JSON.stringify(one)}}`, 4)],
    ['a tensor twice in two spellings', file(`{"x":${JSON.stringify(one)},"\\u0078":${JSON.stringify(one)}}`, 4)],
    ['a dtype twice', file('{"x":{"dtype":"U8","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4)],
    ['deep nesting', file(`{"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`)],
  ];
  it.each(cases)('is refused: %s', async (_, bytes) => {
    expect((await failure('ERR_MODEL_FORMAT', () => parseSafetensors(bytes, 'w.safetensors'))).message).toContain(
      'w.safetensors',
    );
  });

  it('shows hostile tensor names on one short line', async () => {
    const error = await failure('ERR_MODEL_FORMAT', () =>
      parseSafetensors(file({ [`\n\u001b[2J${'x'.repeat(5000)}`]: 1 })),
    );
    expect(error.message).toMatch(/^[\x20-\x7e…]{1,200}$/);
  });

  it('does not take braces, colons or escapes inside strings for structure', async () => {
    const name = 'q"{\\":[}';
    expect(
      (await (await parseSafetensors(encodeSafetensors([{ ...a, name }], { '{"a":1': '"x":' }))).tensor(name)).data,
    ).toEqual(a.data);
  });
});

describe('mutated files', { timeout: 60_000 }, () => {
  const good = encodeSafetensors([a, b, c, empty, scalar], { format: 'pt' });
  const headerEnd = 8 + Number(new DataView(good.buffer).getBigUint64(0, true));

  /** Opens a file and reads all of it; the only accepted failure is ERR_MODEL_FORMAT. */
  async function readAll(bytes: Uint8Array): Promise<void> {
    try {
      const store = await parseSafetensors(bytes);
      for (const [name, entry] of store.entries) {
        const raw = await store.raw(name);
        expect(raw.bytes.length).toBe(entry.end - entry.begin);
        expect(raw.bytes.length).toBeLessThanOrEqual(bytes.length);
        if (entry.dtype.includes('F')) await store.tensor(name);
      }
    } catch (error) {
      if (!(error instanceof TercetError) || error.code !== 'ERR_MODEL_FORMAT') throw error;
    }
  }

  it('throw typed errors or are read, byte changes', async () => {
    const change = fc.tuple(
      fc.integer({ min: 0, max: headerEnd + 8 }),
      fc.oneof(
        fc.integer({ min: 0, max: 255 }),
        fc.constantFrom(...[...'"{}[],:0123456789-.e\\'].map((x) => x.charCodeAt(0))),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
        const bytes = good.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        await readAll(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('throw typed errors or are read, cuts and repeats', async () => {
    const point = fc.integer({ min: 0, max: good.length });
    await fc.assert(
      fc.asyncProperty(point, point, async (cut, from) => {
        await readAll(good.slice(0, cut));
        await readAll(Uint8Array.from([...good.subarray(0, cut), ...good.subarray(from)]));
      }),
      { numRuns: 500 },
    );
  });

  it('throw typed errors or are read, any JSON as a header', async () => {
    const size = fc.oneof(
      fc.integer({ min: -2, max: 40 }),
      fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 53, 2 ** 64, 1e308, -0, 0.5),
    );
    const entry = fc.record({
      dtype: fc.constantFrom('F32', 'F16', 'I64', 'U8', 'F4', '__proto__'),
      shape: fc.array(size, { maxLength: 3 }),
      data_offsets: fc.array(size, { maxLength: 3 }),
    });
    const header = fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('__metadata__', '__proto__', 'a')),
      fc.oneof(entry, fc.jsonValue()),
    );
    await fc.assert(
      fc.asyncProperty(header, fc.integer({ min: 0, max: 64 }), async (json, dataBytes) =>
        readAll(file(JSON.stringify(json), dataBytes)),
      ),
      { numRuns: 1000 },
    );
  });

  it('are noticed when one byte is missing or one too many', async () => {
    await failure('ERR_MODEL_FORMAT', () => parseSafetensors(good.slice(0, -1)));
    await failure('ERR_MODEL_FORMAT', () => parseSafetensors(Uint8Array.from([...good, 0])));
  });
});

describe('openTensors', () => {
  const index = (map: unknown): Uint8Array => jsonBytes({ metadata: { total_size: 1 }, weight_map: map });
  const shards = (extra: Record<string, Uint8Array> = {}): ModelFiles =>
    memoryFiles(
      'sharded',
      new Map(
        Object.entries({
          'one.safetensors': encodeSafetensors([a, b]),
          'two.safetensors': encodeSafetensors([c]),
          ...extra,
        }),
      ),
    );
  const INDEX = 'model.safetensors.index.json';

  it('reads shards', async () => {
    const store = await openTensors(
      shards({ [INDEX]: index({ a: 'one.safetensors', b: 'one.safetensors', c: 'two.safetensors' }) }),
    );
    expect((await store.tensor('a')).data).toEqual(a.data);
    expect((await store.raw('c')).bytes).toEqual(c.data);
  });

  const bad: [string, unknown, Parameters<typeof failure>[0]][] = [
    ['names a shard that is not there', { a: 'three.safetensors' }, 'ERR_MODEL_NOT_FOUND'],
    ['leaves the folder', { a: '../one.safetensors' }, 'ERR_MODEL_FORMAT'],
    ['leaves the folder from a folder', { a: 'x/../../one.safetensors' }, 'ERR_MODEL_FORMAT'],
    ['begins at the root', { a: '/one.safetensors' }, 'ERR_MODEL_FORMAT'],
    ['leaves the folder in the way of Windows', { a: '..\\one.safetensors' }, 'ERR_MODEL_FORMAT'],
    ['names a file that is no shard', { a: 'model.safetensors.index.json' }, 'ERR_MODEL_FORMAT'],
    ['is text', 'one.safetensors', 'ERR_MODEL_FORMAT'],
    ['names a number', { a: 1 }, 'ERR_MODEL_FORMAT'],
    ['is a list', ['one.safetensors'], 'ERR_MODEL_FORMAT'],
  ];
  it.each(bad)('refuses an index that %s', async (_, map, code) => {
    await failure(code, () => openTensors(shards({ [INDEX]: index(map) })));
  });

  it('takes the index’s word for what belongs to the model', async () => {
    const files = shards({
      'two.safetensors': encodeSafetensors([{ ...a, data: a.data.slice().fill(7) }, c]),
      // b is in a shard and not in the index, d in the index and in no shard, c in the wrong one.
      [INDEX]: index({ a: 'one.safetensors', c: 'one.safetensors', d: 'two.safetensors' }),
    });
    const store = await openTensors(files);
    expect([...store.entries.keys()]).toEqual(['a']);
    expect((await store.tensor('a')).data).toEqual(a.data);
    for (const name of ['b', 'c', 'd']) await failure('ERR_MODEL_FORMAT', () => store.tensor(name));
  });

  it('names the shard that is missing, and a shard that was cut', async () => {
    const map = { a: 'one.safetensors', b: 'one.safetensors', c: 'two.safetensors' };
    const missing = memoryFiles(
      'half',
      new Map([
        ['one.safetensors', encodeSafetensors([a, b])],
        [INDEX, index(map)],
      ]),
    );
    expect((await failure('ERR_MODEL_NOT_FOUND', () => openTensors(missing))).message).toContain('two.safetensors');
    const cut = shards({ 'two.safetensors': encodeSafetensors([c]).slice(0, -1), [INDEX]: index(map) });
    expect((await failure('ERR_MODEL_FORMAT', () => openTensors(cut))).message).toContain('two.safetensors');
  });

  it.each([
    ['pytorch_model.bin', "M.from_pretrained('.').save_pretrained('.', safe_serialization=True)"],
    ['pytorch_model.bin.index.json', "M.from_pretrained('.').save_pretrained('.', safe_serialization=True)"],
    ['tf_model.h5', "M.from_pretrained('.', from_tf=True).save_pretrained('.', safe_serialization=True)"],
    ['flax_model.msgpack', "M.from_pretrained('.', from_flax=True).save_pretrained('.', safe_serialization=True)"],
  ])('says how to convert %s, and prefers safetensors beside it', async (name, command) => {
    const files = new Map<string, Uint8Array>([[name, new Uint8Array(9)]]);
    const error = await failure('ERR_MODEL_UNSUPPORTED', () =>
      openTensors(memoryFiles('old', files), 'GPT2LMHeadModel'),
    );
    expect(error.message).toContain(name);
    expect(error.hint).toContain(`python -c "from transformers import GPT2LMHeadModel as M; ${command}"`);
    files.set('model.safetensors', encodeSafetensors([a]));
    expect([...(await openTensors(memoryFiles('both', files))).entries.keys()]).toEqual(['a']);
  });

  it('says what is missing', async () => {
    expect((await failure('ERR_MODEL_NOT_FOUND', () => openTensors(memoryFiles('none', new Map())))).message).toContain(
      'model.safetensors',
    );
  });

  it('reads ranges where the files can, and never the whole file', async () => {
    const bytes = encodeSafetensors([a, b, c]);
    const reads: number[] = [];
    const files: ModelFiles = {
      name: 'ranges',
      has: async (name) => name === 'model.safetensors',
      read: () => Promise.reject(new Error('read the whole file')),
      size: async () => bytes.length,
      readRange: async (_, from, to) => {
        reads.push(to - from);
        return bytes.slice(from, to);
      },
    };
    const store = await openTensors(files);
    expect((await store.tensor('a')).data).toEqual(a.data);
    expect(reads.at(-1)).toBe(24);
    expect(reads.length).toBe(3);
  });
});
