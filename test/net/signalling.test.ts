/**
 * Setting up WebRTC over HTTP, with somebody in between who may change everything. No peer connection is made: what
 * matters is which answers would be applied.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { failure } from '../failure.ts';
import { TercetError } from '../../src/core/errors.ts';
import { type PartyIdentity, createIdentity } from '../../src/net/identity/identity.ts';
import { openOwnerLink } from '../../src/net/gateway/owner-link.ts';
import { MAX_BODY_BYTES } from '../../src/net/signalling/messages.ts';
import { type RouterOptions, serve } from '../../src/net/signalling/router.ts';
import { fingerprintOf } from '../../src/net/signalling/sdp.ts';
import { LinkTable, TABLE_LIMITS } from '../../src/net/signalling/table.ts';
import { endpointUrl, fetchParty } from '../../src/net/signalling/client.ts';
import { SESSION } from './helpers.ts';
import { MODEL, REQUEST_CODE } from './owner-links.ts';
import { description, fingerprint } from './sdp.ts';

const CLIENT = 0xc1;
const PARTY = 0xa1;

let one: PartyIdentity;
let two: PartyIdentity;

beforeAll(async () => {
  [one, two] = await Promise.all([createIdentity(), createIdentity()]);
});

/** A party's HTTP interface as a `fetch`, without a network. */
function fetchOf(party: 1 | 2, identity: PartyIdentity, print = PARTY): typeof fetch {
  const table = new LinkTable({ ...TABLE_LIMITS, pendingMs: 500 });
  const options: RouterOptions = {
    party,
    identity,
    origins: [],
    table,
    describe: () => ({
      party,
      identity: identity.publicKey,
      version: '0',
      models: [],
      device: 'wasm',
      transports: ['webrtc'],
    }),
    health: () => ({ ok: true }),
    admit: () => undefined,
    answerer: {
      answer: async (offers) => ({
        descriptions: offers.map(() => description(print)),
        opened: () => new Promise(() => undefined),
        close: () => undefined,
      }),
    },
    onRtc: ({ slot }) => slot.end(),
  };
  return async (input, init) => {
    const request = {
      method: init?.method ?? 'GET',
      path: new URL(String(input)).pathname,
      headers: { 'content-type': 'application/json' },
      remote: 'test',
    };
    const { status, headers, body } = await serve(
      { ...request, body: async () => String(init?.body ?? '') },
      options,
      () => undefined,
    );
    return new Response(status === 204 ? null : body, { status, headers });
  };
}

interface Middle {
  /** Sees the request's body, and may send on another. */
  readonly request?: (body: Record<string, unknown>, path: string) => { body: Record<string, unknown>; path?: string };
  readonly answer?: (body: Record<string, unknown>) => Record<string, unknown>;
}

/** What a data owner says who asks over `net` for party 1, and what it would have applied. */
async function ask(
  net: typeof fetch,
  middle: Middle = {},
): Promise<{ error: TercetError; applied: readonly (readonly string[])[] }> {
  const applied: (readonly string[])[] = [];
  const between: typeof fetch = async (input, init) => {
    if (init?.method !== 'POST') return net(input, init);
    const url = new URL(String(input));
    const sent = middle.request?.(JSON.parse(String(init.body)) as Record<string, unknown>, url.pathname);
    if (sent?.path !== undefined) url.pathname = sent.path;
    const response = await net(url, sent === undefined ? init : { ...init, body: JSON.stringify(sent.body) });
    if (middle.answer === undefined || response.status !== 201) return response;
    return Response.json(middle.answer((await response.json()) as Record<string, unknown>), { status: 201 });
  };
  const offer = {
    descriptions: [description(CLIENT)],
    accept: async (answers: readonly string[]) => void applied.push(answers),
    opened: () => new Promise<never>(() => undefined),
  };
  const opening = openOwnerLink({
    party: 1,
    address: { url: 'https://one.example', identity: one.publicKey },
    otherIdentity: two.publicKey,
    session: SESSION,
    modelHash: MODEL,
    requestCode: REQUEST_CODE,
    transport: 'webrtc',
    timeoutMs: 150,
    fetch: between,
    offerer: { offer: async () => ({ ...offer, close: () => undefined }) },
  });
  const error = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof TercetError)) throw new Error('no typed error');
  return { error, applied };
}

