/** What follows from a circuit alone, from the numbers of its wires, held against its nodes. */
import { describe, expect, it } from 'vitest';
import { type Circuit, isGate } from '../../src/mpc/protocol/frame/circuit.ts';
import { ALL_BITS } from '../../src/mpc/protocol/frame/flow.ts';
import { type Gate, lastHalf } from '../../src/mpc/protocol/frame/gate.ts';
import { byHalf, releasePlan } from '../../src/mpc/protocol/frame/schedule.ts';
import type { Wire } from '../../src/mpc/share/wire.ts';
import { circuitFor } from '../../src/session/circuit-for.ts';
import { Circuits } from '../../src/session/circuits.ts';
import type { Request } from '../../src/session/request.ts';
import { ARCHITECTURES, planOf } from '../support/architectures.ts';

const [, GPT2] = ARCHITECTURES.find(([name]) => name === 'gpt2') ?? ARCHITECTURES[0];
const MODEL = { ...GPT2, layers: 2 };
const PLAN = planOf(MODEL, 'wide', 8);
const request = (weights: 'open' | 'secret'): Request => ({
  ...{ protocol: '3pc_semi_honest', weights, sequences: 1, tokens: 20, rows: 0 },
  ...{ padded: false, pair: false, steps: 4 },
});

/** Operands live as long as what is derived from them. */
function derives(source: Circuit['sources'][number]): boolean {
  if (!isGate(source) || source.relation === 'lift') return true;
  const sends = source.half12 !== undefined || source.half21 !== undefined;
  if (source.relation === 'reshare') return !sends || source.inputs.length > 1;
  return !sends && source.relation === 'affine';
}

function lastUses({ sources, gates, kept }: Circuit, position: (gate: Gate) => number): number[] {
  const last = sources.map(() => -1);
  const need = (wires: readonly Wire[], at: number) => {
    for (const { id } of wires) last[id] = Math.max(last[id], at);
  };
  for (const gate of gates) need(gate.out === undefined ? gate.inputs : [...gate.inputs, gate.out], position(gate));
  need([...kept.values()], Number.POSITIVE_INFINITY);
  for (const [id, source] of [...sources.entries()].reverse()) if (derives(source)) need(source.inputs, last[id]);
  return last;
}

async function circuits(weights: 'open' | 'secret'): Promise<readonly Circuit[]> {
  const shared = new Circuits();
  const second = async (step: number) => (await shared.get(MODEL, PLAN, request(weights), step)).circuit;
  return [circuitFor(MODEL, PLAN, request(weights)), await second(1), await second(2)];
}

describe.each(['open', 'secret'] as const)('of a circuit with %s weights', (weights) => {
  it('the numbers of its wires are those of its nodes, whatever it has of the circuit before', async () => {
    for (const { sources, wires, flow } of await circuits(weights)) {
      expect([...flow.rings]).toEqual(wires.map(({ k }) => k));
      expect([...flow.counts]).toEqual(sources.map(({ inputs }) => inputs.length));
      expect([...flow.operands]).toEqual(sources.flatMap(({ inputs }) => inputs.map(({ id }) => id)));
      expect([...flow.derived]).toEqual(sources.map((source) => Number(derives(source))));
      expect([...flow.linear]).toEqual(sources.map((source) => Number('atOnce' in source)));
      expect([...flow.moreBits]).toEqual(
        sources.map((source) => (isGate(source) ? ALL_BITS : 0 + (source.moreBits ?? ALL_BITS))),
      );
    }
  });

  it.each([
    ['the number of a gate', (gate: Gate) => gate.number],
    ['its last half-round', lastHalf],
  ] as const)('wires are let go of behind their last use, by %s', async (_name, position) => {
    for (const circuit of await circuits(weights)) {
      const plan = releasePlan(circuit, position);
      const last = lastUses(circuit, position);
      const most = Math.max(...circuit.gates.map(position));
      let released = 0;
      for (let at = 0; at <= most + 2; at++) {
        const wires = [...plan.at(at)];
        expect(wires).toEqual(last.flatMap((use, id) => (use === at ? [id] : [])));
        released += wires.length;
      }
      expect(released).toBeGreaterThan(circuit.sources.length / 2);
    }
  });

  it('every half-round has the gates with a message in it, and those that are over with it', async () => {
    for (const { gates, cost } of await circuits(weights)) {
      const halves = 2 * cost.rounds;
      const due = byHalf(gates, halves);
      for (let half = 0; half < halves; half++)
        expect(due[half]).toEqual(
          gates.filter((gate) => [gate.half12, gate.half21, lastHalf(gate)].some((its) => its === half)),
        );
    }
  });
});
