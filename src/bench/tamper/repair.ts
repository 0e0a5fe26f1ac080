/**
 * A prover that lies as well as it can before the prime: it takes what both verifiers hold, and makes its claims fit.
 * Then the first check passes, and what comes behind it must catch the lie.
 */
import type { ProofKernels } from '../../compute/kernels/proof-types.ts';
import { type TableLayout, tableBytes } from '../../compute/kernels/table-layout.ts';
import type { RingKernels } from '../../compute/kernels/types.ts';
import { type Words, bytesOf } from '../../compute/ring.ts';
import { invariant } from '../../core/errors.ts';
import { Challenges } from '../../mpc/proof/challenges.ts';
import { claimsOf } from '../../mpc/proof/claims.ts';
import { linearPart } from '../../mpc/proof/halves.ts';
import { PublicTables } from '../../mpc/proof/public-tables.ts';
import {
  type ChoiceOfV,
  type Entries,
  type HalfOfV,
  type HalfOfW,
  type Operand,
  type RelationShape,
  type TableHalf,
  sentLayout,
} from '../../mpc/proof/relations.ts';
import { Segment } from '../../mpc/proof/segment.ts';
import type { ProofParameters } from '../../mpc/proof/soundness.ts';
import { decodeClaims, encodeClaims } from '../../mpc/proof/transcript.ts';
import type { Circuit } from '../../mpc/protocol/frame/circuit.ts';
import type { Halves, Seen } from '../../mpc/protocol/frame/gate.ts';
import { type PlannedSegment, VERIFIERS, planProofs } from '../../mpc/protocol/malicious/proving/plan.ts';
import type { PartyId } from '../../net/wire/types.ts';
import { keepTables } from './tables.ts';

export interface ProofWorld {
  readonly kernels: RingKernels;
  readonly proofs: ProofKernels;
  /** What makes words of public tables (default: `kernels`). */
  readonly tables?: RingKernels | undefined;
  readonly parameters: ProofParameters;
  readonly segmentBytes: number;
}

async function held(operand: Operand): Promise<Words> {
  return typeof operand === 'function' ? operand() : operand;
}

async function entriesOf(
  entries: Entries,
  layout: TableLayout,
  elements: number,
  kernels: RingKernels,
): Promise<Entries> {
  if (entries.kind === 'packed') return entries;
  if (entries.kind === 'columns') return { ...entries, columns: await Promise.all(entries.columns.map(held)) };
  const length = tableBytes(layout, elements);
  const words = await kernels.read(await kernels.draw(entries.stream, 32, Math.ceil(length / 4)));
  return { kind: 'packed', bytes: bytesOf(words).slice(0, length) };
}

/** The same half with its entries and its words in memory: keys are wiped behind a run. */
export async function loadedHalf<Half extends HalfOfV | HalfOfW>(
  shape: RelationShape,
  half: Half,
  kernels: RingKernels,
): Promise<Half> {
  if ('linear' in half && half.linear !== undefined) {
    const linear = await held(half.linear);
    return loadedHalf(shape, { ...half, linear: undefined }, kernels).then((rest) => ({ ...rest, linear }));
  }
  if (!('entries' in half) || shape.kind === 'matrix') return half;
  const layout = shape.kind === 'table' ? sentLayout(shape) : shape.layout;
  const { entries } = half as TableHalf | ChoiceOfV;
  return { ...half, entries: await entriesOf(entries, layout, shape.elements, kernels) };
}

/** Looks at every half of a circuit that a verifier takes in. */
export class Captured {
  readonly #world: ProofWorld;
  readonly #v = new Map<string, HalfOfV>();
  readonly #w = new Map<string, HalfOfW>();
  /** Both halves, as the prover has them. */
  readonly #whole = new Map<string, { v?: HalfOfV; w?: HalfOfW }>();
  readonly #planned: readonly PlannedSegment[];
  /** Nothing is copied for whoever does not ask for it. */
  keeps = false;

