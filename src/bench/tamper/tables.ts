/**
 * Words of public tables of proofs. They follow from a circuit alone, are no message, and are the same to the bit
 * whatever makes them: a whole stretch of a function is made once, for all parties and sessions.
 */
import type { Circuit } from '../../mpc/protocol/frame/circuit.ts';
import type { Halves } from '../../mpc/protocol/frame/gate.ts';

/** Indices that are worth keeping words of. */
const STRETCH = 64;

export function keepTables(circuit: Circuit): void {
  const kept = new Map<string, Promise<Uint8Array>>();
  for (const gate of circuit.gates) {
    const halves = gate.halves?.map((own): Halves => {
      const { words } = own;
      if (words === undefined) return own;
      return {
        ...own,
        words: async (on, table, f, indices) => {
          const [from, to] = [indices[0], indices[indices.length - 1]];
          const make = () => words.call(own, on, table, f, indices);
          if (indices.length < STRETCH || to - from !== indices.length - 1) return make();
          const key = `${table.id} ${f} ${from} ${to}`;
          const known = kept.get(key) ?? make();
          kept.set(key, known);
          return known;
        },
      };
    });
    if (halves !== undefined) Object.assign(gate, { halves });
  }
}
