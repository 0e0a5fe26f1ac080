/**
 * Building a circuit of `aby3` (PROTOCOL §17): complete sharing, whose products are symmetric. Each party sends one
 * part of a product to the next, and holds two of the three. So masks of a product follow from the input, and what P0
 * says of them goes in the rounds and not ahead. A reference for what dealing ahead is worth.
 *
 * Insecure by itself, as complete sharing is: all three parties are provers of `proving/`.
 */
import type { ProductShape } from '../../../compute/kernels/types.ts';
import { AHEAD, type Wire } from '../../share/wire.ts';
import type { Circuit } from '../frame/circuit.ts';
import { evenFrom, latest, oddFrom } from '../frame/half-rounds.ts';
import { CompleteAffineGate, CompleteSecretAffineGate } from '../malicious/affine.ts';
import { CompleteBuilder, type CompleteOptions } from '../malicious/circuit.ts';
import type { AffineTerm } from '../types.ts';
import { RingProductGate } from './product.ts';
import { ownerOf } from './rounds.ts';

export class Aby3Builder extends CompleteBuilder {
  /** @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE for oblivious transfers, which nothing proves */
  constructor(weights: 'open' | 'secret', options: CompleteOptions = {}) {
    super(weights, options, true);
  }

  override finish(): Circuit {
    const circuit = super.finish();
    return { ...circuit, owner: ownerOf(circuit.gates) };
  }

  // ── from one step to the next ────────────────────────────────────────────

  /**
   * SECURITY: masks of a kept product follow from the text before, so no message of a step's dealing may. P0 reads them
   * in the rounds. test/session/proved-steps.test.ts.
   */
  protected override readonly keptL2 = 0;

  // ── products ─────────────────────────────────────────────────────────────

  protected override affineGate(terms: readonly AffineTerm[], shape: readonly number[], scale: number): Wire {
    const inputs = terms.map(({ x }) => x);
    // Masks that are drawn need nothing of this.
    if (inputs.every((x) => x.readyL2 === AHEAD)) return super.affineGate(terms, shape, scale);
    const known = latest(inputs.map((x) => x.readyL2));
    if (this.weights === 'open') {
      const half21 = oddFrom(known);
      const half12 = evenFrom(latest([half21, ...inputs.map((x) => x.readyA)]));
      const out = this.wire(shape, 64, scale, half12, half12 + 1);
      return this.gate(new CompleteAffineGate(this.at('affine'), terms, out, half12, half21), out);
    }
    const owner = evenFrom(known);
    const half21 = Math.max(owner + 1, this.productHalf(inputs));
    const out = this.wire(shape, 64, scale, half21 + 1, half21 + 2);
    return this.gate(new CompleteSecretAffineGate(this.at('affine'), terms, out, half21, owner), out);
  }

  protected override product(
    x: Wire,
    y: Wire,
    shape: ProductShape | undefined,
    outShape: readonly number[],
    drop: number,
  ): Wire {
    const half = evenFrom(latest([x, y].flatMap((operand) => [operand.readyA, operand.readyY ?? 0])));
    const known = { kind: 'masked', readyA: half + 1, readyL2: half + 1, readyY: half + 1 } as const;
    const out = this.place(outShape, x.k, x.scale + y.scale, known);
    return this.rounded(this.gate(new RingProductGate(this.at('product'), x, y, shape, out, half), out), drop);
  }
}
