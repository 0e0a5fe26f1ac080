/**
 * A gateway by the protocol that a request names, over real HTTP and real sessions of all three parties: it is answered
 * by that one, or refused before any party hears of it. A small circuit stands in place of the model's.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServiceMetrics } from '../../src/operate/metrics.ts';
import type { Model, Protocol } from '../../src/owner/types/index.ts';
import { openApi } from '../../src/rest/openapi.ts';
import { EntitiesAnswer, EveryAnswer, ModelsAnswer, ProblemAnswer } from '../../src/rest/schemas.ts';
import { type MemorySite, memorySite } from '../sdk/memory-site.ts';
import { labelled } from '../session/labelled.ts';
import { provingOfCircuit, sending } from '../session/proved-toy.ts';
import { wasm } from '../support/proved.ts';
import { World } from './world.ts';

const EVERY = ['3pc_semi_honest', '3pc_malicious', 'aby3'] as const;
let world: World;
let site: MemorySite;
const models = new Map<Protocol, Model>();
/** One that serves all of them, and two that serve one. */
const urls = { every: '', plain: '', proved: '' };

beforeAll(async () => {
  world = await World.start({});
  site = await memorySite('tagger', undefined, wasm, { proving: provingOfCircuit(labelled, {}) });
  for (const protocol of EVERY)
    models.set(
      protocol,
      await site.load(protocol === '3pc_semi_honest' ? { protocol } : { protocol, securityLevel: 256 }),
    );
  const by = (protocol: Protocol) => models.get(protocol) as Model;
  const [plain, proved, symmetric] = EVERY.map((protocol) => [by(protocol)]);
  const others = new Map<Protocol, readonly Model[]>([
    ['3pc_malicious', proved],
    ['aby3', symmetric],
  ]);
  urls.every = (await world.gateway({ models: plain, others, securityLevel: 256 })).url;
  urls.plain = (await world.gateway({ models: plain })).url;
  urls.proved = (await world.gateway({ models: proved, protocol: '3pc_malicious', securityLevel: 256 })).url;
}, 60_000);
afterAll(async () => {
  await world.stop();
  await Promise.all([...models.values()].map((model) => model.dispose()));
});

async function ask(at: keyof typeof urls, options: object) {
  const response = await fetch(`${urls[at]}/api/v1/token-classification`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'paris', ...options }),
  });
  return { status: response.status, json: (await response.json()) as unknown };
}

/** An answer, as its schema says it. */
async function answered(at: keyof typeof urls, options: object) {
  const { status, json } = await ask(at, options);
  expect(status, JSON.stringify(json)).toBe(200);
  return EveryAnswer.extend(EntitiesAnswer.shape).parse(json);
}

describe('a request with a protocol', () => {
  it.each(EVERY)('is answered by %s, and the answer says so and what was proved', async (protocol) => {
    const { protocol: by, cost } = await answered('every', { protocol });
    expect(by).toBe(protocol);
    const { rounds } = cost;
    expect(rounds).toBeGreaterThan(0);
    expect(cost.proofs === undefined).toBe(protocol === '3pc_semi_honest');
    expect(world.told.at(-1)).toMatchObject({ protocol, status: 200, texts: 1 });
    expect(world.lines.at(-1)).toContain(`"protocol":"${protocol}"`);
  });

  it('of aby3 has other messages of this gateway than 3pc_malicious: it is another run, not another word', async () => {
    const [ahead, symmetric] = [
      await answered('every', { protocol: '3pc_malicious' }),
      await answered('every', { protocol: 'aby3' }),
    ];
    expect(symmetric.cost.sent_bytes).not.toBe(ahead.cost.sent_bytes);
    expect(symmetric.cost.proofs?.messages).not.toBe(ahead.cost.proofs?.messages);
  });

  it('or without one is answered by what the gateway was started with', async () => {
    expect((await answered('every', {})).protocol).toBe('3pc_semi_honest');
    expect((await answered('proved', {})).protocol).toBe('3pc_malicious');
    expect((await answered('proved', { protocol: '3pc_malicious' })).cost.proofs?.messages).toBeGreaterThan(0);
  });

  it.each([
    ['plain', '3pc_malicious', 'ask for 3pc_semi_honest, or have it started with --protocols'],
    // Also where that would be less than what it serves.
    ['proved', '3pc_semi_honest', 'ask for 3pc_malicious, or have it started with --protocols'],
    ['proved', 'aby3', 'ask for 3pc_malicious, or have it started with --protocols'],
  ] as const)('is refused at a gateway that is %s and does not serve %s', async (at, protocol, hint) => {
    const before = site.ends.length;
    const { status, json } = await ask(at, { protocol });
    expect(status).toBe(422);
    expect(ProblemAnswer.parse(json)).toMatchObject({
      ...{ code: 'ERR_PROTOCOL_UNAVAILABLE', hint },
      detail: `this gateway does not serve ${protocol}`,
    });
    expect(site.ends).toHaveLength(before);
    expect(world.told.at(-1)).toMatchObject({ protocol: 'none', texts: 0 });
  });

  it('and a level gets both, or neither', async () => {
    const { cost } = await answered('every', { protocol: '3pc_malicious', security_level: 256 });
    expect(cost.proofs?.soundness).toBeLessThan(-62);
    const before = site.ends.length;
    for (const options of [{ protocol: '3pc_semi_honest' }, {}]) {
      const { status, json } = await ask('every', { ...options, security_level: 256 });
      expect(status).toBe(400);
      expect(ProblemAnswer.parse(json)).toMatchObject({
        code: 'ERR_ARGUMENT',
        detail: '3pc_semi_honest proves nothing, so it has no level 256',
        hint: expect.stringContaining('3pc_malicious') as string,
      });
    }
    expect(site.ends).toHaveLength(before);
  });

  it('that there is none of is refused, and nothing of it is quoted', async () => {
    for (const protocol of ['4pc', '', 3, null]) {
      const { status, json } = await ask('every', { protocol });
      expect(status).toBe(400);
      expect(ProblemAnswer.parse(json)).toMatchObject({
        code: 'ERR_ARGUMENT',
        detail: `protocol expected ${EVERY.join(', ')}`,
      });
    }
  });
});

