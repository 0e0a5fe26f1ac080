/**
 * The kernels of the proofs beside a thread of their own (`proof-worker.ts`). What is long goes there, so that who
 * proves still answers others. What is short stays, because a message costs more than it. It gives the event loop a
 * turn now and then: promises that are settled already never do.
 */
import { nextTurn } from '../../../core/event-loop.ts';
import { TercetError, invariant } from '../../../core/errors.ts';
import { letGo } from '../../../core/let-go.ts';
import { type IndexGroup, groupSize } from '../../index-group.ts';
import { type Words, isShared, laneBytes, lengthOf, viewWords, zeros } from '../../ring.ts';
import { checkTerms } from '../proof-terms.ts';
import { type FoldedTable, type ProofKernels, RADIX, type Term } from '../proof-types.ts';
import type { Linked, NativeLibrary } from './link.ts';
import type { WorkerPort } from './messages.ts';
import type { ProofOperation, ProofReply, ProofRequest } from './proof-messages.ts';
import { StagedOperands } from './staged-operands.ts';

/** Bytes of operands from which on an operation goes to the thread: a millisecond of work, about. */
const LEAST_BYTES = 1 << 18;
/** Bytes of a part of what is long, and parts that are on their way behind one that is at work. */
const PART_BYTES = 1 << 22;
/** And of challenges, coefficients and the like beside it. */
const ROOM_BYTES = 1 << 18;
const AHEAD = 1;
/** Longest time without a turn of the event loop, between two operations. */
const TURN_MS = 20;

