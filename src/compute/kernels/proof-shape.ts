/** What operands of the proofs' kernels must be, in every fast backend. */
import { invariant } from '../../core/errors.ts';
import { type Words, lengthOf } from '../ring.ts';
import { type TableLayout, tableBytes } from './table-layout.ts';

export function checkBytes(bytes: Uint8Array, layout: TableLayout, elements: number): void {
  invariant(bytes.length >= tableBytes(layout, elements), 'tables of that many elements expected');
}

/** SECURITY: an entry behind the last would be read out of another element. */
export function checkChoice(choice: Words | undefined, { n }: TableLayout, elements: number): void {
  if (choice === undefined) return;
  invariant(lengthOf(choice) === elements, 'a choice for every element');
  for (let i = 0; i < elements; i++) invariant(Number(choice.data[i]) < n, 'a choice behind the last entry');
}
