// A real Prometheus watches both parties and a gateway: `node scripts/prometheus.mjs` after `npm run build`. Needs
// Debian's package `prometheus`, which brings promtool. Not part of the test lanes.
//
// All three targets must be up, the shipped rules must load, promtool must have no complaint about rules and metrics,
// and the first violation must raise its alert. Every panel of the shipped dashboard must ask something that Prometheus
// can read, and has an answer: but refusals, of which there may be none.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { MODEL, Pair, TEXTS, freePorts } from '../bench/world.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RULES = join(ROOT, 'docs/operate/alerts.yml');
const folder = mkdtempSync(join(tmpdir(), 'tercet-prometheus-'));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const children = [];
const say = (line) => console.log(line);

async function until(what, ask, ms = 120_000) {
  const end = Date.now() + ms;
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`not within ${ms / 1000} s: ${what}`);
    await sleep(500);
  }
}
const json = async (url) => (await fetch(url)).json();

let pair;
try {
  say(execFileSync('promtool', ['check', 'rules', RULES]).toString().trim());
  // The first violation of a process raises its alert, and none does not.
  const first = (values, alerts) => ({
    interval: '1m',
    input_series: [{ series: 'mpc_security_violations_total{code="ERR_SECURITY_VIOLATION"}', values }],
    alert_rule_test: [{ eval_time: '4m', alertname: 'TercetSecurityViolation', exp_alerts: alerts }],
  });
  const { annotations } = parse(readFileSync(RULES, 'utf8')).groups[0].rules[0];
  const fired = {
    exp_labels: { severity: 'critical', code: 'ERR_SECURITY_VIOLATION' },
    exp_annotations: annotations,
  };
  const rulesTest = join(folder, 'rules.test.yml');
  const tests = [first('0 0 1 1 1', [fired]), first('0 0 0 0 0', [])];
  writeFileSync(rulesTest, JSON.stringify({ rule_files: [RULES], tests }));
  say(execFileSync('promtool', ['test', 'rules', rulesTest]).toString().trim());
  pair = await new Pair(folder, { metrics: true }).start();
  const [gateway, watched, port] = await freePorts(3);
  const serve = spawn(
    process.execPath,
    [
      join(ROOT, 'dist/cli/main.js'),
      ...['serve', '--port', String(gateway), '--model', MODEL, '--metrics', `127.0.0.1:${watched}`, ...pair.flags],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, TERCET_HOME: join(folder, 'owner') } },
  );
  children.push(serve);
  await until('the gateway listens', async () => (await fetch(`http://127.0.0.1:${gateway}/livez`)).ok);
  const targets = [...pair.watched, watched].map((at) => `127.0.0.1:${at}`);
  const config = join(folder, 'prometheus.yml');
  writeFileSync(
    config,
    JSON.stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [RULES],
      scrape_configs: [{ job_name: 'tercet', static_configs: [{ targets }] }],
    }),
  );
  execFileSync('promtool', ['check', 'config', config]);
  const database = `--storage.tsdb.path=${join(folder, 'data')}`;
  const server = spawn(
    'prometheus',
    [`--config.file=${config}`, database, `--web.listen-address=127.0.0.1:${port}`, '--log.level=error'],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  children.push(server);
  const api = `http://127.0.0.1:${port}/api/v1`;
  const up = await until('every target is up', async () => {
    const { data } = await json(`${api}/targets`);
    const healths = data.activeTargets.map(({ health }) => health);
    return healths.length === 3 && healths.every((health) => health === 'up') ? healths : undefined;
  });
  say(`targets up: ${up.length} of 3`);
  const { data: loaded } = await json(`${api}/rules`);
  const rules = loaded.groups.flatMap((group) => group.rules);
  const unwell = rules.filter(({ health }) => health === 'err');
  say(`rules loaded: ${rules.length}, with errors: ${unwell.length}`);

  // Two runs, so that a rate has two points.
  for (const text of TEXTS.slice(0, 2)) {
    const response = await fetch(`http://127.0.0.1:${gateway}/api/v1/inference`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
    });
    if (!response.ok) throw new Error(`the gateway said ${response.status}`);
    await sleep(2_000);
  }
  const problems = [];
  for (const target of targets) {
    const metrics = await (await fetch(`http://${target}/metrics`)).text();
    try {
      execFileSync('promtool', ['check', 'metrics'], { input: metrics, stdio: ['pipe', 'pipe', 'pipe'] });
    } catch (error) {
      problems.push(`${target}: ${error.stderr}`);
    }
  }
  say(`promtool check metrics: ${problems.length === 0 ? 'no complaint' : problems.join('')}`);
  const { panels } = JSON.parse(readFileSync(join(ROOT, 'docs/operate/grafana.json'), 'utf8'));
  const asked = panels.flatMap((panel) => panel.targets.map(({ expr }) => expr));
  const wrong = [];
  const silent = [];
  let answered = 0;
  for (const expr of asked) {
    const { status, data, error } = await json(`${api}/query?query=${encodeURIComponent(expr)}`);
    if (status !== 'success') wrong.push(`${expr}: ${error}`);
    else if (data.result.length > 0) answered += 1;
    else silent.push(expr);
  }
  say(`panels: ${asked.length} queries, ${wrong.length} that Prometheus does not read, ${answered} with an answer`);
  // What counts only what goes wrong may have none.
  const missing = silent.filter((expr) => !/refusals/.test(expr));
  for (const expr of silent) say(`  no answer: ${expr}`);
  if (missing.length > 0 || wrong.length > 0 || unwell.length > 0 || rules.length === 0 || problems.length > 0) {
    for (const line of wrong) say(line);
    process.exitCode = 1;
  }
} finally {
  for (const child of children) child.kill('SIGKILL');
  await pair?.stop();
  rmSync(folder, { recursive: true, force: true });
}
