/** The relations of complete sharing's messages (PROTOCOL §14.9), by the shapes of the proof engine. */
import { sha256 } from '@noble/hashes/sha2.js';
import { tableLayout } from '../../../compute/kernels/table-layout.ts';
import { toHex } from '../../../core/bytes.ts';
import type { PartyId } from '../../../net/wire/types.ts';
import type { ChoiceShape, MatrixTerm } from '../../proof/relations.ts';
import type { Wire } from '../../share/wire.ts';
import type { Selection } from '../frame/dealing.ts';
import type { Proved, TableRelation } from '../frame/gate.ts';
import { traitText } from '../frame/traits.ts';

/** Σ ±L·R + a + b ≡ 0 in the rows and columns of a result; `batch` of them where it is batched. */
export function matrixRelation(
  prover: PartyId,
  message: string,
  out: Pick<Wire, 'shape' | 'k' | 'count'>,
  terms: readonly MatrixTerm[],
): Proved {
  const columns = out.shape[out.shape.length - 1];
  return { prover, shapes: [{ kind: 'matrix', message, k: out.k, rows: out.count / columns, columns, terms }] };
}

/** Σ of `words` elementwise products. */
export function elementwise(prover: PartyId, message: string, { k, count }: Wire, words: number): Proved {
  return { prover, shapes: [{ kind: 'choice', message, elements: count, layout: tableLayout(1, k, words) }] };
}

/** The messages of a selection: P1's tables one by one, P0's word and P2's answer for the sum. */
export function selectionRelations(gate: string, terms: readonly Selection[], secret: boolean): readonly Proved[] {
  const choices = (message: string): readonly ChoiceShape[] =>
    terms.map(({ n, k, widths, count }, t) => {
      const shape: ChoiceShape = { kind: 'choice', message, elements: count, layout: { n, k, widths } };
      return t === 0 ? shape : { ...shape, joined: true };
    });
  return [
    ...terms.map((term): Proved => ({ prover: 1, shapes: [tableRelation(`${gate}.table`, term)] })),
    { prover: 2, shapes: choices(`${gate}.m`) },
    ...(secret ? [{ prover: 0 as const, shapes: choices(`${gate}.word`) }] : []),
  ];
}

function tableRelation(message: string, selection: Selection): TableRelation {
  const { n, k, widths, count, index, traits, functions = [0] } = selection;
  const id = toHex(sha256(new TextEncoder().encode(traitText([n, k, widths, { ...index }, ...traits]))));
  return {
    kind: 'table',
    message,
    elements: count,
    table: { id, group: index, layout: { n, k, widths }, functions: Math.max(...functions) + 1 },
    terms: functions,
    factorBits: selection.functions === undefined ? 0 : k,
  };
}
