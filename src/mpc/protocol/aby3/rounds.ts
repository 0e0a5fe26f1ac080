/**
 * The rounds of `aby3` (PROTOCOL §17.3): a half-round P1 → P2 may carry messages from and to P0 as well. Around the
 * ring P1 sends to P2, P2 to P0 and P0 to P1, so what a party sends goes beside what it gets.
 */
import { AHEAD } from '../../share/wire.ts';
import type { OwnerCost, OwnerRounds, Step } from '../frame/circuit.ts';
import type { Gate } from '../frame/gate.ts';
import type { Party } from '../frame/party.ts';

/** What gates declare of P0's part in the rounds, and who does what in them. */
export function ownerOf(gates: readonly Gate[]): OwnerCost & OwnerRounds {
  const declared = gates.flatMap(({ owner }) => (owner === undefined ? [] : [owner]));
  const sum = (bytes: 'p0ToP1' | 'p0ToP2' | 'p2ToP0') => declared.reduce((all, step) => all + (step[bytes] ?? 0), 0);
  return {
    rounds: new Set(declared.map(({ half }) => half)).size,
    p0ToP1: sum('p0ToP1'),
    p0ToP2: sum('p0ToP2'),
    p2ToP0: sum('p2ToP0'),
    half: (all, half, party, run) =>
      Promise.all(
        (['sends', 'gets'] as const).map(async (what) => {
          for (const gate of all) for (const step of stepsOf(gate, half, party)[what]) await run(gate, step, what);
        }),
      ),
    // Ahead it has what is drawn, and with the input what it sends then.
    online: ({ owner, inputs, inputP0 }) =>
      inputP0 === undefined && (owner !== undefined || inputs.some(({ readyL2 }) => readyL2 !== AHEAD)),
  };
}

/** P0's word comes before the table that it belongs to. */
function stepsOf(gate: Gate, half: number, party: Party): Record<'sends' | 'gets', readonly Step[]> {
  const steps = (of: number | undefined, ...all: readonly Step[]) => (of === half ? all : []);
  const { half12, half21, owner } = gate;
  switch (party.id) {
    case 0:
      return {
        sends: steps(
          owner?.half,
          () => gate.send01?.(party),
          () => gate.send02?.(party),
        ),
        gets: steps(owner?.half, () => gate.recv20?.(party)),
      };
    case 1:
      return {
        sends: steps(half12, () => gate.send12?.(party)),
        gets: [...steps(owner?.half, () => gate.recv01?.(party)), ...steps(half21, () => gate.recv21?.(party))],
      };
    case 2:
      return {
        sends: [...steps(owner?.half, () => gate.send20?.(party)), ...steps(half21, () => gate.send21?.(party))],
        gets: [...steps(owner?.half, () => gate.recv02?.(party)), ...steps(half12, () => gate.recv12?.(party))],
      };
  }
}
