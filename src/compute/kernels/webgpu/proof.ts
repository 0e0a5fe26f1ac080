/**
 * Kernels of the proofs in WGSL (`shaders/proof-*.wgsl`), beside `WebGpuKernels` on one device. Each call brings its
 * operands and takes its result back; public tables stay on the device until they are freed.
 *
 * Claims are not among them: integers of up to 256 bits, which are made of sums that `digest` leaves small.
 *
 * SECURITY: as for the other kernels of the device: its buffers are cleared before they are used again, no residue is
 * branched on, and an address follows from what the caller holds in the clear.
 */
import { invariant } from '../../../core/errors.ts';
import type { DigitStep, IndexGroup } from '../../index-group.ts';
import type { Words } from '../../ring.ts';
import type { FoldedTable, ProofKernels, Signed } from '../proof-types.ts';
import type { TableLayout } from '../table-layout.ts';
import type { Stream } from '../types.ts';
import { Arena } from './arena.ts';
import { Call, Constants } from './call.ts';
import type { Commands } from './commands.ts';
import * as compression from './proof-compression.ts';
import * as field from './proof-field.ts';
import { PROOF_SHADERS } from './proof-shaders.generated.ts';
import * as tables from './proof-tables.ts';
import * as streams from './streams.ts';

/** What a device does not do. */
export type Claims = 'matrixClaims' | 'tableSums' | 'tableClaims' | 'choiceClaims';

/** What is made of operations for one vector each, which run where they run. */
export type Composed = 'terms' | 'termsDot';

export class DeviceProofs implements Omit<ProofKernels, Claims | Composed | 'name' | 'close'> {
  readonly #commands: Commands;
  readonly #constants: Constants;
  readonly #arena: Arena;

  /** @param commands of `WebGpuKernels`, which closes them */
  constructor(commands: Commands) {
    commands.pipelines.add(PROOF_SHADERS);
    this.#commands = commands;
    this.#constants = new Constants(commands);
    this.#arena = new Arena(commands);
  }

  /** Whether the device has ended: nothing runs on it any more. */
  get failed(): boolean {
    return this.#commands.fault.failed;
  }

  /** Commands of a call are encoded at once, and what it needed is released behind them. */
  #call<T>(body: (call: Call) => T): T {
    this.#commands.fault.check();
    const call = new Call(this.#commands, this.#constants, this.#arena);
    try {
      return body(call);
    } finally {
      call.end();
    }
  }

  async draw(stream: Stream, k: number, count: number, first = 0): Promise<Words> {
    return this.#call((call) => {
      const words = streams.read(call, streams.draw(call, stream, k, count, first));
      this.#arena.sweep([]);
      return words;
    });
  }

  async digest(rows: Words, width: number, x: BigUint64Array, sigma: number): Promise<Words> {
    return this.#call((call) => compression.digest(call, rows, width, x, sigma));
  }

  async digestEntries(
    bytes: Uint8Array,
    layout: TableLayout,
    x: BigUint64Array,
    v: BigUint64Array,
    sigma: number,
  ): Promise<BigUint64Array> {
    return this.#call((call) => compression.digestEntries(call, bytes, layout, x, v, sigma));
  }

  async columns(rows: Words | Signed, width: number, v: BigUint64Array, sigma: number): Promise<Words> {
    return this.#call((call) => compression.columns(call, rows, width, v, sigma));
  }

  async weights(x: BigUint64Array, coefficients: BigUint64Array, q: bigint): Promise<BigUint64Array> {
    return this.#call((call) => field.weights(call, x, coefficients, q));
  }

  async multiply(a: BigUint64Array, b: Words, q: bigint): Promise<BigUint64Array> {
    return this.#call((call) => field.multiply(call, a, b, q));
  }

  async combineRows(x: Words, width: number, coefficients: BigUint64Array, q: bigint): Promise<BigUint64Array> {
    return this.#call((call) => field.combineRows(call, x, width, coefficients, q));
  }

  async combineColumns(x: Words, coefficients: BigUint64Array, q: bigint): Promise<BigUint64Array> {
    return this.#call((call) => field.combineColumns(call, x, coefficients, q));
  }

  async foldEntries(
    bytes: Uint8Array,
    layout: TableLayout,
    weights: BigUint64Array,
    coefficients: BigUint64Array,
    q: bigint,
  ): Promise<BigUint64Array> {
    return this.#call((call) => tables.foldEntries(call, bytes, layout, weights, coefficients, q));
  }

  async publicTable(
    bytes: Uint8Array,
    layout: TableLayout,
    elements: number,
    coefficients: BigUint64Array,
    q: bigint,
  ): Promise<BigUint64Array> {
    return this.#call((call) => tables.publicTable(call, bytes, layout, elements, coefficients, q));
  }

  async loadTable(words: BigUint64Array, group: IndexGroup): Promise<FoldedTable> {
    this.#commands.fault.check();
    return new tables.DeviceTable(this.#commands, words, group);
  }

  async foldTable(table: FoldedTable, step: DigitStep, beta: BigUint64Array, q: bigint): Promise<void> {
    this.#call((call) => tables.foldTable(call, own(table), step, beta, q));
  }

  freeTable(table: FoldedTable): void {
    own(table).replace(undefined);
  }

  async digitWeights(
    f: BigUint64Array,
    each: number,
    index: Words,
    steps: readonly DigitStep[],
    coefficients: readonly BigUint64Array[],
    factor: Words | undefined,
    q: bigint,
  ): Promise<BigUint64Array> {
    return this.#call((call) => field.digitWeights(call, f, each, index, steps, coefficients, factor, q));
  }

  async lookUp(table: FoldedTable, nu: Words): Promise<BigUint64Array> {
    return this.#call((call) => tables.lookUp(call, own(table), nu));
  }

  async lookupRound(
    f: BigUint64Array,
    table: FoldedTable,
    step: DigitStep,
    mu: Words,
    nu: Words,
    q: bigint,
  ): Promise<BigUint64Array> {
    return this.#call((call) => tables.lookupRound(call, f, own(table), step, mu, nu, q));
  }

  async choiceRound(
    bytes: Uint8Array,
    layout: TableLayout,
    choice: Words,
    f: BigUint64Array,
    low: BigUint64Array,
    step: DigitStep,
    q: bigint,
  ): Promise<BigUint64Array> {
    return this.#call((call) => tables.choiceRound(call, bytes, layout, choice, f, low, step, q));
  }

  async tailRound(u: BigUint64Array, w: BigUint64Array, q: bigint): Promise<BigUint64Array> {
    return this.#call((call) => field.tailRound(call, u, w, q));
  }

  async tailFold(u: BigUint64Array, coefficients: BigUint64Array, q: bigint): Promise<BigUint64Array> {
    return this.#call((call) => field.tailFold(call, u, coefficients, q));
  }

  async tailDot(
    values: BigUint64Array,
    first: number,
    coefficients: readonly BigUint64Array[],
    q: bigint,
  ): Promise<bigint> {
    return this.#call((call) => field.tailDot(call, values, first, coefficients, q));
  }
}

function own(table: FoldedTable): tables.DeviceTable {
  invariant(table instanceof tables.DeviceTable, 'a table of these kernels');
  return table;
}
