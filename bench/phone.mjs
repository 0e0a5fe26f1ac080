// The browser's party on a phone-class processor, kept in bench/results/phone.json: `node bench/phone.mjs` after
// `npm run build`. Needs root, Linux, and control groups of version 1 for the processor.
//
// BERT-base with random weights behind two parties of this machine. The page's own thread is slowed down by the
// browser, which cannot slow down workers: each of those gets a sixth of a core from the kernel. Drawing, the browser's
// other processes and the parties keep the whole machine, as a phone draws with its graphics processor. Measured are
// the dealing for a short text and, in the web app from its first byte to its answer, tasks above 50 ms of the page's
// thread.
//   --slower N   another factor (default 6)     --runs N   dealings (default 3)     --out FILE ('-': nowhere)
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import { keepResults } from '../dist/bench/rows.js';
import { CHROMIUM, FLAGS, ROOT, buildPage, startAll, workFolder } from './browser/parties.mjs';
import { writeModel } from './model-folder.mjs';

const { values } = parseArgs({
  options: {
    slower: { type: 'string', default: '6' },
    runs: { type: 'string', default: '3' },
    out: { type: 'string', default: join(ROOT, 'bench/results/phone.json') },
  },
});
const slower = Number(values.slower);
const TEXT = 'The capital of France is [MASK].';
const SITE = '127.0.0.1:8430';
const PATIENCE_MS = 600_000;
const LONG_TASK_MS = 50;

// ── a model of real size ─────────────────────────────────────────────────────

/** BERT-base, with the words of a small model and enough others. */
async function writeBertBase(folder) {
  const configPath = join(ROOT, 'bench/configs/bert-base.json');
  await writeModel(folder, configPath);
  const small = join(ROOT, 'models/capitals-bert');
  const words = readFileSync(join(small, 'vocab.txt'), 'utf8').trimEnd().split('\n');
  const { vocab_size: count } = JSON.parse(readFileSync(configPath, 'utf8'));
  while (words.length < count) words.push(`[unused${words.length}]`);
  writeFileSync(join(folder, 'vocab.txt'), `${words.join('\n')}\n`);
  cpSync(join(small, 'tokenizer_config.json'), join(folder, 'tokenizer_config.json'));
}

// ── a slow processor ─────────────────────────────────────────────────────────

const GROUPS = '/sys/fs/cgroup/cpu/tercet-phone';
const PERIOD_US = 10_000;

/** Threads that compute: a page's workers, and those that compile and collect. By the first letters of their names. */
const COMPUTES = ['DedicatedWorker', 'ThreadPool'];

/** Gives each thread that computes for a page below process `root` its share of a core, also those that start later. */
function slowDown(root) {
  mkdirSync(GROUPS, { recursive: true });
  const slowed = new Set();
  const again = () => {
    for (const pid of renderersBelow(root))
      for (const { thread, name } of threadsOf(pid)) {
        if (slowed.has(thread) || !COMPUTES.some((start) => name.startsWith(start))) continue;
        const group = join(GROUPS, thread);
        mkdirSync(group, { recursive: true });
        writeFileSync(join(group, 'cpu.cfs_period_us'), String(PERIOD_US));
        writeFileSync(join(group, 'cpu.cfs_quota_us'), String(Math.round(PERIOD_US / slower)));
        if (unlessOver(() => writeFileSync(join(group, 'tasks'), thread))) slowed.add(thread);
      }
  };
  again();
  const clock = setInterval(again, 100);
  return () => {
    clearInterval(clock);
    return slowed.size;
  };
}

function renderersBelow(root) {
  const rows = execFileSync('ps', ['-eo', 'pid,ppid,args', '-ww']).toString().split('\n').slice(1);
  const processes = rows.map((row) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row)).filter(Boolean);
  const below = new Set([String(root)]);
  for (let size = 0; size < below.size; ) {
    size = below.size;
    for (const [, pid, parent] of processes) if (below.has(parent)) below.add(pid);
  }
  return processes
    .filter(([, pid, , args]) => below.has(pid) && args.includes('--type=renderer'))
    .map(([, pid]) => pid);
}