describe('a signed answer', () => {
  it('is applied when everything fits (positive control of all below)', async () => {
    const { error, applied } = await ask(fetchOf(1, one));
    expect(applied).toEqual([[description(PARTY)]]);
    // There is no real connection behind it, so the link then does not come about.
    expect(error.code).toBe('ERR_LINK_BLOCKED');
  });

  it('is not applied from a stranger', async () => {
    const { error, applied } = await ask(fetchOf(1, await createIdentity()));
    expect(error).toMatchObject({
      code: 'ERR_IDENTITY_KEY',
      message: 'party 1 did not prove the identity that is pinned for it',
    });
    expect(applied).toEqual([]);
  });

  it('is not applied from party 2 in party 1’s place, whoever it says it is', async () => {
    for (const net of [fetchOf(2, two), fetchOf(1, two)]) {
      const { error, applied } = await ask(net);
      expect(error).toMatchObject({ code: 'ERR_IDENTITY_PARTY', message: 'party 2 answered in the place of party 1' });
      expect(applied).toEqual([]);
    }
    const { error } = await ask(fetchOf(1, two), { answer: (body) => ({ ...body, party: 1 }) });
    expect(error.code).toBe('ERR_IDENTITY_PARTY');
  });

  it('is not applied twice', async () => {
    let recorded: Record<string, unknown> = {};
    await ask(fetchOf(1, one), { answer: (body) => (recorded = body) });
    const { error, applied } = await ask(fetchOf(1, one), { answer: () => recorded });
    expect(error.code).toBe('ERR_IDENTITY_REPLAY');
    expect(error.message).toContain('party 1');
    expect(applied).toEqual([]);
  });

  it('is not applied for another nonce or session than the one asked for', async () => {
    for (const request of [
      (body: Record<string, unknown>) => ({ body: { ...body, nonce: '00'.repeat(32) } }),
      (body: Record<string, unknown>) => ({ body, path: `/v1/sessions/${'0f'.repeat(16)}/rtc` }),
    ]) {
      const { error, applied } = await ask(fetchOf(1, one), { request });
      expect([error.code, applied.length]).toEqual(['ERR_IDENTITY_REPLAY', 0]);
    }
  });

  it('is not applied with another certificate: the party’s, this device’s, a second one, or by another hash', async () => {
    const swapped = (from: string, to: string) => (body: Record<string, unknown>) => ({
      ...body,
      answers: (body['answers'] as string[]).map((sdp) => sdp.replace(from, to)),
    });
    const line = `a=fingerprint:sha-256 ${fingerprint(PARTY)}\r\n`;
    for (const middle of [
      { answer: swapped(fingerprint(PARTY), fingerprint(0xee)) },
      { answer: swapped(line, `${line}a=fingerprint:sha-256 ${fingerprint(0xee)}\r\n`) },
      { answer: swapped('sha-256', 'sha-1') },
      { answer: swapped(line, '') },
      { request: (body: Record<string, unknown>) => ({ body: { ...body, offers: [description(0xee)] } }) },
    ]) {
      const { error, applied } = await ask(fetchOf(1, one), middle);
      expect([error.code, applied.length]).toEqual(['ERR_IDENTITY_FINGERPRINT', 0]);
      expect(error.message).toContain('party 1');
    }
  });

  it('is not applied for another model or another request', async () => {
    const model = await ask(fetchOf(1, one), { request: (body) => ({ body: { ...body, model: '00'.repeat(32) } }) });
    expect([model.error.code, model.applied.length]).toEqual(['ERR_MODEL_HASH', 0]);
    expect(model.error.message).toContain('party 1');
    const other = await ask(fetchOf(1, one), {
      request: (body) => ({ body: { ...body, request: '00'.repeat(32) } }),
    });
    expect([other.error.code, other.applied.length]).toEqual(['ERR_PEER_MISMATCH', 0]);
  });

  it('is not applied with any byte of statement or signature changed', async () => {
    const net = fetchOf(1, one);
    let length = 0;
    const measure = (body: Record<string, unknown>): Record<string, unknown> => {
      length = String(body['statement']).length / 2;
      return body;
    };
    await ask(net, { answer: measure });
    expect(length).toBeGreaterThan(200);
    for (const field of ['statement', 'signature'] as const) {
      for (let at = 0; at < (field === 'signature' ? 64 : length); at += 5) {
        const answer = (body: Record<string, unknown>): Record<string, unknown> => {
          const hex = String(body[field]);
          const byte = (Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16) ^ 1).toString(16).padStart(2, '0');
          return { ...body, [field]: `${hex.slice(0, 2 * at)}${byte}${hex.slice(2 * at + 2)}` };
        };
        const { error, applied } = await ask(fetchOf(1, one), { answer });
        expect([error.code, applied.length]).toEqual(['ERR_IDENTITY_KEY', 0]);
      }
    }
  });

  it('is not applied when there are more or fewer answers than offers', async () => {
    const { error, applied } = await ask(fetchOf(1, one), {
      answer: (body) => ({ ...body, answers: [description(PARTY), description(PARTY)] }),
    });
    expect([error.code, applied.length]).toEqual(['ERR_IDENTITY_FINGERPRINT', 0]);
  });
});

