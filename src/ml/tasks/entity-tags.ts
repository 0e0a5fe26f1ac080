/** Labels of a tagger (`B-PER`, `I-PER`, `O`, `PER`) → the class, and where an entity begins and ends. */

export interface EntityTag {
  /** `PER`, or `O` for no entity. */
  readonly type: string;
  /** Always starts an entity of its own. */
  readonly begins: boolean;
  /** Nothing is joined to it. */
  readonly ends: boolean;
}

const BEGINS: readonly string[] = ['B', 'S', 'U'];
const ENDS: readonly string[] = ['E', 'L', 'S', 'U'];

/**
 * Reads BIO, BIOES, BILOU and labels without a scheme (IO: neighbours of one class are one entity). An entity may
 * start with I-.
 *
 * E-, L-, S- and U- are parts of a scheme only for a class that has B- or I- as well: else they may be part of a name.
 */
export function tagsOf(labels: readonly string[]): EntityTag[] {
  const types = new Set(labels.flatMap((label) => /^[BI]-(.+)$/su.exec(label)?.[1] ?? []));
  return labels.map((label) => {
    const [, position, type] = /^([BIELSU])-(.+)$/su.exec(label) ?? [];
    if (position === undefined || !types.has(type)) return { type: label, begins: false, ends: false };
    return { type, begins: BEGINS.includes(position), ends: ENDS.includes(position) };
  });
}
