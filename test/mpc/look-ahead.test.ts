/**
 * What a party does while it waits: gates of a half-round work up to their message side by side, messages keep their
 * order, and memory of what is under way is nobody else's.
 */
import { expect, it } from 'vitest';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import type { RingKernels } from '../../src/compute/kernels/types.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { wordsFrom } from '../../src/compute/ring.ts';
import { type Circuit, isGate } from '../../src/mpc/protocol/frame/circuit.ts';
import { PairPrg } from '../../src/mpc/prg/prg.ts';
import { type Gate, drawId } from '../../src/mpc/protocol/frame/gate.ts';
import { LookAhead } from '../../src/mpc/protocol/frame/look-ahead.ts';
import { Link } from '../../src/mpc/protocol/frame/party.ts';
import type { Gates } from '../../src/mpc/protocol/types.ts';
import { Masked } from '../../src/mpc/share/masked.ts';
import type { Wire } from '../../src/mpc/share/wire.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import type { Channel } from '../../src/net/wire/types.ts';
import { type ClearParameter, parameterView } from '../support/parameters.ts';
import { simulate } from '../support/simulate.ts';

/** A gate of P2 in half-round 2, of an operand that is there from `readyL2` on. */
function gate(number: number, readyL2: number, bytes = 1, count = 1): Gate {
  const input = { id: 0, count, readyA: 0, readyL2, readyY: undefined } as Wire;
  return { number, inputs: [input], out: undefined, half12: 2, cost: { p1ToP2: bytes } } as unknown as Gate;
}

/** What the gates of a half-round do, in order: `before` their messages and `behind` them. */
function watched(gates: readonly Gate[]) {
  const [p1, p2] = memoryPair(1, 2);
  const link = new Link(p2, new ReferenceKernels());
  const log: string[] = [];
  const running = new LookAhead(2, { sources: [] }, [[], [], gates]).receive(2, link, async (one) => {
    log.push(`before ${one.number}`);
    await Promise.resolve();
    await link.recvBytes(`g/${one.number}`, one.cost.p1ToP2 ?? 0);
    log.push(`behind ${one.number}`);
  });
  return { log, running, send: (one: Gate) => p1.send(`g/${one.number}`, new Uint8Array(one.cost.p1ToP2 ?? 0)) };
}

const EXECUTION = { session: new Uint8Array(16), number: 0, step: 0, branch: 0 };

async function* only(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

it('gates work up to their message side by side, and take their messages in order', async () => {
  const gates = [gate(1, 1), gate(2, -1), gate(3, 1)];
  const { log, running, send } = watched(gates);
  await pause();
  expect(log).toEqual(['before 1', 'before 2', 'before 3']);
  for (const one of gates) await send(one);
  await running;
  expect(log.slice(3)).toEqual(['behind 1', 'behind 2', 'behind 3']);
});

it.each([
  ['needs what another one brings', gate(2, 3)],
  ['gets a message of no bytes', gate(2, 1, 0)],
  ['is of much', gate(2, 1, 1, (1 << 14) + 1)],
])('a gate that %s waits for those before it, and those behind it for it', async (_what, second) => {
  const gates = [gate(1, 1), second, gate(3, 1)];
  const { log, running, send } = watched(gates);
  await pause();
  expect(log).toEqual(['before 1']);
  await send(gates[0]);
  await pause();
  expect(log).toEqual(['before 1', 'behind 1', 'before 2']);
  for (const one of gates.slice(1)) await send(one);
  await running;
  expect(log.slice(3)).toEqual(['behind 2', 'before 3', 'behind 3']);
});

it('a gate that fails ends the half-round, and those beside it are nobody’s loose ends', async () => {
  const [, p2] = memoryPair(1, 2);
  const link = new Link(p2, new ReferenceKernels());
  const gates = [gate(1, 1), gate(2, 1), gate(3, 1)];
  const running = new LookAhead(2, { sources: [] }, [[], [], gates]).receive(2, link, async (one) => {
    if (one.number === 3) throw new Error('of gate 3');
    await link.recvBytes(`g/${one.number}`, 1);
  });
  await expect(running).rejects.toThrow('of gate 3');
  // Those that wait end with their link. An unhandled one would fail this file.
  p2.abort(new Error('over'));
  await pause();
});

it('a short half-round goes before anything else is computed, and a long one is not waited for', async () => {
  const told: string[] = [];
  const never = new Promise<void>(() => undefined);
  const channel = {
    send: (tag: string, bytes: Uint8Array) => {
      told.push(tag);
      return bytes.length > Link.SHORT ? never : Promise.resolve();
    },
    flush: () => told.push('flush'),
  } as unknown as Channel;
  const link = new Link(channel, new ReferenceKernels());
  const mask = (number: number) =>
    PairPrg.of(new Uint8Array(32), EXECUTION).takeMask(drawId({ number }, 'pad'), {}, 'pads');
  const send = async (tag: string, length: number) => {
    for await (const part of Masked.parts(mask(1), only(new Uint8Array(length)))) await link.send(tag, part);
  };
  await send('a', 3);
  await send('b', 3);
  await link.complete();
  expect(told).toEqual(['a', 'b', 'flush']);
  await send('c', Link.SHORT + 1);
  await link.complete();
  expect(told.slice(3)).toEqual(['c']);
});

const WEIGHT: ClearParameter = {
  parameter: { name: 'w', rows: 2, cols: 2, scale: 0 },
  values: [1n, 2n, 3n, 4n],
};

/** A map that is read at the end, and a product in the first half-round to party 1. */
function mapped(g: Gates): void {
  const x = g.input('x', [1, 2], 64, 0);
  const y = g.affine([{ x, weight: WEIGHT.parameter }]);
  g.output('map', y);
  g.output('out', g.mul(x, x));
}

/** Has the first product name the map as an operand, which it does not read. */
function misled(circuit: Circuit): Circuit {
  const [map] = circuit.wires.filter(({ id }) => !isGate(circuit.sources[id]));
  const product = circuit.gates.find(({ relation }) => relation === 'product');
  if (product !== undefined) Object.assign(product, { inputs: [...product.inputs, map] });
  return circuit;
}

/** Kernels that take their time for a product of weights, and say when memory is given back meanwhile. */
function slow(of: RingKernels, log: string[]): RingKernels {
  let under = 0;
  const own: Partial<RingKernels> = {
    scope: () => slow(of.scope(), log),
    matmulMatrix: async (...args) => {
      under++;
      await pause();
      under--;
      return of.matmulMatrix(...args);
    },
    sweep: (live) => {
      log.push(under > 0 ? 'under way' : 'swept');
      of.sweep(live);
    },
  };
  return new Proxy(of, {
    get: (target, name) => {
      const value = own[name as keyof RingKernels] ?? target[name as keyof RingKernels];
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}

it('a scope gives no memory back while a product is under way that was begun ahead', async () => {
  const log: string[] = [];
  const module = await loadNodeModule();
  const kernels = await createWasmKernels({ module, party: PartyOperations, threads: 0 });
  const { outputs } = await simulate(
    mapped,
    { tensors: { x: wordsFrom([5, -7], 64) }, indices: {} },
    {
      seed: 5,
      alter: misled,
      kernels: () => slow(kernels, log),
      parameters: (id, kernels) => parameterView('open', id, kernels, [WEIGHT]),
    },
  );
  expect([...(outputs.get('out')?.data ?? [])]).toEqual([25n, 49n]);
  expect(log).toContain('swept');
  expect(log).not.toContain('under way');
});
