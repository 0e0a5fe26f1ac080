/**
 * Circuits that sessions share: the same as when they are built at once, built once, bounded in memory, and never
 * for long without a pause.
 */
import type { RunShape } from '../../src/ml/models/run.ts';
import { describe, expect, it } from 'vitest';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import type { ModelConfig } from '../../src/ml/config.ts';
import { fingerprint } from '../../src/session/agreement.ts';
import { circuitFor } from '../../src/session/circuit-for.ts';
import { Circuits, WIRE_BYTES, circuitBytes } from '../../src/session/circuits.ts';
import type { Request } from '../../src/session/request.ts';
import { ARCHITECTURES, planOf, shapesOf } from '../support/architectures.ts';
import { failure } from '../failure.ts';
import { firstStep } from '../../src/mpc/prg/gate-id.ts';
import { PairPrg } from '../../src/mpc/prg/prg.ts';
import type { Circuit } from '../../src/mpc/protocol/frame/circuit.ts';
import { drawId } from '../../src/mpc/protocol/frame/gate.ts';
import { INPUT, MODEL, REQUEST, prepared, servedModel, source } from './harness.ts';

const at = (shape: RunShape, weights: 'open' | 'secret' = 'open'): Request => ({
  protocol: '3pc_semi_honest',
  weights,
  ...shape,
});
const config = (name: string): ModelConfig => ARCHITECTURES.find(([known]) => known === name)?.[1] as ModelConfig;
const SHAPE: RunShape = { sequences: 1, tokens: 16, rows: 1, padded: true, pair: false, steps: 0 };

