/** `3pc_malicious` and `aby3` by `protocol:` alone, in the SDK on links in memory, with a small circuit in place of the model's. */
import { describe, expect, it } from 'vitest';
import { LOGITS, OUTPUT_FORM, REAL_WORDS } from '../../src/ml/models/run.ts';
import type { Gates } from '../../src/mpc/protocol/types.ts';
import { provingWith } from '../../src/session/proved-session.ts';
import { failure } from '../failure.ts';
import { provingOfCircuit, sending } from '../session/proved-toy.ts';
import { proofWasm, wasm } from '../support/proved.ts';
import { QUICK } from '../support/tamper.ts';
import { memorySite } from './memory-site.ts';

const LABELS = 4;
/** For what comes soon, on a busy machine. */
const PATIENT = { timeout: 20_000 };
/** The first label everywhere: eight places of a bucket, of which a text fills some. */
const labelled = () => (g: Gates) => {
  const real = g.repeat(g.reduce(g.input(REAL_WORDS, [8], 8, 0), 3), LABELS);
  const { k, scale } = OUTPUT_FORM.open;
  const chosen = g.table(real, { bits: 3, entries: Array.from({ length: 8 }, (_, i) => BigInt(i)) }, 14);
  g.output(LOGITS, g.reshape(g.widen(chosen, k), [8, LABELS], scale));
};
const proving = provingOfCircuit(labelled);
/** The same, with a product: there is something to answer in the rounds. */
const squared = () => (g: Gates) => {
  const real = g.repeat(g.reduce(g.input(REAL_WORDS, [8], 8, 0), 3), LABELS);
  const chosen = g.table(real, { bits: 3, entries: Array.from({ length: 8 }, (_, i) => BigInt(i)) }, 14);
  const { k, scale } = OUTPUT_FORM.open;
  g.output(LOGITS, g.reshape(g.widen(g.mul(chosen, chosen), k), [8, LABELS], scale));
};
const inRounds = provingOfCircuit(squared);

