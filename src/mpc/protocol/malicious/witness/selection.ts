/** What the verifiers of a sum of selections have (PROTOCOL §14.6, §16.1). Relations as in `relations.ts`. */
import { withBasis } from '../../../../compute/kernels/selection-shape.ts';
import { tableBytes } from '../../../../compute/kernels/table-layout.ts';
import type { Vector } from '../../../../compute/ring.ts';
import type { ChoiceOfW } from '../../../proof/relations.ts';
import { type Selection, type SummedGate, selectionMask1 } from '../../frame/dealing.ts';
import { type Halves, type Seen, drawId } from '../../frame/gate.ts';
import { prgOf } from '../../frame/party.ts';
import { type ResharingGate, outputMask } from '../../frame/reshare.ts';
import { raised } from '../../frame/rounding.ts';
import { factorsOf, indexOf, tableWords } from './public-function.ts';
import { sent, summed } from './read.ts';

type SelectingGate = SummedGate & ResharingGate;

export function selectionHalves(gate: SelectingGate, secret: boolean): readonly Halves[] {
  const { terms } = gate;
  return [
    ...terms.map((term, t) => tableHalves(gate, term, t)),
    ...terms.map((term, t) => answerHalves(gate, term, t)),
    ...(secret ? terms.map((term, t) => wordHalves(gate, term, t)) : []),
  ];
}

/** The pads of a term, at P0 and P1. */
const padsOf = (gate: SelectingGate, { party }: Seen, t: number) =>
  prgOf(party, 1).claim(drawId(gate, 'pad', t), gate, 'pads');

/** The table of a term: those of a sum come one after the other. */
async function tableOf({ terms }: SelectingGate, seen: Seen, t: number): Promise<Uint8Array> {
  const from = terms.slice(0, t).reduce((sum, term) => sum + tableBytes(term, term.count), 0);
  return (await seen.message(1, 2, '12')).subarray(from, from + tableBytes(terms[t], terms[t].count));
}

/** e = D(m − λ1) + w. */
function tableHalves(gate: SelectingGate, term: Selection, t: number): Halves {
  return {
    v: async (seen) => ({
      kind: 'table',
      // P1's claims are about its functions. It does without its table.
      entries: { kind: 'packed', bytes: seen.party.id === 1 ? new Uint8Array() : await tableOf(gate, seen, t) },
      index: await indexOf(term, seen.party, 'm'),
      ...(await factorsOf(term, seen.party, 'm')),
    }),
    w: async (seen) => ({
      kind: 'table',
      entries: { kind: 'pads', stream: padsOf(gate, seen, t) },
      index: await indexOf(term, seen.party, 'l1'),
      ...(await factorsOf(term, seen.party, 'l1')),
    }),
    words: (kernels, table, f, indices) => tableWords(term, kernels, table.functions[f], f, indices),
  };
}

/** What P2 chooses, at P2 and P0, with the words that are added once for a sum. */
async function chosen(
  term: Selection,
  { party }: Seen,
  linear: (() => Promise<Vector>) | undefined,
): Promise<ChoiceOfW> {
  const { kernels } = party;
  const { index, basis } = await withBasis(kernels, await term.choice(party), term.k);
  return {
    kind: 'choice',
    choice: await kernels.read(index),
    basis: basis === undefined ? undefined : await kernels.read(basis),
    linear: linear === undefined ? undefined : async () => kernels.read(await linear()),
  };
}

/** −m' + Σ e·φ + 2^d·B + λ2' + what P2 adds of its own mask. */
function answerHalves(gate: SelectingGate, term: Selection, t: number): Halves {
  const { k, count } = gate.out;
  return {
    v: async (seen) => ({
      kind: 'choice',
      entries: { kind: 'packed', bytes: await tableOf(gate, seen, t) },
      linear: t > 0 ? undefined : async () => summed(seen.party.kernels, [], [await seen.party.value(gate.out, 'm')]),
    }),
    w: async (seen) => {
      if (t > 0) return chosen(term, seen, undefined);
      const { party } = seen;
      return chosen(term, seen, async () => {
        const word = await raised(party.kernels, await sent(seen, 0, 2, 'deal', k - gate.drop, count), gate.drop, k);
        const own: Vector[] = [];
        // P0 knows λ2 as well.
        for (const one of gate.terms) if (one.own !== undefined) own.push(await one.own(party));
        return summed(party.kernels, [word, await outputMask(gate, party, 'l2'), ...own]);
      });
    },
  };
}

/** Σ w·φ + B + r0, with r0 = −λ1' of the result: P0's words are whole where it is a prover. */
function wordHalves(gate: SelectingGate, term: Selection, t: number): Halves {
  const { k, count } = gate.out;
  return {
    v: async (seen) => ({
      kind: 'choice',
      entries: { kind: 'pads', stream: padsOf(gate, seen, t) },
      linear: t > 0 ? undefined : async () => summed(seen.party.kernels, [], [await selectionMask1(gate, seen.party)]),
    }),
    w: async (seen) => chosen(term, seen, t > 0 ? undefined : () => sent(seen, 0, 2, 'deal', k, count)),
  };
}
