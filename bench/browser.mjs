// Figures of the browser's party, kept in bench/results/browser.json: `node bench/browser.mjs [--namespaces]`
// after `npm run build`.
//
// Without an option: page, worker and two parties on this machine. With --namespaces (root, Linux): three hosts
// in network namespaces, the browser's shaped like a home link by tc netem where the kernel has it, else by
// bench/netns/shaper.rs; kept in bench/results/namespaces.json.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import { keepResults } from '../dist/bench/rows.js';
import { CHROMIUM, FLAGS, ROOT, buildPage, startAll, workFolder } from './browser/parties.mjs';
import { HOME, HOSTS, certificate, chromiumAtHome, network, openShaper } from './netns/network.mjs';

const TEXT = 'The capital of France is [MASK].';
const LONG = `A warm, funny and moving film. ${'The acting is fine, and the story goes where it should. '.repeat(9)}`;
const SITE = '127.0.0.1:8430';
/** `--round-trips 2,60` for some of them. */
const chosen = process.argv[process.argv.indexOf('--round-trips') + 1];
const ROUND_TRIPS_MS = process.argv.includes('--round-trips') ? chosen.split(',').map(Number) : [2, 30, 60, 120, 200];
const work = workFolder();
const rows = [];

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

async function measure(page, asked) {
  const { costs, tokens, downloadedBytes } = await page.evaluate((options) => globalThis.measure(options), {
    runs: 5,
    device: 'wasm',
    weights: 'open',
    transport: 'webrtc',
    ...asked,
  });
  const of = (pick) => Math.round(10 * median(costs.map(pick))) / 10;
  const [first] = costs;
  return {
    model: asked.model,
    weights: asked.weights ?? 'open',
    transport: asked.transport ?? 'webrtc',
    tokens: first.tokens,
    paddedTokens: first.paddedTokens,
    prepared: asked.prepare,
    answer: tokens[0],
    buttonToAnswerMs: of(({ timing }) => timing.totalMs),
    prepareMs: of(({ timing }) => timing.prepareMs),
    computeMs: of(({ timing }) => timing.computeMs),
    uplinkBytes: first.sentBytes[0],
    downlinkBytes: first.receivedBytes[0],
    betweenBytes: first.links.between.bytes,
    rounds: first.links.between.totalRounds,
    downloadedBytes,
  };
}

async function openPage(executablePath, more = []) {
  const browser = await chromium.launch({ executablePath, args: [...FLAGS, ...more] });
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  await page.goto(`http://${SITE}/`);
  await page.waitForFunction(() => 'measure' in globalThis);
  return { browser, page };
}

async function onThisMachine() {
  const local = { prefix: [], address: '127.0.0.1' };
  const parties = await startAll({
    page: join(work.folder, 'page'),
    home: work.folder,
    hosts: [local, local, local],
    site: SITE,
  });
  const { browser, page } = await openPage(CHROMIUM);
  try {
    for (const [model, text] of [
      ['capitals-bert', TEXT],
      ['sst2-bert', LONG],
    ]) {
      for (const weights of ['open', 'secret']) {
        for (const prepare of [false, true])
          rows.push({ suite: 'browser', ...(await measure(page, { model, text, weights, prepare })) });
      }
    }
    rows.push({
      suite: 'browser',
      ...(await measure(page, { model: 'capitals-bert', text: TEXT, transport: 'websocket', prepare: true })),
    });
  } finally {
    await browser.close();
    parties.stop();
  }
}

async function inNamespaces() {
  const shaper = openShaper(work.folder);
  const { key, cert } = certificate(work.folder);
  const chromiumPath = chromiumAtHome(work.folder);
  for (const roundTripMs of ROUND_TRIPS_MS) {
    const undo = await network(shaper, roundTripMs / 2);
    const home = join(work.folder, `home-${roundTripMs}`);
    mkdirSync(home);
    let parties;
    let opened;
    try {
      parties = await startAll({
        page: join(work.folder, 'page'),
        home,
        hosts: HOSTS,
        site: SITE,
        tls: ['--web-cert', cert, '--web-key', key],
      });
      opened = await openPage(chromiumPath, ['--ignore-certificate-errors']);
      for (const how of [{ prepare: false }, { prepare: true }, { prepare: true, transport: 'websocket' }]) {
        const row = await measure(opened.page, { model: 'capitals-bert', text: TEXT, ...how });
        rows.push({ suite: 'namespaces', roundTripMs, shapedBy: shaper.name, ...HOME, ...row });
      }
    } finally {
      await opened?.browser.close();
      parties?.stop();
      await new Promise((resolve) => setTimeout(resolve, 1500));
      undo();
    }
  }
}

const suite = process.argv.includes('--namespaces') ? 'namespaces' : 'browser';
try {
  await buildPage(join(work.folder, 'page'));
  await (suite === 'namespaces' ? inNamespaces() : onThisMachine());
  keepResults(
    join(ROOT, 'bench/results', `${suite}.json`),
    suite,
    rows,
    `node bench/browser.mjs${suite === 'namespaces' ? ' --namespaces' : ''}`,
  );
  console.table(
    rows.map(
      ({ roundTripMs, weights, transport, paddedTokens, prepared, buttonToAnswerMs, prepareMs, uplinkBytes }) => ({
        roundTripMs,
        weights,
        transport,
        paddedTokens,
        prepared,
        buttonToAnswerMs,
        prepareMs,
        uplinkBytes,
      }),
    ),
  );
} finally {
  work.remove();
}
