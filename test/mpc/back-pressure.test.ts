/**
 * P0 deals ahead as a stream: when P2 does not read, P0 stops, and goes on when P2 does. Around a ring of three each
 * reads while it sends.
 */
import { describe, expect, it } from 'vitest';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { zeros } from '../../src/compute/ring.ts';
import { PairPrg } from '../../src/mpc/prg/prg.ts';
import { Aby3Builder } from '../../src/mpc/protocol/aby3/circuit.ts';
import { CircuitBuilder } from '../../src/mpc/protocol/semi-honest/circuit.ts';
import { Engine } from '../../src/mpc/protocol/frame/engine.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import type { Channel, PartyId } from '../../src/net/wire/types.ts';
import { UNSEEN, noParameters } from '../support/simulate.ts';

const GATES = 8;
const WORDS = 1 << 19;
const TOTAL = GATES * WORDS * 8;
/** What the link may hold: P2's inbox, the pipe (8 MiB) and the message that waits. */
const HELD = (1 << 20) + 8 * (1 << 20) + 8 * WORDS;

describe('dealing', () => {
  it(`holds back at most ${HELD >> 20} of ${TOTAL >> 20} MiB while P2 does not read, and delivers all when it does`, async () => {
    const builder = new CircuitBuilder('open');
    const x = builder.input('x', [WORDS], 64, 0);
    for (let i = 0; i < GATES; i++) builder.mul(x, x);
    const circuit = builder.finish();
    expect(circuit.cost.p0ToP2Ahead).toBe(TOTAL);

    const [left, right] = memoryPair(0, 2, { highWaterBytes: 1 << 20 });
    const kernels = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
    const execution = { session: new Uint8Array(16), number: 0, step: 0, branch: 0 };
    const engine = (id: PartyId, peer: PartyId, channel: Channel) =>
      new Engine({
        id,
        circuit,
        kernels,
        parameters: noParameters,
        channels: new Map([[peer, channel]]),
        k01: PairPrg.of(new Uint8Array(32).fill(1), execution),
        k02: PairPrg.of(new Uint8Array(32).fill(2), execution),
      });

    let dealt = false;
    const dealing = engine(0, 2, left)
      .deal()
      .then(() => {
        dealt = true;
      });
    // Long enough for all of it, were there no back-pressure: the whole deal takes a fraction of this.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(dealt).toBe(false);
    expect(left.stats.sentPayloadBytes).toBeLessThanOrEqual(HELD);

    await Promise.all([dealing, engine(2, 0, right).deal()]);
    expect(left.stats.sentPayloadBytes).toBe(TOTAL);
    expect(right.stats.receivedPayloadBytes).toBe(TOTAL);
  });

  it('is not held back when P2 reads: the control', async () => {
    const builder = new CircuitBuilder('open');
    const x = builder.input('x', [16], 64, 0);
    builder.mul(x, x);
    const circuit = builder.finish();
    const [left] = memoryPair(0, 2);
    const kernels = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
    const execution = { session: new Uint8Array(16), number: 0, step: 0, branch: 0 };
    const keys = {
      k01: PairPrg.of(new Uint8Array(32), execution),
      k02: PairPrg.of(new Uint8Array(32).fill(1), execution),
    };
    await new Engine({
      id: 0,
      circuit,
      kernels,
      parameters: noParameters,
      channels: new Map([[2 as PartyId, left]]),
      ...keys,
    }).deal();
    expect(left.stats.sentPayloadBytes).toBe(128);
  });
});

describe('a ring of parts that are longer than links hold', () => {
  // Who sends all of a half-round before it reads waits for ever, and so do the other two.
  it(`passes ${TOTAL >> 20} MiB on each link, where one holds ${HELD >> 20}`, { timeout: 60_000 }, async () => {
    const builder = new Aby3Builder('open');
    const x = builder.input('x', [WORDS], 64, 0);
    for (let i = 0; i < GATES; i++) builder.mul(x, x);
    const circuit = builder.finish();
    expect(circuit.owner).toMatchObject({ rounds: 1, p0ToP1: TOTAL, p2ToP0: TOTAL });
    const kernels = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
    const execution = { session: new Uint8Array(16), number: 0, step: 0, branch: 0 };
    const channels: Map<PartyId, Channel>[] = [new Map(), new Map(), new Map()];
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      const [left, right] = memoryPair(a, b, { highWaterBytes: 1 << 20, timeoutMs: 30_000 });
      channels[a].set(b, left);
      channels[b].set(a, right);
    }
    const key = (id: PartyId, one: PartyId, other: PartyId) =>
      id === one || id === other ? PairPrg.of(new Uint8Array(32).fill(1 + one + other), execution) : undefined;
    await Promise.all(
      ([0, 1, 2] as const).map(async (id) => {
        const engine = new Engine({
          ...{ id, circuit, kernels, parameters: noParameters, channels: channels[id], observer: UNSEEN },
          ...{ k01: key(id, 0, 1), k02: key(id, 0, 2), k12: key(id, 1, 2) },
        });
        await engine.deal();
        await engine.input(id === 0 ? { tensors: { x: zeros(WORDS, 64) }, indices: {} } : undefined);
        await engine.online();
      }),
    );
    const sent = (from: PartyId, to: PartyId) => channels[from].get(to)?.stats.sentPayloadBytes;
    // The input on the way from P0 to P1.
    expect([sent(0, 1), sent(1, 2), sent(2, 0)]).toEqual([TOTAL + 8 * WORDS, TOTAL, TOTAL]);
  });
});
