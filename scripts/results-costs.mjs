// The part of bench/results/README.md that is about costs: declared ones, what every party takes, and other systems.
const mega = (bytes) =>
  bytes === 0
    ? '0'
    : bytes < 1e6
      ? `${(bytes / 1e3).toFixed(bytes < 1e4 ? 1 : 0)} kB`
      : `${(bytes / 1e6).toFixed(1)} MB`;
const seconds = (value) => (value < 1 ? `${(1e3 * value).toFixed(value < 0.01 ? 1 : 0)} ms` : `${value.toFixed(1)} s`);
const giga = (bytes) => `${(bytes / 1e9).toFixed(bytes < 1e8 ? 3 : 2)} GB`;
const dollars = (value) => `$${value < 0.01 ? value.toFixed(4) : value.toFixed(3)}`;
const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
const made = ({ commit, command, date }) => `\`${command}\`, commit ${commit}, ${date}.`;
const noted = ({ note }) => (note === undefined ? '' : ` ${note[0].toUpperCase()}${note.slice(1)}.`);
const sum = (values) => values.reduce((total, value) => total + value, 0);
const runOf = ({ model, tokens, perToken, weights, plan, dealer, device }) =>
  [model, perToken ? `a token behind ${tokens}` : tokens, weights, `${plan}${dealer ? ' + dealer' : ''}`, device]
    .filter((part) => part !== undefined)
    .join(', ');

/** What the goal of a quarter of the bytes is measured against. */
const GOALS = [
  ['P0 up, 128 tokens', '≤ 95 MB and ≤ 45 MB, and the words of secret matrices'],
  ['P1↔P2, 128 tokens', '≤ 1.2 GB'],
  ['rounds, 128 tokens', '≤ 260'],
  ['P0 up, 16 tokens', '≤ 10 MB and ≤ 4 MB, and the same'],
  ['P1↔P2, 16 tokens', '≤ 110 MB'],
  ['P1↔P2, a token of GPT-2 behind 128', '≤ 10 MB'],
  ['rounds, a token of GPT-2 behind 128', '≤ 250'],
];

function beforeAndNow({ declared, bertBefore, gpt2Before }) {
  const row = (weights, model, tokens, plan) =>
    declared.rows.find(
      (one) =>
        one.model === model && one.tokens === tokens && one.weights === weights && one.plan === plan && !one.dealer,
    );
  const plans = ['lan', 'wan-cloud'];
  const up = ({ ownerAheadBytes, ownerInputBytes }) => ownerAheadBytes + ownerInputBytes;
  const was = (tokens) => bertBefore.rows.find((one) => one.name === `bert-base/${tokens}/open`).cost;
  const between = ({ p0, p1, p2 }) => p1.sentBytes + p2.sentBytes - p0.receivedBytes;
  const token = gpt2Before.rows.find(({ name }) => name === 'gpt2/128/kept').perToken;
  const both = (model, tokens, shown) => (weights) =>
    plans.map((plan) => shown(row(weights, model, tokens, plan))).join(' and ');
  const lines = [
    [mega(was(128).p0.sentBytes), both('bert-base', 128, (one) => mega(up(one)))],
    [giga(between(was(128))), both('bert-base', 128, (one) => giga(one.betweenBytes))],
    [was(128).rounds, (weights) => row(weights, 'bert-base', 128, 'lan').rounds],
    [mega(was(16).p0.sentBytes), both('bert-base', 16, (one) => mega(up(one)))],
    [mega(between(was(16))), both('bert-base', 16, (one) => mega(one.betweenBytes))],
    [mega(token.betweenBytes), both('gpt2', 128, (one) => mega(one.betweenBytes))],
    [token.rounds, (weights) => row(weights, 'gpt2', 128, 'lan').rounds],
  ];
  return table(
    ['`lan` and `wan-cloud`', 'before, open weights', 'declared, open', 'declared, secret', 'goal'],
    GOALS.map(([name, goal], i) => [name, lines[i][0], lines[i][1]('open'), lines[i][1]('secret'), goal]),
  );
}