describe('a shared circuit', () => {
  it.each(ARCHITECTURES.filter(([, { layers }]) => layers < 5))(
    'of %s has the hash, the order and the cost of one that is built at once',
    async (_name, model) => {
      const plan = planOf(model, 'wide', 8);
      const circuits = new Circuits();
      const shape = shapesOf(model)[1];
      for (const step of shape.steps > 0 ? [0, 1, shape.steps] : [0]) {
        const { circuit, hash } = await circuits.get(model, plan, at(shape), step);
        const once = circuitFor(model, plan, at(shape), step);
        expect(hash).toBe(fingerprint(once));
        expect(circuit.cost).toEqual(once.cost);
        expect(circuit.gates.map(({ path, half12, half21 }) => [path, half12, half21])).toEqual(
          once.gates.map(({ path, half12, half21 }) => [path, half12, half21]),
        );
      }
    },
  );

  it('is built once for all that ask for one shape, also at the same time, and anew for another', async () => {
    const circuits = new Circuits();
    const plan = planOf(MODEL.config, 'wide', 8);
    const get = (change: Partial<Request> = {}, step = 0) =>
      circuits.get(MODEL.config, { ...plan }, { ...REQUEST, ...change }, step);
    const [one, two] = await Promise.all([get(), get()]);
    expect(two).toBe(one);
    expect(await get()).toBe(one);
    const others: Partial<Request>[] = [
      ...[{ sequences: 2 }, { tokens: 7 }, { rows: 2 }, { padded: false }],
      ...([{ weights: 'secret' }, { widening: 'ot' }] as const),
    ];
    for (const other of others) expect((await get(other)).hash, JSON.stringify(other)).not.toBe(one.hash);
    expect((await circuits.get(MODEL.config, planOf(MODEL.config, 'wide', 9), REQUEST)).hash).not.toBe(one.hash);
    // Which model it is does not change the circuit; a party that serves it under another name shares it.
    expect(await get({ model: 'cd'.repeat(32) })).toBe(one);
  });

  it.each(['open', 'secret'] as const)(
    'of a step has what the step before has in common with it, and is the one that is built alone (%s weights)',
    async (weights) => {
      const model = { ...config('gpt2'), layers: 2 };
      const plan = planOf(model, 'wide', 8);
      const circuits = new Circuits();
      const like: boolean[] = [];
      for (const widening of ['dealer', 'ot'] as const) {
        const request = { ...at({ ...SHAPE, padded: false, rows: 0, tokens: 126, steps: 6 }, weights), widening };
        let before: Circuit | undefined;
        // Past 127 and 128 positions, where the maximum and the sum over them are other ones.
        for (let step = 1; step <= 6; step++) {
          const { circuit, hash } = await circuits.get(model, plan, request, step);
          const alone = circuitFor(model, plan, request, step);
          expect(hash).toBe(fingerprint(alone));
          expect(circuit.cost).toEqual(alone.cost);
          expect(circuit.sections).toEqual(alone.sections);
          expect(circuit.bitsRead).toEqual(alone.bitsRead);
          expect(circuit.parameters).toEqual(alone.parameters);
          expect(circuit.wires).toEqual(alone.wires);
          const known = new Set(before?.gates);
          const shared = circuit.gates.filter((gate) => known.has(gate)).length;
          if (step > 1) like.push(shared > circuit.gates.length / 2);
          before = circuit;
        }
      }
      expect(like.filter((most) => most).length).toBe(8);
    },
  );

  it('has gates of the step before that draw from other streams than there', async () => {
    const model = config('gpt2');
    const plan = planOf(model, 'wide', 8);
    const circuits = new Circuits();
    const request = at({ ...SHAPE, padded: false, rows: 0, tokens: 20, steps: 3 });
    const [one, two] = [await circuits.get(model, plan, request, 1), await circuits.get(model, plan, request, 2)].map(
      ({ circuit }) => circuit.gates,
    );
    const shared = two.filter((gate) => one.includes(gate));
    expect(shared.length).toBeGreaterThan(100);
    const first = PairPrg.of(new Uint8Array(32).fill(7), firstStep(new Uint8Array(16).fill(1))).next();
    const second = first.next();
    const drawn = new Set<string>();
    for (const prg of [first, second])
      for (const gate of shared)
        for (const purpose of ['mask1', 'mask2', 'pad', 'zero', 'cross'] as const)
          drawn.add(prg.takeMask(drawId(gate, purpose), gate, 'λ1').stream.nonce.join());
    expect(drawn.size).toBe(2 * 5 * shared.length);
    // Control: in one step a gate draws once.
    const again = () => second.takeMask(drawId(shared[0], 'mask1'), shared[0], 'λ1');
    await failure('ERR_PAD_REUSE', async () => again());
  });

  it('gives way to others when there is no room, and one that failed is not kept', async () => {
    const plan = planOf(MODEL.config, 'wide', 8);
    const [bytes] = [circuitBytes(circuitFor(MODEL.config, plan, REQUEST))];
    const circuits = new Circuits({ limit: 2.5 * bytes });
    const first = await circuits.get(MODEL.config, plan, REQUEST);
    for (const tokens of [5, 6, 7]) {
      await circuits.get(MODEL.config, plan, { ...REQUEST, tokens });
      expect(circuits.bytes).toBeLessThanOrEqual(2.5 * bytes);
    }
    expect(await circuits.get(MODEL.config, plan, REQUEST)).not.toBe(first);
    const held = circuits.bytes;
    await failure('ERR_INTERNAL', () => circuits.get(MODEL.config, plan, { ...REQUEST, tokens: 2000 }));
    expect(circuits.bytes).toBe(held);
  });

  it('serves two sessions at once, interleaved: every party of both runs the same object', async () => {
    const on = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
    const model = await servedModel(source, on);
    const alone = async () => {
      const { session } = await prepared({ model, on });
      return (await session.run(INPUT)).logits;
    };
    const want = await alone();
    const circuits = new Circuits();
    const sessions = await Promise.all([prepared({ model, on, circuits }), prepared({ model, on, circuits })]);
    const other = [{ inputIds: [2, 20, 7, 3], rows: [1] }];
    const [one, two] = await Promise.all([sessions[0].session.run(INPUT), sessions[1].session.run(other)]);
    // Keys, and with them every rounding, are those of the session alone: the answers are equal to the last bit.
    expect([...one.logits]).toEqual([...want]);
    expect([...two.logits]).not.toEqual([...want]);
    for (const { ends } of sessions) expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
    await on.close();
  });

  it('leaves the thread to others after every layer, and between parts of the hash', async () => {
    const model = config('bert-base');
    let turns = 0;
    let building = true;
    const count = () => {
      if (!building) return;
      turns++;
      setImmediate(count);
    };
    setImmediate(count);
    // A clock by which every layer takes its time.
    let ms = 0;
    const now = () => (ms += 10);
    await new Circuits({ now }).get(model, planOf(model, 'wide', 9), at({ ...SHAPE, sequences: 16, tokens: 128 }));
    building = false;
    expect(turns).toBeGreaterThanOrEqual(model.layers);
    // Control: without pauses nobody else has a turn.
    let pauses = 0;
    const pause = async () => {
      pauses++;
    };
    turns = 0;
    building = true;
    setImmediate(count);
    await new Circuits({ pause, now }).get(model, planOf(model, 'wide', 9), at(SHAPE));
    building = false;
    expect(turns).toBe(0);
    const { gates, sources } = circuitFor(model, planOf(model, 'wide', 9), at(SHAPE));
    const parts = Math.floor((gates.length + sources.length) / 2048);
    expect(parts).toBeGreaterThan(2);
    expect(pauses).toBeGreaterThanOrEqual(model.layers + 1 + parts);
    // Nor is there one where all of it takes no time.
    pauses = 0;
    await new Circuits({ pause, now: () => 0 }).get(model, planOf(model, 'wide', 9), at(SHAPE));
    expect(pauses).toBe(0);
  });

  it('takes as much memory for a batch of long texts as for a short one: no list grows with the shape', async () => {
    const model = config('bert-base');
    const plan = planOf(model, 'wide', 9);
    const arrays = (shape: RunShape) => {
      const before = process.memoryUsage().arrayBuffers;
      const circuit = circuitFor(model, plan, at(shape));
      return { circuit, bytes: process.memoryUsage().arrayBuffers - before };
    };
    const large = arrays({ ...SHAPE, sequences: 16, tokens: 128 });
    // Lists of the splits and masks alone were 981 MB; what is left are the tables of the functions.
    expect(large.bytes).toBeLessThan(16e6);
    expect(circuitBytes(large.circuit)).toBe(WIRE_BYTES * large.circuit.sources.length);
    // Wires of 12 layers: a power law has some hundred.
    expect(circuitBytes(large.circuit)).toBeLessThan(13e6);
    const small = circuitFor(model, plan, at({ ...SHAPE, sequences: 1, tokens: 16 }));
    expect(circuitBytes(large.circuit)).toBeLessThan(1.1 * circuitBytes(small));
  });
});
