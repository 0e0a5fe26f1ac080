/**
 * The rounds of `aby3` (PROTOCOL §17.3): a half-round P1 → P2 may carry messages from and to P0 as well. Around the
 * ring P1 sends to P2, P2 to P0 and P0 to P1, so what a party sends goes beside what it gets.
 */
import type { OwnerCost, OwnerRounds, Way } from '../frame/circuit.ts';
import type { Gate } from '../frame/gate.ts';
import type { Party } from '../frame/party.ts';

/** What gates declare of P0's part in the rounds, and its steps. */
export function ownerOf(gates: readonly Gate[]): OwnerCost & OwnerRounds {
  const declared = gates.flatMap(({ owner }) => (owner === undefined ? [] : [owner]));
  const sum = (bytes: 'p0ToP1' | 'p0ToP2' | 'p2ToP0') => declared.reduce((all, step) => all + (step[bytes] ?? 0), 0);
  return {
    rounds: new Set(declared.map(({ half }) => half)).size,
    p0ToP1: sum('p0ToP1'),
    p0ToP2: sum('p0ToP2'),
    p2ToP0: sum('p2ToP0'),
    steps,
  };
}

type Step = () => Promise<void> | undefined;

function steps(gate: Gate, half: number, party: Party, what: Way): readonly Step[] {
  const own = (step: Step): readonly Step[] => (gate.owner?.half === half ? [step] : []);
  const even = (step: Step): readonly Step[] => (gate.half12 === half ? [step] : []);
  const odd = (step: Step): readonly Step[] => (gate.half21 === half ? [step] : []);
  const sends = [
    () => [...own(() => gate.send01?.(party)), ...own(() => gate.send02?.(party))],
    () => even(() => gate.send12?.(party)),
    () => [...own(() => gate.send20?.(party)), ...odd(() => gate.send21?.(party))],
  ];
  // P0's word comes before the table that it belongs to.
  const gets = [
    () => own(() => gate.recv20?.(party)),
    () => [...own(() => gate.recv01?.(party)), ...odd(() => gate.recv21?.(party))],
    () => [...own(() => gate.recv02?.(party)), ...even(() => gate.recv12?.(party))],
  ];
  return (what === 'sends' ? sends : gets)[party.id]();
}
