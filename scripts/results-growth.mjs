// The part of bench/results/README.md that says how a run grows: rows, and the laws fitted to them.
const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
const made = ({ commit, command, date }) => `\`${command}\`, commit ${commit}, ${date}.`;
const noted = ({ note }) => (note === undefined ? '' : ` ${note[0].toUpperCase()}${note.slice(1)}.`);
const mega = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/** How each quantity is shown, by its name in a row. */
const SHOWN = {
  cpuS: ['CPU of all parties', (value) => `${value.toFixed(1)} s`, 1, ' s'],
  seconds: ['time, ahead and online', (value) => `${value.toFixed(1)} s`, 1, ' s'],
  ownerBytes: ['P0 up', mega, 1e6, ' MB'],
  betweenBytes: ['P1↔P2', mega, 1e6, ' MB'],
  peakBytes: ['peak memory of a compute party', mega, 1e6, ' MB'],
  rounds: ['rounds', String, 1, ''],
};
const TERMS = { constant: '', tokens: '·T', tokensSquared: '·T²', log2Tokens: '·log2 T', texts: '·n' };

/** A law as a sum, in the unit of its quantity. */
function sumOf({ largestError: _, ...coefficients }, key) {
  const [, , unit, name] = SHOWN[key];
  const terms = Object.entries(coefficients).map(
    ([term, value]) => `${Number((value / unit).toPrecision(3))}${TERMS[term]}`,
  );
  return `${terms.join(' + ').replaceAll('+ -', '− ')}${name}`;
}

/** @param growth the kept file, undefined where it was not made */
export function growthSection(growth) {
  if (growth === undefined) return '';
  const rows = growth.rows.filter(({ laws }) => laws === undefined);
  const laws = growth.rows.filter(({ laws: found }) => found !== undefined && Object.keys(found).length > 0);
  const keys = Object.keys(SHOWN);
  return `## How a run grows

${made(growth)}${noted(growth)} BERT-base dimensions, random weights, open, plan \`lan\`. CPU and memory as the kernel counts them.

${table(
  ['run', ...keys.map((key) => SHOWN[key][0])],
  rows.map((row) => [row.name, ...keys.map((key) => SHOWN[key][1](row[key]))]),
)}

Laws fitted by least squares of the relative error; T tokens, n texts of 16. In brackets the largest error that the law leaves.

${table(
  ['', ...keys.map((key) => SHOWN[key][0])],
  laws.map(({ name, laws: found }) => [
    name,
    ...keys.map((key) =>
      found[key] === undefined ? '–' : `${sumOf(found[key], key)} (${(100 * found[key].largestError).toFixed(1)} %)`,
    ),
  ]),
)}

`;
}
