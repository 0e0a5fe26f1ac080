/**
 * A gateway by the level of its proofs (ADR 64), over real HTTP: no request gets less than it asks for, and each answer
 * says its own bound. A small circuit stands in place of the model's.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/owner/types/index.ts';
import { EntitiesAnswer, EveryAnswer, ProblemAnswer } from '../../src/rest/schemas.ts';
import { type MemorySite, memorySite } from '../sdk/memory-site.ts';
import { labelled } from '../session/labelled.ts';
import { provingOfCircuit } from '../session/proved-toy.ts';
import { wasm } from '../support/proved.ts';
import { World } from './world.ts';

/** Bits of a bound, rounded, of a run of that size. */
const BOUND = { 128: -47, 256: -63, aby3: -63 } as const;

/** A gateway that runs at a level, or without proofs. */
interface At {
  readonly site: MemorySite;
  readonly model: Model;
  readonly url: string;
}

let world: World;
const gateways = new Map<128 | 256 | 'plain' | 'aby3', At>();

beforeAll(async () => {
  world = await World.start({});
  // At full size, by the level of the request alone.
  const proving = provingOfCircuit(labelled, {});
  for (const securityLevel of [128, 256] as const) {
    const site = await memorySite('tagger', undefined, wasm, { proving });
    const model = await site.load({ protocol: '3pc_malicious', securityLevel });
    const { url } = await world.gateway({ models: [model], protocol: '3pc_malicious', securityLevel });
    gateways.set(securityLevel, { site, model, url });
  }
  {
    const site = await memorySite('tagger', undefined, wasm, { proving });
    const model = await site.load({ protocol: 'aby3', securityLevel: 256 });
    const { url } = await world.gateway({ models: [model], protocol: 'aby3', securityLevel: 256 });
    gateways.set('aby3', { site, model, url });
  }
  const site = await memorySite('tagger', undefined, wasm);
  const model = await site.load();
  gateways.set('plain', { site, model, url: (await world.gateway({ models: [model] })).url });
}, 60_000);
afterAll(async () => {
  await world.stop();
  await Promise.all([...gateways.values()].map(({ model }) => model.dispose()));
});

/** @param asked the level of the request; undefined: it names none */
async function ask(ours: 128 | 256 | 'plain' | 'aby3', asked: number | undefined) {
  const at = gateways.get(ours);
  if (at === undefined) throw new Error('no such gateway');
  const response = await fetch(`${at.url}/api/v1/token-classification`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'paris', ...(asked === undefined ? {} : { security_level: asked }) }),
  });
  return { response, json: (await response.json()) as unknown, site: at.site };
}

describe('a request with a level', () => {
  it.each([
    [256, 256],
    // Never less than the gateway runs at: it asked for this much at least.
    [256, 128],
    [256, undefined],
    [128, 128],
    [128, undefined],
    ['aby3', 256],
  ] as const)('is answered at level %s where it asks for %s, with the bound in the answer', async (ours, asked) => {
    const { response, json } = await ask(ours, asked);
    expect(response.status).toBe(200);
    const { cost, entities } = EveryAnswer.extend(EntitiesAnswer.shape).parse(json);
    expect(entities.map(({ label }) => label)).toEqual(['LOC']);
    expect(cost.proofs?.messages).toBeGreaterThan(0);
    expect(Math.round(cost.proofs?.soundness ?? 0)).toBe(BOUND[ours]);
  });

  it.each([
    [128, 256],
    ['plain', 256],
  ] as const)('is refused at %s where it asks for %i, before any party hears of it', async (ours, asked) => {
    const before = gateways.get(ours)?.site.ends.length;
    const { response, json, site } = await ask(ours, asked);
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(ProblemAnswer.parse(json)).toMatchObject({
      code: 'ERR_ARGUMENT',
      detail: 'this gateway runs at level 128',
      hint: expect.stringContaining('--security-level 256') as string,
    });
    expect(site.ends).toHaveLength(before ?? -1);
  });

  it('that there is none of is refused by every gateway', async () => {
    for (const ours of gateways.keys()) {
      const { response, json } = await ask(ours, 192);
      expect(response.status).toBe(400);
      expect(json).toMatchObject({ code: 'ERR_ARGUMENT' });
    }
  });
});
