/** A gate whose message leaves without the mask that it drew: a planted fault, for tests of views. */
import type { Vector } from '../../src/compute/ring.ts';
import type { Circuit } from '../../src/mpc/protocol/frame/circuit.ts';
import { drawId } from '../../src/mpc/protocol/frame/gate.ts';
import { type Party, prgOf } from '../../src/mpc/protocol/frame/party.ts';
import type { Purpose } from '../../src/mpc/prg/gate-id.ts';
import { Masked } from '../../src/mpc/share/masked.ts';
import type { Wire } from '../../src/mpc/share/wire.ts';

/** Who sends, to whom, under which draw of which pair, and whether the mask is added or taken away. */
const SENT = {
  send12: { to: 2, side: 1, purpose: 'mask1', mask: 'λ1', sign: -1n },
  send21: { to: 1, side: 2, purpose: 'mask2', mask: 'λ2', sign: -1n },
  dealP0: { to: 2, side: 1, purpose: 'cross', mask: 'Γ1', sign: 1n },
} as const satisfies Record<string, { to: 1 | 2; side: 1 | 2; purpose: Purpose; mask: string; sign: bigint }>;

/** Replaces a message by its content without the mask of its gate. */
export function unmasked(number: number, message: keyof typeof SENT): (circuit: Circuit) => Circuit {
  return (circuit) => {
    const gate = circuit.gates[number];
    const honest = gate[message]?.bind(gate);
    const { to, side, purpose, mask: name, sign } = SENT[message];
    gate[message] = async (party) => {
      const link = party.link(to);
      const drawn = prgOf(party, side).claim(drawId(gate, purpose), gate, name);
      const bare = async ({ payload }: Masked) => {
        const words = payload as Vector;
        const mask = await party.kernels.draw(drawn, words.k, (gate.out as Wire).count);
        return party.kernels.add(words, await party.kernels.scale(mask, sign));
      };
      const send = async (tag: string, masked: Masked) =>
        link.send(tag, Masked.plain('output to its owner', await bare(masked)));
      await honest?.({ ...forwarded(party), link: () => ({ send }) as unknown as ReturnType<Party['link']> });
    };
    return circuit;
  };
}

function forwarded(party: Party): Party {
  const { id, kernels, parameters, k01, k02 } = party;
  return {
    id,
    kernels,
    parameters,
    k01,
    k02,
    link: (peer) => party.link(peer),
    value: (wire, component) => party.value(wire, component),
    bitsRead: (wire) => party.bitsRead(wire),
    put: (wire, component, words) => party.put(wire, component, words),
    keep: (gate, words) => party.keep(gate, words),
    take: (gate) => party.take(gate),
    takeBytes: (gate) => party.takeBytes(gate),
    peekBytes: (gate) => party.peekBytes(gate),
    random: () => new Uint8Array(0),
    origin: (wire) => party.origin(wire),
    keptBefore: (name, component) => party.keptBefore(name, component),
    sweep: (also) => party.sweep(also),
  };
}
