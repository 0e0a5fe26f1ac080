/**
 * P0 keeps no halves of what it proves with secret weights: it reads those of a segment when its turn comes (PROTOCOL
 * §16.4). What it reads follows from keys, so it draws nothing that it had not drawn, and a false word that it dealt
 * stays one.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { DrawId } from '../../src/mpc/prg/gate-id.ts';
import { PairPrg, type Use } from '../../src/mpc/prg/prg.ts';
import type { Halves, Seen } from '../../src/mpc/protocol/frame/gate.ts';
import { planProofs } from '../../src/mpc/protocol/malicious/proving/plan.ts';
import { INPUTS_OF_ALL, PARAMETERS_OF_ALL, everyGate } from '../support/all-gates.ts';
import { parameterView } from '../support/parameters.ts';
import { completeCircuit, runProved } from '../support/proved.ts';
import { type Cell, QUICK, smallCircuit, tampered } from '../support/tamper.ts';

afterEach(() => void vi.restoreAllMocks());

/** Every relation has a segment to itself. */
const MANY = 100;

describe('what P0 reads later', () => {
  it.each([undefined, 0])('is drawn from where it was drawn before, masks at hand: %s', async (aheadBytes) => {
    const circuit = completeCircuit((g) => everyGate(g), 'secret');
    const mine: PairPrg[] = [];
    const made = PairPrg.of.bind(PairPrg);
    vi.spyOn(PairPrg, 'of').mockImplementation((...given) => {
      const prg = made(...given);
      // P0's are made first, for P1 and for P2.
      if (mine.length < 2) mine.push(prg);
      return prg;
    });
    let reads = false;
    const [before, again] = [new Set<string>(), new Set<string>()];
    const { claim, takeMask } = PairPrg.prototype;
    type Asked = readonly [id: Omit<DrawId, 'step' | 'branch'>, owner: object, use: Use];
    const drawn = (prg: PairPrg, [id, , use]: Asked) => {
      const side = mine.indexOf(prg);
      if (side >= 0) (reads ? again : before).add(`${side} ${JSON.stringify(id)} ${use}`);
    };
    vi.spyOn(PairPrg.prototype, 'claim').mockImplementation(function (this: PairPrg, ...asked) {
      drawn(this, asked);
      return claim.call(this, ...asked);
    });
    const masks: boolean[] = [];
    vi.spyOn(PairPrg.prototype, 'takeMask').mockImplementation(function (this: PairPrg, ...asked) {
      drawn(this, asked);
      if (mine.includes(this)) masks.push(reads);
      return takeMask.call(this, ...asked);
    });
    const read: boolean[] = [];
    for (const gate of circuit.gates) {
      const provers = (gate.relations ?? []).flatMap(({ prover, shapes }) => shapes.map(() => prover));
      const halves = gate.halves?.map((own, i): Halves => {
        const noted = (seen: Seen) => {
          if (provers[i] === 0 && seen.party.id === 0) read.push(reads);
          return own.v(seen);
        };
        return { ...own, v: noted };
      });
      if (halves !== undefined) Object.assign(gate, { halves });
    }
    const ended = await runProved(circuit, INPUTS_OF_ALL, {
      ...{ weights: 'secret', proofParameters: QUICK, segmentBytes: 2000, timeoutMs: 60_000, aheadBytes },
      parameters: (id, kernels) => parameterView('secret', id, kernels, PARAMETERS_OF_ALL),
      tap: (from, _to, tag) => {
        // Its statements of S1 and S2 go behind all that it deals, and before it reads.
        reads ||= from === 0 && tag.startsWith('proof-statement/2');
        return undefined;
      },
    });
    for (const { error } of ended) if (error !== undefined) throw error;
    expect(masks.length).toBeGreaterThan(10);
    expect(masks).not.toContain(true);
    expect(again.size).toBeGreaterThan(10);
    expect([...again].filter((drawn) => !before.has(drawn))).toEqual([]);
    // Each half once, and none while it dealt.
    const relations = circuit.gates.flatMap((gate) => gate.relations ?? []);
    const own = relations.flatMap(({ prover, shapes }) => (prover === 0 ? shapes : []));
    expect(read).toEqual(own.map(() => true));
  });
});

describe('a P0 that dealt a false word, with a segment for every relation', () => {
  it('has several', () => {
    const segments = planProofs(completeCircuit(smallCircuit, 'secret'), undefined, MANY);
    expect(segments.filter(({ proof }) => proof === 0).length).toBeGreaterThan(3);
  });

  it('control: what nobody changed opens', async () => {
    const { ended } = await tampered(undefined, 'secret', true, false, MANY);
    for (const { error } of ended) if (error !== undefined) throw error;
    expect(ended[0].outputs?.size).toBe(2);
  });

  it.each(['lookup-deal', 'affine-deal', 'product-deal', 'select-deal', 'widen-deal'])(
    'is caught, though its claims fit: %s',
    async (message) => {
      const cell: Cell = { weights: 'secret', cheater: 0, to: 2, message, change: 'flip' };
      const { ended, changes } = await tampered(cell, 'secret', true, false, MANY);
      expect(changes).toBe(1);
      for (const { error, outputs, wiped } of ended.slice(1)) {
        expect(error).toMatchObject({ code: 'ERR_SECURITY_VIOLATION', phase: 'proof' });
        expect(outputs).toBeUndefined();
        expect(wiped).toBe(true);
      }
      expect(ended[0].outputs).toBeUndefined();
    },
  );
});