  constructor(circuit: Circuit, world: ProofWorld) {
    this.#world = world;
    keepTables(circuit);
    for (const gate of circuit.gates) {
      const shapes = (gate.relations ?? []).flatMap(({ prover, shapes: ofOne }) =>
        ofOne.map((shape) => ({ prover, shape: shape as RelationShape })),
      );
      const halves = gate.halves?.map((own, i) => this.#watched(own, `${gate.number} ${i}`, shapes[i]));
      if (halves !== undefined) Object.assign(gate, { halves });
    }
    this.#planned = planProofs(circuit, async () => world.tables ?? world.kernels, world.segmentBytes);
  }

  /** The next session's halves are others. */
  forget(keeps: boolean): void {
    this.#v.clear();
    this.#w.clear();
    this.#whole.clear();
    this.keeps = keeps;
  }

  /** Answers that the prover of a proof gives in its first segment, and its verdict behind them. */
  stages(proof: PartyId): number {
    const first = this.#planned.find((segment) => segment.proof === proof);
    return first === undefined ? 0 : this.#segment(first, new Uint8Array(32)).stages;
  }

  #watched(own: Halves, name: string, { prover, shape }: { prover: PartyId; shape: RelationShape }): Halves {
    const [v, w] = VERIFIERS[prover];
    const { kernels } = this.#world;
    return {
      ...own,
      v: async (seen: Seen) => {
        const half = await own.v(seen);
        if (!this.keeps) return half;
        if (seen.party.id === v) this.#v.set(name, await loadedHalf(shape, half, kernels));
        if (seen.party.id === prover) this.#ofProver(name).v = half;
        return half;
      },
      w: async (seen: Seen) => {
        const half = await own.w(seen);
        if (!this.keeps) return half;
        if (seen.party.id === w) this.#w.set(name, await loadedHalf(shape, half, kernels));
        if (seen.party.id === prover) this.#ofProver(name).w = half;
        return half;
      },
    };
  }

  #ofProver(name: string): { v?: HalfOfV; w?: HalfOfW } {
    const known = this.#whole.get(name) ?? {};
    this.#whole.set(name, known);
    return known;
  }

  #segment({ proof, number, relations }: PlannedSegment, session: Uint8Array): Segment {
    const shapes = relations.map(({ shape }) => shape);
    return new Segment({ session, proof, segment: number }, shapes, this.#world.parameters);
  }

  /**
   * Claims that fit what the verifiers have: modulo 2^64 they add up with both their parts to zero, which is all that
   * is checked before the prime. Undefined where they do not fit their mask.
   * @param seed the first that was revealed
   * @param number of the segment
   */
  async repaired(
    proof: PartyId,
    session: Uint8Array,
    seed: Uint8Array,
    message: Uint8Array,
    number = 0,
  ): Promise<Uint8Array | undefined> {
    const { proofs, parameters } = this.#world;
    const planned = this.#planned.find((one) => one.proof === proof && one.number === number);
    invariant(planned !== undefined, 'a segment of a proof of this circuit');
    const segment = this.#segment(planned, session);
    const challenges = new Challenges(segment, proofs, () => seed);
    const tables = new PublicTables(segment, proofs, challenges);
    const context = { segment, kernels: proofs, challenges, tables };
    const { sigma, maskBits } = parameters;
    const rest = new BigUint64Array(sigma * sigma);
    for (const [i, { gate, halves, shape }] of planned.relations.entries()) {
      const at = `${gate.number} ${(gate.halves ?? []).indexOf(halves)}`;
      const [v, w] = [this.#v.get(at), this.#w.get(at)];
      const own = this.#whole.get(at);
      invariant(
        v !== undefined && w !== undefined && own?.v !== undefined && own.w !== undefined,
        `${gate.path}, ${shape.message}: halves that nobody took in`,
      );
      for (const part of [await linearPart(context, i, 'V', v), await linearPart(context, i, 'W', w)])
        for (const [c, word] of part.entries()) rest[c] -= word;
      // Its claims are of what it has itself, which may not be what it sent.
      for (const [c, claim] of (await claimsOf(context, i, { v: own.v, w: own.w })).entries())
        rest[c] -= BigInt.asUintN(64, claim);
    }
    const claims = decodeClaims(message, maskBits, sigma * sigma) ?? [];
    return encodeClaims(
      claims.map((claim, c) => claim + rest[c]),
      maskBits,
    );
  }
}
