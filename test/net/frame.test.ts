import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/core/bytes.ts';
import { TercetError } from '../../src/core/errors.ts';
import {
  FIXED_HEADER_BYTES,
  type Frame,
  FrameParser,
  MAX_PAYLOAD_BYTES,
  encodeHeader,
  frameBytes,
} from '../../src/net/wire/frame.ts';
import { SESSION, frame } from './helpers.ts';

const PEER_CODES = new Set(['ERR_FRAME_FORMAT', 'ERR_FRAME_SESSION', 'ERR_FRAME_SEQUENCE', 'ERR_FRAME_LENGTH']);

const tags = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 120,
});
const messages = fc.array(fc.record({ tag: tags, payload: fc.uint8Array({ maxLength: 400 }) }), { maxLength: 8 });
/** Chunk lengths, used round and round; 0 is an empty chunk. */
const chunkings = fc.array(fc.nat({ max: 70 }), { minLength: 1, maxLength: 12 });

function pushChunked(parser: FrameParser, bytes: Uint8Array, lengths: readonly number[]): void {
  const usable = lengths.some((length) => length > 0) ? lengths : [...lengths, 1];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = usable[i % usable.length];
    parser.push(bytes.slice(at, at + length));
    at += length;
  }
}

/** Parses, and watches the one allocation that the peer controls. */
function parse(
  bytes: Uint8Array,
  lengths: readonly number[],
): { frames: Frame[]; error: unknown; largest: number; partial: boolean } {
  const frames: Frame[] = [];
  let largest = 0;
  const parser = new FrameParser(SESSION, {
    onHeader: (header) => {
      largest = Math.max(largest, header.payloadLength);
    },
    onFrame: (got) => frames.push(got),
  });
  let error: unknown;
  try {
    pushChunked(parser, bytes, lengths);
  } catch (thrown) {
    error = thrown;
    expect(() => parser.push(Uint8Array.of(1))).toThrow(thrown as Error);
  }
  return { frames, error, largest, partial: parser.partial };
}

function encodeAll(list: readonly { tag: string; payload: Uint8Array }[]): Uint8Array {
  return concatBytes(list.map(({ tag, payload }, i) => frame(tag, payload, i)));
}

describe('frame', () => {
  it('has the documented layout', () => {
    const bytes = encodeHeader(SESSION, { tag: 'ab', sequence: 0x01020304, payloadLength: 0x00050607 });
    expect([...bytes]).toEqual([0x54, 1, 2, 0, 4, 3, 2, 1, 7, 6, 5, 0, ...SESSION, 0x61, 0x62]);
    expect(frameBytes('ab', 10)).toBe(FIXED_HEADER_BYTES + 12);
  });

  it('refuses to encode what no peer would accept', () => {
    const header = { tag: 't', sequence: 0, payloadLength: 1 };
    const code = (change: object, session = SESSION) => {
      try {
        encodeHeader(session, { ...header, ...change });
        return undefined;
      } catch (error) {
        return (error as TercetError).code;
      }
    };
    expect(code({})).toBeUndefined();
    expect(code({ tag: 'ä' })).toBe('ERR_ARGUMENT');
    expect(code({ tag: 'a\n' })).toBe('ERR_ARGUMENT');
    expect(code({ payloadLength: MAX_PAYLOAD_BYTES + 1 })).toBe('ERR_ARGUMENT');
    expect(code({ payloadLength: Number.NaN })).toBe('ERR_ARGUMENT');
    expect(code({ sequence: 2 ** 32 })).toBe('ERR_STATE');
    expect(code({}, new Uint8Array(15))).toBe('ERR_ARGUMENT');
  });

  it('round-trips any messages in any chunking', () => {
    fc.assert(
      fc.property(messages, chunkings, (list, lengths) => {
        const { frames, error, partial } = parse(encodeAll(list), lengths);
        expect(error).toBeUndefined();
        expect(partial).toBe(false);
        expect(frames.map(({ tag, payload, sequence }) => ({ tag, payload: [...payload], sequence }))).toEqual(
          list.map(({ tag, payload }, i) => ({ tag, payload: [...payload], sequence: i })),
        );
        for (const { payload } of frames) expect(payload.buffer.byteLength).toBe(payload.length);
      }),
    );
  });

  it('turns any bytes into frames or a typed error, never above the cap', () => {
    const header = fc.record({
      length: fc.oneof(fc.nat({ max: 50 }), fc.integer({ min: 0, max: 0xffff_ffff })),
      tag: fc.uint8Array({ maxLength: 6 }),
    });
    const nearly = header.map(({ length, tag }) => {
      const bytes = new Uint8Array(FIXED_HEADER_BYTES + tag.length);
      bytes.set([0x54, 1, tag.length, 0]);
      new DataView(bytes.buffer).setUint32(8, length, true);
      bytes.set(SESSION, 12);
      bytes.set(tag, FIXED_HEADER_BYTES);
      return bytes;
    });
    const start = fc.oneof(fc.constant(new Uint8Array(0)), nearly, messages.map(encodeAll));
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 300 }), chunkings, (before, garbage, lengths) => {
        const { error, largest } = parse(concatBytes([before, garbage]), lengths);
        expect(largest).toBeLessThanOrEqual(MAX_PAYLOAD_BYTES);
        if (error !== undefined) {
          expect(error).toBeInstanceOf(TercetError);
          expect(PEER_CODES.has((error as TercetError).code)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('gives one outcome for one changed byte, whatever the chunking', () => {
    fc.assert(
      fc.property(messages, fc.nat(), fc.integer({ min: 1, max: 255 }), chunkings, (list, where, flip, lengths) => {
        const bytes = encodeAll(list).slice();
        if (bytes.length === 0) return;
        bytes[where % bytes.length] ^= flip;
        const whole = parse(bytes, [bytes.length]);
        const parts = parse(bytes, lengths);
        expect(parts.frames.length).toBe(whole.frames.length);
        expect((parts.error as TercetError | undefined)?.code).toBe((whole.error as TercetError | undefined)?.code);
      }),
    );
  });

  it('allocates nothing for a length above the cap', () => {
    const header = encodeHeader(SESSION, { tag: 't', sequence: 0, payloadLength: 0 });
    new DataView(header.buffer).setUint32(8, MAX_PAYLOAD_BYTES + 1, true);
    let asked = false;
    const parser = new FrameParser(SESSION, {
      onHeader: () => {
        asked = true;
      },
      onFrame: () => {},
    });
    expect(() => parser.push(header)).toThrow(expect.objectContaining({ code: 'ERR_FRAME_LENGTH' }));
    expect(asked).toBe(false);
  });
});