describe('a session description', () => {
  it('names one certificate', () => {
    expect([...fingerprintOf(description(7), 'x')]).toEqual(new Array(32).fill(7));
    expect([...fingerprintOf(description(0xab).replaceAll('AB', 'ab').replaceAll('\r\n', '\n'), 'x')]).toEqual(
      new Array(32).fill(0xab),
    );
  });

  it('is refused when two parsers could read it differently', () => {
    const good = description(7);
    for (const [bad, code] of [
      [good.replace('\r\na=setup', '\ra=setup'), 'ERR_FRAME_FORMAT'],
      [good.replace('s=-', 's=\u0000'), 'ERR_FRAME_FORMAT'],
      [good.replace('s=-', 's=\u2028a=fingerprint:sha-256 00'), 'ERR_FRAME_FORMAT'],
      [`${good}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n`, 'ERR_FRAME_FORMAT'],
      [good.replace('m=application', 'm=audio'), 'ERR_FRAME_FORMAT'],
      [good.replace('v=0', 'v=1'), 'ERR_FRAME_FORMAT'],
      ['', 'ERR_FRAME_FORMAT'],
      [good + 'a=x\r\n'.repeat(4000), 'ERR_FRAME_FORMAT'],
      [good.replace('a=fingerprint', 'A=Fingerprint'), 'ERR_IDENTITY_FINGERPRINT'],
      [good.replace('a=fingerprint', ' a=fingerprint'), 'ERR_IDENTITY_FINGERPRINT'],
      [good.replace(':07\r\n', ':7\r\n'), 'ERR_IDENTITY_FINGERPRINT'],
      [good.replace(':07\r\n', ':07:07\r\n'), 'ERR_IDENTITY_FINGERPRINT'],
    ] as const) {
      expect(() => fingerprintOf(bad, 'party 2'), bad.slice(0, 60)).toThrow(
        expect.objectContaining({ code, message: expect.stringContaining('party 2') }),
      );
    }
  });
});

