/**
 * `tercet bench --suite tamper`: every party changes every kind of message, in every way, and the others must stop. One
 * row a cell; the sessions that nobody changes, and the same changes where nothing is proved, are rows too.
 */
import { abortedError } from '../../core/abort.ts';
import type { PartyId } from '../../net/wire/types.ts';
import { appendLine, readLines } from '../lines.ts';
import type { SuiteContext } from '../rows.ts';
import { type TamperRow, control, tampered } from './cell.ts';
import { type Cell, WORLDS, cellsOf } from './cells.ts';
import { CONTENT } from './changes.ts';
import { type Protocol, World, engines } from './world.ts';

export interface TamperOptions {
  /** Only cells whose name has it: `secret/generation/P1-P2/select-12/bit`, or `3pc_semi_honest/…` of a control. */
  readonly filter?: string | undefined;
  /** One cell of so many, spread evenly. */
  readonly every?: number | undefined;
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

type Named = Pick<TamperRow, 'protocol' | 'family' | 'weights' | 'cheater' | 'to' | 'message' | 'change'>;

/** The name of a row: what `--filter` looks at. */
export function nameOf({ protocol, family, weights, cheater, to, message, change }: Named): string {
  const where = `${weights}/${family}/P${cheater}-P${to}/${message}/${change}`;
  return protocol === '3pc_malicious' ? where : `${protocol}/${where}`;
}

/** @throws {TercetError} ERR_ABORTED */
export async function benchTamper(
  { filter = '', every = 1, rows: file }: TamperOptions,
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
  const on = await engines();
  let number = 0;
  for (const { family, weights } of WORLDS.filter((one) => mayHave(filter, one.family, one.weights))) {
    const worlds = new Map<Protocol, Promise<World>>();
    const worldOf = (protocol: Protocol) => {
      const world = worlds.get(protocol) ?? World.make(protocol, weights, family, on);
      worlds.set(protocol, world);
      return world;
    };
    const wanted = (name: Named) => nameOf(name).includes(filter) && number++ % every === 0;
    for (const protocol of ['3pc_malicious', '3pc_semi_honest'] as const) {
      const none = { protocol, family, weights, cheater: 0, to: 0, message: '', change: 'none' } as const;
      if (!nameOf(none).includes(filter)) continue;
      keep(known.get(nameOf(none)) ?? (await guarded(context.signal, async () => control(await worldOf(protocol)))));
    }
    const cells = (await cellsOfWorld(worldOf, family, weights)).filter((cell) =>
      wanted({ protocol: '3pc_malicious', ...cell }),
    );
    const rest = cells.filter((cell) => !known.has(nameOf({ protocol: '3pc_malicious', ...cell })));
    for (const cell of cells) {
      const row = known.get(nameOf({ protocol: '3pc_malicious', ...cell }));
      if (row !== undefined) keep(row);
    }
    const dropped = rest.filter(({ change }) => change === 'drop');
    const [alone, waiting] = [rest.filter(({ change }) => change !== 'drop'), parts(dropped, AT_ONCE)];
    let done = cells.length - rest.length;
    const say = (row: TamperRow) => {
      keep(row);
      done++;
      const survivor = row.outcome === 'survived' ? ': SURVIVED' : '';
      if (survivor !== '' || done % 10 === 0 || done === cells.length)
        context.note(`${family}, ${weights} weights: ${done} of ${cells.length}, ${nameOf(row)}${survivor}`);
    };
    for (const some of [...alone.map((cell) => [cell]), ...waiting]) {
      const world = await worldOf('3pc_malicious');
      const ended = await guarded(context.signal, () =>
        Promise.all(some.map((cell) => tampered(world, cell, context.signal))),
      );
      for (const row of ended) say(row);
    }
    for (const cell of cells) {
      // The same change where nothing is proved; of another length, any protocol notices it.
      if (!(CONTENT as readonly string[]).includes(cell.change) || cell.message.startsWith('proof-')) continue;
      const name = nameOf({ protocol: '3pc_semi_honest', ...cell });
      const row =
        known.get(name) ??
        (await guarded(context.signal, async () => tampered(await worldOf('3pc_semi_honest'), cell, context.signal)));
      if (row.outcome !== 'absent') keep(row);
    }
  }
  return summaryOf(made);
}

/** What a run of the matrix came to. */
export function summaryOf(rows: readonly TamperRow[]): TamperSummary {
  const count = (test: (row: TamperRow) => boolean) => rows.filter(test).length;
  const proved = ({ protocol }: TamperRow) => protocol === '3pc_malicious';
  return {
    caught: count((row) => proved(row) && row.outcome === 'caught'),
    survived: count((row) => proved(row) && (row.outcome === 'survived' || row.outcome === 'absent')),
    same: count((row) => proved(row) && (row.outcome === 'same' || row.outcome === 'harmless')),
    unnoticed: count((row) => !proved(row) && row.change !== 'none' && row.outcome === 'accepted'),
    controls: count((row) => row.change === 'none' && row.outcome === 'accepted'),
  };
}

/** Cells of a world. Its circuit is built only where one of them may be wanted. */
async function cellsOfWorld(
  worldOf: (protocol: Protocol) => Promise<World>,
  family: Cell['family'],
  weights: Cell['weights'],
): Promise<readonly Cell[]> {
  const captured = await (await worldOf('3pc_malicious')).captured();
  return cellsOf(family, weights, (proof: PartyId) => captured?.stages(proof) ?? 0);
}

/** Whether a cell of this world may have a name with `filter`: one that begins with other weights or models has not. */
function mayHave(filter: string, family: Cell['family'], weights: Cell['weights']): boolean {
  const [first, second] = filter.split('/');
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
