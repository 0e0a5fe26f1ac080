/** What a service counts: names, labels that do not grow, and that shipped rules and panels ask for what there is. */
import { connect } from 'node:net';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { ERROR_CODES, TercetError, isViolation } from '../../src/core/errors.ts';
import { ServiceMetrics } from '../../src/operate/metrics.ts';
import { type Fact, Public, serviceLog } from '../../src/operate/service-log.ts';
import { type Watch, serveWatch } from '../../src/operate/watch.ts';

const SHIPPED = fileURLToPath(new URL('../../docs/operate/', import.meta.url));
const RAN = {
  tokens: 5,
  preparedAhead: true,
  sentBytes: [1, 2, 3],
  links: {
    p1: { ahead: 1000, input: 10, output: 5 },
    p2: { ahead: 2000, input: 20, output: 0 },
    between: { rounds: 80 },
  },
  timing: { prepareMs: 5, computeMs: 10 },
} as const;

function counted(now = () => 0): ServiceMetrics {
  const metrics = new ServiceMetrics({ models: ['bert'], protocols: ['aby3'], device: 'webgpu', now });
  const what = { operation: 'fill-mask', model: 'bert', protocol: 'aby3' };
  const request = { ...what, status: 200, ms: 700, waitedMs: 3, texts: 1 };
  metrics.answered({ ...request, code: undefined, costs: [RAN] });
  metrics.answered({ ...request, status: 502, code: 'ERR_IDENTITY_KEY', costs: [] });
  metrics.reached([
    { party: 1, ok: true, milliseconds: 3 },
    { party: 2, ok: false },
  ]);
  metrics.session(20, undefined);
  metrics.session(20, new TercetError('ERR_FRAME_TAG', 'what', 'hint'));
  metrics.watch(() => ({ running: 1, waiting: 2, places: { max: 8, taken: 3, idle: 1 } }));
  return metrics;
}

const watches: Watch[] = [];
afterAll(() => Promise.all(watches.map((watch) => watch.close())));

describe('metrics', () => {
  it('have the five names of the guide, with what was counted', async () => {
    let now = 0;
    const metrics = counted(() => now);
    now = 100;
    const text = await metrics.text();
    for (const line of [
      'mpc_inference_duration_seconds_count{model="bert",task="fill-mask",outcome="answered"} 1',
      'mpc_inference_duration_seconds_bucket{le="1",model="bert",task="fill-mask",outcome="answered"} 1',
      'mpc_inference_duration_seconds_bucket{le="0.5",model="bert",task="fill-mask",outcome="answered"} 0',
      // A run of 10 ms and two sessions of 20 ms in 100 ms.
      'mpc_gpu_utilization_percent 50',
      'mpc_network_latency_seconds_count{party="1"} 1',
      'mpc_security_violations_total{code="ERR_IDENTITY_KEY"} 1',
      'mpc_security_violations_total{code="ERR_FRAME_TAG"} 1',
      'mpc_party_up{party="2"} 0',
      'mpc_texts_total{model="bert",protocol="aby3"} 2',
      'mpc_places{state="taken"} 3',
      'mpc_queue_length 2',
      'mpc_rounds_total{phase="online"} 80',
      'mpc_link_bytes_total{direction="sent",party="2",phase="ahead"} 2000',
      'mpc_link_bytes_total{direction="received",party="1",phase="output"} 5',
      'mpc_sessions_total{outcome="failed"} 1',
    ])
      expect(text.split('\n')).toContain(line);
    expect(text).toMatch(/^mpc_memory_usage_bytes\{kind="rss"\} \d{6,}$/m);
  });

  it('have every code of a violation from the start: one that comes from nothing raises no alert', async () => {
    const metrics = new ServiceMetrics({ models: [], device: 'wasm', now: () => 0 });
    const zeros = [...(await metrics.text()).matchAll(/^mpc_security_violations_total\{code="(\w+)"\} 0$/gm)];
    expect(new Set(zeros.map(([, code]) => code))).toEqual(new Set(ERROR_CODES.filter(isViolation)));
    expect(zeros.length).toBeGreaterThan(5);
  });

  it('say which protocols run here', async () => {
    const metrics = new ServiceMetrics({ models: [], protocols: ['aby3'], device: 'wasm', now: () => 0 });
    expect((await metrics.text()).match(/^mpc_protocol_info.*$/gm)).toEqual(['mpc_protocol_info{protocol="aby3"} 1']);
  });

  it('do not grow with what strangers send', async () => {
    const metrics = counted();
    const lines = async () => (await metrics.text()).split('\n').length;
    metrics.failed('other-0');
    const before = await lines();
    for (let i = 0; i < 500; i++) {
      metrics.failed(`ERR_${i}`);
      metrics.failed('__proto__');
    }
    expect(await lines()).toBe(before);
    const request = { operation: 'fill-mask', status: 200, ms: 1, waitedMs: 0, texts: 1, code: undefined, costs: [] };
    const named = (i: number) => ({ model: `a-name-${i}`, protocol: `a-name-${i}` });
    metrics.answered({ ...request, ...named(0) });
    const known = await lines();
    for (let i = 1; i < 100; i++) metrics.answered({ ...request, ...named(i) });
    expect(await lines()).toBe(known);
    expect(await metrics.text()).not.toMatch(/a-name|__proto__/);
  });

  it('are what shipped rules and panels ask for', async () => {
    const rules = parse(readFileSync(`${SHIPPED}alerts.yml`, 'utf8')) as {
      groups: { rules: { alert: string; expr: string; annotations: { action: string } }[] }[];
    };
    const board = JSON.parse(readFileSync(`${SHIPPED}grafana.json`, 'utf8')) as {
      panels: { targets: { expr: string }[] }[];
    };
    const alerts = rules.groups.flatMap((group) => group.rules);
    const asked = [
      ...alerts.map(({ expr }) => expr),
      ...board.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ];
    const metrics = counted();
    metrics.certificate('link', new Date(0));
    const text = await metrics.text();
    const series = new Map(
      [...text.matchAll(/^(mpc_\w+)(?:\{([^}]*)\})? /gm)].map(([, name, labels = '']) => [name, labels]),
    );
    expect(asked.length).toBeGreaterThan(15);
    for (const expr of asked)
      for (const [, name, labels = ''] of expr.matchAll(/(mpc_\w+)(?:\{([^}]*)\})?/g)) {
        expect([...series.keys()], expr).toContain(name);
        for (const [, label] of labels.matchAll(/(\w+)=/g)) expect(series.get(name), expr).toContain(`${label}=`);
      }
    for (const { annotations } of alerts) expect(annotations.action).not.toBe('');
  });
});

