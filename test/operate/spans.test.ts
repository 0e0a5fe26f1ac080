/** One trace over gateway, data owner and both compute parties, with sizes and times, and nothing that anybody typed. */
import { SpanStatusCode, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { WasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { TercetError } from '../../src/core/errors.ts';
import { traceContextOf, traceparentOf } from '../../src/core/trace-context.ts';
import { credentialsOf } from '../../src/net/tls/certificates.ts';
import { openModel } from '../../src/node/model.ts';
import { openTlsModel } from '../../src/node/tls-model.ts';
import { Spans } from '../../src/operate/spans.ts';
import { openSpans } from '../../src/operate/telemetry.ts';
import { serviceLog } from '../../src/operate/service-log.ts';
import { startGateway } from '../../src/rest/server.ts';
import { recvControl } from '../../src/session/control.ts';
import { until } from '../net/helpers.ts';
import { Parties, randomSession } from '../party/parties.ts';
import { failure } from '../failure.ts';

const exporter = new InMemorySpanExporter();
const listen = () =>
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
afterEach(() => exporter.reset());
afterAll(() => trace.disable());

const CALLERS = 'abcdef0123456789abcdef0123456789';
const CALLER = `00-${CALLERS}-00f067aa0ba902b7-01`;
/** In no vocabulary, in no model's name. */
const PLANTED = 'zanzibar77';

const named = (spans: readonly ReadableSpan[], name: string) => spans.filter((span) => span.name === name);
const traceOf = (span: ReadableSpan) => span.spanContext().traceId;
/** All that a span says of itself. */
const said = ({ name, attributes, events, status, resource }: ReadableSpan) =>
  JSON.stringify({ name, attributes, events, status, resource: resource.attributes });

describe('a trace context', () => {
  it('is read only as it is written', () => {
    const context = { traceId: CALLERS, spanId: '00f067aa0ba902b7', sampled: true };
    expect(traceContextOf(CALLER)).toEqual(context);
    expect(traceparentOf(context)).toBe(CALLER);
    expect(traceContextOf(CALLER.replace(/01$/, '02'))).toMatchObject({ sampled: false });
    for (const none of [
      undefined,
      7,
      '',
      `${CALLER} `,
      `${CALLER}-${'a'.repeat(1_000_000)}`,
      CALLER.toUpperCase(),
      CALLER.replace('00-', '01-'),
      CALLER.replace(CALLERS, '0'.repeat(32)),
      CALLER.replace('00f067aa0ba902b7', '0'.repeat(16)),
      `${CALLER}, ${CALLER}`,
    ])
      expect(traceContextOf(none)).toBeUndefined();
  });
});

it('one file knows OpenTelemetry, and no page has it', () => {
  const src = fileURLToPath(new URL('../../src/', import.meta.url));
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const importing = (pattern: RegExp) => files.filter((name) => pattern.test(readFileSync(join(src, name), 'utf8')));
  expect(importing(/(from|import\() ?'@opentelemetry/)).toEqual([join('operate', 'spans.ts')]);
  // Everything else names its types, or loads it when somebody registered.
  expect(importing(/^import (?!type).*operate\/spans\.ts'/m)).toEqual([]);
});

it('nothing is made, and nothing loaded, where nobody registered', async () => {
  trace.disable();
  expect(await openSpans()).toBeUndefined();
  listen();
  expect(await openSpans()).toBeInstanceOf(Spans);
});

describe('spans', () => {
  it('of a run that was made ahead have a trace of their own, and the request that uses it links to it', () => {
    listen();
    const spans = new Spans();
    const sizes = { sequences: 1, tokens: 16, steps: 0 };
    const request = spans.request(CALLER);
    const [ahead, own] = request.within(() => [
      spans.run({ ...sizes, ahead: true }),
      spans.run({ ...sizes, ahead: false }),
    ]);
    request.within(() => ahead.used());
    for (const run of [ahead, own]) run.end();
    const what = { operation: 'inference', model: 'm', protocol: 'p' };
    request.end({ ...what, status: 200, code: undefined, texts: 1, waitedMs: 0 });
    const all = exporter.getFinishedSpans();
    const [first, second] = named(all, 'tercet.run');
    const [asked] = named(all, 'tercet.request');
    expect(traceOf(first)).not.toBe(traceOf(asked));
    expect(traceOf(second)).toBe(traceOf(asked));
    // The caller is linked to; its trace goes no further.
    expect(asked.links.map(({ context }) => context.traceId)).toEqual([CALLERS, traceOf(first)]);
    expect(traceOf(asked)).not.toBe(CALLERS);
  });

  it('of a session that failed say the code, and no words', () => {
    listen();
    const facts = { party: 1 as const, model: 'm', protocol: 'p', weights: 'open', sequences: 1, tokens: 1, steps: 0 };
    const session = new Spans().session(facts, CALLER);
    for (let i = 0; i < 500; i++) session.phase(i % 2 === 0 ? 'online' : 'output');
    session.end(new TercetError('ERR_PEER_CLOSED', PLANTED, PLANTED), { sentBytes: 1, receivedBytes: 2 });
    const [span] = exporter.getFinishedSpans();
    expect(span.attributes).toMatchObject({ 'error.type': 'ERR_PEER_CLOSED', 'tercet.received_bytes': 2 });
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(span.events.length).toBeLessThanOrEqual(64);
    expect(traceOf(span)).toBe(CALLERS);
    expect(said(span)).not.toContain(PLANTED);
  });
});

it('a request is one trace over gateway, P1 and P2, without a word of it', { timeout: 180_000 }, async () => {
  listen();
  const model = {
    kind: 'folder',
    path: fileURLToPath(new URL('../../models/capitals-bert', import.meta.url)),
  } as const;
  const parties = await Parties.start(() => ({ models: [{ weights: 'open', model }] }));
  const kernels = new WasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
  const spans = await openSpans();
  const addresses = [parties.one, parties.two].map(({ port }) => ({ host: '127.0.0.1', port }));
  const owner = await openTlsModel(
    model,
    { addresses: [addresses[0], addresses[1]], credentials: credentialsOf(parties.certificates, 0) },
    { kernels, named: false, span: spans && ((run) => spans.run(run)) },
  );
  const gateway = await startGateway({
    ...{ models: [owner], host: '127.0.0.1', port: 0, version: '0.0.0', spans },
    log: serviceLog('info', () => undefined),
  });
  try {
    const answer = await fetch(`${gateway.url}/api/v1/inference`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', traceparent: CALLER, tracestate: PLANTED },
      body: JSON.stringify({ text: `The capital of ${PLANTED} is [MASK].` }),
    });
    expect(answer.status).toBe(200);
    await until(() => exporter.getFinishedSpans().length >= 4, 60_000);
    const all = exporter.getFinishedSpans();
    const names = new Set(['tercet.request', 'tercet.run', 'tercet.session']);
    expect([all.length, new Set(all.map(({ name }) => name))]).toEqual([4, names]);
    expect(new Set(all.map(traceOf)).size).toBe(1);
    const [run] = named(all, 'tercet.run');
    const sessions = named(all, 'tercet.session');
    for (const session of sessions) expect(session.parentSpanContext?.spanId).toBe(run.spanContext().spanId);
    expect(new Set(sessions.map(({ attributes }) => attributes['tercet.party']))).toEqual(new Set([1, 2]));
    for (const { attributes, events } of sessions) {
      expect(attributes).toMatchObject({ 'tercet.tokens': 16, 'tercet.outcome': 'answered' });
      expect(attributes['tercet.received_bytes']).toBeGreaterThan(1000);
      expect(events.map(({ name }) => name)).toContain('online');
    }
    expect(run.attributes['tercet.rounds']).toBeGreaterThan(10);
    for (const span of all) expect(said(span).toLowerCase()).not.toMatch(new RegExp(`${PLANTED}|${CALLERS}|127.0.0.1`));
    // What a stranger may not send: a party that reads it refuses, and makes no span.
    exporter.reset();
    const { request } = parties;
    parties.model = await (await openModel(model, { weights: true })).hash();
    const shape = { ...request, model: parties.model, traceparent: `${CALLER}-${PLANTED}` };
    const [one] = await parties.ask(randomSession(), [shape, shape]);
    await failure('ERR_PEER_MISMATCH', recvControl(one.channel, 'offer'));
    expect(exporter.getFinishedSpans()).toEqual([]);
  } finally {
    await gateway.close(0);
    await owner.dispose();
    await parties.stop();
    await kernels.close();
  }
});
