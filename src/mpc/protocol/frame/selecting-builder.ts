/**
 * The interactive part of `Gates`, for every protocol whose P1 makes tables and whose P2 chooses: checks of operands,
 * what each selection reads, and of which kind it is (`selections.ts`). A protocol says how it reads a wire, and how it
 * places a product, a sum of selections or of linear maps.
 */
import type { PiecewisePolynomial, ProductShape } from '../../../compute/kernels/types.ts';
import { invariant } from '../../../core/errors.ts';
import type { Wire } from '../../share/wire.ts';
import type {
  AffineTerm,
  BorrowLeaf,
  Choosing,
  ExactTable,
  ExponentialOptions,
  GatedCosines,
  Multiplied,
  Parameter,
  Rounded,
  Selected,
} from '../types.ts';
import type { Selection } from './dealing.ts';
import { LocalBuilder } from './local-builder.ts';
import {
  borrowSelection,
  chooseSelection,
  cosineSelection,
  exponentialSelection,
  jointSelection,
  polynomialSelection,
  tableSelection,
} from './selections.ts';

export abstract class SelectingBuilder extends LocalBuilder {
  /** x in the form that selections read: P0 knows its masks. */
  abstract reshare(x: Wire): Wire;

  abstract shift(x: Wire, s: number): Wire;

  abstract widen(x: Wire, k2: number): Wire;

  truncate(x: Wire, s: number, k2 = x.k): Wire {
    return this.widen(this.shift(x, s), k2);
  }

  /** A sum of linear maps whose operands were checked. */
  protected abstract affineGate(terms: readonly AffineTerm[], shape: readonly number[], scale: number): Wire;

  affine(terms: readonly AffineTerm[], bias?: Parameter): Wire {
    const [first] = terms;
    const rows = first.diagonal === true ? first.x.count / first.weight.cols : first.x.count / first.weight.rows;
    const scale = first.x.scale + first.weight.scale;
    for (const { x, weight } of terms) {
      invariant(x.k === 64 && x.scale + weight.scale === scale, `${weight.name}: operands of different scales`);
      this.uses(weight);
    }
    const out = this.affineGate(terms, [rows, first.weight.cols], scale);
    return bias === undefined ? out : this.addParameter(out, bias);
  }

  /** A product of operands that were checked; element by element where there is no shape. */
  protected abstract product(
    x: Wire,
    y: Wire,
    shape: ProductShape | undefined,
    outShape: readonly number[],
    drop: number,
  ): Wire;

  matmul(x: Wire, y: Wire, { transposed = false, drop = 0 }: Multiplied = {}): Wire {
    const [batch, m, inner] = x.shape;
    const n = transposed ? y.shape[1] : y.shape[2];
    invariant(y.shape[0] === batch && (transposed ? y.shape[2] : y.shape[1]) === inner, 'matmul: shapes do not fit');
    invariant(x.k === y.k, 'matmul: operands over different rings');
    return this.product(x, y, { batch, m, inner, n, transposed }, [batch, m, n], drop);
  }

  mul(x: Wire, y: Wire, { drop = 0 }: Rounded = {}): Wire {
    invariant(x.count === y.count && x.k === y.k, 'mul: shapes or rings do not fit');
    return this.product(x, y, undefined, x.shape, drop);
  }

  /** Low bits of x that are known to be zero, in all its components. */
  protected zerosOf(_x: Wire): number {
    return 0;
  }

  /** A sum of selections as one gate. */
  protected abstract select(
    inputs: readonly Wire[],
    shape: readonly number[],
    scale: number,
    terms: readonly Selection[],
    how?: Selected,
  ): Wire;

  table(x: Wire, exact: ExactTable, k: number): Wire {
    const read = this.reshare(x);
    return this.select([read], x.shape, 0, [tableSelection(read, exact, k)]);
  }

  polynomial(x: Wire, polynomial: PiecewisePolynomial, k: number, how?: Selected): Wire {
    const read = this.reshare(x);
    const scale = polynomial.s1 + polynomial.s2;
    return this.select([read], x.shape, scale, [polynomialSelection(read, polynomial, k)], how);
  }

  exponential(x: Wire, gate: Wire, s1: number, s2: number, options?: ExponentialOptions): Wire {
    const [read, bit] = [this.reshare(x), this.reshare(gate)];
    return this.select(
      [read, bit],
      x.shape,
      s1 + s2,
      [exponentialSelection(read, bit, s1, s2, options, this.zerosOf(x))],
      options,
    );
  }

  jointTable(bits: readonly Wire[], entries: readonly bigint[], k: number): Wire {
    const read = bits.map((bit) => this.reshare(bit));
    return this.select(read, bits[0].shape, 0, [jointSelection(read, entries, k)]);
  }

  borrow(x: Wire, from: number, bits: number, leaf: BorrowLeaf): Wire {
    const read = this.reshare(x);
    return this.select([read], x.shape, 0, [borrowSelection(read, from, bits, leaf)]);
  }

  choose(bits: readonly Wire[], values: readonly Wire[], pick: Uint8Array, how?: Selected): Wire {
    return this.chooseSum([{ bits, values, pick }], how);
  }

  cosines(terms: readonly GatedCosines[], k: number, how?: Selected): Wire {
    const [{ x, sum }] = terms;
    invariant(
      terms.every((term) => term.sum.scale === sum.scale),
      'cosines: sums of different scales',
    );
    const read = terms.map((term) => ({
      ...term,
      x: this.reshare(term.x),
      gate: term.gate === undefined ? undefined : this.reshare(term.gate),
    }));
    const inputs = read.flatMap((term) => (term.gate === undefined ? [term.x] : [term.x, term.gate]));
    const selections = read.map((term) => cosineSelection(term, k));
    return this.select(inputs, x.shape, sum.scale, selections, how);
  }

  chooseSum(choices: readonly Choosing[], how?: Selected): Wire {
    const [{ values, raise = 0 }] = choices;
    const read = choices.map((choice) => ({
      ...choice,
      bits: choice.bits.map((bit) => this.reshare(bit)),
      values: choice.values.map((value) => this.reshare(value)),
    }));
    const inputs = read.flatMap((choice) => [...choice.bits, ...choice.values]);
    const terms = read.map((choice) => chooseSelection(choice));
    return this.select(inputs, values[0].shape, values[0].scale + raise, terms, how);
  }
}
