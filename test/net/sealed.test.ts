import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/core/bytes.ts';
import type { TercetError } from '../../src/core/errors.ts';
import type { Transport, TransportEvents } from '../../src/net/wire/channel.ts';
import { SealedTransport } from '../../src/net/handshake/records.ts';
import { loadSodium } from '../../src/net/identity/sodium.ts';
import { pattern, same } from './helpers.ts';

const sodium = await loadSodium();
const NONE = new Uint8Array(0);
const TO_PARTY = new Uint8Array(32).fill(1);
const TO_OWNER = new Uint8Array(32).fill(2);

/** A transport whose far end is the test: records written, and a way to deliver. */
class Wire implements Transport {
  readonly records: Uint8Array[] = [];
  events: TransportEvents | undefined;
  destroyed = false;

  open(events: TransportEvents): void {
    this.events = events;
  }

  write(header: Uint8Array, payload: Uint8Array): undefined {
    this.records.push(concatBytes([header, payload]));
  }

  pause(): void {}

  async close(): Promise<void> {}

  destroy(): void {
    this.destroyed = true;
  }
}

/** One end that seals, and one that opens what the test gives it. */
function ends(): {
  owner: SealedTransport;
  out: Wire;
  party: SealedTransport;
  into: Wire;
  got: () => Uint8Array;
  state: { ended: boolean; error: TercetError | undefined };
} {
  const out = new Wire();
  const into = new Wire();
  const owner = new SealedTransport(out, { send: TO_PARTY.slice(), receive: TO_OWNER.slice() }, sodium);
  const party = new SealedTransport(into, { send: TO_OWNER.slice(), receive: TO_PARTY.slice() }, sodium);
  const parts: Uint8Array[] = [];
  const state: { ended: boolean; error: TercetError | undefined } = { ended: false, error: undefined };
  owner.open({ data: () => undefined, end: () => undefined, error: () => undefined });
  party.open({
    data: (bytes) => parts.push(bytes.slice()),
    end: () => {
      state.ended = true;
    },
    error: (error) => {
      state.error = error as TercetError;
    },
  });
  return { owner, out, party, into, got: () => concatBytes(parts), state };
}

describe('sealed records', () => {
  it('carry bytes of any length, however they are cut (positive control)', () => {
    for (const cut of [1, 7, 9, 1000, 65_560, 1_000_000]) {
      const { owner, out, into, got, state } = ends();
      const length = cut === 1 ? 3000 : 300_000;
      const sent = pattern(length, cut);
      void owner.write(sent.subarray(0, 30), sent.subarray(30));
      void owner.write(Uint8Array.of(1), NONE);
      const wire = concatBytes(out.records);
      for (let at = 0; at < wire.length; at += cut) into.events?.data(wire.subarray(at, at + cut));
      expect(state.error).toBeUndefined();
      expect(same(got(), concatBytes([sent, Uint8Array.of(1)]))).toBe(true);
    }
  });

  it('show nothing of what they carry, and never twice the same', () => {
    const { owner, out } = ends();
    const text = new TextEncoder().encode('a text that must not be seen');
    void owner.write(NONE, text);
    void owner.write(NONE, text);
    const [one, two] = out.records.map((record) => new TextDecoder('latin1').decode(record));
    expect(one).not.toContain('text');
    expect(one).not.toBe(two);
  });

  it('are refused if any byte was changed', () => {
    const { owner, out } = ends();
    void owner.write(NONE, pattern(20));
    for (let at = 0; at < out.records[0].length; at++) {
      const { into, got, state } = ends();
      const changed = out.records[0].map((byte, i) => (i === at ? byte ^ 1 : byte));
      // A length that grew waits for more; the next record then does not fit.
      into.events?.data(concatBytes([changed, new Uint8Array(70_000)]));
      expect(['ERR_FRAME_FORMAT', 'ERR_FRAME_LENGTH']).toContain(state.error?.code);
      expect(got().length).toBe(0);
      expect(into.destroyed).toBe(true);
    }
  });

  it('are refused twice, out of order, with one left out, or sent back', () => {
    const records = (): Uint8Array[] => {
      const { owner, out } = ends();
      for (let i = 0; i < 3; i++) void owner.write(Uint8Array.of(i), NONE);
      return out.records;
    };
    const [a, b, c] = records();
    for (const order of [
      [a, a],
      [b, a],
      [a, c],
    ]) {
      const { into, state } = ends();
      into.events?.data(concatBytes(order));
      expect(state.error?.code).toBe('ERR_FRAME_FORMAT');
    }
    const { party, into, state } = ends();
    void party.write(Uint8Array.of(1), NONE);
    into.events?.data(into.records[0]);
    expect(state.error?.code).toBe('ERR_FRAME_FORMAT');
  });

  it('refuse a length that no record has before anything of it came', () => {
    for (const header of [
      [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
      [0, 0, 0, 0, 0, 0, 0, 0],
      [17, 0, 0, 0, 1, 0, 0, 0],
    ]) {
      const { into, state } = ends();
      into.events?.data(Uint8Array.from(header));
      expect(['ERR_FRAME_FORMAT', 'ERR_FRAME_LENGTH']).toContain(state.error?.code);
    }
  });

  it('end when the peer says so, and only then', async () => {
    const { owner, out, into, state } = ends();
    void owner.write(Uint8Array.of(1), NONE);
    await owner.close();
    into.events?.data(concatBytes(out.records));
    into.events?.end();
    expect(state).toEqual({ ended: true, error: undefined });
    // Somebody else's end.
    const cut = ends();
    cut.into.events?.end();
    expect(cut.state).toMatchObject({ ended: false, error: { code: 'ERR_PEER_CLOSED' } });
    // More after the end.
    const more = ends();
    more.into.events?.data(concatBytes([...out.records, out.records[0]]));
    expect(more.state.error?.code).toBe('ERR_FRAME_FORMAT');
  });

  it('cannot be made with keys that were wiped', async () => {
    const { owner } = ends();
    owner.destroy();
    await expect(owner.write(Uint8Array.of(1), NONE)).rejects.toMatchObject({ code: 'ERR_PEER_CLOSED' });
  });
});
