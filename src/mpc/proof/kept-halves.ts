/** Halves of relations in the memory of provers: every vector that is long, once for each half. */
import type { Words } from '../../compute/ring.ts';
import { letGo } from '../../core/let-go.ts';
import type { ProverMemory } from './prover-memory.ts';
import type { Entries, Factor, HalfOfV, HalfOfW, Operand } from './relations.ts';

type Lanes = Uint8Array | Int32Array | Words['data'];
type Each = <View extends Lanes>(view: View) => View;

/**
 * The same half, whose vectors are held by this memory.
 * @param before an earlier form of it that is held already: what this one does without is let go
 */
export function keepHalf<Half extends HalfOfV | HalfOfW>(half: Half, memory: ProverMemory, before?: Half): Half {
  if (half === before) return half;
  const known = new Map<Lanes, Lanes>();
  if (before !== undefined) for (const view of viewsOf(before)) known.set(view, view);
  const used = new Set<Lanes>();
  const kept = mapped(half, (view) => {
    // Terms of a table share factors.
    const own = known.get(view) ?? memory.keep(view);
    known.set(view, own);
    used.add(own);
    return own as typeof view;
  });
  if (before !== undefined) for (const view of viewsOf(before)) if (!used.has(view)) memory.free(view);
  return kept;
}

/** Lets go of what was made for a half alone, once it was worked in or copied. */
export function letGoOfFresh(half: HalfOfV | HalfOfW): void {
  if ('fresh' in half) for (const { data } of half.fresh ?? []) letGo(data);
}

/** Lets go of all vectors of a half that is held. */
export function freeHalf(half: HalfOfV | HalfOfW, memory: ProverMemory): void {
  for (const view of viewsOf(half)) memory.free(view);
}

/** Each once. */
function viewsOf(half: HalfOfV | HalfOfW): ReadonlySet<Lanes> {
  const views = new Set<Lanes>();
  mapped(half, (view) => {
    views.add(view);
    return view;
  });
  return views;
}

/** A half of other vectors. What is fetched where it is used stays so. */
function mapped<Half extends HalfOfV | HalfOfW>(half: Half, each: Each): Half {
  const words = ({ k, data }: Words): Words => ({ k, data: each(data) });
  const operand = <T extends Operand | undefined>(x: T): T =>
    (x === undefined || typeof x === 'function' ? x : words(x)) as T;
  const factor = (x: Factor): Factor => {
    if (typeof x === 'function') return x;
    if ('compressed' in x) return { compressed: words(x.compressed) };
    return 'signed' in x ? { k: x.k, signed: each(x.signed) } : words(x);
  };
  const entries = (x: Entries): Entries => {
    if (x.kind === 'pads') return x;
    return x.kind === 'packed' ? { ...x, bytes: each(x.bytes) } : { ...x, columns: x.columns.map(operand) };
  };
  if (half.kind === 'matrix') return { ...half, factors: half.factors.map(factor) };
  if (half.kind === 'table')
    return {
      ...half,
      ...{ entries: entries(half.entries), index: operand(half.index), factors: half.factors.map(operand) },
      fresh: undefined,
    };
  if ('entries' in half) return { ...half, entries: entries(half.entries) };
  return { ...half, choice: operand(half.choice), basis: operand(half.basis), fresh: undefined };
}