/** The threads of a process that have a name yet; none when it is over. */
function threadsOf(pid) {
  const threads = unlessOver(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  return threads.map((thread) => ({
    thread,
    name: unlessOver(() => readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').trim()) ?? '',
  }));
}

/** Processes and threads end while one looks at them. */
function unlessOver(look) {
  try {
    return look() ?? true;
  } catch (error) {
    if (error.code === 'ESRCH' || error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function removeGroups() {
  if (!existsSync(GROUPS)) return;
  for (const entry of readdirSync(GROUPS, { withFileTypes: true }))
    if (entry.isDirectory()) rmdirSync(join(GROUPS, entry.name));
  rmdirSync(GROUPS);
}

// ── what is measured ─────────────────────────────────────────────────────────

async function slowPage(path) {
  const browser = await chromium.launchServer({ executablePath: CHROMIUM, args: FLAGS });
  const client = await chromium.connect(browser.wsEndpoint());
  const page = await client.newPage();
  await page.addInitScript(() => {
    const tasks = [];
    Object.assign(globalThis, { longTasks: tasks });
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) tasks.push({ at: startTime, ms: duration });
    }).observe({ type: 'longtask', buffered: true });
  });
  page.setDefaultTimeout(PATIENCE_MS);
  await (await page.context().newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: slower });
  const stop = slowDown(browser.process().pid);
  await page.goto(`http://${SITE}${path}`);
  return {
    page,
    longTasks: () => page.evaluate(() => globalThis.longTasks),
    async close() {
      const threads = stop();
      await client.close();
      await browser.close();
      return threads;
    },
  };
}

async function dealing() {
  const { page, close } = await slowPage('/measure/index.html');
  await page.waitForFunction(() => 'measure' in globalThis);
  const { costs } = await page.evaluate((asked) => globalThis.measure(asked), {
    model: 'bert-base',
    text: TEXT,
    device: 'wasm',
    weights: 'open',
    transport: 'webrtc',
    prepare: true,
    runs: Number(values.runs),
  });
  const threads = await close();
  const sorted = (pick) => costs.map(pick).sort((a, b) => a - b);
  const [first] = costs;
  return {
    suite: 'phone',
    name: 'dealing',
    slower,
    threads,
    paddedTokens: first.paddedTokens,
    prepareMs: sorted(({ timing }) => Math.round(timing.prepareMs)),
    totalMs: sorted(({ timing }) => Math.round(timing.totalMs)),
    uplinkBytes: first.sentBytes[0],
  };
}

/**
 * A person at the page, by the debugger's protocol alone. A locator puts a third of a megabyte of script into the page
 * and measures what it clicks: on a slow processor those are long tasks, and not the page's.
 */
async function person(page) {
  const client = await page.context().newCDPSession(page);
  const ask = async (expression) =>
    (await client.send('Runtime.evaluate', { expression, returnByValue: true })).result.value;
  return {
    async until(expression) {
      const end = Date.now() + PATIENCE_MS;
      while (!(await ask(expression))) {
        if (Date.now() > end) throw new Error(`the page never came to ${expression}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    async write(id, text) {
      await ask(`document.getElementById('${id}').select()`);
      await client.send('Input.insertText', { text });
    },
    async press(id) {
      const [x, y] = await ask(
        `(({ x, y, width, height }) => [x + width / 2, y + height / 2])(document.getElementById('${id}').getBoundingClientRect())`,
      );
      // A phone has no mouse: with one on it, the page is searched for what lies under it at every frame.
      await client.send('Emulation.setTouchEmulationEnabled', { enabled: true, maxTouchPoints: 1 });
      await client.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x, y }] });
      await client.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    },
  };
}

async function longTasks() {
  const { page, longTasks: seen, close } = await slowPage('/');
  const { until, write, press } = await person(page);
  const begun = Date.now();
  await until(`document.getElementById('run')?.disabled === false`);
  const loadedMs = Date.now() - begun;
  await write('text', TEXT);
  await press('run');
  await until(`document.documentElement.dataset.phase === 'done'`);
  const answeredMs = Date.now() - begun;
  await page.waitForTimeout(1000);
  const tasks = await seen();
  await close();
  return {
    suite: 'phone',
    name: 'page',
    slower,
    loadedMs,
    answeredMs,
    longTasks: tasks.map(({ at, ms }) => ({ atMs: Math.round(at), ms: Math.round(ms) })),
    longestMs: Math.round(Math.max(0, ...tasks.map(({ ms }) => ms))),
    overMs: LONG_TASK_MS,
  };
}

const work = workFolder();
let parties;
try {
  const model = join(work.folder, 'bert-base');
  await writeBertBase(model);
  const app = join(work.folder, 'app');
  cpSync(join(ROOT, 'dist/app'), app, { recursive: true });
  await buildPage(join(app, 'measure'));
  const local = { prefix: [], address: '127.0.0.1' };
  parties = await startAll({
    page: app,
    home: work.folder,
    hosts: [local, local, local],
    site: SITE,
    models: [model],
    secret: false,
  });
  const rows = [];
  for (const one of [dealing, longTasks]) {
    rows.push(await one());
    process.stdout.write(`${JSON.stringify(rows.at(-1))}\n`);
  }
  if (values.out !== '-')
    keepResults(values.out, 'phone', rows, ['node bench/phone.mjs', ...process.argv.slice(2)].join(' '));
} finally {
  parties?.stop();
  removeGroups();
  work.remove();
}
