/**
 * What a run of `3pc_malicious` proved, under the answer: who proved how much to whom, and what it took. Loaded with
 * the first answer that has it.
 */
import type { RunProofs } from '../../owner/types/index.ts';
import { bytes, seconds } from '../format.ts';
import { el } from './dom.ts';

const WHO = ['Your browser', 'Party 1', 'Party 2'];
const TOLD = ['your browser', 'party 1', 'party 2'];

export function proved(body: HTMLElement, proofs: RunProofs): void {
  body.replaceChildren(el('div', 'band-head', el('p', '', lead(proofs))), table(proofs), fine(proofs));
}

/** Provers in a sentence: two compute parties, and with secret weights all three. */
function lead({ provers, soundness }: RunProofs): string {
  const who = provers.length > 2 ? 'each of the three parties' : 'each compute party';
  // 2^46 tries are said as a power of ten that is not larger.
  const tries = Math.floor(-soundness * Math.log10(2));
  return `Before the answer was unlocked, ${who} proved to the two others that every number it had sent was the right one. One wrong number, and there would be no answer. A cheat would pass less than once in 10${superscript(tries)} tries.`;
}

function table({ provers, bytes: total }: RunProofs): HTMLElement {
  const cell = (text: string, name = 'r num'): HTMLElement => el('td', name, text);
  const head = (scope: string, text: string, name = ''): HTMLElement => {
    const made = el('th', name, text);
    made.scope = scope;
    return made;
  };
  const rows = provers.map(({ prover, verifiers, messages, bytes: size }) =>
    el(
      'tr',
      '',
      head('row', WHO[prover]),
      cell(`${TOLD[verifiers[0]]} and ${TOLD[verifiers[1]]}`, ''),
      cell(messages.toLocaleString('en')),
      cell(bytes(size)),
    ),
  );
  const columns = [head('col', 'Proved by'), head('col', 'Accepted by'), head('col', 'Messages', 'r')];
  const all = provers.reduce((sum, { messages }) => sum + messages, 0);
  const sum = el('tr', '', head('row', 'Together'), cell('', ''), cell(all.toLocaleString('en'), 'r num tot'));
  sum.append(cell(bytes(total), 'r num tot'));
  return el(
    'div',
    'cost-wrap',
    el(
      'table',
      'plain',
      el('caption', 'vh', 'Proofs of this run'),
      el('thead', '', el('tr', '', ...columns, head('col', 'Proof', 'r'))),
      el('tbody', '', ...rows, sum),
    ),
  );
}

function fine({ provers, ms, soundness }: RunProofs): HTMLElement {
  const times = WHO.map((_, i) => `${TOLD[i]} ${seconds(ms[i])}`).join(', ');
  const own = provers.some(({ prover }) => prover === 0)
    ? ''
    : ' The model is public, so your browser has nothing to prove: a wrong number of its own spoils its own answer alone.';
  return el(
    'p',
    'fine',
    `Time on proofs, waiting for others included: ${times}. At level ${soundness < LEVEL_256 ? 256 : 128} a wrong run passes with at most 2^${soundness.toFixed(1)}.${own} Proofs do not help against two parties that work together.`,
  );
}

/** Between the bounds of the two levels: 2^-46 and 2^-63 at most. */
const LEVEL_256 = -60;

function superscript(n: number): string {
  return Array.from(String(n), (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('');
}
