/**
 * Proofs on the device: every byte as on WebAssembly and as the other implementation has it, a message that was changed
 * is caught, and each operation says where it ran and why.
 */
import { afterAll, describe, expect, it, vi } from 'vitest';
import { tampered } from '../../src/bench/tamper/cell.ts';
import { type Engines, World, onDevice } from '../../src/bench/tamper/world.ts';
import { indexGroup } from '../../src/compute/index-group.ts';
import { tableLayout } from '../../src/compute/kernels/table-layout.ts';
import { loadNodeProofModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { WasmProofKernels } from '../../src/compute/kernels/wasm/proof.ts';
import { type WebGpuKernels, createWebGpuKernels } from '../../src/compute/kernels/webgpu/kernels.ts';
import { WebGpuProofKernels, besideDevice, proofsBeside } from '../../src/compute/kernels/webgpu/proof-engine.ts';
import { DeviceProofs } from '../../src/compute/kernels/webgpu/proof.ts';
import type { ProofKernels } from '../../src/compute/kernels/proof-types.ts';
import { wordsFrom } from '../../src/compute/ring.ts';
import { toHex } from '../../src/core/bytes.ts';
import { TercetError } from '../../src/core/errors.ts';
import type { Gates } from '../../src/mpc/protocol/types.ts';
import { PARAMETERS } from '../../src/mpc/proof/soundness.ts';
import { wasmKernels } from '../../src/node/kernels.ts';
import { borrowed } from '../../src/node/tls-model.ts';
import { Random } from '../compute/kernels.suite.ts';
import { failure } from '../failure.ts';
import { proofVectors } from '../mpc/proof/vectors.suite.ts';
import { TOY_INPUT, provingOfCircuit, toy, toyAnswer, toyCircuit } from '../session/proved-toy.ts';
import { type Statement, choiceStatement, matrixStatement, parties, prove, tableStatement } from '../support/proofs.ts';
import { completeCircuit, runProved } from '../support/proved.ts';
import { QUICK } from '../support/tamper.ts';
import { openTestDevice } from './swiftshader.ts';

const { device, adapterInfo, close } = await openTestDevice();
afterAll(() => close());
const module = await loadNodeProofModule();
const wasm = new WasmProofKernels(module);
const ring = await createWebGpuKernels({ device, adapterInfo });

/** Everything that has a shader runs there. */
const everything = (of: WebGpuKernels = ring) =>
  new WebGpuProofKernels(new DeviceProofs(of.commands), new WasmProofKernels(module), { leastBytes: 0 });

proofVectors('webgpu', () => everything());

/** One relation of each kind. */
function statements(): Statement[] {
  const random = new Random(5);
  return [
    matrixStatement(random, { k: 33, inner: [3, 1, 2] }),
    tableStatement(random, { layout: tableLayout(2, 35, [22, 35, 1]), group: indexGroup(4, 2), elements: 5 }),
    choiceStatement(random, { layout: tableLayout(16, 20, [20, 11, 7]), elements: 9 }),
  ];
}

/** What the prover answers in a proof of level 256, whose two primes have a tail each. */
async function answers(kernels: ProofKernels): Promise<string[]> {
  const sent: string[] = [];
  await prove(await parties(statements(), { parameters: PARAMETERS[256], kernels }), (_, message) => {
    sent.push(toHex(message));
    return message;
  });
  return sent;
}

describe('a proof on the device', () => {
  it('is that of WebAssembly, byte for byte, with both primes of level 256', async () => {
    const kernels = everything();
    expect(await answers(kernels)).toEqual(await answers(wasm));
    expect([...kernels.counts.keys()].sort()).toEqual([
      'claims are integers of up to 256 bits',
      'long enough for the device',
    ]);
  });

  it('does not pass with one bit of an answer changed, whichever that is', async () => {
    const { segment } = await parties(statements(), { parameters: QUICK, kernels: wasm });
    for (let stage = 1; stage < segment.stages; stage++) {
      const changed = prove(
        await parties(statements(), { parameters: QUICK, kernels: everything() }),
        (at, message) => {
          if (at !== stage) return message;
          const other = message.slice();
          other[stage % other.length] ^= 1;
          return other;
        },
      );
      await failure('ERR_SECURITY_VIOLATION', changed);
    }
  });
});

describe('a proved run', () => {
  const circuit = completeCircuit((g: Gates) => {
    const x = g.input('x', [4], 14, 0);
    const y = g.table(g.reduce(x, 3), { bits: 3, entries: [1n, 2n, 4n, 8n, 16n, 32n, 64n, 128n] }, 14);
    g.output('y', g.widen(g.add(g.mul(x, x), y), 20));
  });
  const inputs = { tensors: { x: wordsFrom([1, 2, 5, 100], 14) }, indices: {} };

  async function run(kernels: ProofKernels, change = false) {
    const links = new Map<string, string[]>();
    const ended = await runProved(circuit, inputs, {
      ...{ proofParameters: QUICK, timeoutMs: 60_000, proofKernelsOf: () => kernels },
      tap: (from, to, tag, bytes) => {
        const link = `${from} → ${to}`;
        links.set(link, [...(links.get(link) ?? []), `${tag} ${toHex(bytes)}`]);
        if (!change || !tag.startsWith('select-12/')) return undefined;
        const other = bytes.slice();
        other[0] ^= 1;
        return other;
      },
    });
    return { ended, links };
  }

  it('sends what it sends on WebAssembly, and opens the same', async () => {
    const [got, want] = [await run(everything()), await run(wasm)];
    expect(want.ended[0].outputs?.get('y')).toBeDefined();
    expect(got).toEqual(want);
  });

  it('ends for a word that was changed, and opens nothing', async () => {
    const { ended } = await run(everything(), true);
    expect(ended[0].outputs).toBeUndefined();
    expect(ended.map(({ wiped }) => wiped)).toEqual([true, true, true]);
    expect(ended.some(({ error }) => error instanceof TercetError && error.code === 'ERR_SECURITY_VIOLATION')).toBe(
      true,
    );
  });

  it('of a session proves beside the ring kernels that it computes with, also those that are lent', async () => {
    const used: ProofKernels[] = [];
    const proving = provingOfCircuit(toyCircuit, {
      parameters: QUICK,
      beside: (of) => {
        const kernels = of === lent ? everything() : proofsBeside(of, wasm);
        used.push(kernels);
        return kernels;
      },
    });
    const lent = borrowed(ring);
    const { owner, ends } = toy('open', { on: lent, proving, timeoutMs: 60_000 });
    const session = await owner;
    await session.prepare();
    expect(Array.from((await session.run(TOY_INPUT)).logits)).toEqual(toyAnswer('open').map(Math.fround));
    expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
    expect(used).toHaveLength(3);
    for (const kernels of used)
      expect((kernels as WebGpuProofKernels).counts.get('long enough for the device')).toBeGreaterThan(0);
    expect(proofsBeside(lent, wasm).name).toBe('webgpu');
    const software = await createWebGpuKernels({ device, adapterInfo, software: true });
    expect(proofsBeside(software, wasm)).toBe(wasm);
  });

  it.each([
    ['hardware', 'on it', false],
    ['a driver in software', 'in WebAssembly', true],
  ] as const)('of a session on %s makes public tables %s', async (_name, _where, software) => {
    const of = await createWebGpuKernels({ device, adapterInfo, software });
    const open = vi.fn(() => wasmKernels(0));
    const onDevice = vi.spyOn(of, 'clearTable');
    const proving = provingOfCircuit(toyCircuit, { parameters: QUICK, ...besideDevice(wasm, open) });
    const { owner, ends } = toy('open', { on: of, proving, timeoutMs: 60_000 });
    const session = await owner;
    await session.prepare();
    expect(Array.from((await session.run(TOY_INPUT)).logits)).toEqual(toyAnswer('open').map(Math.fround));
    expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
    expect(open).toHaveBeenCalledTimes(software ? 1 : 0);
    expect(onDevice.mock.calls.length > 0).toBe(!software);
  });
});

describe('the tamper matrix', () => {
  const cheats = async (world: World, device: Engines['device']) => {
    expect((await world.normal()).errors).toEqual([undefined, undefined, undefined]);
    const { protocol } = world;
    for (const message of ['product-12', 'proof-answer/1.0.2'])
      expect(
        await tampered(world, { family: 'gates', weights: 'open', cheater: 1, to: 2, message, change: 'all' }),
      ).toMatchObject({ protocol, device, outcome: 'caught', clean: true });
  };

  it.each(['3pc_malicious', 'aby3'] as const)(
    'on the device, %s: the control answers, who cheats is caught',
    async (protocol) => {
      const device = onDevice(ring, wasm);
      await cheats(await World.make(protocol, 'open', 'gates', device), 'webgpu');
      expect(device.proofs.counts.get('long enough for the device')).toBeGreaterThan(100);
    },
  );

  it('computes on the device and proves beside it, as a party does on a driver in software', async () => {
    const before = ring.describe().dispatches;
    const beside = { kernels: ring, proofs: wasm, tables: await wasmKernels(0), device: 'webgpu+wasm' } as const;
    await cheats(await World.make('3pc_malicious', 'open', 'gates', beside), 'webgpu+wasm');
    expect(ring.describe().dispatches - before).toBeGreaterThan(100);
  });
});

describe('an operation', () => {
  const q = 2n ** 61n - 1n;
  const vector = (count: number) => BigUint64Array.from({ length: count }, (_, i) => BigInt(i) ** 3n % q);

  it('goes to the device where it is long enough, and a table stays where it was loaded', async () => {
    const kernels = proofsBeside(ring, wasm) as WebGpuProofKernels;
    expect(kernels.engineFor('tailFold', 2 ** 20)).toEqual({ engine: 'webgpu', reason: 'long enough for the device' });
    expect(kernels.engineFor('matrixClaims', 2 ** 30).engine).toBe('wasm');
    const [short, long] = [vector(64), vector(2 ** 17)];
    for (const [values, reason] of [
      [short, 'shorter than its way to the device'],
      [long, 'long enough for the device'],
    ] as const) {
      const before = kernels.counts.get(reason) ?? 0;
      expect(await kernels.tailFold(values, vector(8), q)).toEqual(await wasm.tailFold(values, vector(8), q));
      expect(kernels.counts.get(reason)).toBe(before + 1);
    }
    const group = indexGroup(6);
    const table = await kernels.loadTable(short, group);
    expect(await kernels.lookUp(table, wordsFrom([0, 1], 6))).toEqual(BigUint64Array.of(0n, short[63]));
    kernels.freeTable(table);
    kernels.freeTable(table);
  });

  it('runs in WebAssembly where there is no room, and says so', async () => {
    const limits = { bindingBytes: 2 ** 12, memoryBytes: 2 ** 16 };
    const small = await createWebGpuKernels({ device, adapterInfo, limits });
    const kernels = everything(small);
    const values = vector(2 ** 14);
    expect(await kernels.tailFold(values, vector(8), q)).toEqual(await wasm.tailFold(values, vector(8), q));
    const table = await kernels.loadTable(vector(2 ** 10), indexGroup(10));
    await kernels.foldTable(table, { at: 0, width: 3, xor: false }, vector(8), q);
    kernels.freeTable(table);
    expect([...kernels.counts]).toEqual([['the device has no room', 2]]);
    expect(small.fault.failed).toBe(false);
    await small.close();
    expect(await kernels.tailFold(values, vector(8), q)).toEqual(await wasm.tailFold(values, vector(8), q));
    expect(kernels.counts.get('the device has ended')).toBe(1);
  });
});
