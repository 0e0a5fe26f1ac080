/**
 * `tercet bench --suite tamper`: every party changes every kind of message, in every way, and the others must stop. One
 * row a cell; the sessions that nobody changes, and the same changes where nothing is proved, are rows too.
 */
import { WebGpuProofKernels } from '../../compute/kernels/webgpu/proof-engine.ts';
import { abortedError } from '../../core/abort.ts';
import { appendLine, readLines } from '../lines.ts';
import type { SuiteContext } from '../rows.ts';
import { type TamperRow, control, tampered } from './cell.ts';
import { type Cell, WORLDS, cellsOf, isOf } from './cells.ts';
import { isContent, waits } from './changes.ts';
import { type Sampling, sampled } from './sample.ts';
import { type Engines, type GraphicsDevice, type Protocol, World, deviceEngines, engines, isProved } from './world.ts';

export interface TamperOptions extends Sampling {
  /** Only cells whose name has it: `secret/generation/P1-P2/select-12/bit`, or `3pc_semi_honest/…` of a control. */
  readonly filter?: string | undefined;
  /** What parties compute and prove on (default: WebAssembly). */
  readonly device?: 'wasm' | GraphicsDevice | undefined;
  /** A file of rows, a JSON object a line: rows that it has are not made again, new ones are appended. */
  readonly rows?: string | undefined;
}

export interface TamperSummary {
  readonly caught: number;
  readonly survived: number;
  /** Changes that changed nothing, or nothing that anybody reads. */
  readonly same: number;
  /** Of the same changes without proofs. */
  readonly unnoticed: number;
  readonly controls: number;
}

/** Drops end by a time-out: so many wait at a time. */
const AT_ONCE = 4;

/**
 * Words of a map with weights: ahead, or in the rounds where its masks follow from the input. The circuit of gates has
 * both, a model may have one of them.
 */
const EITHER = /^affine-(ahead|deal|21|02)$/;

type Named = Pick<TamperRow, 'protocol' | 'device' | 'family' | 'weights' | 'cheater' | 'to' | 'message' | 'change'>;

/** The name of a row: what `--filter` looks at. */
export function nameOf({ protocol, device, family, weights, cheater, to, message, change }: Named): string {
  const where = [protocol === '3pc_malicious' ? [] : protocol, device ?? []].flat();
  return [...where, weights, family, `P${cheater}-P${to}`, message, change].join('/');
}

/** The same messages, or those of the faster protocol, where nothing is proved. */
const UNPROVED = { '3pc_malicious': '3pc_semi_honest', aby3: 'unproved' } as const satisfies Partial<
  Record<Protocol, Protocol>
>;

