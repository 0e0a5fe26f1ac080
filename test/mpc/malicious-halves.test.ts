/**
 * What prover and verifiers have of every message, gate by gate: in an honest run the relations hold over the integers,
 * prover and verifiers have the same words, and a changed word shows in the relation of its message.
 */
import { describe, expect, it } from 'vitest';
import type { PartyId } from '../../src/net/wire/types.ts';
import type { HalfOfV, HalfOfW } from '../../src/mpc/proof/relations.ts';
import { type Seen, tagOf } from '../../src/mpc/protocol/frame/gate.ts';
import { loadedHalf } from '../../src/bench/tamper/repair.ts';
import type { Observer } from '../../src/mpc/protocol/frame/engine.ts';
import { type Planned, VERIFIERS, planProofs } from '../../src/mpc/protocol/malicious/proving/plan.ts';
import type { Transcript } from '../../src/mpc/protocol/malicious/proving/transcript.ts';
import { INPUTS_OF_ALL, PARAMETERS_OF_ALL, everyGate } from '../support/all-gates.ts';
import { parameterView } from '../support/parameters.ts';
import { completeCircuit, wasm } from '../support/proved.ts';
import { type Tap, createParties, settle } from '../support/simulate.ts';
import { type Statement, factorsOf, untrue } from '../support/statements.ts';

interface Had {
  v?: HalfOfV;
  w?: HalfOfW;
  ofProver?: { v: HalfOfV; w: HalfOfW };
}

const CIRCUITS = {
  open: completeCircuit((g) => everyGate(g, true), 'open'),
  secret: completeCircuit((g) => everyGate(g, true), 'secret'),
};

/** All relations of a run with what each party has of them, however the run ended. */
async function had(weights: 'open' | 'secret', tap?: Tap) {
  const circuit = CIRCUITS[weights];
  const planned = planProofs(circuit, async () => wasm, 2 ** 30).flatMap(({ proof, relations }) =>
    relations.map((relation) => ({ ...relation, proof, had: {} as Had })),
  );
  const observer = (id: PartyId, transcript: Transcript): Observer => {
    const look: Observer['gate'] = async (party, gate) => {
      const seen: Seen = {
        party,
        message: async (from, to, phase) => {
          if (from === id) await party.link(to).flush();
          return transcript.message(from, to, tagOf(gate, phase));
        },
      };
      for (const { gate: owner, shape, halves, proof, had: into } of planned) {
        if (owner !== gate) continue;
        const v = async () => loadedHalf(shape, await halves.v(seen), wasm);
        const w = async () => loadedHalf(shape, await halves.w(seen), wasm);
        if (id === proof) into.ofProver = { v: await v(), w: await w() };
        else if (id === VERIFIERS[proof][0]) into.v = await v();
        else into.w = await w();
      }
    };
    return {
      gate: look,
      dealt: (party, gate, release) => look(party, gate).then(release),
      half: async () => undefined,
    };
  };
  const parties = createParties((g) => everyGate(g, true), {
    ...{ sharing: 'complete', weights, seed: 4, kernels: () => wasm, timeoutMs: 5000 },
    ...(tap === undefined ? {} : { tap }),
    parameters: (id, kernels) => parameterView(weights, id, kernels, PARAMETERS_OF_ALL),
    alter: () => circuit,
    observed: observer,
  });
  const ended = await settle(parties, INPUTS_OF_ALL);
  return { planned, ended };
}

type Recorded = Planned & { readonly proof: PartyId; readonly had: Had };

const statementsOf = (planned: readonly Recorded[], proof: PartyId): Statement[] =>
  planned
    .filter((one) => one.proof === proof)
    .map(({ shape, had: { v, w } }) => ({ shape, v: v as HalfOfV, w: w as HalfOfW }));

const wrong = async (planned: readonly Recorded[]) => ({
  0: await untrue(statementsOf(planned, 0)),
  1: await untrue(statementsOf(planned, 1)),
  2: await untrue(statementsOf(planned, 2)),
});

/** A half whose factors are here, wherever they were held. */
const inMemory = async (half: HalfOfV | HalfOfW | undefined) =>
  half?.kind === 'matrix' ? { ...half, factors: await factorsOf(half) } : half;

describe.each(['open', 'secret'] as const)('%s weights', (weights) => {
  it('every relation holds, and prover and verifiers have the same words', async () => {
    const { planned, ended } = await had(weights);
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
    expect(await wrong(planned)).toEqual({ 0: [], 1: [], 2: [] });
    for (const {
      shape,
      had: { v, w, ofProver },
    } of planned) {
      expect(await inMemory(ofProver?.w), shape.message).toEqual(await inMemory(w));
      // P1 does without its tables.
      if (shape.kind === 'table') expect({ ...ofProver?.v, entries: 0 }).toEqual({ ...v, entries: 0 });
      else expect(await inMemory(ofProver?.v), shape.message).toEqual(await inMemory(v));
    }
    expect(planned.some(({ proof }) => proof === 0)).toBe(weights === 'secret');
  });

  const TAMPERED: readonly (readonly [PartyId, PartyId, string, string])[] = [
    [2, 1, 'lookup-21', 'lookup.q'],
    [1, 2, 'lookup-12', 'lookup.m'],
    ...(weights === 'open'
      ? ([[2, 1, 'affine-ahead', 'affine.q']] as const)
      : ([
          [2, 1, 'affine-21', 'affine.q'],
          [0, 2, 'affine-deal', 'affine.gamma'],
          [0, 2, 'product-deal', 'product.gamma'],
          [0, 2, 'select-deal', 'select.word'],
          [0, 2, 'widen-deal', 'widen.word'],
          [0, 2, 'lookup-deal', 'lookup.unit'],
        ] as const)),
    [1, 2, 'affine-12', 'affine.m'],
    [2, 1, 'product-21', 'product.q'],
    [1, 2, 'product-12', 'product.m'],
    [1, 2, 'select-12', 'select.table'],
    [2, 1, 'select-21', 'select.m'],
    [1, 2, 'widen-12', 'widen.table'],
    [2, 1, 'widen-21', 'widen.m'],
  ];

  it.each(TAMPERED)('P%i to P%i, %s: one bit more and %s is false', async (from, to, tag, message) => {
    let done = 0;
    const { planned } = await had(weights, (sender, receiver, name, bytes) => {
      if (sender !== from || receiver !== to || !name.startsWith(`${tag}/`) || done++ > 0) return undefined;
      // Not in the first byte: a key of a point function begins with its seed.
      const changed = bytes.slice();
      changed[tag === 'lookup-deal' ? changed.length - 1 : 0] ^= 1;
      return changed;
    });
    expect(done).toBeGreaterThan(0);
    const found = await wrong(planned);
    expect(found[from]).toContain(message);
  });
});
