/**
 * Oblivious transfers between P1 and P2 from a base that P0 deals (PROTOCOL §4.12): SoftSpokenOT over F_16 (Roy,
 * CRYPTO 2022), semi-honest. Kernels and the hash: `src/compute/kernels/ot-base.ts`.
 *
 *   base      roots ← the receiver's key, Δ ← the sender's key; P0 → sender: for every tree the siblings on the way
 *             to its leaf Δ_i. 4 KB for a circuit.
 *   ahead     receiver → sender   d = u ⊕ c for each of the 32 trees: 4 bytes an OT
 *   later     the sender has w_0, w_1; the receiver has w_c
 *
 * Direction 0: P2 receives, its roots are of k02, Δ is of k01. Direction 1: the other way round, with roots and Δ of
 * its own.
 *
 * Security: siblings are Δ to whoever has the roots, and with Δ the receiver has both words. They travel under a pad
 * of the sender's key, so that only the sender reads them, whoever carries them. Nothing is checked: a receiver that
 * deviates learns Δ bit by bit, so an adversary that may deviate gets no OTs (`checkWidening`).
 */
import {
  OT_BASE,
  OT_DELTA,
  OT_ROOTS,
  OT_SIBLINGS,
  otSiblings,
  receiverBase,
  senderBase,
} from '../../../compute/kernels/ot-base.ts';
import type { OtSent } from '../../../compute/kernels/types.ts';
import { type Vector, type Words, bytesOf, wireLength } from '../../../compute/ring.ts';
import { TercetError, invariant } from '../../../core/errors.ts';
import type { DrawId, Purpose } from '../../prg/gate-id.ts';
import { Masked } from '../../share/masked.ts';
import type { Cost, SecurityClaim, Widening } from '../types.ts';
import { type Gate, drawId, tagOf } from '../frame/gate.ts';
import { type Party, prgOf } from '../frame/party.ts';
import { type Position, Relation } from '../frame/relation.ts';

/** Who receives the OTs: 0 is P2, 1 is P1. */
export type Direction = DrawId['direction'];

/** Bits of d an OT. */
const MESSAGE = 32;

/**
 * Refuses OTs where a party may deviate: nothing in the extension is checked, so a receiver that sends false d learns
 * Δ from what happens then.
 * @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE
 */
export function checkWidening(widening: Widening, { adversary }: Pick<SecurityClaim, 'adversary'>): void {
  if (widening !== 'ot' || adversary === 'passive') return;
  throw new TercetError(
    'ERR_PROTOCOL_UNAVAILABLE',
    'oblivious transfers in this build are for parties that follow the protocol',
    'widen with words of the dealer where a party may deviate',
  );
}

export function receiverOf(direction: Direction): 1 | 2 {
  return direction === 0 ? 2 : 1;
}

export function senderOf(direction: Direction): 1 | 2 {
  return direction === 0 ? 1 : 2;
}

type OtPurpose = Extract<Purpose, 'otRoot' | 'otDelta' | 'otPad' | 'ot'>;

/** The address of a draw of one direction. */
function addressOf(gate: { readonly number: number }, purpose: OtPurpose, direction: Direction, table = 0) {
  return { ...drawId(gate, purpose, table), direction };
}

/** The base of all OTs of one direction of a circuit. It makes no wire. */
export class OtBaseGate extends Relation<undefined> {
  readonly relation = 'ot-base' as const;
  readonly longestDraw = OT_SIBLINGS;
  readonly direction: Direction;

  constructor(position: Position, direction: Direction) {
    super(position, undefined, {
      inputs: [],
      traits: ['soft-spoken', direction, OT_BASE],
      cost: direction === 0 ? { p0ToP1Ahead: OT_SIBLINGS } : { p0ToP2Ahead: OT_SIBLINGS },
    });
    this.direction = direction;
  }

  async component(): Promise<Vector> {
    return invariant(false, 'a base has no components') as never;
  }

