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
function sumOf({ largestError: _error, largestAt: _at, ...coefficients }, key) {
  const [, , unit, name] = SHOWN[key];
  const terms = Object.entries(coefficients).map(
    ([term, value]) => `${Number((value / unit).toPrecision(3))}${TERMS[term]}`,
  );
  return `${terms.join(' + ').replaceAll('+ -', '− ')}${name}`;
}

/** A law holds if it leaves no more than this: of what circuits declare, and of what was measured once. */
const HOLDS = { declared: 0.02, measured: 0.15 };
const DECLARED = ['ownerBytes', 'betweenBytes', 'rounds'];

/** Why a declared quantity is not what its law says. By texts all laws hold. */
const WHY = {
  betweenBytes:
    'the maximum of a row of scores takes six rounds up to 192 tokens and eight beyond, so in a longer text it compares more columns at once, and a score costs more bytes',
  rounds: 'a maximum takes log2 T rounds up to 64 tokens, six up to 192, and eight beyond',
};

/** Of each law whether it holds, and where it does not. */
function sentences({ name, laws }) {
  const unit = name === 'law by texts' ? 'texts' : 'tokens';
  const kind = (key) => (DECLARED.includes(key) ? 'declared' : 'measured');
  const percent = ({ largestError }) => `${(100 * largestError).toFixed(1)} %`;
  const off = Object.entries(laws).filter(([key, law]) => law.largestError > HOLDS[kind(key)]);
  const held = Object.entries(laws).filter(([key]) => !off.some(([other]) => other === key));
  const list = held.map(([key, law]) => `${SHOWN[key][0]} (${percent(law)})`).join(', ');
  return [
    ...(held.length === 0 ? [] : [`- By ${unit} as designed, within: ${list}.`]),
    ...off.map(([key, law]) => {
      const why = DECLARED.includes(key) && unit === 'tokens' ? `: ${WHY[key] ?? 'nobody has said why'}` : '';
      return `- By ${unit} **not** as designed: ${SHOWN[key][0]}, ${percent(law)} off at ${law.largestAt} ${unit}${why}.`;
    }),
  ];
}

/** @param growth the kept file, undefined where it was not made */
export function growthSection(growth) {
  if (growth === undefined) return '';
  const rows = growth.rows.filter(({ laws }) => laws === undefined);
  const laws = growth.rows.filter(({ laws: found }) => found !== undefined && Object.keys(found).length > 0);
  const keys = Object.keys(SHOWN);
  const shown = (row, key) => (row[key] === undefined ? '–' : SHOWN[key][1](row[key]));
  const nameOf = ({ name, declared }) => (declared ? `${name}, declared` : name);
  return `## How a run grows

${made(growth)}${noted(growth)} BERT-base dimensions, random weights, open, plan \`lan\`. CPU and memory as the kernel counts them. Declared rows come from the circuits, without frame headers.

${table(
  ['run', ...keys.map((key) => SHOWN[key][0])],
  rows.map((row) => [nameOf(row), ...keys.map((key) => shown(row, key))]),
)}

Laws of the design, fitted by least squares of the relative error; T tokens, n texts of 16. Those of bytes and rounds are fitted to the declared rows. In brackets the largest error that the law leaves.

${table(
  ['', ...keys.map((key) => SHOWN[key][0])],
  laws.map(({ name, laws: found }) => [
    name,
    ...keys.map((key) =>
      found[key] === undefined ? '–' : `${sumOf(found[key], key)} (${(100 * found[key].largestError).toFixed(1)} %)`,
    ),
  ]),
)}

${laws.flatMap(sentences).join('\n')}

`;
}
