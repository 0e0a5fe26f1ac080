/**
 * Which engine an operation of a proof runs on, and why. Operands are in the memory of the host, so what is short is
 * done before a device has begun. What has no shader, no room or no device any more runs in WebAssembly: the result is
 * the same to the bit.
 */
import { asTercetError } from '../../../core/errors.ts';
import { type IndexGroup, groupSize } from '../../index-group.ts';
import { termsBy, termsDotBy } from '../proof-terms.ts';
import type { FoldedTable, ProofKernels } from '../proof-types.ts';
import type { RingKernels } from '../types.ts';
import { WebGpuKernels } from './kernels.ts';
import { type Claims, type Composed, DeviceProofs } from './proof.ts';
import { DeviceTable } from './proof-tables.ts';

type Operation = Exclude<keyof ProofKernels, 'name' | 'close'>;
type OnDevice = Exclude<Operation, Claims | Composed>;

/** Why an operation runs where it does. */
export type EngineReason =
  | 'long enough for the device'
  | 'shorter than its way to the device'
  | 'claims are integers of up to 256 bits'
  | 'the device has no room'
  | 'the device has ended';

/** Where an operation runs. */
export interface ProofEngine {
  readonly engine: 'webgpu' | 'wasm';
  readonly reason: EngineReason;
}

/** Bytes of operands from which on an operation goes to the device. */
const LEAST_BYTES = 1 << 20;

export class WebGpuProofKernels implements ProofKernels {
  readonly name = 'webgpu' as const;
  readonly #device: DeviceProofs;
  readonly #near: ProofKernels;
  readonly #leastBytes: number;
  readonly #counts = new Map<EngineReason, number>();

  /**
   * @param device whose buffers and failure are those of the ring kernels on it
   * @param near what does all that the device does not
   */
  constructor(device: DeviceProofs, near: ProofKernels, { leastBytes = LEAST_BYTES } = {}) {
    this.#device = device;
    this.#near = near;
    this.#leastBytes = leastBytes;
  }

  /** How many operations ran for each reason. */
  get counts(): ReadonlyMap<EngineReason, number> {
    return this.#counts;
  }

