/**
 * Which words a gather takes, as a pattern instead of a list: a few numbers, however many words there are. A
 * circuit keeps patterns; the kernels that run one write its list when they need it and share it among the layers
 * and sessions that gather alike (`Lists`).
 */
import { Lru } from '../core/lru.ts';
import { invariant } from '../core/errors.ts';

/** `count` steps of `stride` words. */
interface Axis {
  readonly count: number;
  /** Not negative; 0 repeats. */
  readonly stride: number;
}

/** Nested loops, the last axis fastest: offset + Σ i·stride. Head splits and merges, rows, columns, repetitions. */
export interface Strided {
  readonly kind: 'strided';
  readonly offset: number;
  readonly axes: readonly Axis[];
}

/**
 * Lower triangles of `squares` matrices of `size` × `size` words, one after the other, row by row. `pack`: the
 * words on and below the diagonal. `spread`: where each of them stands packed, and above the diagonal the word
 * behind all packed ones. `clamp`: the whole matrix, with the first word of the row above the diagonal.
 */
export interface Triangle {
  readonly kind: 'triangle';
  readonly form: 'pack' | 'spread' | 'clamp';
  readonly squares: number;
  readonly size: number;
}

export type Pattern = Strided | Triangle;

export function strided(offset: number, ...axes: readonly (readonly [count: number, stride: number])[]): Strided {
  return { kind: 'strided', offset, axes: axes.map(([count, stride]) => ({ count, stride })) };
}

export function triangle(form: Triangle['form'], squares: number, size: number): Triangle {
  return { kind: 'triangle', form, squares, size };
}

/** Words on and below the diagonals. */
function packed({ squares, size }: Triangle): number {
  return (squares * size * (size + 1)) / 2;
}

/** How many words a pattern takes. */
export function patternCount(pattern: Pattern): number {
  if (pattern.kind === 'strided') return pattern.axes.reduce((product, { count }) => product * count, 1);
  return pattern.form === 'pack' ? packed(pattern) : pattern.squares * pattern.size ** 2;
}

/** One more than the last place that a pattern reads: the words that its source must have. */
export function patternReach(pattern: Pattern): number {
  if (patternCount(pattern) === 0) return 0;
  if (pattern.kind === 'strided')
    return pattern.axes.reduce((last, { count, stride }) => last + (count - 1) * stride, pattern.offset) + 1;
  const { form, squares, size } = pattern;
  // A matrix of one word has nothing above its diagonal.
  if (form === 'spread') return packed(pattern) + (size > 1 ? 1 : 0);
  return squares * size ** 2;
}

/** The places of a pattern, in order. */
export function listOf(pattern: Pattern): Uint32Array {
  invariant(patternReach(pattern) <= 2 ** 32, 'a gather reaches beyond 32-bit places');
  const list = new Uint32Array(patternCount(pattern));
  if (pattern.kind === 'strided') writeStrided(pattern, list);
  else writeTriangle(pattern, list);
  return list;
}

function writeStrided({ offset, axes }: Strided, list: Uint32Array): void {
  let at = 0;
  const write = (from: number, depth: number): void => {
    if (depth === axes.length) {
      list[at++] = from;
      return;
    }
    const { count, stride } = axes[depth];
    if (depth < axes.length - 1) for (let i = 0; i < count; i++) write(from + i * stride, depth + 1);
    else for (let i = 0; i < count; i++) list[at++] = from + i * stride;
  };
  write(offset, 0);
}

function writeTriangle(pattern: Triangle, list: Uint32Array): void {
  const { form, squares, size } = pattern;
  const behind = packed(pattern);
  let at = 0;
  let inside = 0;
  for (let row = 0; row < squares * size; row++) {
    const first = row * size;
    const diagonal = row % size;
    for (let c = 0; c <= diagonal; c++) list[at++] = form === 'spread' ? inside++ : first + c;
    if (form === 'pack') continue;
    for (let c = diagonal + 1; c < size; c++) list[at++] = form === 'spread' ? behind : first;
  }
}

/** Bytes of lists that one set of kernels keeps. */
const KEPT_BYTES = 1 << 25;

/**
 * Lists of patterns, written when they are asked for and kept while there is room, so that the layers and the
 * sessions of one device share them.
 */
export class Lists {
  readonly #kept = new Lru<Uint32Array>(KEPT_BYTES);

  /** The list of a pattern, not to be written to. A list is its own. */
  of(places: Pattern | Uint32Array): Uint32Array {
    if (places instanceof Uint32Array) return places;
    const key = patternText(places);
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const list = listOf(places);
    this.#kept.set(key, list, list.byteLength);
    return list;
  }
}

/** A text that is the same for equal patterns and no others. */
export function patternText(pattern: Pattern): string {
  if (pattern.kind === 'triangle') return `${pattern.form} ${pattern.squares} ${pattern.size}`;
  return `${pattern.offset} ${pattern.axes.map(({ count, stride }) => `${count}*${stride}`).join(' ')}`;
}