describe('a model that is asked for with proofs', () => {
  it('answers, and is refused where nothing proves', async () => {
    const site = await memorySite('tagger', undefined, wasm, { proving });
    const model = await site.load({ protocol: '3pc_malicious' });
    const { entities, cost } = await model.extractEntities('paris', { aggregation: 'none', ignoreLabels: [] });
    expect(entities.map(({ label }) => label)).toEqual(['I-LOC']);
    expect(await Promise.all(site.ends)).toEqual(['answered', 'answered']);
    // P1's tables and P2's answers: of the selection, and of the widening behind it.
    expect(cost.proofs?.provers).toMatchObject([
      { prover: 1, verifiers: [2, 0], messages: 2, segments: 1 },
      { prover: 2, verifiers: [1, 0], messages: 2, segments: 1 },
    ]);
    const { bytes = 0, provers = [], ms } = cost.proofs ?? {};
    expect(bytes).toBe(provers.reduce((sum, each) => sum + each.bytes, 0));
    expect(ms).toHaveLength(3);
    await model.dispose();
    const plain = await memorySite('tagger', undefined, wasm);
    await failure('ERR_PROTOCOL_UNAVAILABLE', () => plain.load({ protocol: '3pc_malicious' }));
    expect(plain.fetched).toEqual([]);
  });

  it('answers in aby3, and says before the text what this device has to do in the rounds', async () => {
    const site = await memorySite('tagger', undefined, wasm, { proving: inRounds });
    const model = await site.load({ protocol: 'aby3' });
    await model.prepare(5);
    const told = site.events.filter((event) => event.status === 'preprocess').at(-1);
    const { entities, cost } = await model.extractEntities('paris', { aggregation: 'none', ignoreLabels: [] });
    expect(entities.map(({ label }) => label)).toEqual(['I-LOC']);
    expect(cost.proofs?.provers.map(({ prover }) => prover)).toEqual([0, 1, 2]);
    expect(cost.onlineRounds).toBeGreaterThan(1);
    expect(told?.online?.rounds).toBe(cost.onlineRounds);
    // What goes in the rounds is counted with the text.
    const { p1, p2 } = cost.links;
    expect(p1.input + p2.input).toBeGreaterThan(told?.online?.sentBytes ?? Number.POSITIVE_INFINITY);
    expect(await Promise.all(site.ends)).toEqual(['answered', 'answered']);
    await model.dispose();
    // Control: who deals ahead has nothing to do in them.
    const ahead = await memorySite('tagger', undefined, wasm, { proving });
    const other = await ahead.load({ protocol: '3pc_malicious' });
    const { cost: dealt } = await other.extractEntities('paris');
    expect(dealt.onlineRounds).toBe(1);
    expect(ahead.events.filter((event) => event.status === 'preprocess').at(-1)?.online).toBeUndefined();
    await other.dispose();
  });

  it('is refused in aby3 by parties that do not have it, and nothing takes its place', async () => {
    const theirs = { ...proving, protocols: ['3pc_malicious'] as const };
    const site = await memorySite('tagger', undefined, wasm, { proving: inRounds, theirs });
    const model = await site.load({ protocol: 'aby3' });
    // What a party says is never this side's own fault; its words say what to do.
    const error = await failure('ERR_PEER_MISMATCH', () => model.extractEntities('paris'));
    expect(error.message).toContain('the protocol aby3 is not in this build');
    expect(error.hint).toContain('use the protocol');
    await model.dispose();
  });

  it('answers at level 256, whose bound it says, and takes no level without proofs', async () => {
    const full = provingOfCircuit(labelled, {});
    const bounds = [];
    for (const securityLevel of [128, 256] as const) {
      const site = await memorySite('tagger', undefined, wasm, { proving: full });
      const model = await site.load({ protocol: '3pc_malicious', securityLevel });
      const { entities, cost } = await model.extractEntities('paris', { aggregation: 'none', ignoreLabels: [] });
      expect(entities.map(({ label }) => label)).toEqual(['I-LOC']);
      bounds.push(Math.round(10 * (cost.proofs?.soundness ?? 0)) / 10);
      await model.dispose();
    }
    expect(bounds).toEqual([-47, -63]);
    const plain = await memorySite('tagger', undefined, wasm, { proving: full });
    await failure('ERR_PROTOCOL_UNAVAILABLE', () => plain.load({ securityLevel: 256 }));
    await failure('ERR_PROTOCOL_UNAVAILABLE', () =>
      plain.load({ protocol: '3pc_malicious', securityLevel: 192 as 256 }),
    );
    expect(plain.fetched).toEqual([]);
  });

  it('writes a text of several tokens, piece by piece, and counts the proofs of all steps', async () => {
    const real = provingWith({ kernels: proofWasm, parameters: QUICK });
    const pieces: string[] = [];
    const texts = [];
    for (const protocol of ['3pc_malicious', '3pc_semi_honest'] as const) {
      const site = await memorySite('writer', undefined, wasm, { proving: real, timeoutMs: 240_000 });
      const model = await site.load({ protocol });
      const stream = model.generate('the cat', { maxNewTokens: 2 });
      if (protocol === '3pc_malicious') for await (const piece of stream) pieces.push(piece);
      const result = await stream;
      texts.push(result);
      expect(await Promise.all(site.ends)).toEqual(['answered', 'answered']);
      await model.dispose();
    }
    const [proved, plain] = texts;
    expect(proved.ids).toEqual(plain.ids);
    expect(pieces.join('')).toBe(proved.text);
    expect(proved.cost.proofs?.provers).toMatchObject([
      { prover: 1, segments: 2 },
      { prover: 2, segments: 2 },
    ]);
    expect(plain.cost.proofs).toBeUndefined();
  }, 300_000);

  it('lets go of what it prepared, once somebody was caught, and begins anew', async () => {
    let go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    const site = await memorySite('tagger', undefined, wasm, {
      proving,
      // Party 1 sends another table in the first session, when it may.
      between: (number, self, channel) =>
        number > 0 || self !== 1
          ? channel
          : sending(channel, async (tag, bytes, send) => {
              if (!tag.startsWith('select-12/')) return send(tag, bytes);
              await held;
              bytes[0] ^= 1;
              return send(tag, bytes);
            }),
    });
    const model = await site.load({ protocol: '3pc_malicious' });
    const caught = failure('ERR_SECURITY_VIOLATION', () => model.extractEntities('paris'));
    await expect.poll(() => site.ends.length, PATIENT).toBe(2);
    await model.prepare(5);
    // Another session stands, with handshakes of its own, that were before the violation.
    expect(site.ends).toHaveLength(4);
    go();
    await caught;
    const over: unknown[] = [];
    for (const end of site.ends.slice(2)) void end.then((how) => over.push(how));
    await expect.poll(() => over, PATIENT).toEqual(['discarded', 'discarded']);
    const { cost } = await model.extractEntities('paris');
    expect(cost.preparedAhead).toBe(false);
    expect(site.ends).toHaveLength(6);
    await model.dispose();
  });
});
