/**
 * The kernels of the proofs beside a thread of their own (`proof-worker.ts`). What is long goes there, so that who
 * proves still answers others. What is short stays, because a message costs more than it. It gives the event loop a
 * turn now and then: promises that are settled already never do.
 */
import { nextTurn } from '../../../core/event-loop.ts';
import { TercetError, invariant } from '../../../core/errors.ts';
import { type IndexGroup, groupSize } from '../../index-group.ts';
import type { FoldedTable, ProofKernels } from '../proof-types.ts';
import type { NativeLibrary } from './link.ts';
import type { WorkerPort } from './messages.ts';
import type { ProofOperation, ProofReply, ProofRequest } from './proof-messages.ts';
import { detached } from './workers.ts';

/** Bytes of operands from which on an operation goes to the thread: a millisecond of work, about. */
const LEAST_BYTES = 1 << 18;
/** Longest time without a turn of the event loop, between two operations. */
const TURN_MS = 20;

interface Waiting {
  resolve(value: never): void;
  reject(error: unknown): void;
}

/** A table that the thread holds. */
class DistantTable implements FoldedTable {
  readonly group: IndexGroup;
  readonly id: number;

  constructor(group: IndexGroup, id: number) {
    this.group = group;
    this.id = id;
  }
}

/** An operation of the interface that goes either way. */
type Either<Op extends ProofOperation> = ProofKernels[Op];

export class ThreadedProofKernels implements ProofKernels {
  readonly name = 'wasm' as const;
  readonly #near: ProofKernels;
  readonly #module: WebAssembly.Module | NativeLibrary;
  readonly #startWorker: () => WorkerPort;
  readonly #leastBytes: number;
  #port: WorkerPort | undefined;
  #failure: TercetError | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  #turn = 0;

  /**
   * @param near the same kernels in the calling thread
   * @param startWorker starts a thread of `proof-worker.ts`; asked for with the first long operation
   */
  constructor(
    near: ProofKernels,
    module: WebAssembly.Module | NativeLibrary,
    startWorker: () => WorkerPort,
    { leastBytes = LEAST_BYTES }: { readonly leastBytes?: number } = {},
  ) {
    this.#near = near;
    this.#module = module;
    this.#startWorker = startWorker;
    this.#leastBytes = leastBytes;
  }

  readonly draw: Either<'draw'> = (...args) => this.#run('draw', args, 8 * args[2]);
  readonly digest: Either<'digest'> = (...args) => this.#run('digest', args);
  readonly digestEntries: Either<'digestEntries'> = (...args) => this.#run('digestEntries', args);
  readonly columns: Either<'columns'> = (...args) => this.#run('columns', args);
  readonly matrixClaims: Either<'matrixClaims'> = (...args) => this.#run('matrixClaims', args);
  readonly tableSums: Either<'tableSums'> = (...args) => this.#run('tableSums', args);
  readonly tableClaims: Either<'tableClaims'> = (...args) => this.#run('tableClaims', args);
  readonly choiceClaims: Either<'choiceClaims'> = (...args) => this.#run('choiceClaims', args);
  readonly weights: Either<'weights'> = (...args) => this.#run('weights', args);
  readonly multiply: Either<'multiply'> = (...args) => this.#run('multiply', args);
  readonly combineRows: Either<'combineRows'> = (...args) => this.#run('combineRows', args);
  readonly combineColumns: Either<'combineColumns'> = (...args) => this.#run('combineColumns', args);
  readonly foldEntries: Either<'foldEntries'> = (...args) => this.#run('foldEntries', args);
  readonly publicTable: Either<'publicTable'> = (...args) => this.#run('publicTable', args);
  readonly digitWeights: Either<'digitWeights'> = (...args) => this.#run('digitWeights', args);
  readonly choiceRound: Either<'choiceRound'> = (...args) => this.#run('choiceRound', args);
  readonly tailRound: Either<'tailRound'> = (...args) => this.#run('tailRound', args);
  readonly tailFold: Either<'tailFold'> = (...args) => this.#run('tailFold', args);
  readonly tailDot: Either<'tailDot'> = (...args) => this.#run('tailDot', args);

