// Throughput of the links of a browser, kept in bench/results/links.json: `node bench/links.mjs [--namespaces]`
// after `npm run build`.
//
// One link at a time, every byte compared, on loopback; with --namespaces (root) also over a long, fast path,
// where one association is window-limited.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import { build } from 'vite';
import { keepResults } from '../dist/bench/rows.js';
import { serveSite } from '../dist/server/site.js';
import { CHROMIUM, FLAGS, ROOT, start, workFolder } from './browser/parties.mjs';
import { HOSTS, certificate, chromiumAtHome, network, openShaper } from './netns/network.mjs';

const MEGA = 1e6;
const LOAD = { upBytes: 32 * MEGA, downBytes: 8 * MEGA };
const RUNS = 3;
const PAGE_PORT = 8440;
const work = workFolder();
const rows = [];

async function measure(
  path,
  { prefix = [], host = '127.0.0.1', executablePath = CHROMIUM, tls, sitePrefix, load = LOAD },
) {
  const origin = `http://127.0.0.1:${PAGE_PORT}`;
  const more = tls === undefined ? [] : [tls.cert, tls.key];
  const party = start(
    prefix,
    [
      process.execPath,
      join(ROOT, 'bench/link-party.mjs'),
      host,
      '7300',
      origin,
      String(load.upBytes),
      String(load.downBytes),
      ...more,
    ],
    {},
    /with (\w+)/,
  );
  const [, identity] = await party.found;
  const url = `${tls === undefined ? 'http' : 'https'}://${host}:7300`;
  const site = await servePage(url, identity, sitePrefix);
  const browser = await chromium.launch({
    executablePath,
    args: [...FLAGS, ...(tls === undefined ? [] : ['--ignore-certificate-errors'])],
  });
  try {
    for (const [transport, associations] of [
      ['webrtc', 1],
      ['webrtc', 4],
      ['websocket', 1],
    ]) {
      const outcomes = [];
      for (let run = 0; run < RUNS; run++) {
        const page = await browser.newPage({ ignoreHTTPSErrors: true });
        await page.goto(`${origin}/`);
        await page.waitForFunction(() => 'run' in globalThis);
        const command = {
          party: 1,
          address: { url, identity },
          transport,
          associations,
          timeoutMs: 15_000,
          task: 'measure',
          ...load,
        };
        const hashes = {
          session: randomBytes(16).toString('hex'),
          modelHash: 'ab'.repeat(32),
          requestCode: 'cd'.repeat(32),
        };
        const outcome = await page.evaluate((asked) => globalThis.run(asked), { ...command, ...hashes });
        if (outcome.error !== undefined) throw new Error(`${outcome.error.code}: ${outcome.error.message}`);
        outcomes.push(outcome);
        await page.close();
      }
      const median = (pick) => Math.round(10 * outcomes.map(pick).sort((a, b) => a - b)[RUNS >> 1]) / 10;
      rows.push({
        suite: 'links',
        path,
        transport,
        associations,
        upMBps: median(({ rates }) => rates.up),
        downMBps: median(({ rates }) => rates.down),
        connectMs: median(({ connectMs }) => connectMs),
        handshakeMs: median(({ handshakeMs }) => handshakeMs),
      });
    }
  } finally {
    await browser.close();
    await site();
    party.child.kill();
  }
}

/** The measuring page, on this machine or by a process inside a namespace. Returns how to stop it. */
async function servePage(url, identity, prefix) {
  const app = join(work.folder, 'page');
  if (prefix === undefined) {
    const document = {
      version: 1,
      parties: [
        { url, identity },
        { url, identity },
      ],
      models: 'models',
      entries: [],
    };
    const site = await serveSite({ document, files: new Map(), app, host: '127.0.0.1', port: PAGE_PORT });
    return () => site.close();
  }
  const list = `1=${url},2=${url}`;
  const args = [
    'site',
    '--address',
    `127.0.0.1:${PAGE_PORT}`,
    '--app',
    app,
    '--parties',
    list,
    '--identities',
    `1=${identity},2=${identity}`,
  ];
  const { child, found } = start(
    prefix,
    [process.execPath, join(ROOT, 'dist/cli/main.js'), ...args],
    {},
    /the web app is at/,
  );
  await found;
  return () => child.kill();
}

try {
  const root = join(ROOT, 'test/browser/page');
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    base: './',
    worker: { format: 'es' },
    build: { outDir: join(work.folder, 'page'), emptyOutDir: true, target: 'es2023' },
  });
  await measure('loopback', {});
  if (process.argv.includes('--namespaces')) {
    const shaper = openShaper(work.folder);
    const undo = await network(shaper, 30, { upMbit: 200, downMbit: 200 });
    try {
      await measure(`60 ms, 200 Mbit/s both ways (${shaper.name})`, {
        ...HOSTS[0],
        host: HOSTS[0].address,
        executablePath: chromiumAtHome(work.folder),
        tls: certificate(work.folder),
        sitePrefix: HOSTS[2].prefix,
        load: { upBytes: 16 * MEGA, downBytes: 4 * MEGA },
      });
    } finally {
      undo();
    }
  }
  keepResults(
    join(ROOT, 'bench/results/links.json'),
    'links',
    rows,
    `node bench/links.mjs${process.argv.includes('--namespaces') ? ' --namespaces' : ''}`,
  );
  console.table(rows.map(({ suite, ...row }) => row));
} finally {
  work.remove();
}
