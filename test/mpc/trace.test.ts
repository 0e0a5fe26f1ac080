/**
 * The trace of an execution: every step of every party with the bytes that the circuit declares, and nothing that
 * a value could be read from.
 */
import { describe, expect, it } from 'vitest';
import { type Vector, wordsFrom } from '../../src/compute/ring.ts';
import type { TraceEvent } from '../../src/mpc/protocol/trace.ts';
import type { Gates, Inputs } from '../../src/mpc/protocol/types.ts';
import { secretsIn } from '../support/secrets.ts';
import { createParties, declaredBytes, keysOf, settle } from '../support/simulate.ts';

/** "secret!!" and "quiet..." in ASCII: found as bytes, as text and as numbers. */
const X = [0x7365637265742121n, 0x71756965742e2e2en];
const INPUTS: Inputs = { tensors: { x: wordsFrom(X, 64) }, indices: {} };
const SEED = 5;

function circuit(g: Gates): void {
  const x = g.input('x', [2], 64, 0);
  g.output(
    'square',
    g.section('square', () => g.truncate(g.mul(x, x), 3, 64)),
  );
  const kept = g.section('kept', () => g.choose([g.reduce(x, 1)], [g.reduce(x, 32)], Uint8Array.of(255, 0)));
  g.output('kept', g.widen(kept, 64));
}

async function traced(on = true) {
  const events: TraceEvent[] = [];
  let clock = 0;
  const parties = createParties(circuit, {
    seed: SEED,
    ...(on ? { trace: { step: 0, now: () => clock++, report: (event) => events.push(event) } } : {}),
  });
  const results = await settle(parties, INPUTS);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
  const sent = parties.channels.map((links) => [...links.values()].map(({ stats }) => stats.sentPayloadBytes));
  return { events, circuit: parties.circuit, sent };
}

const ascending = (a: number | undefined, b: number | undefined) => (a ?? 0) - (b ?? 0);
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

describe('a trace', () => {
  it('has the bytes that the circuit declares, sent and received, at every party', async () => {
    const { events, circuit: made } = await traced();
    const declared = declaredBytes(made.cost);
    for (const party of [0, 1, 2] as const) {
      const own = events.filter((event) => event.party === party);
      expect(sum(own.map(({ sent }) => sent))).toBe(sum(declared[party]));
      expect(sum(own.map(({ received }) => received))).toBe(sum(declared.map((row) => row[party])));
    }
  });

  it('names the gate of every step, its half-round where it has one, and the time that it took', async () => {
    const { events, circuit: made } = await traced();
    for (const { gate, relation, path, phase, half, ms, step } of events) {
      expect(made.gates[gate]).toMatchObject({ relation, path });
      expect(half !== undefined).toBe(phase === 'online');
      expect(ms).toBeGreaterThan(0);
      expect(step).toBe(0);
    }
    for (const { number, half12, half21 } of made.gates) {
      const halves = events.filter(({ gate, half }) => gate === number && half !== undefined).map(({ half }) => half);
      // Both ends of a message are steps.
      expect(halves.sort(ascending)).toEqual(
        [half12, half12, half21, half21].filter((half) => half !== undefined).sort(ascending),
      );
    }
    expect(events.filter(({ party }) => party === 0).every(({ phase }) => phase !== 'online')).toBe(true);
  });

  it('is not taken when nobody asks for it, and changes no message when somebody does', async () => {
    const [off, on] = [await traced(false), await traced()];
    expect(off.events).toEqual([]);
    expect(on.sent).toEqual(off.sent);
  });

  it('holds no value: only numbers and names, none of them of the input, a mask or a key', async () => {
    const { events } = await traced();
    const { k01, k02 } = keysOf(SEED);
    const secrets = {
      k01,
      k02,
      x0: Uint8Array.from(Buffer.from('secret!!')),
      x1: Uint8Array.from(Buffer.from('quiet...')),
    };
    const text = JSON.stringify(events);
    expect(secretsIn(text, secrets)).toEqual([]);
    for (const x of X) expect(text).not.toContain(String(x));
    // The same search finds a secret that is there.
    expect(secretsIn(JSON.stringify([...events, { path: '7365637265742121' }]), secrets)).toEqual(['x0']);
    const names = ['party', 'step', 'phase', 'half', 'gate', 'relation', 'path', 'sent', 'received', 'ms'];
    for (const event of events)
      for (const [name, value] of Object.entries(event)) {
        expect(names).toContain(name);
        expect(['number', 'string', ...(name === 'half' ? ['undefined'] : [])]).toContain(typeof value);
      }
  });

  it('has no field that takes words or bytes', () => {
    type Fields = TraceEvent[keyof TraceEvent];
    // @ts-expect-error a vector is no field of a trace
    const words: Fields = wordsFrom([1n], 8) as Vector;
    // @ts-expect-error nor are bytes
    const bytes: Fields = new Uint8Array(1);
    // @ts-expect-error nor is the number of a word
    const word: Fields = 1n;
    // @ts-expect-error and there is no other field
    const more: Partial<TraceEvent> = { value: 1 };
    expect([words, bytes, word, more]).toHaveLength(4);
  });
});