interface ThreadedOptions extends Pick<Linked, 'copyShared'> {
  readonly leastBytes?: number;
}

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
  readonly #operands: StagedOperands;
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
    { leastBytes = LEAST_BYTES, copyShared }: ThreadedOptions = {},
  ) {
    this.#near = near;
    this.#module = module;
    this.#startWorker = startWorker;
    this.#leastBytes = leastBytes;
    this.#operands = new StagedOperands(PART_BYTES + ROOM_BYTES, copyShared);
  }

  readonly draw: Either<'draw'> = (...args) => this.#run('draw', args, 8 * args[2]);
  readonly digest: Either<'digest'> = (...args) => this.#run('digest', args);
  readonly digestEntries: Either<'digestEntries'> = (...args) => this.#run('digestEntries', args);
  readonly columns: Either<'columns'> = async (rows, width, v, sigma) => {
    const all = 'signed' in rows ? rows.signed : rows.data;
    const each = width * all.BYTES_PER_ELEMENT;
    if (all.byteLength <= PART_BYTES) return this.#run('columns', [rows, width, v, sigma]);
    const out = zeros((all.length / width) * sigma, rows.k);
    const some = (from: number, to: number) =>
      'signed' in rows
        ? { ...rows, signed: rows.signed.subarray(from * width, to * width) }
        : viewWords(rows, from * width, to * width);
    await this.#parts(
      all.length / width,
      each,
      (from, to) => this.#run('columns', [some(from, to), width, v, sigma]),
      ({ data }: Words, from) => {
        out.data.set(data as never, from * sigma);
        letGo(data);
      },
    );
    return out;
  };
  readonly matrixClaims: Either<'matrixClaims'> = (...args) => this.#run('matrixClaims', args);
  readonly tableSums: Either<'tableSums'> = (...args) => this.#run('tableSums', args);
  readonly tableClaims: Either<'tableClaims'> = (...args) => this.#run('tableClaims', args);
  readonly choiceClaims: Either<'choiceClaims'> = (...args) => this.#run('choiceClaims', args);
  readonly weights: Either<'weights'> = (...args) => this.#run('weights', args);
  readonly multiply: Either<'multiply'> = (...args) => this.#run('multiply', args);
  readonly terms: Either<'terms'> = async (bases, terms, q) => {
    const n = checkTerms(bases, terms);
    const each = bytesEach(bases, terms);
    if (n * each <= PART_BYTES) return this.#run('terms', [bases, terms, q]);
    const out = new BigUint64Array(terms.length * n);
    await this.#parts(
      n,
      each,
      (from, to) => this.#run('terms', [...someOf(bases, terms, from, to), q]),
      (scalars: BigUint64Array, from, to) => {
        for (const t of terms.keys()) out.set(scalars.subarray(t * (to - from), (t + 1) * (to - from)), t * n + from);
        letGo(scalars);
      },
    );
    return out;
  };
  readonly combineRows: Either<'combineRows'> = (...args) => this.#run('combineRows', args);
  readonly combineColumns: Either<'combineColumns'> = (...args) => this.#run('combineColumns', args);
  readonly foldEntries: Either<'foldEntries'> = (...args) => this.#run('foldEntries', args);
  readonly publicTable: Either<'publicTable'> = (...args) => this.#run('publicTable', args);
  readonly digitWeights: Either<'digitWeights'> = async (f, each, index, steps, coefficients, factor, q) => {
    const n = lengthOf(index);
    if (bytesIn([f, index, factor]) <= PART_BYTES)
      return this.#run('digitWeights', [f, each, index, steps, coefficients, factor, q]);
    const [out, wide] = [new BigUint64Array(n * each), f.length / n];
    await this.#parts(
      n,
      bytesIn([f, index, factor]) / n,
      (from, to) => {
        const own = factor && viewWords(factor, from * each, to * each);
        const [weights, at] = [f.subarray(from * wide, to * wide), viewWords(index, from, to)];
        return this.#run('digitWeights', [weights, each, at, steps, coefficients, own, q]);
      },
      (words: BigUint64Array, from) => {
        out.set(words, from * each);
        letGo(words);
      },
    );
    return out;
  };
  readonly choiceRound: Either<'choiceRound'> = (...args) => this.#run('choiceRound', args);
  readonly tailRound: Either<'tailRound'> = (u, w, q) =>
    this.#grid(u.length, bytesIn([u, w]), q, (from, to) =>
      this.#run('tailRound', [u.subarray(from, to), w.subarray(from, to), q]),
    );
  readonly tailFold: Either<'tailFold'> = async (u, coefficients, q) => {
    if (u.byteLength <= PART_BYTES) return this.#run('tailFold', [u, coefficients, q]);
    const out = new BigUint64Array(Math.ceil(u.length / RADIX));
    await this.#parts(
      u.length,
      u.BYTES_PER_ELEMENT,
      (from, to) => this.#run('tailFold', [u.subarray(from, to), coefficients, q]),
      (folded: BigUint64Array, from) => {
        out.set(folded, from / RADIX);
        letGo(folded);
      },
    );
    return out;
  };
  readonly tailDot: Either<'tailDot'> = (values, first, coefficients, q) =>
    this.#total(values.length, values.BYTES_PER_ELEMENT, q, (from, to) =>
      this.#run('tailDot', [values.subarray(from, to), first + from, coefficients, q]),
    );
  readonly termsDot: Either<'termsDot'> = (bases, terms, first, stride, coefficients, q) =>
    this.#total(checkTerms(bases, terms), bytesEach(bases, terms), q, (from, to) =>
      this.#run('termsDot', [...someOf(bases, terms, from, to), first + from, stride, coefficients, q]),
    );

  /** A table stays where it was loaded. */
  async loadTable(words: BigUint64Array, group: IndexGroup): Promise<FoldedTable> {
    if (8 * groupSize(group) < this.#leastBytes) return this.#near.loadTable(words, group);
    return new DistantTable(group, await this.#far<number>('loadTable', [words, group]));
  }

  foldTable: Either<'foldTable'> = (table, ...rest) => this.#at('foldTable', table, [table, ...rest]);
  lookUp: Either<'lookUp'> = (table, nu) => this.#at('lookUp', table, [table, nu]);
  lookupRound: Either<'lookupRound'> = (f, table, step, mu, nu, q) =>
    this.#grid(f.length, bytesIn([f, mu, nu]), q, (from, to) => {
      const [own, other] = [viewWords(mu, from, to), viewWords(nu, from, to)];
      return this.#at('lookupRound', table, [f.subarray(from, to), table, step, own, other, q]);
    });

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

  /**
   * What is long goes in parts that follow one another closely, so that operands are copied while the thread works. A
   * part has whole blocks of the tail.
   * @param bytes of an element
   */
  async #parts<T>(
    count: number,
    bytes: number,
    call: (from: number, to: number) => Promise<T>,
    take: (value: T, from: number, to: number) => void,
  ): Promise<void> {
    const step = RADIX * Math.max(1, Math.floor(PART_BYTES / bytes / RADIX));
    const going: Promise<void>[] = [];
    for (let from = 0; from < count; from += step) {
      const to = Math.min(count, from + step);
      const part = call(from, to).then((value) => take(value, from, to));
      // Its error is reported when its turn comes.
      part.catch(() => undefined);
      going.push(part);
      if (going.length > AHEAD) await going.shift();
    }
    for (const part of going) await part;
  }

  /** Sums of a round, over parts. @param bytes of all operands */
  async #grid(
    count: number,
    bytes: number,
    q: bigint,
    call: (from: number, to: number) => Promise<BigUint64Array>,
  ): Promise<BigUint64Array> {
    if (bytes <= PART_BYTES) return call(0, count);
    const total = new BigUint64Array(RADIX * RADIX);
    await this.#parts(count, bytes / count, call, (z) => {
      for (const [i, value] of z.entries()) total[i] = (total[i] + value) % q;
    });
    return total;
  }

  /** A sum of field elements, over parts. @param bytes of an element */
  async #total(
    count: number,
    bytes: number,
    q: bigint,
    call: (from: number, to: number) => Promise<bigint>,
  ): Promise<bigint> {
    if (count * bytes <= PART_BYTES) return call(0, count);
    let total = 0n;
    await this.#parts(count, bytes, call, (part) => {
      total += part;
    });
    return total % q;
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
    // SECURITY: the memory of the thread's instance is wiped as that of every other.
    const named = (value: unknown) => (value instanceof DistantTable ? { distant: value.id } : value);
    const staged = this.#operands.of(args, named);
    const answer = new Promise<T>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    try {
      this.#post({ kind: 'call', id, op, args: staged.args });
      return await answer;
    } finally {
      staged.done();
      this.#turn = performance.now();
    }
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

/** Bytes of an element of bases and factors. */
function bytesEach(bases: readonly BigUint64Array[], terms: readonly Term[]): number {
  return terms.reduce((sum, { factor }) => sum + (factor === undefined ? 0 : laneBytes(factor.k)), 8 * bases.length);
}

/** Elements [from, to) of them. */
function someOf(
  bases: readonly BigUint64Array[],
  terms: readonly Term[],
  from: number,
  to: number,
): readonly [readonly BigUint64Array[], readonly Term[]] {
  return [
    bases.map((base) => base.subarray(from, to)),
    terms.map(({ base, factor }) => ({ base, factor: factor && viewWords(factor, from, to) })),
  ];
}

/** Bytes of all vectors in a value. */
function bytesIn(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + bytesIn(one), 0);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, one) => sum + bytesIn(one), 0);
}

/** What is handed over: all buffers but those that both threads see. */
function buffersIn(value: unknown): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) return isShared(value) ? [] : [value.buffer as ArrayBuffer];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(buffersIn) : [];
}