describe('an address that is not a party’s', () => {
  const endpoint = (net: typeof fetch, timeoutMs = 2000) =>
    ({ party: 1, url: 'https://one.example/base/', fetch: net, timeoutMs }) as const;
  const replies =
    (body: string | null, init: ResponseInit): typeof fetch =>
    async () =>
      new Response(body, init);
  const html = { 'content-type': 'text/html; charset=utf-8' };
  const json = { 'content-type': 'application/json' };
  const problem = { 'content-type': 'application/problem+json' };

  it('is told from one that is (positive control)', async () => {
    expect(await fetchParty({ ...endpoint(fetchOf(1, one)), url: 'https://one.example' })).toMatchObject({
      party: 1,
      identity: one.publicKey,
    });
  });

  for (const [what, net, code, said] of [
    ['a web page', replies('<!doctype html>', { status: 200, headers: html }), 'ERR_PEER_MISMATCH', 'web page'],
    [
      'a web page that says not found',
      replies('<!doctype html>', { status: 404, headers: html }),
      'ERR_PEER_MISMATCH',
      'HTTP 404',
    ],
    [
      'a proxy before nothing',
      replies('<h1>Bad gateway</h1>', { status: 502, headers: html }),
      'ERR_PEER_UNREACHABLE',
      'HTTP 502',
    ],
    ['nothing at all', replies(null, { status: 200 }), 'ERR_PEER_MISMATCH', 'content type'],
    ['JSON of another kind', replies('[1]', { status: 200, headers: json }), 'ERR_PEER_MISMATCH', 'party'],
    ['JSON that is none', replies('{', { status: 200, headers: json }), 'ERR_PEER_MISMATCH', 'party'],
    [
      'a description of other types',
      replies(`{"party":1,"identity":"${'ab'.repeat(32)}","version":{},"device":"d","models":[],"transports":[]}`, {
        status: 200,
        headers: json,
      }),
      'ERR_PEER_MISMATCH',
      'party',
    ],
    [
      'more than any answer',
      replies('x'.repeat(MAX_BODY_BYTES + 1), { status: 200, headers: json }),
      'ERR_PEER_MISMATCH',
      'too long',
    ],
    [
      'a refusal',
      replies('{"code":"ERR_MODEL_HASH","message":"not here\\u001b[31m","hint":"ask"}', {
        status: 404,
        headers: problem,
      }),
      'ERR_MODEL_HASH',
      'not here?[31m',
    ],
    [
      'a refusal of another version',
      replies('{"code":"ERR_NEW","message":"m","hint":"do this"}', { status: 400, headers: problem }),
      'ERR_PEER_FAILED',
      'm',
    ],
    [
      'a refusal that blames the user',
      replies('{"code":"ERR_ARGUMENT","message":"m","hint":"do this"}', { status: 400, headers: problem }),
      'ERR_PEER_FAILED',
      'm',
    ],
    ...(['ERR_IDENTITY_KEY', 'ERR_IDENTITY_PEERS', 'ERR_PEER_CERTIFICATE'] as const).map(
      (code) =>
        [
          `a refusal that judges proofs (${code})`,
          replies(JSON.stringify({ code, message: 'm', hint: 'do this' }), { status: 400, headers: problem }),
          'ERR_PEER_FAILED',
          'm',
        ] as const,
    ),
    [
      'a refusal without words',
      replies('{"code":7}', { status: 400, headers: problem }),
      'ERR_PEER_MISMATCH',
      'HTTP 400',
    ],
    [
      'no network',
      () => Promise.reject(new TypeError('Failed to fetch')),
      'ERR_PEER_UNREACHABLE',
      'cannot reach party 1 at https://one.example',
    ],
    [
      'a closed port',
      () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } })),
      'ERR_PEER_UNREACHABLE',
      'ECONNREFUSED',
    ],
    [
      'a bad certificate',
      () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'CERT_HAS_EXPIRED' } })),
      'ERR_PEER_CERTIFICATE',
      'CERT_HAS_EXPIRED',
    ],
  ] as const) {
    it(`gives an error that says what to do: ${what}`, async () => {
      const error = await failure(code, fetchParty(endpoint(net as typeof fetch)));
      expect(error.message).toContain(said);
      expect(error.message).toContain('party 1');
      expect(error.hint.length).toBeGreaterThan(2);
    });
  }

  it('gives up on silence, and stops the request', async () => {
    let stopped = false;
    const silent = (_input: unknown, init?: RequestInit): Promise<Response> =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => {
          stopped = true;
          reject(new Error('aborted'));
        });
      });
    await failure('ERR_PEER_UNREACHABLE', fetchParty(endpoint(silent as typeof fetch, 50)));
    expect(stopped).toBe(true);
    const stop = new AbortController();
    const running = failure('ERR_ABORTED', fetchParty({ ...endpoint(silent as typeof fetch), signal: stop.signal }));
    stop.abort();
    await running;
  });

  it('is refused before anything is sent if it is not encrypted, or names a user', () => {
    expect(endpointUrl('https://one.example/base/', 1, '/v1/party').href).toBe('https://one.example/base/v1/party');
    expect(endpointUrl('http://127.0.0.1:8', 1, '/x').href).toBe('http://127.0.0.1:8/x');
    expect(endpointUrl('http://[::1]:8/?a#b', 1, '/x').href).toBe('http://[::1]:8/x');
    for (const bad of [
      'http://one.example',
      'http://127.0.0.1.example',
      'ftp://one.example',
      'https://user:pass@one.example',
      'one.example',
      '',
    ]) {
      expect(() => endpointUrl(bad, 1, '/x'), bad).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
    }
  });
});
