/**
 * A party that changes a word which it kept of the step before. It goes on with that word, as sender and as prover; as
 * a verifier it takes the one that was kept, so that it is the others who must notice.
 */
import type { Vector, Words } from '../../compute/ring.ts';
import type { Component, Wire } from '../../mpc/share/wire.ts';
import { type Circuit, isGate } from '../../mpc/protocol/frame/circuit.ts';
import type { Gate, Halves, Seen } from '../../mpc/protocol/frame/gate.ts';
import type { LocalNode } from '../../mpc/protocol/frame/local.ts';
import type { Party } from '../../mpc/protocol/frame/party.ts';
import type { PartyId } from '../../net/wire/types.ts';

/** What a text keeps of a layer, and what of it a party changes: m, or one of the masks. */
export const KEPT_CELLS = ['kept-keys', 'kept-values'] as const;

export interface Lie {
  readonly cheater: PartyId;
  /** Keys or values, and what is kept of them: `kept-keys/m`. */
  readonly message: string;
  readonly change: (bytes: Uint8Array) => Uint8Array;
  /** Told when a word was changed. */
  done(): void;
}

/** Of a circuit whose step follows on another. */
export class KeptWords {
  readonly #circuit: Circuit;
  readonly #wrapped = new Map<LocalNode, { readonly name: string; readonly apply: LocalNode['apply'] }>();
  /** Of the session that runs. */
  lie: Lie | undefined;

  constructor(circuit: Circuit) {
    this.#circuit = circuit;
    for (const source of circuit.sources) {
      if (isGate(source) || source.traits[0] !== 'kept') continue;
      this.#wrapped.set(source, { name: String(source.traits[1]), apply: source.apply });
      Object.assign(source, { apply: (...all: Parameters<LocalNode['apply']>) => this.#kept(source, ...all) });
    }
    for (const gate of circuit.gates) this.#watch(gate);
  }

  /** In one-sided sharing m stands for what P1 or P2 has in its place. */
  #isMeant(name: string, party: Party, component: Component): boolean {
    const { lie } = this;
    if (lie === undefined || lie.cheater !== party.id) return false;
    const [kind, what] = lie.message.split('/');
    const known = component === 'a' || component === 'y' ? 'm' : component;
    return name.startsWith(kind.slice('kept-'.length)) && what === known;
  }

  async #kept(node: LocalNode, party: Party, component: Component, operands: readonly Vector[]): Promise<Vector> {
    const own = this.#wrapped.get(node);
    const kept = (await own?.apply.call(node, party, component, operands)) as Words;
    if (own === undefined || this.lie === undefined || !this.#isMeant(own.name, party, component)) return kept;
    const data = kept.data.slice();
    // The first word alone: that of the first position.
    const first = new Uint8Array(data.buffer, 0, data.BYTES_PER_ELEMENT).subarray(0, Math.ceil(kept.k / 8));
    first.set(this.lie.change(first.slice()));
    // A residue stays one.
    if (data instanceof BigUint64Array) data[0] = BigInt.asUintN(kept.k, data[0]);
    else if (kept.k < 32) data[0] %= 2 ** kept.k;
    if (data[0] !== kept.data[0]) this.lie.done();
    return { k: kept.k, data };
  }

  #watch(gate: Gate): void {
    const provers = (gate.relations ?? []).flatMap(({ prover, shapes }) => shapes.map(() => prover));
    const halves = gate.halves?.map((own, i): Halves => {
      const seenBy = (seen: Seen) =>
        this.lie !== undefined && seen.party.id === this.lie.cheater && provers[i] !== this.lie.cheater
          ? this.#restored(seen)
          : seen;
      return { ...own, v: (seen) => own.v(seenBy(seen)), w: (seen) => own.w(seenBy(seen)) };
    });
    if (halves !== undefined) Object.assign(gate, { halves });
  }

  readonly #restoredOf = new WeakMap<Seen, Seen>();

  /** The same look, on the words that were kept. */
  #restored(seen: Seen): Seen {
    const known = this.#restoredOf.get(seen);
    if (known !== undefined) return known;
    const { party } = seen;
    const value = (wire: Wire, component: Component) => this.#honest(party, wire, component);
    const honest = new Proxy(party, {
      get: (target, key) => {
        if (key === 'value') return value;
        const own: unknown = Reflect.get(target, key, target);
        return typeof own === 'function' ? own.bind(target) : own;
      },
    });
    const made: Seen = { party: honest, message: (from, to, phase) => seen.message(from, to, phase) };
    this.#restoredOf.set(seen, made);
    return made;
  }

  /** A component as it would be: from messages as they came, and from what was kept. */
  async #honest(party: Party, wire: Wire, component: Component): Promise<Vector> {
    const source = this.#circuit.sources[wire.id];
    if (isGate(source)) return party.value(wire, component);
    if (component === 'a' || component === 'y') {
      const mask = await this.#honest(party, wire, component === 'a' ? 'l1' : 'l2');
      return party.kernels.sub(await this.#honest(party, wire, 'm'), mask);
    }
    const kept = this.#wrapped.get(source);
    if (kept !== undefined) return party.keptBefore(kept.name, component);
    const operands: Vector[] = [];
    for (const input of source.inputs) operands.push(await this.#honest(party, input, component));
    return source.apply(party, component, operands);
  }
}
