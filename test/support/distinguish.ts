/**
 * Whether a party's view tells two inputs apart, with an error rate that needs no approximation.
 *
 * For every nibble of a view a distinguisher is learnt on one half of the runs: a value speaks for the input it came
 * from more often. The other half of the runs is what it is tried on. If views are alike, what it says is a sum of 2m
 * independent terms in [−1, 1] with mean 0 together, so by Hoeffding's inequality (JASA 58, 1963) the sum passes t with
 * exp(−t²/4m) at most. A union bound over all nibbles gives the threshold.
 */
import { concatBytes } from '../../src/core/bytes.ts';

/** What one run shows: bytes by the name of their message. */
export type View = ReadonlyMap<string, Uint8Array>;

/** The chance that a test calls views that are alike different. Runs have fixed seeds, so it is spent once. */
const FALSE_ALARM = 1e-9;

/** Fewest runs of an input with which a distinguisher that is always right is seen among `places` nibbles. */
function fewestRuns(places: number): number {
  // Twice m, where 2m passes the threshold.
  return 2 * Math.ceil(Math.log(places / FALSE_ALARM) + 1);
}

/** All bytes of a view, and what it is looked at together with. */
interface Flat {
  readonly bytes: Uint8Array;
  readonly context: number;
}

/**
 * Places that tell two inputs apart.
 * @param given a message that every nibble is looked at together with: what the party held before
 */
export function distinguished(views: readonly [readonly View[], readonly View[]], given = ''): string[] {
  const contexts = new Map<string, number>();
  const flat = (view: View): Flat => {
    const held = view.get(given)?.join() ?? '';
    if (!contexts.has(held)) contexts.set(held, contexts.size);
    return { bytes: concatBytes([...view.values()]), context: contexts.get(held) ?? 0 };
  };
  const [a, b] = views.map((all) => all.map(flat));
  const length = a[0].bytes.length;
  const places = 2 * length;
  if ([...a, ...b].some(({ bytes }) => bytes.length !== length))
    throw new Error('views of one circuit are of one size');
  if (a.length !== b.length || a.length < fewestRuns(places)) throw new Error('too few runs to tell anything');
  const half = a.length >> 1;
  const threshold = Math.sqrt(4 * (a.length - half) * Math.log(places / FALSE_ALARM));
  const names = [...views[0][0]].flatMap(([name, bytes]) => Array.from(bytes, (_, at) => `${name}[${at}]`));
  const votes = new Int32Array(16 * contexts.size);
  const found: string[] = [];
  for (let at = 0; at < length; at++)
    for (const shift of [0, 4]) {
      const slot = ({ bytes, context }: Flat) => 16 * context + ((bytes[at] >> shift) & 15);
      votes.fill(0);
      for (let run = 0; run < half; run++) {
        votes[slot(a[run])]++;
        votes[slot(b[run])]--;
      }
      let advantage = 0;
      for (let run = half; run < a.length; run++)
        advantage += Math.sign(votes[slot(a[run])]) - Math.sign(votes[slot(b[run])]);
      if (advantage >= threshold) found.push(`${names[at]} ${shift === 0 ? 'low' : 'high'}`);
    }
  return found;
}