  /** Where an operation with that many bytes of operands runs. */
  engineFor(op: Operation, bytes: number): ProofEngine {
    if (CLAIMS.has(op)) return { engine: 'wasm', reason: 'claims are integers of up to 256 bits' };
    if (this.#device.failed) return { engine: 'wasm', reason: 'the device has ended' };
    if (bytes < this.#leastBytes) return { engine: 'wasm', reason: 'shorter than its way to the device' };
    return { engine: 'webgpu', reason: 'long enough for the device' };
  }

  readonly draw: ProofKernels['draw'] = (...args) => this.#run('draw', args, 8 * args[2]);
  readonly digest: ProofKernels['digest'] = (...args) => this.#run('digest', args);
  readonly digestEntries: ProofKernels['digestEntries'] = (...args) => this.#run('digestEntries', args);
  readonly columns: ProofKernels['columns'] = (...args) => this.#run('columns', args);
  readonly weights: ProofKernels['weights'] = (...args) => this.#run('weights', args);
  readonly multiply: ProofKernels['multiply'] = (...args) => this.#run('multiply', args);
  readonly combineRows: ProofKernels['combineRows'] = (...args) => this.#run('combineRows', args);
  readonly combineColumns: ProofKernels['combineColumns'] = (...args) => this.#run('combineColumns', args);
  readonly foldEntries: ProofKernels['foldEntries'] = (...args) => this.#run('foldEntries', args);
  readonly publicTable: ProofKernels['publicTable'] = (...args) => this.#run('publicTable', args);
  readonly digitWeights: ProofKernels['digitWeights'] = (...args) => this.#run('digitWeights', args);
  readonly choiceRound: ProofKernels['choiceRound'] = (...args) => this.#run('choiceRound', args);
  readonly tailRound: ProofKernels['tailRound'] = (...args) => this.#run('tailRound', args);
  readonly tailFold: ProofKernels['tailFold'] = (...args) => this.#run('tailFold', args);
  readonly tailDot: ProofKernels['tailDot'] = (...args) => this.#run('tailDot', args);

  readonly terms: ProofKernels['terms'] = (bases, terms, q) => termsBy(this, bases, terms, q);
  readonly termsDot: ProofKernels['termsDot'] = (...args) => termsDotBy(this, ...args);

  readonly matrixClaims: ProofKernels['matrixClaims'] = (...args) => this.#claims('matrixClaims', args);
  readonly tableSums: ProofKernels['tableSums'] = (...args) => this.#claims('tableSums', args);
  readonly tableClaims: ProofKernels['tableClaims'] = (...args) => this.#claims('tableClaims', args);
  readonly choiceClaims: ProofKernels['choiceClaims'] = (...args) => this.#claims('choiceClaims', args);

  /** A table stays where it was loaded, and so does what reads it. */
  async loadTable(words: BigUint64Array, group: IndexGroup): Promise<FoldedTable> {
    return this.#run('loadTable', [words, group], 8 * groupSize(group) - words.byteLength);
  }

  foldTable: ProofKernels['foldTable'] = (table, ...rest) => this.#with(table).foldTable(table, ...rest);
  lookUp: ProofKernels['lookUp'] = (table, nu) => this.#with(table).lookUp(table, nu);
  lookupRound: ProofKernels['lookupRound'] = (f, table, ...rest) => this.#with(table).lookupRound(f, table, ...rest);

  freeTable(table: FoldedTable): void {
    this.#with(table).freeTable(table);
  }

  close(): Promise<void> {
    return this.#near.close();
  }

  #with(table: FoldedTable): DeviceProofs | ProofKernels {
    return table instanceof DeviceTable ? this.#device : this.#near;
  }

  async #run<Op extends OnDevice>(op: Op, args: Parameters<ProofKernels[Op]>, result = 0): Promise<never> {
    const { engine, reason } = this.engineFor(op, bytesIn(args) + result);
    if (engine === 'wasm') return this.#nearby(op, args, reason);
    try {
      const value = await (this.#device[op] as (...values: unknown[]) => Promise<never>)(...args);
      this.#count(reason);
      return value;
    } catch (error) {
      // Refused before the device had it: nothing of it is half done.
      if (asTercetError(error).code !== 'ERR_DEVICE_MEMORY' || this.#device.failed) throw error;
      return this.#nearby(op, args, 'the device has no room');
    }
  }

  #claims<Op extends Claims>(op: Op, args: Parameters<ProofKernels[Op]>): Promise<never> {
    return this.#nearby(op, args, this.engineFor(op, 0).reason);
  }

  #nearby(op: Operation, args: readonly unknown[], reason: EngineReason): Promise<never> {
    this.#count(reason);
    return (this.#near[op] as (...values: unknown[]) => Promise<never>)(...args);
  }

  #count(reason: EngineReason): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }
}

/** What proves beside ring kernels: on their device where they have one. A driver in software is slower than `near`. */
export function proofsBeside(ring: RingKernels, near: ProofKernels): ProofKernels {
  return ring instanceof WebGpuKernels && !ring.software
    ? new WebGpuProofKernels(new DeviceProofs(ring.commands), near)
    : near;
}

/** How a party proves that was told to compute on a device: what it proves with, and what makes words of public tables. */
interface BesideDevice {
  beside(ring: RingKernels): ProofKernels;
  tables(ring: RingKernels): Promise<RingKernels>;
}

/**
 * On its device. Beside a driver in software all of it is in WebAssembly.
 * @param open ring kernels in WebAssembly, which are opened once and only where they are needed
 */
export function besideDevice(near: ProofKernels, open: () => Promise<RingKernels>): BesideDevice {
  let opened: Promise<RingKernels> | undefined;
  return {
    beside: (ring) => proofsBeside(ring, near),
    async tables(ring) {
      if (!(ring instanceof WebGpuKernels) || !ring.software) return ring;
      opened ??= open();
      return opened;
    },
  };
}

const CLAIMS: ReadonlySet<Operation> = new Set<Claims>(['matrixClaims', 'tableSums', 'tableClaims', 'choiceClaims']);

/** Bytes of all vectors in a value. */
function bytesIn(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + bytesIn(one), 0);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, one) => sum + bytesIn(one), 0);
}
