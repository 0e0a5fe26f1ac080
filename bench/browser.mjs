// Figures of the browser's party, kept in bench/results/browser.json: `node bench/browser.mjs [--namespaces]` after `npm run build`.
//
// Without an option: page, worker and two parties on this machine. With --namespaces (root, Linux): three hosts in network namespaces, the browser's shaped like a
// home link by tc netem where the kernel has it, else by bench/netns/shaper.rs; kept in bench/results/namespaces.json.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import { keepResults } from '../dist/bench/rows.js';
import { CHROMIUM, FLAGS, ROOT, buildPage, start, startAll, workFolder } from './browser/parties.mjs';

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
  const { costs, tokens, downloadedBytes } = await page.evaluate((options) => globalThis.measure(options), { runs: 5, device: 'wasm', weights: 'open', transport: 'webrtc', ...asked });
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
  const parties = await startAll({ page: join(work.folder, 'page'), home: work.folder, hosts: [local, local, local], site: SITE });
  const { browser, page } = await openPage(CHROMIUM);
  try {
    for (const [model, text] of [
      ['capitals-bert', TEXT],
      ['sst2-bert', LONG],
    ]) {
      for (const weights of ['open', 'secret']) {
        for (const prepare of [false, true]) rows.push({ suite: 'browser', ...(await measure(page, { model, text, weights, prepare })) });
      }
    }
    rows.push({ suite: 'browser', ...(await measure(page, { model: 'capitals-bert', text: TEXT, transport: 'websocket', prepare: true })) });
  } finally {
    await browser.close();
    parties.stop();
  }
}

// ── three hosts ────────────────────────────────────────────────────────────

const HOME = { upMbit: 20, downMbit: 100 };
const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
const NAMES = ['t-home', 't-net', 't-p1', 't-p2'];

function hasNetem() {
  try {
    ip('link', 'add', 't-probe', 'type', 'veth', 'peer', 'name', 't-probe2');
    execFileSync('tc', ['qdisc', 'add', 'dev', 't-probe', 'root', 'netem', 'delay', '1ms'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    try {
      ip('link', 'del', 't-probe');
    } catch {
      // It was not made.
    }
  }
}

function clear() {
  for (const name of NAMES) {
    try {
      ip('netns', 'del', name);
    } catch {
      // It is not there.
    }
  }
}

/** home ── (latency, rate) ── net ── p1, p2. Returns how to undo it. */
async function network(latencyMs, netem) {
  clear();
  for (const name of NAMES) {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  let shaper;
  if (netem) {
    ip('link', 'add', 'shape-a', 'netns', 't-home', 'type', 'veth', 'peer', 'name', 'shape-b', 'netns', 't-net');
    for (const [host, device, mbit] of [
      ['t-home', 'shape-a', HOME.upMbit],
      ['t-net', 'shape-b', HOME.downMbit],
    ])
      execFileSync('tc', ['-n', host, 'qdisc', 'add', 'dev', device, 'root', 'netem', 'delay', `${latencyMs}ms`, 'rate', `${mbit}mbit`, 'limit', '2000']);
  } else {
    const { child, found } = start([], [join(work.folder, 'shaper'), String(latencyMs), String(HOME.upMbit), String(HOME.downMbit)], {}, /ready/);
    await found;
    shaper = child;
    shaper.removeAllListeners('exit');
    ip('link', 'set', 'shape-a', 'netns', 't-home');
    ip('link', 'set', 'shape-b', 'netns', 't-net');
  }
  ip('-n', 't-home', 'addr', 'add', '10.77.0.2/30', 'dev', 'shape-a');
  ip('-n', 't-home', 'link', 'set', 'shape-a', 'up');
  ip('-n', 't-home', 'route', 'add', 'default', ...(netem ? ['via', '10.77.0.1'] : []), 'dev', 'shape-a');
  ip('-n', 't-net', 'addr', 'add', '10.77.0.1/30', 'dev', 'shape-b');
  ip('-n', 't-net', 'link', 'set', 'shape-b', 'up');
  for (const i of [1, 2]) {
    ip('link', 'add', `t-e${i}`, 'netns', 't-net', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', `t-p${i}`);
    ip('-n', 't-net', 'addr', 'add', `10.77.${i}.1/24`, 'dev', `t-e${i}`);
    ip('-n', 't-net', 'link', 'set', `t-e${i}`, 'up');
    ip('-n', `t-p${i}`, 'addr', 'add', `10.77.${i}.2/24`, 'dev', 'eth0');
    ip('-n', `t-p${i}`, 'link', 'set', 'eth0', 'up');
    ip('-n', `t-p${i}`, 'route', 'add', 'default', 'via', `10.77.${i}.1`);
  }
  execFileSync('ip', ['netns', 'exec', 't-net', 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
  return () => {
    shaper?.kill();
    clear();
  };
}

/** A certificate for the parties' addresses: a browser wants TLS, and the identity is proved by the party's own key inside it. */
function certificate() {
  const [key, cert] = [join(work.folder, 'web.key'), join(work.folder, 'web.crt')];
  const subject = ['-subj', '/CN=tercet measurements', '-addext', 'subjectAltName=IP:10.77.1.2,IP:10.77.2.2'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
  return ['--web-cert', cert, '--web-key', key];
}

async function inNamespaces() {
  const netem = hasNetem();
  if (!netem) execFileSync('rustc', ['--edition', '2021', '-O', '-o', join(work.folder, 'shaper'), join(ROOT, 'bench/netns/shaper.rs')]);
  const tls = certificate();
  const wrapper = join(work.folder, 'chromium-at-home');
  writeFileSync(wrapper, `#!/bin/sh\nexec ip netns exec t-home ${CHROMIUM} "$@"\n`, { mode: 0o755 });
  const inside = (name, address) => ({ prefix: ['ip', 'netns', 'exec', name], address });
  const hosts = [inside('t-p1', '10.77.1.2'), inside('t-p2', '10.77.2.2'), inside('t-home', '127.0.0.1')];
  for (const latencyMs of ROUND_TRIPS_MS.map((ms) => ms / 2)) {
    const undo = await network(latencyMs, netem);
    const home = join(work.folder, `home-${latencyMs}`);
    mkdirSync(home);
    let parties;
    let opened;
    try {
      parties = await startAll({ page: join(work.folder, 'page'), home, hosts, site: SITE, tls });
      opened = await openPage(wrapper, ['--ignore-certificate-errors']);
      for (const prepare of [false, true]) {
        const row = await measure(opened.page, { model: 'capitals-bert', text: TEXT, prepare });
        rows.push({ suite: 'namespaces', roundTripMs: 2 * latencyMs, shapedBy: netem ? 'tc netem' : 'bench/netns/shaper.rs', ...HOME, ...row });
      }
      const websocket = await measure(opened.page, { model: 'capitals-bert', text: TEXT, prepare: true, transport: 'websocket' });
      rows.push({ suite: 'namespaces', roundTripMs: 2 * latencyMs, shapedBy: netem ? 'tc netem' : 'bench/netns/shaper.rs', ...HOME, ...websocket });
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
  keepResults(join(ROOT, 'bench/results', `${suite}.json`), suite, rows, `node bench/browser.mjs${suite === 'namespaces' ? ' --namespaces' : ''}`);
  console.table(rows.map(({ roundTripMs, weights, transport, paddedTokens, prepared, buttonToAnswerMs, prepareMs, uplinkBytes }) => ({ roundTripMs, weights, transport, paddedTokens, prepared, buttonToAnswerMs, prepareMs, uplinkBytes })));
} finally {
  work.remove();
}
