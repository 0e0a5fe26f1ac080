/**
 * The components of wires at one party: computed when somebody asks for them, and held until they are released.
 *
 * A linear operation on vectors that are there is computed without a promise, where kernels can: a step of a text has
 * thousands of them, on a few words each.
 */
import type { Vector, Words } from '../../../compute/ring.ts';
import { invariant } from '../../../core/errors.ts';
import type { Component, Wire } from '../../share/wire.ts';
import { type Circuit, isGate } from './circuit.ts';
import { KeptWords } from './kept.ts';
import type { LocalNode } from './local.ts';
import type { Party } from './party.ts';

/** A component: its vector, or what it is when it is there. */
interface Held {
  promise?: Promise<Vector>;
  vector?: Vector;
}

function promised(held: Held): Promise<Vector> {
  // What has no promise has a vector.
  held.promise ??= Promise.resolve(held.vector as Vector);
  return held.promise;
}

export class Components {
  readonly #party: Party;
  readonly #circuit: Circuit;
  readonly #values = new Map<number, Map<Component, Held>>();
  /** What the last call of `#atOnce` stopped at. */
  #missing: Wire | undefined;

  constructor(party: Party, circuit: Circuit) {
    this.#party = party;
    this.#circuit = circuit;
  }

  value(wire: Wire, component: Component): Promise<Vector> {
    // SECURITY: what P0 would derive here is not what P2 holds.
    invariant(this.#party.id !== 0 || wire.kind === 'masked', `P0 knows no "${component}" of an additive wire`);
    const known = this.#values.get(wire.id)?.get(component);
    if (known !== undefined) return promised(known);
    if (!this.#isAtOnce(wire, component)) return this.#store(wire, component, this.#compute(wire, component));
    const vector = this.#atOnce(wire, component);
    if (vector !== undefined) return Promise.resolve(vector);
    return this.#store(wire, component, this.#whenThere(wire, component));
  }

  put(wire: Wire, component: Component, vector: Vector): void {
    this.#hold(wire, component, { vector });
  }

  /** Computes a component that needs no message any more, for whoever reads it later. */
  async begin(wire: Wire, component: Component): Promise<void> {
    if (this.#holds(wire, component) || !this.#isComing(wire, component)) return;
    // Who reads it gets its error.
    await this.value(wire, component).catch(() => undefined);
  }

  /** Lets go of all components of wires. */
  release(wires: Iterable<number>): void {
    for (const id of wires) this.#values.delete(id);
  }

  clear(): void {
    this.#values.clear();
  }

  /** Every vector that is there. */
  *vectors(): Iterable<Vector | undefined> {
    for (const components of this.#values.values()) for (const held of components.values()) yield held.vector;
  }

  #holds({ id }: Wire, component: Component): boolean {
    return this.#values.get(id)?.has(component) === true;
  }

  #isComing(wire: Wire, component: Component): boolean {
    if (this.#holds(wire, component)) return true;
    const source = this.#circuit.sources[wire.id];
    return !isGate(source) && source.inputs.every((x) => this.#isComing(x, component));
  }

  /** Whether a component comes of those of the operands by linear operations that kernels compute at once. */
  #isAtOnce(wire: Wire, component: Component): boolean {
    if (this.#party.kernels.atOnce === undefined) return false;
    if (this.#circuit.sharing === 'complete' && (component === 'a' || component === 'y')) return false;
    return this.#circuit.flow.linear[wire.id] === 1;
  }

  /**
   * A component of such a wire, and of those on the way to it; undefined where one of an operand is not there yet,
   * which is `#missing` then.
   */
  #atOnce(wire: Wire, component: Component): Vector | undefined {
    const source = this.#circuit.sources[wire.id];
    const { atOnce } = this.#party.kernels;
    invariant(!isGate(source) && atOnce !== undefined, 'no local operation that is computed at once');
    const operands: Vector[] = [];
    for (const x of source.inputs) {
      const held = this.#values.get(x.id)?.get(component);
      let vector = held?.vector;
      if (held === undefined && this.#isAtOnce(x, component)) {
        vector = this.#atOnce(x, component);
        if (vector === undefined) return undefined;
      }
      if (vector === undefined) {
        this.#missing = x;
        return undefined;
      }
      operands.push(vector);
    }
    const vector = this.#behindKept(source, operands) ?? source.atOnce?.(atOnce, component, operands);
    invariant(vector !== undefined, 'no local operation that is computed at once');
    // Whoever waits for it has a promise of it already.
    if (!this.#holds(wire, component)) this.#hold(wire, component, { vector });
    return vector;
  }

  /** What joins others to what was kept is written behind it. Proofs look at vectors when the step is over. */
  #behindKept({ joins }: LocalNode, [first, ...others]: readonly Vector[]): Vector | undefined {
    if (joins !== true || !(first instanceof KeptWords) || this.#circuit.sharing !== 'one-sided') return undefined;
    return first.with(others as readonly Words[]);
  }

  async #whenThere(wire: Wire, component: Component): Promise<Vector> {
    for (;;) {
      const missing = this.#missing;
      invariant(missing !== undefined, 'what is not there has an operand that is not');
      await this.value(missing, component);
      const vector = this.#atOnce(wire, component);
      if (vector !== undefined) return vector;
    }
  }

  async #compute(wire: Wire, component: Component): Promise<Vector> {
    const { kernels } = this.#party;
    if (this.#circuit.sharing === 'complete' && (component === 'a' || component === 'y'))
      return kernels.sub(await this.value(wire, 'm'), await this.value(wire, component === 'a' ? 'l1' : 'l2'));
    const source = this.#circuit.sources[wire.id];
    if (isGate(source)) return source.component(this.#party, component);
    const operands: Vector[] = [];
    for (const input of source.inputs) operands.push(await this.value(input, component));
    return source.apply(this.#party, component, operands);
  }

  #store(wire: Wire, component: Component, promise: Promise<Vector>): Promise<Vector> {
    const held: Held = { promise };
    promise.then(
      (vector) => {
        held.vector = vector;
      },
      () => undefined,
    );
    this.#hold(wire, component, held);
    return promise;
  }

  #hold(wire: Wire, component: Component, held: Held): void {
    let components = this.#values.get(wire.id);
    if (components === undefined) {
      components = new Map();
      this.#values.set(wire.id, components);
    }
    components.set(component, held);
  }
}