  async dealP0(p0: Party): Promise<void> {
    const sender = senderOf(this.direction);
    const siblings = otSiblings(await this.#roots(p0), await this.#delta(p0));
    const fresh = prgOf(p0, sender).takeMask(addressOf(this, 'otPad', this.direction), this, 'siblings');
    const pad = await p0.kernels.draw(fresh.stream, 32, OT_SIBLINGS / 4);
    const words: Words = { k: 32, data: new Uint32Array(siblings.buffer) };
    await p0.link(sender).send(tagOf(this, 'deal'), Masked.under(fresh, await p0.kernels.add(words, pad)));
  }

  dealP1(p1: Party): Promise<void> {
    return this.#deal(p1);
  }

  dealP2(p2: Party): Promise<void> {
    return this.#deal(p2);
  }

  /** What this party has of the base, from its deal to the end of the step. */
  of(party: Party): Uint8Array {
    return party.peekBytes(this);
  }

  async #deal(party: Party): Promise<void> {
    const { direction } = this;
    const own = prgOf(party, party.id as 1 | 2);
    const tweak = own.tweak(addressOf(this, 'otRoot', direction), 0);
    if (party.id === receiverOf(direction)) {
      party.keep(this, receiverBase(await this.#roots(party), tweak));
      return;
    }
    const message = await party.link(0).recv(tagOf(this, 'deal'), 32, OT_SIBLINGS / 4);
    const stream = own.claim(addressOf(this, 'otPad', direction), this, 'siblings');
    const pad = await party.kernels.draw(stream, 32, OT_SIBLINGS / 4);
    const siblings = await party.kernels.read(await party.kernels.sub(message, pad));
    party.keep(this, senderBase(bytesOf(siblings), await this.#delta(party), tweak));
  }

  /** Known to P0 and the receiver. */
  async #roots(party: Party): Promise<Uint8Array> {
    return this.#bytes(party, receiverOf(this.direction), 'otRoot', 'roots', OT_ROOTS);
  }

  /** Known to P0 and the sender. */
  async #delta(party: Party): Promise<Uint8Array> {
    return this.#bytes(party, senderOf(this.direction), 'otDelta', 'Δ', OT_DELTA);
  }

  async #bytes(party: Party, side: 1 | 2, purpose: OtPurpose, use: 'roots' | 'Δ', length: number): Promise<Uint8Array> {
    const stream = prgOf(party, side).claim(addressOf(this, purpose, this.direction), this, use);
    return bytesOf(await party.kernels.read(await party.kernels.draw(stream, 32, length / 4)));
  }
}

/** OTs of a gate: one an element, of words over Z_2^k. `table` numbers those of one gate. */
export interface Transfers {
  readonly gate: Gate;
  readonly base: OtBaseGate;
  readonly k: number;
  readonly count: number;
  readonly table?: number;
}

/** Declared bytes of the message d. */
export function transferCost({ direction }: OtBaseGate, count: number): Partial<Cost> {
  const bytes = wireLength(MESSAGE, count);
  return direction === 0 ? { p2ToP1Ahead: bytes } : { p1ToP2Ahead: bytes };
}

/**
 * Receiver, ahead: sends d for its choice bits, and has w_c.
 *
 * d depends on nothing but masks. It still spends the execution: the same bits under the same u for another circuit
 * would tell d ⊕ d' = c ⊕ c', which is why its address is taken and not claimed.
 */
export async function receiveAhead(
  { gate, base, k, table }: Transfers,
  receiver: Party,
  choice: Vector,
): Promise<Vector> {
  const { direction } = base;
  const side = receiverOf(direction);
  const fresh = prgOf(receiver, side).takeMask(addressOf(gate, 'ot', direction, table), gate, 'd');
  const { message, words } = await receiver.kernels.otReceive(base.of(receiver), fresh.stream.nonce, choice, k);
  await receiver.link(senderOf(direction)).send(tagOf(gate, 'ahead'), Masked.transfer(fresh, message));
  return words;
}

/** Sender, ahead: has both words of every OT. */
export async function sendAhead({ gate, base, k, count, table }: Transfers, sender: Party): Promise<OtSent> {
  const { direction } = base;
  const { nonce } = prgOf(sender, senderOf(direction)).claim(addressOf(gate, 'ot', direction, table), gate, 'e');
  const message = await sender.link(receiverOf(direction)).recv(tagOf(gate, 'ahead'), MESSAGE, count);
  return sender.kernels.otSend(base.of(sender), nonce, message, k);
}

/** Sender: the one word an OT that it sends, which has w_0 − w_1 in it. */
export async function sendCorrelated({ gate, base, table }: Transfers, sender: Party, words: Vector): Promise<void> {
  const { direction } = base;
  const fresh = prgOf(sender, senderOf(direction)).takeMask(addressOf(gate, 'ot', direction, table), gate, 'e');
  await sender.link(receiverOf(direction)).send(tagOf(gate, halfOf(direction)), Masked.transfer(fresh, words));
}

/** Receiver: that word. */
export function recvCorrelated({ gate, base, k, count }: Transfers, receiver: Party): Promise<Vector> {
  return receiver.link(senderOf(base.direction)).recv(tagOf(gate, halfOf(base.direction)), k, count);
}

function halfOf(direction: Direction): '12' | '21' {
  return direction === 0 ? '12' : '21';
}
