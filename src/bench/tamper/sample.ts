/**
 * Which cells of a world are run where not all of them are. The rule has no chance in it and looks at nothing but the
 * world's own cells, so that a cell is in a sample whatever else is run:
 *
 *   every k   the first cell, and each k-th behind it
 *   cover     parties: of every party a cell in which the content of a message is another
 *             kinds: of every kind of message a cell in which its content is another
 *             classes: of every kind of message a cell of each class of changes that it has
 *
 * With both, cover adds only what no cell of every covers. Of several cells that would do, the kind of message with
 * number i takes number i, modulo their count: changes take turns.
 */
import type { Cell } from './cells.ts';
import { isContent } from './changes.ts';

/**
 * content   its words are others
 * earlier   an earlier message comes in its place
 * form      another length, twice, or behind the next one
 * withheld  it never comes, or its sender leaves
 */
type ChangeClass = 'content' | 'earlier' | 'form' | 'withheld';

export function classOf({ change }: Pick<Cell, 'change'>): ChangeClass {
  if (change === 'repeat' || change === 'replay') return 'earlier';
  if (change === 'leave' || change === 'drop') return 'withheld';
  return isContent(change) || change === 'lift' ? 'content' : 'form';
}

/** Who sends what to whom: a kind of message, whatever stage of a proof it is of. */
export function kindOf({ cheater, to, message }: Pick<Cell, 'cheater' | 'to' | 'message'>): string {
  return `P${cheater}-P${to}/${message.replace(/^(proof-\w+\/\d)\..*$/, '$1')}`;
}

type Cover = 'parties' | 'kinds' | 'classes';

export interface Sampling {
  /** One cell of so many; 1 where neither is said. */
  readonly every?: number | undefined;
  readonly cover?: Cover | undefined;
}

/** What a cell stands for; undefined: nothing that is to be covered. */
function groupOf(cover: Cover, cell: Cell): string | undefined {
  const of = classOf(cell);
  if (cover === 'classes') return `${kindOf(cell)} ${of}`;
  if (of !== 'content') return undefined;
  return cover === 'kinds' ? kindOf(cell) : `P${cell.cheater}`;
}

/** The cells of one world that are run, in their order. */
export function sampled(cells: readonly Cell[], { every, cover }: Sampling): readonly Cell[] {
  const step = every ?? (cover === undefined ? 1 : undefined);
  const picked = new Set(cells.filter((_, i) => step !== undefined && i % step === 0));
  if (cover === undefined) return [...picked];
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    const group = groupOf(cover, cell);
    if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), cell]);
  }
  const kinds = [...new Set(cells.map(kindOf))];
  for (const fit of groups.values())
    if (!fit.some((cell) => picked.has(cell))) picked.add(fit[kinds.indexOf(kindOf(fit[0])) % fit.length]);
  return cells.filter((cell) => picked.has(cell));
}
