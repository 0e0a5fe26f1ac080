/**
 * A cheater that goes on with the word that it sent, where that word is a part of a wire which it holds itself. Else it
 * would contradict itself in every gate behind, and another proof than that of its message could be what catches it.
 */
import { wireLength } from '../../compute/ring.ts';
import type { Component } from '../../mpc/share/wire.ts';
import type { Circuit } from '../../mpc/protocol/frame/circuit.ts';
import { type Gate, type Phase, tagOf } from '../../mpc/protocol/frame/gate.ts';
import type { Party } from '../../mpc/protocol/frame/party.ts';
import type { PartyId } from '../../net/wire/types.ts';

type Send = 'send12' | 'send21' | 'send01' | 'send20';

interface Held {
  readonly send: Send;
  readonly phase: Phase;
  readonly to: PartyId;
  readonly component: Component;
}

/** Messages whose sender holds a part of the gate's result that is what it sent. */
function heldOf({ relation, relations = [] }: Gate): readonly Held[] {
  const product = relation === 'product' && relations.some(({ shapes }) => shapes[0].message === 'product.l1');
  const parts: readonly Held[] = [
    { send: 'send01', phase: '01', to: 1, component: 'l1' },
    { send: 'send20', phase: '20', to: 0, component: 'l2' },
  ];
  if (relation === 'select' || relation === 'widen') return [{ send: 'send21', phase: '21', to: 1, component: 'm' }];
  return [{ send: 'send12', phase: '12', to: 2, component: 'm' }, ...(product ? parts : [])];
}

export class GoesOn {
  /** Of the session that runs: the cheater, and by tag what it sent in place of its message. */
  lie: { readonly cheater: PartyId; readonly sent: ReadonlyMap<string, Uint8Array> } | undefined;

  constructor(circuit: Circuit) {
    for (const gate of circuit.gates)
      for (const held of heldOf(gate)) {
        const own = gate[held.send];
        if (own === undefined) continue;
        const send = async (party: Party) => {
          await own.call(gate, party);
          await this.#goOn(gate, held, party);
        };
        Object.assign(gate, { [held.send]: send });
      }
  }

  async #goOn(gate: Gate, { phase, to, component }: Held, party: Party): Promise<void> {
    const { out } = gate;
    if (this.lie?.cheater !== party.id || out === undefined) return;
    await party.link(to).flush();
    const bytes = this.lie.sent.get(tagOf(gate, phase));
    // A message that goes in parts is changed in the first one.
    if (bytes?.length !== wireLength(out.k, out.count)) return;
    party.put(out, component, await party.kernels.unpack(bytes, out.k, out.count));
  }
}