export function declaredTables({ declared }) {
  const rates = Object.keys(declared.rows[0].pageUplinkS);
  const bytes = declared.rows.map((row) => [
    runOf(row),
    mega(row.ownerAheadBytes),
    mega(row.ownerInputBytes),
    mega(row.ownerDownBytes),
    row.dealer ? mega(row.dealerBytes) : '–',
    giga(row.betweenBytes),
    row.rounds,
    dollars(row.egressDollars),
  ]);
  const uplink = declared.rows.map((row) => [
    runOf(row),
    ...rates.flatMap((rate) => [seconds(row.pageUplinkS[rate].notPrepared), seconds(row.pageUplinkS[rate].prepared)]),
  ]);
  return [
    table(
      ['run', 'P0 up, ahead', 'P0 up, with the text', 'P0 down', 'dealer up', 'P1↔P2', 'rounds', 'egress of servers'],
      bytes,
    ),
    table(
      ['run', ...rates.flatMap((rate) => [`${rate.replace('Mbit', ' Mbit/s')}, not prepared`, 'prepared'])],
      uplink,
    ),
  ];
}

const timesOf = ({ timing: { preprocessMs, onlineMs } }) => [preprocessMs / 1000, onlineMs / 1000];

/** What one element or row of every gadget took before and takes now. */
function gadgetTable({ rows }) {
  const pair = ({ before, lan, wanCloud }, of) => [of(before), of(lan), of(wanCloud)].join(' / ');
  const bytes = (value) => (value >= 1000 ? mega(value) : `${Number(value.toPrecision(4))} B`);
  return table(
    ['gadget', 'of one', 'P0', 'P1↔P2', 'rounds'],
    rows.map((row) => [
      row.name,
      row.unit,
      pair(row, ({ ownerBytes }) => bytes(ownerBytes)),
      pair(row, ({ betweenBytes }) => bytes(betweenBytes)),
      pair(row, ({ rounds }) => rounds),
    ]),
  );
}

function partyTable({ rows }) {
  const parties = ['p0', 'p1', 'p2', 'dealer'];
  return table(
    [
      'run',
      'ahead + online',
      'CPU seconds P0 / P1 / P2 / dealer',
      'all',
      'all, first run',
      'peak memory P0 / P1 / P2 / dealer',
      'P0 up',
      'rounds',
    ],
    rows.map((row) => [
      runOf(row),
      timesOf(row).map(seconds).join(' + '),
      parties.map((party) => row.cpuS[party] ?? '–').join(' / '),
      row.cpuS.all,
      // Rows of before have one run each, which was the first.
      row.first?.cpuS.all ?? row.cpuS.all,
      parties.map((party) => (row.peakBytes[party] === undefined ? '–' : giga(row.peakBytes[party]))).join(' / '),
      mega(row.cost.p0.sentBytes),
      row.cost.rounds,
    ]),
  );
}

/** The same with kernels of the processor, where they were measured. */
function nativeTable({ costsNative }) {
  if (costsNative === undefined) return '';
  return `\n\nCompute parties on native kernels: ${made(costsNative)}${noted(costsNative)}\n\n${partyTable(costsNative)}`;
}

function peerTable({ declared, costs, spu, peers, bert }) {
  const price = Number(/^[\d.]+/.exec(declared.note)[0]);
  const egress = (bytes) => dollars((bytes / 1e9) * price);
  const shown = (times) => times.map(seconds).join(' and ');
  const own = declared.rows
    .filter(({ model, tokens }) => model === 'bert-base' && tokens === 128)
    .map((row) => {
      const measured = costs.rows.find(({ name }) => name === row.name);
      const time = measured === undefined ? '–' : seconds(sum(timesOf(measured)));
      const all = row.ownerAheadBytes + row.ownerInputBytes + row.ownerDownBytes + row.dealerBytes + row.betweenBytes;
      return [
        `Tercet, ${row.weights} weights, ${row.plan}${row.dealer ? ' + dealer' : ''}`,
        'here',
        time,
        measured === undefined ? '–' : seconds(measured.cpuS.all),
        giga(all),
        row.rounds,
        dollars(row.egressDollars),
      ];
    });
  const measured = spu.rows
    .filter(({ tokens }) => tokens === 128)
    .map((row) => [
      `SPU ${spu.versions.spu} with PUMA's circuits, ${row.weights} weights`,
      'here, three processes',
      seconds(row.wallS),
      `${sum(row.cpuS).toFixed(1)} s`,
      giga(sum(row.sentBytes)),
      `≤ ${Math.max(...row.sendActions)}`,
      egress(sum(row.sentBytes)),
    ]);
  const [float] = bert.rows.filter(({ name }) => name === 'bert-base/128/open');
  const plain = [
    ['plaintext, own float kernels', 'here', seconds(float.plaintext.timeMs / 1000), '–', '0', '0', '0'],
    ...spu.rows
      .filter(({ tokens, weights }) => tokens === 128 && weights === 'secret')
      .map(({ plaintext: { by, wallS, cpuS } }) => [
        `plaintext, ${by}, encoder alone`,
        'here',
        seconds(wallS),
        seconds(cpuS),
        '0',
        '0',
        '0',
      ]),
  ];
  const published = peers.rows.map(({ name, setting, timeS, bytes, rounds, ahead }) => [
    name,
    `published: ${setting}${ahead === 'none' || ahead === 'not stated' ? '' : `; ahead ${ahead}`}`,
    shown(timeS),
    '–',
    giga(bytes),
    rounds ?? '–',
    egress(bytes),
  ]);
  return table(
    ['system', 'where', 'time', 'CPU of all parties', 'bytes of all parties', 'rounds', 'egress'],
    [...own, ...measured, ...plain, ...published],
  );
}