  /** A table stays where it was loaded. */
  async loadTable(words: BigUint64Array, group: IndexGroup): Promise<FoldedTable> {
    if (8 * groupSize(group) < this.#leastBytes) return this.#near.loadTable(words, group);
    return new DistantTable(group, await this.#far<number>('loadTable', [words, group]));
  }

  foldTable: Either<'foldTable'> = (table, ...rest) => this.#at('foldTable', table, [table, ...rest]);
  lookUp: Either<'lookUp'> = (table, nu) => this.#at('lookUp', table, [table, nu]);
  lookupRound: Either<'lookupRound'> = (f, table, ...rest) => this.#at('lookupRound', table, [f, table, ...rest]);

  freeTable(table: FoldedTable): void {
    if (!(table instanceof DistantTable)) this.#near.freeTable(table);
    // A thread that failed holds nothing.
    else this.#far('freeTable', [table]).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#fail(new TercetError('ERR_STATE', 'the kernels of the proofs were closed', 'make new ones'));
    await this.#near.close();
    await this.#port?.terminate();
  }

  async #run<Op extends ProofOperation>(op: Op, args: Parameters<ProofKernels[Op]>, result = 0): Promise<never> {
    if (bytesIn(args) + result >= this.#leastBytes) return this.#far(op, args);
    await this.#breathe();
    return (this.#near[op] as (...values: unknown[]) => Promise<never>)(...args);
  }

  async #at<Op extends ProofOperation>(op: Op, table: FoldedTable, args: unknown[]): Promise<never> {
    if (table instanceof DistantTable) return this.#far(op, args);
    await this.#breathe();
    return (this.#near[op] as (...values: unknown[]) => Promise<never>)(...args);
  }

  async #breathe(): Promise<void> {
    if (performance.now() - this.#turn < TURN_MS) return;
    await new Promise<void>(nextTurn);
    this.#turn = performance.now();
  }

  async #far<T>(op: ProofOperation, args: readonly unknown[]): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#port ??= this.#started();
    const id = ++this.#last;
    // Copies are handed over. SECURITY: the memory of the thread's instance is wiped as that of every other.
    const copies = args.map((value) => (value instanceof DistantTable ? { distant: value.id } : detached(value)));
    const answer = new Promise<T>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#post({ kind: 'call', id, op, args: copies });
    const value = await answer;
    this.#turn = performance.now();
    return value;
  }

  #started(): WorkerPort {
    const port = this.#startWorker();
    port.onMessage((message) => this.#answered(message as ProofReply));
    port.onError((error) =>
      this.#fail(new TercetError('ERR_KERNEL', `the thread of the proofs ended: ${String(error)}`, 'start again')),
    );
    this.#port = port;
    this.#waiting.set(0, { resolve: () => undefined, reject: () => undefined });
    this.#post({ kind: 'start', id: 0, module: this.#module });
    return port;
  }

  #post(request: ProofRequest): void {
    invariant(this.#port !== undefined, 'a thread of the proofs');
    this.#port.postMessage(request, request.kind === 'call' ? buffersIn(request.args) : []);
  }

  #answered(reply: ProofReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('error' in reply) {
      const { code, what, hint } = reply.error;
      const error = new TercetError(code, what, hint);
      if (code === 'ERR_KERNEL') this.#fail(error);
      waiting?.reject(error);
    } else waiting?.resolve(reply.value as never);
  }

  #fail(error: TercetError): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }
}

/** Bytes of all vectors in a value. */
function bytesIn(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + bytesIn(one), 0);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, one) => sum + bytesIn(one), 0);
}

function buffersIn(value: unknown): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) return [value.buffer as ArrayBuffer];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(buffersIn) : [];
}