describe('a party that was caught', () => {
  it('is told as that, counted, and not trusted with what was made ahead', { timeout: 120_000 }, async () => {
    const quick = provingOfCircuit(labelled);
    const cheats = await memorySite('tagger', undefined, wasm, {
      proving: quick,
      // Party 1 changes a table of its first session.
      between: (number, self, channel) =>
        number > 0 || self !== 1
          ? channel
          : sending(channel, (tag, bytes, send) =>
              send(tag, tag.startsWith('select-12/') ? bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) : bytes),
            ),
    });
    const model = await cheats.load({ protocol: '3pc_malicious' });
    const metrics = new ServiceMetrics({
      models: [model.id],
      protocols: ['3pc_malicious'],
      device: 'wasm',
      now: () => 0,
    });
    const { url } = await world.gateway({
      ...{ models: [model], protocol: '3pc_malicious' },
      onDone: (told) => metrics.answered(told),
    });
    const post = async () => {
      const response = await fetch(`${url}/api/v1/token-classification`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text: 'paris' }),
      });
      return { status: response.status, json: (await response.json()) as unknown };
    };
    const counted = async () =>
      /^mpc_security_violations_total\{code="ERR_SECURITY_VIOLATION"\} (\d+)$/m.exec(await metrics.text())?.[1];
    expect(await counted()).toBe('0');
    const { status, json } = await post();
    expect(status).toBe(502);
    expect(ProblemAnswer.parse(json)).toMatchObject({ code: 'ERR_SECURITY_VIOLATION' });
    // No answer, no word of it, and nobody is named who was not found out.
    expect(JSON.stringify(json)).not.toMatch(/LOC|entities|select-12/);
    expect(await counted()).toBe('1');
    expect(world.lines.at(-1)).toContain('"code":"ERR_SECURITY_VIOLATION"');
    // Party 2 made the check. The gateway saw its links end, says so to its operator, and nothing of it to the caller.
    expect(world.lines.at(-1)).toContain('"cause":"link"');
    expect(JSON.stringify(json)).not.toContain('cause');
    // The next request has sessions of its own, and is answered.
    expect(cheats.ends).toHaveLength(2);
    expect((await post()).status).toBe(200);
    expect(cheats.ends).toHaveLength(4);
    expect(await counted()).toBe('1');
    await model.dispose();
  });
});

describe('what is served', () => {
  it('is in the list of models, the default first', async () => {
    const listed = async (url: string) =>
      ModelsAnswer.parse(await (await fetch(`${url}/api/v1/models`)).json()).models.map(({ protocols }) => protocols);
    expect(await listed(urls.every)).toEqual([[...EVERY]]);
    expect(await listed(urls.proved)).toEqual([['3pc_malicious']]);
  });

  it('is in the OpenAPI document, of requests and of answers', () => {
    const { components } = openApi('0', { texts: 8 }) as {
      components: { schemas: Record<string, Record<string, unknown>> };
    };
    for (const name of ['FillMaskRequest', 'TextGenerationRequest', 'FeatureExtractionRequest'])
      expect(components.schemas[name]['properties'], name).toMatchObject({ protocol: { enum: [...EVERY] } });
    expect(JSON.stringify(components.schemas['QuestionAnsweringAnswer'])).toContain(JSON.stringify([...EVERY]));
  });
});