describe('an address for operators', () => {
  it('answers what it is for, and nothing else', async () => {
    let ready = true;
    const watch = await serveWatch({ host: '127.0.0.1', port: 0, metrics: counted(), ready: async () => ready });
    watches.push(watch);
    const status = async (path: string, method = 'GET') => (await fetch(`${watch.url}${path}`, { method })).status;
    expect(await status('/livez')).toBe(200);
    expect(await status('/readyz')).toBe(200);
    ready = false;
    expect(await status('/readyz')).toBe(503);
    expect(await status('/livez')).toBe(200);
    expect(await status('/')).toBe(404);
    expect(await status('/metrics', 'POST')).toBe(405);
    const scraped = await fetch(`${watch.url}/metrics`);
    expect(scraped.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    // Every line is a comment or a sample.
    for (const line of (await scraped.text()).trimEnd().split('\n'))
      expect(line).toMatch(/^$|^# (HELP|TYPE) mpc_\w+ |^mpc_\w+(\{(\w+="[^"]*",?)+\})? -?[\d.e+-]+$/);
  });
});

describe('a scraper', () => {
  it('is enough to find out whether the parties are there, and waits for none of them', async () => {
    const metrics = new ServiceMetrics({ models: [], device: 'wasm', now: () => 0 });
    let asked = 0;
    const ready = () => {
      asked += 1;
      metrics.reached([{ party: 1, ok: false }]);
      return new Promise<boolean>(() => undefined);
    };
    const watch = await serveWatch({ host: '127.0.0.1', port: 0, metrics, ready });
    watches.push(watch);
    expect(asked).toBe(0);
    expect(await (await fetch(`${watch.url}/metrics`)).text()).toContain('mpc_party_up{party="1"} 0');
    expect(asked).toBe(1);
  });
});

describe('a scraper that never reads', () => {
  it('keeps its connection alone: others are answered, and there are no more than so many of it', async () => {
    const watch = await serveWatch({ host: '127.0.0.1', port: 0, metrics: counted(), ready: async () => true });
    watches.push(watch);
    const { port } = new URL(watch.url);
    let ended = 0;
    const scrapers = Array.from({ length: 60 }, () => {
      const socket = connect(Number(port), '127.0.0.1').pause();
      socket.on('error', () => undefined).on('close', () => ended++);
      socket.write('GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(5));
      return socket;
    });
    expect((await fetch(`${watch.url}/metrics`)).status).toBe(200);
    // 64 at a time: those beyond are hung up.
    const crowd = Array.from({ length: 100 }, () =>
      connect(Number(port), '127.0.0.1')
        .on('error', () => undefined)
        .on('close', () => ended++)
        .resume(),
    );
    await vi.waitFor(() => expect(ended).toBeGreaterThanOrEqual(90), 60_000);
    for (const socket of [...scrapers, ...crowd]) socket.destroy();
    await vi.waitFor(async () => expect((await fetch(`${watch.url}/livez`)).status).toBe(200), 60_000);
  });
});

/** What no caller of the log may give, by its types. */
const planted = (secret: string): unknown => ({
  ...{ text: secret, error: new Error(secret), deep: { text: secret }, list: [secret] },
});

describe('a log', () => {
  it('writes numbers, switches and words that a program chose, and nothing else', () => {
    const lines: string[] = [];
    const log = serviceLog('trace', (line) => lines.push(line));
    const secret = 'zanzibar77';
    log.log('trace', 'planted', {
      ...{ count: 3, on: true, model: Public.of('bert', ['bert']), key: Public.hex('0a') },
      ...(planted(secret) as Record<string, Fact>),
      ...{ stranger: Public.of(secret, ['bert']), hex: Public.hex(secret), code: Public.code(secret) },
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain(secret);
    expect(JSON.parse(lines[0])).toMatchObject({
      ...{ count: 3, on: true, model: 'bert', key: '0a', event: 'planted' },
      ...{ text: '[redacted]', error: '[redacted]', deep: '[redacted]', list: '[redacted]' },
      ...{ stranger: 'other', hex: 'other', code: 'other' },
    });
  });

  it('is silent below its level', () => {
    const lines: string[] = [];
    const log = serviceLog('warn', (line) => lines.push(line));
    log.log('info', 'quiet');
    log.log('warn', 'loud');
    expect(lines).toHaveLength(1);
  });
});
