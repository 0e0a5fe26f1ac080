/**
 * What a party does while it waits for its peer. Parties take turns, so what one does only when a message is there
 * makes both slower.
 *
 * Of a half-round in which it receives, gates work up to their message side by side. And products of weights are begun
 * in workers as soon as nothing is missing for them. Both only of what is small: of much, memory counts for more.
 */
import type { PartyId } from '../../../net/wire/types.ts';
import { AHEAD, type Component, type Wire } from '../../share/wire.ts';
import { type Circuit, isGate } from './circuit.ts';
import type { Gate } from './gate.ts';
import type { Link } from './party.ts';

/** Words of an operand or a result up to which gates work side by side, and products are begun early. */
const FEW_WORDS = 1 << 14;

/** The part that a compute party has of every wire. */
export function ownPart(party: PartyId): Component {
  return party === 1 ? 'a' : 'l2';
}

/** Whether a party has its part before a half-round begins: not by a message of it. */
function isThere({ readyA, readyL2, readyY = AHEAD }: Wire, party: PartyId, half: number): boolean {
  return party === 1 ? readyA <= half : Math.max(readyL2, readyY) <= half;
}

/** Payload bytes of a gate's message in a half-round. */
function bytesIn({ cost: { p1ToP2 = 0, p2ToP1 = 0 } }: Gate, half: number): number {
  return half % 2 === 0 ? p1ToP2 : p2ToP1;
}

/** What no gate gives, and takes more than operations that are computed at once: products of weights, in workers. */
function slowWires({ sources }: Pick<Circuit, 'sources'>): Uint8Array {
  const slow = new Uint8Array(sources.length);
  for (const [id, source] of sources.entries())
    if (!isGate(source) && source.inputs.length > 0)
      slow[id] = source.atOnce === undefined || source.inputs.some((x) => slow[x.id] === 1) ? 1 : 0;
  return slow;
}

export class LookAhead {
  readonly #party: PartyId;
  readonly #due: readonly (readonly Gate[])[];
  readonly #slow: Uint8Array;

  /** @param due gates by half-round */
  constructor(party: PartyId, circuit: Pick<Circuit, 'sources'>, due: readonly (readonly Gate[])[]) {
    this.#party = party;
    this.#due = due;
    this.#slow = slowWires(circuit);
  }

  /** Operands of a half-round whose own part is worth beginning before the first gate asks for its own. */
  worth(half: number): readonly Wire[] {
    return this.#due[half].flatMap(({ inputs }) =>
      inputs.filter((x) => this.#slow[x.id] === 1 && x.count <= FEW_WORDS && isThere(x, this.#party, half)),
    );
  }

  /**
   * The steps of gates that receive in a half-round. A gate begins when the one before it has asked for all that it
   * gets: so the order of messages stays. It waits for all before it where it needs what these bring.
   */
  async receive(half: number, link: Link, step: (gate: Gate) => Promise<void>): Promise<void> {
    let running: Promise<void>[] = [];
    for (const gate of this.#due[half]) {
      const bytes = bytesIn(gate, half);
      const beside = bytes > 0 && this.#isFew(gate) && gate.inputs.every((x) => isThere(x, this.#party, half));
      if (!beside) {
        await Promise.all(running);
        running = [];
        await step(gate);
        continue;
      }
      const all = link.whenAsked(link.asked + bytes);
      const begun = step(gate);
      // Its error is reported with those of the others.
      begun.catch(() => undefined);
      running.push(begun);
      await Promise.race([begun, all]);
    }
    await Promise.all(running);
  }

  #isFew({ inputs, out }: Gate): boolean {
    return [...inputs, ...(out === undefined ? [] : [out])].every(({ count }) => count <= FEW_WORDS);
  }
}