/** What 112 tokens more take, so that loading the model is in neither figure, and the time of a further token. */
function cpuBeforeAndNow({ rows, command, machine }) {
  const commits = [...new Set(rows.map(({ commit }) => commit))];
  const ratio = ([before, now]) => `a ratio of ${(now / before).toFixed(2)}`;
  const of = (commit, tokens) => rows.find((row) => row.commit === commit && row.tokens === tokens).cpuS;
  const more = commits.map((commit) => of(commit, 128) - of(commit, 16));
  const each = (values, unit) => values.map((v, i) => `${unit(v)} (${commits[i]})`).join(', ');
  const tokens = commits.flatMap((commit) => rows.find((row) => row.commit === commit && row.tokenMs)?.tokenMs ?? []);
  const token =
    tokens.length < 2
      ? ''
      : ` A token of GPT-2 small behind 128, online: ${each(tokens, (ms) => seconds(ms / 1000))}, ${ratio(tokens)}.`;
  return `CPU of all parties for 128 tokens less that for 16, ${machine.cores} cores of ${machine.cpu}: ${each(more, (s) => `${s.toFixed(1)} core-s`)}, ${ratio(more)}.${token} \`${command}\`.`;
}

/** Sections of the page. */
export function costSections(kept) {
  const { declared, costs, spu, peers, bertBefore } = kept;
  const [bytes, uplink] = declaredTables(kept);
  return `## Bytes and rounds, before and now

BERT-base dimensions at 128 and 16 tokens. Before: commit ${bertBefore.commit}, measured with frame headers. Now: by the circuit.

${beforeAndNow(kept)}

${cpuBeforeAndNow(kept.cpu)}

By gadget, open weights, by the circuits: before (${kept.gadgets.rows[0].before.commit}) / now, \`lan\` / now, \`wan-cloud\`. \`${kept.gadgets.command}\`, commit ${kept.gadgets.commit}, ${kept.gadgets.date}.

${gadgetTable(kept.gadgets)}

## Declared costs

${made(declared)} No run: these follow from the circuits, on every machine. Random weights; ${declared.note}, an assumption.

${bytes}

Seconds of a page's uplink. The text is padded. *Not prepared*: all is sent after the button. *Prepared*: only what goes with the text is.

${uplink}

## What every party takes

${made(costs)}${noted(costs)} User and system time of each process, dealing and online, models loaded before and everybody warmed by one short run: the median of the row's runs in the same processes, and the first of them. Peaks are the highest of any run. A token of GPT-2 is the difference of two runs.

${partyTable(kept.costs)}${nativeTable(kept)}

## Beside other systems

BERT-base dimensions, 128 tokens, one text. SPU: ${made(spu)}${noted(spu)}

${peerTable(kept)}

- SPU's row runs the encoder from embedded hidden states. Tercet's has the private look-up of 128 tokens and the head as well.
- SPU's rounds are the send actions of one party, an upper bound. Its largest error was ${Math.max(...spu.rows.map(({ maxAbsError }) => maxAbsError)).toFixed(4)}.
- Systems differ in who must not collude, in hardware and in network. Egress is all bytes between servers, dealing ahead left out for the published rows.
- A dash: not measured here, or not published.

Sources of the published rows:

${peers.rows.map(({ name, source }) => `- ${name}: ${source}.`).join('\n')}
`;
}
