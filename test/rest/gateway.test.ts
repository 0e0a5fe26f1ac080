/**
 * The REST gateway over real HTTP: the guide's request, every refusal with its code, callers that go away, and that
 * nothing of a text, an answer or a key is in any log line or error.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { type ClientRequest, request as httpRequest } from 'node:http';
import { type Socket, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { KeyRing, createKey, revokeKey } from '../../src/rest/keys.ts';
import { TASKS } from '../../src/ml/tasks/table.ts';
import { OPERATIONS } from '../../src/rest/operations.ts';
import { EveryAnswer, FillMaskAnswer, GenerationAnswer, ProblemAnswer } from '../../src/rest/schemas.ts';
import type { Gateway } from '../../src/rest/server.ts';
import { TercetError } from '../../src/core/errors.ts';
import { failure } from '../failure.ts';
import { BLOCKS } from '../support/documents.ts';
import { World } from './world.ts';

/** In no vocabulary, in texts, in names of fields, in keys. */
const PLANTED = 'zanzibar77';

let world: World;
let gateway: Gateway;
const folder = mkdtempSync(join(tmpdir(), 'tercet-rest-'));
const keyFile = join(folder, 'keys.json');

beforeAll(async () => {
  world = await World.start({ filler: 'bert-base-uncased', classifier: 'acme/classifier', writer: 'gpt2' });
  gateway = await world.gateway();
});
afterAll(async () => {
  await world.stop();
  rmSync(folder, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

async function send(path: string, init: RequestInit = {}, base = gateway.url): Promise<Answer> {
  const response = await fetch(`${base}${path}`, init);
  const text = await response.text();
  const json = (response.headers.get('content-type') ?? '').includes('json') ? JSON.parse(text) : {};
  return { status: response.status, headers: response.headers, text, json };
}

const post = (path: string, body: unknown, headers: Record<string, string> = {}, base?: string) =>
  send(
    path,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    },
    base,
  );

/** An event each. */
const eventsOf = (text: string) =>
  text
    .trim()
    .split('\n\n')
    .map((event) => /^event: (\w+)\ndata: (.*)$/.exec(event)?.slice(1) ?? [])
    .map(([name, data]) => ({ name, data: JSON.parse(data) as Record<string, unknown> }));

describe('what is asked as the guide asks it', () => {
  it('answers the curl of the guide', async () => {
    // As docs/GUIDE.md shows it, at the port of this gateway.
    const shown = BLOCKS.find(({ file, code }) => file === 'docs/GUIDE.md' && code.startsWith('curl -X POST'));
    const command = shown?.code.replace('http://localhost:8080', gateway.url.replace('127.0.0.1', 'localhost')) ?? '';
    const { stdout } = await promisify(execFile)('sh', ['-c', command]);
    const answer = EveryAnswer.extend(FillMaskAnswer.shape).parse(JSON.parse(stdout));
    expect(answer.predictions).toHaveLength(5);
    expect(answer).toMatchObject({ model: 'bert-base-uncased', task: 'fill-mask', cost: { runs: 1 } });
    // One message out, one in: what was computed is what the SDK computes.
    const same = await world.models[0].predict('The capital of France is [MASK].', { topK: 5 });
    expect(answer.predictions.map(({ token }) => token)).toEqual(same.predictions.map(({ token }) => token));
  });

  it('answers a batch, by the short name of the model', async () => {
    const { status, json } = await post('/api/v1/text-classification', {
      texts: ['the cat sat', 'the mat'],
      model: 'classifier',
    });
    expect(status).toBe(200);
    expect(json['results']).toHaveLength(2);
    expect(json['model']).toBe('acme/classifier');
  });

  it('runs the texts of a request in batches of the size that it was started with', async () => {
    const classifier = await world.site('classifier').load({ batchSize: 2 });
    const { url } = await world.gateway({ models: [classifier] });
    const texts = ['the cat sat', 'the mat', 'a cat', 'the cat', 'a mat'];
    const runs = async (more: object) => {
      const { json } = await post('/api/v1/text-classification', { texts, ...more }, {}, url);
      return {
        runs: (json['cost'] as { runs: number }).runs,
        labels: (json['results'] as { label: string }[]).map(({ label }) => label),
      };
    };
    const [ours, alone, whole] = [await runs({}), await runs({ batch_size: 1 }), await runs({ batch_size: 200 })];
    expect([ours.runs, alone.runs, whole.runs]).toEqual([3, 5, 1]);
    expect(ours.labels).toEqual(alone.labels);
    expect(whole.labels).toEqual(alone.labels);
    await classifier.dispose();
  });

  it('answers with events, a piece in each', async () => {
    const { status, headers, text } = await post('/api/v1/inference', {
      ...{ model: 'gpt2', text: 'the', max_new_tokens: 3, temperature: 0, stream: true },
    });
    expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    const events = eventsOf(text);
    const done = GenerationAnswer.parse(events.at(-1)?.data);
    expect(events.at(-1)?.name).toBe('done');
    expect(events.length).toBeGreaterThan(1);
    expect(
      events
        .slice(0, -1)
        .map(({ name, data }) => [name, data['text']])
        .map(([, piece]) => piece)
        .join(''),
    ).toBe(done.text);
  });

  it('lists its models, is alive and ready, and says what it takes', async () => {
    expect((await send('/api/v1/models')).json['models']).toMatchObject([
      { id: 'bert-base-uncased', task: 'fill-mask' },
      { id: 'acme/classifier', task: 'text-classification' },
      { id: 'gpt2', task: 'text-generation' },
    ]);
    expect((await send('/livez')).status).toBe(200);
    expect((await send('/readyz')).status).toBe(200);
    const document = await send('/openapi.json');
    expect(document.json).toMatchObject({ openapi: '3.1.0' });
    const paths = Object.keys(document.json['paths'] as object);
    expect(OPERATIONS.map(({ name }) => name).toSorted()).toEqual(TASKS.toSorted());
    expect(paths).toEqual(expect.arrayContaining(OPERATIONS.map(({ name }) => `/api/v1/${name}`)));
    // Every reference is to something that is there.
    for (const [, name] of document.text.matchAll(/#\/components\/schemas\/(\w+)/g))
      expect((document.json['components'] as { schemas: object }).schemas).toHaveProperty(name);
    expect(document.text).not.toContain('"expects"');
  });

  it('shows a page that loads nothing and begins with who reads the texts', async () => {
    const { text, headers } = await send('/docs');
    expect(text.indexOf("This server is the data owner's party".replace("'", '&#39;'))).toBe(-1);
    expect(text).toMatch(/<\/style>\s*<p class="trust">This server is the data owner/);
    expect([...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address)).toEqual(['/openapi.json']);
    expect(text).not.toMatch(/<script|url\(|@import/);
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
  });
});

type Refused = [
  what: string,
  status: number,
  code: string,
  path: string,
  body: unknown,
  headers?: Record<string, string>,
];
const fill = '/api/v1/fill-mask';

describe('what is refused', () => {
  it.each<Refused>([
    ['no JSON', 400, 'ERR_BODY', fill, `{"text": ${PLANTED}`],
    ['no UTF-8 text', 400, 'ERR_BODY', fill, `${PLANTED}\u0000`],
    ['a list', 400, 'ERR_BODY', fill, [PLANTED]],
    ['nothing', 400, 'ERR_BODY', fill, 'null'],
    ['an unknown field', 400, 'ERR_ARGUMENT', fill, { text: 'a [MASK]', [PLANTED]: 1 }],
    ['a wrong type', 400, 'ERR_ARGUMENT', fill, { text: 'a [MASK]', top_k: PLANTED }],
    ['a number out of range', 400, 'ERR_ARGUMENT', fill, { text: 'a [MASK]', top_k: 0 }],
    ['less security', 400, 'ERR_ARGUMENT', fill, { text: 'a [MASK]', security_level: 64 }],
    ['more security than there is', 400, 'ERR_ARGUMENT', fill, { text: 'a [MASK]', security_level: 256 }],
    ['no text', 400, 'ERR_ARGUMENT', fill, {}],
    ['text and texts', 400, 'ERR_ARGUMENT', fill, { text: PLANTED, texts: [PLANTED] }],
    ['too many texts', 413, 'ERR_TEXTS', fill, { texts: Array.from({ length: 65 }, () => PLANTED) }],
    ['a polluting name', 400, 'ERR_ARGUMENT', fill, `{"text": "a [MASK]", "__proto__": {"model": "${PLANTED}"}}`],
    ['a name that every object has', 400, 'ERR_ARGUMENT', fill, { text: 'a [MASK]', constructor: { [PLANTED]: 1 } }],
    ['a name of none as the model', 404, 'ERR_MODEL_NOT_FOUND', fill, { text: 'a [MASK]', model: '__proto__' }],
    ['a field twice', 400, 'ERR_BODY_TWICE', fill, `{"text": "${PLANTED}", "te\\u0078t": "a [MASK]"}`],
    ['no number', 400, 'ERR_BODY', fill, '{"text": "a [MASK]", "top_k": NaN}'],
    ['more than any number', 400, 'ERR_ARGUMENT', fill, '{"text": "a [MASK]", "top_k": 1e999}'],
    ['half an answer', 400, 'ERR_ARGUMENT', fill, { text: 'a [MASK]', top_k: 1.5 }],
    ['null for a field', 400, 'ERR_ARGUMENT', fill, { text: 'a [MASK]', top_k: null }],
    ['no text in a list', 400, 'ERR_ARGUMENT', fill, { texts: ['a [MASK]', null] }],
    ['an empty list', 400, 'ERR_ARGUMENT', fill, { texts: [] }],
    ['an empty body', 400, 'ERR_BODY', fill, ''],
    ['lists in lists', 400, 'ERR_ARGUMENT', fill, `{"text": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['lists without an end', 400, 'ERR_BODY', fill, '['.repeat(400_000)],
    ['half a character', 422, 'ERR_TEXT_ENCODING', fill, '{"text": "\\ud800 [MASK]"}'],
    ['a text that is too long', 422, 'ERR_TEXT_TOO_LONG', fill, { text: `${PLANTED.repeat(1_100)} [MASK]` }],
    ['another charset', 415, 'ERR_BODY_TYPE', fill, '{}', { 'content-type': 'application/json; charset=utf-16le' }],
    ['a compressed body', 415, 'ERR_BODY_TYPE', fill, '{}', { 'content-encoding': 'gzip' }],
    ['an address that is none', 404, 'ERR_ROUTE', `/api/v1/%E0%A4%A${PLANTED}`, {}],
    ['an empty text', 422, 'ERR_TEXT_EMPTY', fill, { text: '' }],
    ['no blank', 422, 'ERR_NO_MASK', fill, { text: PLANTED }],
    ['a control character', 422, 'ERR_TEXT_CONTROL', fill, { text: `${PLANTED}\u0007 [MASK]` }],
    ['too many tokens', 422, 'ERR_TOO_MANY_TOKENS', fill, { text: `${`${PLANTED} `.repeat(40)}[MASK]` }],
    ['an unknown model', 404, 'ERR_MODEL_NOT_FOUND', fill, { text: 'a [MASK]', model: PLANTED }],
    ['a model that is no name', 404, 'ERR_MODEL_NOT_FOUND', fill, { text: 'a [MASK]', model: { a: PLANTED } }],
    ['a model for another task', 422, 'ERR_MODEL_UNSUPPORTED', fill, { text: 'a [MASK]', model: 'gpt2' }],
    ['a task that nobody serves', 404, 'ERR_MODEL_NOT_FOUND', '/api/v1/token-classification', { text: PLANTED }],
    ['an unknown address', 404, 'ERR_ROUTE', `/api/v1/${PLANTED}`, {}],
    ['another type', 415, 'ERR_BODY_TYPE', fill, '{}', { 'content-type': 'text/plain' }],
    ['a form', 415, 'ERR_BODY_TYPE', fill, `text=${PLANTED}`, { 'content-type': 'application/x-www-form-urlencoded' }],
    ['a body of 2 MB', 413, 'ERR_BODY_SIZE', fill, { text: PLANTED.repeat(200_000) }],
  ])('%s: %i %s', async (_what, status, code, path, body, headers) => {
    const answer = await post(path, body, headers);
    expect([answer.status, answer.json['code']]).toEqual([status, code]);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json(;|$)/);
    const problem = ProblemAnswer.parse(answer.json);
    expect(problem.request_id).toBe(answer.headers.get('x-request-id'));
    expect(problem.hint).not.toBe('');
    expect(answer.text).not.toContain(PLANTED);
  });

  it.each([
    ['a text that is named twice inside another one', '{"text": "{\\"text\\": 1, \\"text\\": 2} [MASK]", "top_k": 1}'],
    ['the charset that JSON has', '{"text": "the [MASK]", "top_k": 1}'],
  ])('not %s', async (_, body) => {
    const headers = { 'content-type': 'application/json; charset="UTF-8"', 'content-encoding': 'identity' };
    expect((await post(fill, body, headers)).status).toBe(200);
  });

  it('a batch for one of its texts, which is named, before any of them runs', async () => {
    const before = world.site('filler').ends.length;
    const { status, json } = await post(fill, { texts: ['the [MASK]', PLANTED] });
    expect([status, json['code']]).toEqual([422, 'ERR_NO_MASK']);
    expect(json['detail']).toMatch(/^text 2 of 2: /);
    expect(world.site('filler').ends.length).toBe(before);
  });

  it('more texts than its operator takes', async () => {
    const { url } = await world.gateway({ limits: { texts: 1 } });
    const two = await post(fill, { texts: ['the [MASK]', 'a [MASK]'] }, {}, url);
    expect([two.status, two.json['code']]).toEqual([413, 'ERR_TEXTS']);
    // The limit that it names is that of its operator, whatever the request has.
    const many = await post(fill, { texts: Array.from({ length: 65 }, () => 'a [MASK]') }, {}, url);
    for (const { json } of [two, many])
      expect([json['detail'], json['hint']]).toEqual([
        'the body has more than 1 text',
        'send at most 1 in one request',
      ]);
    const none = await post(fill, { texts: [] }, {}, url);
    expect(none.json['detail']).toBe('texts expected a list of one or more texts');
    expect((await post(fill, { texts: ['the [MASK]'] }, {}, url)).status).toBe(200);
    // The document says so, of every list of texts.
    const most = async (base?: string) => {
      const { json } = await send('/openapi.json', {}, base);
      const { schemas } = json['components'] as { schemas: Record<string, { properties?: Record<string, object> }> };
      return Object.values(schemas).flatMap(({ properties }) => properties?.['texts'] ?? []);
    };
    const few = await most(url);
    expect(few).toHaveLength(OPERATIONS.filter(({ request }) => 'texts' in request.shape).length);
    expect(few.length).toBeGreaterThan(3);
    for (const texts of few) expect(texts).toMatchObject({ type: 'array', minItems: 1, maxItems: 1 });
    // Control: that of a gateway with the usual limit.
    for (const texts of await most()) expect(texts).toMatchObject({ maxItems: 64 });
  });

  it('another method, with those that there are', async () => {
    for (const [path, method, allow] of [
      [fill, 'GET', 'POST'],
      [fill, 'PUT', 'POST'],
      ['/api/v1/models?a=1', 'DELETE', 'GET, HEAD'],
      ['/livez', 'POST', 'GET, HEAD'],
    ]) {
      const answer = await send(path, { method });
      expect([answer.status, answer.json['code'], answer.headers.get('allow')]).toEqual([405, 'ERR_METHOD', allow]);
    }
  });

  const line = `POST ${fill} HTTP/1.1\r\n`;
  it.each([
    ['garbage', '\u0001\u0002\r\n\r\n', 400, 'ERR_REQUEST'],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000\r\n', 400, 'ERR_REQUEST'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'ERR_REQUEST'],
    ['a request to nobody', `${line}content-length: 2\r\nconnection: close\r\n\r\n{}`, 400, 'ERR_REQUEST'],
    ['two lengths', `${line}host: localhost\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}`, 400, 'ERR_REQUEST'],
    [
      'a length and pieces',
      `${line}host: localhost\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n`,
      400,
      'ERR_REQUEST',
    ],
    ['an expectation', `${line}host: localhost\r\nexpect: ${PLANTED}\r\nconnection: close\r\n\r\n`, 400, 'ERR_REQUEST'],
    ['headers of 40 kB', `${line}host: localhost\r\nx: ${PLANTED.repeat(4_000)}\r\n\r\n`, 431, 'ERR_HEADER_SIZE'],
  ])('what is no request: %s', async (_, text, status, code) => {
    const heard = await new Promise<string>((resolve) => {
      let all = '';
      const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
      socket.on('data', (bytes: Buffer) => (all += bytes.toString())).on('error', () => undefined);
      socket.on('close', () => resolve(all));
      socket.write(text);
    });
    const [head = '', body = ''] = heard.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head).toMatch(/^content-type: application\/problem\+json/im);
    const problem = ProblemAnswer.parse(JSON.parse(body));
    expect([problem.status, problem.code]).toEqual([status, code]);
    expect(heard).not.toContain(PLANTED);
    // It is counted, as every other refusal is.
    expect(world.told.at(-1)).toMatchObject({ code, status });
  });

  it('vectors of every piece of several texts, before anything runs: an answer has a size, too', async () => {
    const vectors = OPERATIONS.find(({ name }) => name === 'feature-extraction');
    const asks = (texts: string[], pooling: string) => vectors?.read({ texts, pooling });
    await failure('ERR_ARGUMENT', () => asks(['a', 'b'], 'none'), /not pooled/);
    expect([asks(['a'], 'none')?.texts, asks(['a', 'b'], 'mean')?.texts]).toEqual([1, 2]);
  });

  it('a page that reaches this machine under a name of its own', async () => {
    const asked = (host: string) =>
      new Promise<number>((resolve, reject) => {
        const { port } = new URL(gateway.url);
        httpRequest({ port, host: '127.0.0.1', path: '/api/v1/models', headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        })
          .on('error', reject)
          .end();
      });
    expect(await Promise.all(['localhost:8080', '[::1]', '127.0.0.1'].map(asked))).toEqual([200, 200, 200]);
    expect(await Promise.all(['evil.example', 'localhost.evil.example:80', '10.0.0.1'].map(asked))).toEqual([
      421, 421, 421,
    ]);
  });

  it('other origins: no answer carries a CORS header, and a preflight gets none', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    for (const answer of [
      await send(fill, { method: 'OPTIONS', headers }),
      await send('/api/v1/models', { headers }),
      await send('/openapi.json', { headers }),
    ])
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it.each([
    ['says its length', 'content-length: 1000000000\r\n', ''],
    ['comes in pieces without an end', 'transfer-encoding: chunked\r\n', `10000\r\n${'x'.repeat(65_536)}\r\n`],
  ])('a body of 1 GB that %s is refused after the first of it', async (_, header, piece) => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    let heard = '';
    let sent = 0;
    socket.on('error', () => undefined).on('data', (bytes: Buffer) => (heard += bytes.toString()));
    socket.write(`POST ${fill} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${header}\r\n`);
    const more = () => {
      if (piece === '' || socket.destroyed || sent > 1e9) return;
      sent += piece.length;
      if (socket.write(piece)) setImmediate(more);
      else socket.once('drain', more);
    };
    more();
    await closed;
    expect(sent).toBeLessThan(100e6);
    // Who still writes may lose the answer with the connection.
    if (piece === '') expect(heard).toContain('ERR_BODY_SIZE');
    expect((await send('/livez')).status).toBe(200);
  });

  it('of ten thousand connections it holds as many as it says, hangs up the others, and answers who comes later', {
    timeout: 300_000,
  }, async () => {
    const small = await world.gateway({ limits: { connections: 100 } });
    const port = Number(new URL(small.url).port);
    const [all, wave] = [10_000, 250];
    let ended = 0;
    const crowd: Socket[] = [];
    // In waves, because this process is both ends, and files that it may open have a limit.
    for (let open = 0; open < all; open += wave) {
      for (let i = 0; i < wave; i++)
        crowd.push(
          connect(port, '127.0.0.1')
            .on('error', () => undefined)
            .on('close', () => ended++)
            .resume(),
        );
      await vi.waitFor(() => expect(ended).toBeGreaterThanOrEqual(open + wave - 100), 60_000);
    }
    expect(ended).toBe(all - 100);
    for (const socket of crowd) socket.destroy();
    await vi.waitFor(async () => expect((await send('/livez', {}, small.url)).status).toBe(200), 60_000);
  });

  it('a client that never finishes its body: the connection ends, and others are answered', async () => {
    const slow = await world.gateway({ limits: { requestMs: 1_000 } });
    const { port } = new URL(slow.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      `POST ${fill} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{`,
    );
    const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    socket.on('error', () => undefined).resume();
    expect((await send('/livez', {}, slow.url)).status).toBe(200);
    await closed;
  });
});

describe('where others reach it', () => {
  const far = { host: '0.0.0.0' } as const;
  it('does not start without keys, or without TLS or a proxy that is named', async () => {
    await createKey(keyFile, { name: 'first' });
    const keys = await KeyRing.open(keyFile);
    const tls = { key: 'k', cert: 'c' };
    await failure('ERR_INSECURE', world.gateway(far), /without a key/);
    await failure('ERR_INSECURE', world.gateway({ ...far, tls }), /without a key/);
    await failure('ERR_INSECURE', world.gateway({ behindProxy: true }), /without a key/);
    await failure('ERR_INSECURE', world.gateway({ ...far, keys }), /without TLS/);
    await failure('ERR_ARGUMENT', world.gateway({ ...far, keys, tls, behindProxy: true }), /exclude each other/);
    // Control: with both it does.
    const proxied = await world.gateway({ ...far, keys, behindProxy: true });
    expect((await send('/livez', {}, proxied.url.replace('0.0.0.0', '127.0.0.1'))).status).toBe(200);
  });

  it('where somebody else listens, with the address', async () => {
    const { port } = new URL(gateway.url);
    await failure(
      'ERR_ARGUMENT',
      world.gateway({ port: Number(port) }),
      new RegExp(`cannot listen on 127.0.0.1:${port}`),
    );
    expect((await send('/livez')).status).toBe(200);
  });

  it('does not start where every key was revoked', async () => {
    const path = join(folder, 'revoked.json');
    const { record } = await createKey(path, { name: 'gone' });
    await revokeKey(path, record.id);
    await failure('ERR_INSECURE', world.gateway({ ...far, keys: await KeyRing.open(path), behindProxy: true }));
  });

  it('answers who shows a key, and nobody else; a key that is revoked ends within a second', async () => {
    let now = Date.now();
    const { key, record } = await createKey(keyFile, { name: 'second' });
    const { url } = await world.gateway({ keys: await KeyRing.open(keyFile, () => now), behindProxy: true });
    const shown = (value: string) => post('/api/v1/fill-mask', { text: 'no blank' }, { authorization: value }, url);
    for (const wrong of [
      '',
      'Bearer',
      `Bearer ${key}x`,
      `Bearer ${key.slice(0, -1)}`,
      `Basic ${key}`,
      key,
      'Bearer tck_',
    ])
      expect((await shown(wrong)).json['code'], wrong).toBe('ERR_KEY');
    // Of another key the name, with this one's secret.
    const other = await createKey(keyFile, { name: 'third' });
    expect((await shown(`Bearer tck_${other.record.id}_${key.split('_')[2]}`)).status).toBe(401);
    expect((await shown(`Bearer ${key}`)).json['code']).toBe('ERR_NO_MASK');
    expect((await send('/api/v1/models', {}, url)).status).toBe(401);
    expect((await send('/livez', {}, url)).status).toBe(200);
    // A stranger's body is not read: it may be as long as it likes.
    expect((await post(fill, { text: 'x'.repeat(2_000_000) }, {}, url).catch(() => ({ status: 401 }))).status).toBe(
      401,
    );
    await revokeKey(keyFile, record.id);
    now += 1_001;
    expect((await shown(`Bearer ${key}`)).json['code']).toBe('ERR_KEY');
    expect(world.lines.join('')).not.toContain(key);
    expect(world.lines.join('')).toContain(record.id);
  });
});

it('owners of two keys at once have each the answers to their own texts', async () => {
  const file = join(folder, 'two.json');
  const made = [await createKey(file, { name: 'one' }), await createKey(file, { name: 'two' })];
  const { url } = await world.gateway({ keys: await KeyRing.open(file), behindProxy: true, limits: { runs: 4 } });
  const starts = ['the capital of', 'france is', 'paris is the', 'a cafe of'];
  const before = world.told.length;
  const owners = made.map(async ({ key }, owner) => {
    for (const turn of starts.keys()) {
      const i = (turn + owner) % starts.length;
      const body = { text: `${starts[i]} [MASK]`, top_k: 100 };
      const { json } = await post(fill, body, { authorization: `Bearer ${key}` }, url);
      const predictions = json['predictions'] as { sequence: string }[];
      for (const { sequence } of predictions) expect(sequence.startsWith(starts[i])).toBe(true);
      expect(predictions.length).toBeGreaterThan(20);
    }
  });
  await Promise.all(owners);
  expect(world.told.slice(before).map(({ status }) => status)).toEqual(new Array(8).fill(200));
});

/** A request whose answer nobody waits for. */
function begin(body: object, base: string): ClientRequest {
  const { port } = new URL(base);
  const request = httpRequest({
    ...{ port, host: '127.0.0.1', path: '/api/v1/inference', method: 'POST' },
    headers: { 'content-type': 'application/json' },
  });
  request.on('error', () => undefined);
  request.end(JSON.stringify(body));
  return request;
}

const until = async (reached: () => boolean) => {
  while (!reached()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('a caller that goes away, and a run that takes too long', () => {
  it('end at all three parties', async () => {
    const { ends } = world.site('writer');
    const before = ends.length;
    const request = begin({ model: 'gpt2', text: 'the', max_new_tokens: 20 }, gateway.url);
    await until(() => ends.length === before + 2);
    expect(gateway.load).toEqual({ running: 1, waiting: 0 });
    request.destroy();
    const both = await Promise.all(ends.slice(before));
    // The two compute parties ended because their owner left, not by an answer.
    for (const end of both) expect(end instanceof TercetError ? end.code : end).toMatch(/ERR_|left/);
    await until(() => gateway.load.running === 0);
    expect(world.told.at(-1)).toMatchObject({ code: 'ERR_ABORTED', operation: 'text-generation' });
  });

  it('is said: 504 and ERR_TIME_LIMIT', async () => {
    const hurried = await world.gateway({ limits: { requestMs: 30 } });
    const answer = await post('/api/v1/inference', { model: 'gpt2', text: 'the', max_new_tokens: 20 }, {}, hurried.url);
    expect([answer.status, answer.json['code']]).toEqual([504, 'ERR_TIME_LIMIT']);
    await until(() => hurried.load.running === 0);
  });

  it('leave the queue: who waits and goes away costs nothing, and a full queue says when to come again', async () => {
    const narrow = await world.gateway({ limits: { runs: 1, queue: 1 } });
    const first = begin({ model: 'gpt2', text: 'the', max_new_tokens: 20 }, narrow.url);
    await until(() => narrow.load.running === 1);
    const second = begin({ text: 'the [MASK]' }, narrow.url);
    await until(() => narrow.load.waiting === 1);
    const third = await post('/api/v1/inference', { text: 'the [MASK]' }, {}, narrow.url);
    expect([third.status, third.json['code']]).toEqual([429, 'ERR_QUEUE_FULL']);
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
    second.destroy();
    await until(() => narrow.load.waiting === 0);
    first.destroy();
    await until(() => narrow.load.running === 0);
    expect((await post('/api/v1/inference', { text: 'the [MASK]' }, {}, narrow.url)).status).toBe(200);
  });

  it('are waited for when the server stops, for as long as was said', async () => {
    const stopping = await world.gateway();
    const running = post('/api/v1/inference', { text: 'the [MASK]' }, {}, stopping.url);
    await until(() => stopping.load.running === 1);
    const closed = stopping.close(60_000);
    expect((await running).status).toBe(200);
    await closed;
    await expect(fetch(`${stopping.url}/livez`)).rejects.toThrow();
  });
});

it('nothing of a text, an answer, a field or a key is in the log, at its most talkative', async () => {
  const { json } = await post(fill, { text: `${PLANTED} cat [MASK]`, top_k: 1 });
  const [{ token, sequence }] = json['predictions'] as { token: string; sequence: string }[];
  const log = world.lines.join('');
  expect(world.lines.length).toBeGreaterThan(30);
  for (const secret of [PLANTED, sequence, `"${token}"`, 'tck_', 'capital of France'])
    expect(log).not.toContain(secret);
  // Control: what may be there is.
  expect(log).toContain('"operation":"fill-mask"');
  expect(log).toContain('"code":"ERR_NO_MASK"');
  for (const line of world.lines)
    expect(Object.keys(JSON.parse(line) as object)).toEqual(
      expect.arrayContaining(['level', 'time', 'event', 'id', 'operation', 'model', 'status']),
    );
});