/** @throws {TercetError} ERR_ABORTED */
export async function benchTamper(
  { filter = '', device: named, rows: file, ...sampling }: TamperOptions,
  context: Pick<SuiteContext, 'signal' | 'note' | 'row'>,
): Promise<TamperSummary> {
  const known = readRows(file);
  const made: TamperRow[] = [];
  const keep = (row: TamperRow) => {
    // What went wrong is made again.
    if (file !== undefined && !known.has(nameOf(row)) && row.outcome !== 'absent' && row.outcome !== 'survived')
      appendLine(file, row);
    made.push(row);
    context.row({ suite: 'tamper', ...row });
  };
  const on: Engines = await (named === undefined || named === 'wasm' ? engines() : deviceEngines(named));
  const { device } = on;
  for (const { protocol, family, weights } of WORLDS.filter((one) => mayHave(filter, one))) {
    const where = device === undefined ? { family, weights } : { device, family, weights };
    const unproved = UNPROVED[protocol];
    const worlds = new Map<Protocol, Promise<World>>();
    const worldOf = (of: Protocol) => {
      const world = worlds.get(of) ?? World.make(of, weights, family, on);
      worlds.set(of, world);
      return world;
    };
    const nameIn = (of: Protocol, cell: Omit<Cell, 'family' | 'weights'>) =>
      nameOf({ ...where, protocol: of, ...cell });
    const captured = await (await worldOf(protocol)).captured();
    const listed = cellsOf(family, weights, (proof) => captured?.stages(proof) ?? 0, protocol);
    const all = protocol === 'aby3' && family !== 'gates' ? await sentOf(listed, await worldOf(protocol)) : listed;
    const cells = sampled(all, sampling).filter((cell) => nameIn(protocol, cell).includes(filter));
    for (const of of [protocol, unproved]) {
      const none = { cheater: 0, to: 0, message: '', change: 'none' } as const;
      const name = nameOf({ ...where, protocol: of, ...none });
      if (![name, nameOf({ ...where, protocol, ...none })].some((one) => one.includes(filter))) continue;
      keep(known.get(name) ?? (await guarded(context.signal, async () => control(await worldOf(of)))));
    }
    const rest = cells.filter((cell) => !known.has(nameIn(protocol, cell)));
    for (const cell of cells) {
      const row = known.get(nameIn(protocol, cell));
      if (row !== undefined) keep(row);
    }
    const waiting = parts(
      rest.filter(({ change }) => waits(change)),
      AT_ONCE,
    );
    const alone = rest.filter(({ change }) => !waits(change));
    let done = cells.length - rest.length;
    const say = (row: TamperRow) => {
      keep(row);
      done++;
      const survivor = row.outcome === 'survived' ? ': SURVIVED' : '';
      if (survivor !== '' || done % 10 === 0 || done === cells.length)
        context.note(
          `${protocol}, ${family}, ${weights} weights: ${done} of ${cells.length}, ${nameOf(row)}${survivor}`,
        );
    };
    for (const some of [...alone.map((cell) => [cell]), ...waiting]) {
      const world = await worldOf(protocol);
      const ended = await guarded(context.signal, () =>
        Promise.all(some.map((cell) => tampered(world, cell, context.signal))),
      );
      for (const row of ended) say(row);
    }
    for (const cell of cells) {
      // The same change where nothing is proved; of another length, any protocol notices it.
      if (!isContent(cell.change) || cell.message.startsWith('proof-')) continue;
      const row =
        known.get(nameIn(unproved, cell)) ??
        (await guarded(context.signal, async () => tampered(await worldOf(unproved), cell, context.signal)));
      if (row.outcome !== 'absent') keep(row);
    }
  }
  const counts = on.proofs instanceof WebGpuProofKernels ? on.proofs.counts : [];
  for (const [reason, count] of counts) context.note(`${count} operations of proofs: ${reason}`);
  return summaryOf(made);
}

/** Without words of a map that its circuit sends in the other form: of those, a session that nobody changes has its own. */
async function sentOf(cells: readonly Cell[], world: World): Promise<readonly Cell[]> {
  const { sent } = await world.normal();
  const isSent = ({ cheater, to, message }: Cell) =>
    sent.some((one) => one.from === cheater && one.to === to && isOf(message, one.tag));
  return cells.filter((cell) => !EITHER.test(cell.message) || isSent(cell));
}

/** What a run of the matrix came to. */
export function summaryOf(rows: readonly TamperRow[]): TamperSummary {
  const count = (test: (row: TamperRow) => boolean) => rows.filter(test).length;
  const proved = ({ protocol }: TamperRow) => isProved(protocol);
  return {
    caught: count((row) => proved(row) && row.outcome === 'caught'),
    survived: count((row) => proved(row) && (row.outcome === 'survived' || row.outcome === 'absent')),
    same: count((row) => proved(row) && (row.outcome === 'same' || row.outcome === 'harmless')),
    unnoticed: count((row) => !proved(row) && row.change !== 'none' && row.outcome === 'accepted'),
    controls: count((row) => row.change === 'none' && row.outcome === 'accepted'),
  };
}

/**
 * Whether a cell of this world may have a name with `filter`. One that begins with a protocol, weights or a model has
 * only theirs.
 */
function mayHave(filter: string, { protocol, family, weights }: (typeof WORLDS)[number]): boolean {
  const parts = filter.split('/');
  if (parts[0] === protocol || parts[0] === UNPROVED[protocol]) parts.shift();
  else if (/^(aby3|unproved|3pc_)/.test(parts[0])) return false;
  if (parts[0].startsWith('webgpu')) parts.shift();
  const [first, second] = parts;
  if (first !== 'open' && first !== 'secret') return true;
  return first === weights && (second === undefined || family.startsWith(second));
}

function readRows(file: string | undefined): ReadonlyMap<string, TamperRow> {
  return new Map(readLines<TamperRow>(file).map((row) => [nameOf(row), row]));
}

async function guarded<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  if (signal.aborted) throw abortedError();
  const made = await work();
  if (signal.aborted) throw abortedError();
  return made;
}

function parts<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(size * i, size * (i + 1)));
}
