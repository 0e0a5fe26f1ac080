/**
 * What proofs hold at a party: declared from shapes alone for BERT-base at 128 tokens, and the same figures against
 * what a small run really holds.
 */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ProofKernels } from '../../src/compute/kernels/proof-types.ts';
import type { Words } from '../../src/compute/ring.ts';
import { collectNow } from '../../src/core/collect-node.ts';
import { nextTurn } from '../../src/core/event-loop.ts';
import { parseModelConfig } from '../../src/ml/config.ts';
import { buildModel } from '../../src/ml/models/secure-at-once.ts';
import { Prover } from '../../src/mpc/proof/prover.ts';
import type { HalfOfV, HalfOfW, MatrixHalf, Whole } from '../../src/mpc/proof/relations.ts';
import { Segment } from '../../src/mpc/proof/segment.ts';
import { PARAMETERS } from '../../src/mpc/proof/soundness.ts';
import type { Circuit } from '../../src/mpc/protocol/frame/circuit.ts';
import { proofMemory } from '../../src/mpc/protocol/malicious/proving/memory.ts';
import { Transcript } from '../../src/mpc/protocol/malicious/proving/transcript.ts';
import type { Channel, PartyId } from '../../src/net/wire/types.ts';
import { SEGMENT_BYTES } from '../../src/session/proved-price.ts';
import { Random } from '../compute/kernels.suite.ts';
import { planOf } from '../support/architectures.ts';
import { parameterView } from '../support/parameters.ts';
import { KEYS, PLACE, matrixStatement } from '../support/proofs.ts';
import { completeCircuit, proofWasm, runProved, readersOf } from '../support/proved.ts';
import { QUICK, SMALL_INPUTS, SMALL_PARAMETERS, smallCircuit } from '../support/tamper.ts';

afterEach(() => void vi.restoreAllMocks());

const bert = parseModelConfig(JSON.parse(readFileSync('bench/configs/bert-base-classifier.json', 'utf8')));
const MIB = 2 ** 20;

function bertCircuit(tokens: number, weights: 'open' | 'secret'): Circuit {
  const shape = { sequences: 1, tokens, rows: 0, padded: true, pair: false, steps: 0 };
  const plan = planOf(bert, 'wide', 8);
  return completeCircuit((g) => buildModel(g, { ...shape, config: bert, plan } as never, 0), weights);
}

describe('BERT-base', () => {
  it.each(['open', 'secret'] as const)(
    '128 tokens, %s weights: proofs hold 1 GiB at most at each party',
    { timeout: 240_000 },
    (weights) => {
      const circuit = bertCircuit(128, weights);
      const held = proofMemory(circuit, PARAMETERS[128], SEGMENT_BYTES);
      if (process.env['MEASURE'] !== undefined)
        for (const [part, bytes] of Object.entries(held) as [string, readonly number[]][])
          console.log(weights, part, ...bytes.map((each) => Math.round(each / MIB)), 'MiB');
      for (const bytes of held.peak) expect(bytes).toBeLessThanOrEqual(1024 * MIB);
      // With two primes as well, which have tables and scalars of their own.
      const two = proofMemory(circuit, PARAMETERS[256], SEGMENT_BYTES);
      for (const [party, bytes] of two.peak.entries()) {
        expect(bytes).toBeLessThanOrEqual(1024 * MIB);
        expect(bytes).toBeGreaterThan(held.peak[party]);
      }
      // It is not a bound that any circuit keeps.
      expect(Math.min(...held.peak)).toBeGreaterThan(384 * MIB);
      // An owner proves in several segments, and halves are half of what one keeps.
      if (weights === 'secret') expect(held.kept[0]).toBeGreaterThan(192 * MIB);
    },
  );

  it('16 tokens: a lower limit cuts more segments, and a prover keeps less', { timeout: 120_000 }, () => {
    const circuit = bertCircuit(16, 'open');
    const [few, many] = [SEGMENT_BYTES, 2 ** 24].map((limit) => proofMemory(circuit, PARAMETERS[128], limit));
    for (const party of [1, 2] as const) {
      expect(many.kept[party]).toBeLessThan(few.kept[party] / 3);
      expect(many.scalars[party]).toBeLessThan(few.scalars[party] / 2);
    }
    // Messages are held for as long as before.
    expect(many.messages).toEqual(few.messages);
    // With two primes tables are there twice, and scalars of one are there when those of the other replace the halves.
    const two = proofMemory(circuit, PARAMETERS[256], SEGMENT_BYTES);
    expect(two.tables.map((bytes) => bytes / 2)).toEqual([...few.tables]);
    for (const party of [1, 2] as const) expect(two.scalars[party]).toBeGreaterThan(1.5 * few.scalars[party]);
    expect(two.kept).toEqual(few.kept);
  });
});

/** What is held now, and the most that was. */
class Gauge {
  now = 0;
  most = 0;

  add(bytes: number): void {
    this.now += bytes;
    this.most = Math.max(this.most, this.now);
  }
}

const gauges = () => [new Gauge(), new Gauge(), new Gauge()] as const;

/** Bytes of what a prover keeps of a half. */
function bytesOf(half: HalfOfV | HalfOfW): number {
  const { linear: _, ...kept } = half as { linear?: unknown };
  const count = (value: unknown): number => {
    if (ArrayBuffer.isView(value)) return value.byteLength;
    return typeof value === 'object' && value !== null
      ? Object.values(value).reduce((sum: number, one) => sum + count(one), 0)
      : 0;
  };
  return count(kept);
}

/** A run that counts what is held at each party. */
async function counted(weights: 'open' | 'secret', segmentBytes: number) {
  const circuit = completeCircuit(smallCircuit, weights);
  const [kept, tables, messages] = [gauges(), gauges(), gauges()];
  const parties = readersOf(circuit);
  const provers = new Map<Prover, { readonly id: PartyId; bytes: number }>();
  const record = Prover.prototype.record;
  vi.spyOn(Prover.prototype, 'record').mockImplementation(function (this: Prover, index: number, whole: Whole) {
    record.call(this, index, whole);
    const id = parties.get(whole.v);
    if (id === undefined) throw new Error('a half that nobody read');
    const known = provers.get(this) ?? { id, bytes: 0 };
    provers.set(this, known);
    const bytes = bytesOf(whole.v) + bytesOf(whole.w);
    known.bytes += bytes;
    kept[id].add(bytes);
  });
  const wipe = Prover.prototype.wipe;
  vi.spyOn(Prover.prototype, 'wipe').mockImplementation(function (this: Prover) {
    wipe.call(this);
    const known = provers.get(this);
    if (known !== undefined) kept[known.id].add(-known.bytes);
    provers.delete(this);
  });
  const transcripts = new Map<Transcript, { readonly id: PartyId; readonly tags: Map<string, number> }>();
  const over = Transcript.prototype.over;
  vi.spyOn(Transcript.prototype, 'over').mockImplementation(function (this: Transcript, channel: Channel) {
    const recorded = over.call(this, channel);
    const id = channel.self as PartyId;
    const known = transcripts.get(this) ?? { id, tags: new Map<string, number>() };
    transcripts.set(this, known);
    const add = (tag: string, bytes: number) => {
      known.tags.set(tag, (known.tags.get(tag) ?? 0) + bytes);
      messages[id].add(bytes);
    };
    return {
      ...recorded,
      send: (tag, bytes) => {
        add(tag, bytes.length);
        return recorded.send(tag, bytes);
      },
      recv: async (tag, length) => {
        const bytes = await recorded.recv(tag, length);
        add(tag, bytes.length);
        return bytes;
      },
    };
  });
  const forget = Transcript.prototype.forget;
  vi.spyOn(Transcript.prototype, 'forget').mockImplementation(function (this: Transcript, tags: readonly string[]) {
    forget.call(this, tags);
    const known = transcripts.get(this);
    for (const tag of tags) {
      messages[known?.id ?? 0].add(-(known?.tags.get(tag) ?? 0));
      known?.tags.delete(tag);
    }
  });
  const kernelsOf = (id: PartyId): ProofKernels => {
    const sizes = new WeakMap<object, number>();
    return new Proxy(proofWasm, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== 'function') return value;
        if (name === 'loadTable')
          return async (...given: Parameters<ProofKernels['loadTable']>) => {
            const bytes = given[0].byteLength;
            // The words that it is made of are there beside it.
            tables[id].add(2 * bytes);
            const table = await target.loadTable(...given);
            tables[id].add(-bytes);
            sizes.set(table, bytes);
            return table;
          };
        if (name === 'freeTable')
          return (table: object) => {
            tables[id].add(-(sizes.get(table) ?? 0));
            sizes.delete(table);
            target.freeTable(table as never);
          };
        return value.bind(target) as unknown;
      },
    });
  };
  const ended = await runProved(circuit, SMALL_INPUTS, {
    ...{ weights, segmentBytes, proofParameters: QUICK, timeoutMs: 60_000, proofKernelsOf: kernelsOf },
    parameters: (id, kernels) => parameterView(weights, id, kernels, SMALL_PARAMETERS),
  });
  for (const { error } of ended) if (error !== undefined) throw error;
  return { declared: proofMemory(circuit, QUICK, segmentBytes), held: { kept, tables, messages } };
}

describe.each([
  ['open', 2 ** 30],
  ['open', 100],
  ['secret', 2 ** 30],
  ['secret', 100],
] as const)('a run with %s weights, segments of %i bytes', (weights, limit) => {
  it('holds no more than is declared, and not far less', { timeout: 60_000 }, async () => {
    const { declared, held } = await counted(weights, limit);
    for (const part of ['kept', 'tables', 'messages'] as const)
      for (const id of [0, 1, 2] as const) {
        const { most, now } = held[part][id];
        const about = `${part} of P${id}: ${most} of ${declared[part][id]}`;
        if (process.env['MEASURE'] !== undefined) console.log(weights, limit, about);
        expect(most, about).toBeLessThanOrEqual(declared[part][id]);
        expect(declared[part][id], about).toBeLessThanOrEqual(3 * most);
        // What was proved is let go.
        if (part !== 'messages') expect(now, about).toBe(0);
      }
  });
});

it('P0 keeps the halves of one segment at a time: many segments, less memory', { timeout: 60_000 }, async () => {
  const few = await counted('secret', 2 ** 30);
  vi.restoreAllMocks();
  const many = await counted('secret', 100);
  expect(few.held.kept[0].most).toBeGreaterThan(0);
  expect(many.held.kept[0].most).toBeLessThan(few.held.kept[0].most / 3);
  expect(many.declared.kept[0]).toBeLessThan(few.declared.kept[0]);
});

describe('a prover', () => {
  it('lets go of what is linear in a relation: claims and rounds are of products', async () => {
    const { shape, whole } = matrixStatement(new Random(3));
    const segment = new Segment(PLACE, [shape], QUICK);
    const prover = new Prover(segment, proofWasm, { verifier: KEYS.pv, witness: KEYS.pw });
    const weak = { linear: new WeakRef({}), factor: new WeakRef({}) };
    (() => {
      const { v, w } = whole as { v: MatrixHalf; w: MatrixHalf };
      // Copies that nobody else has.
      const own = (words: unknown) => ({ k: 64, data: (words as Words).data.slice() }) as Words;
      const half = { ...v, linear: own(v.linear), factors: v.factors.map(own) };
      weak.linear = new WeakRef(half.linear.data);
      weak.factor = new WeakRef(half.factors[0].data);
      prover.record(0, { v: half, w });
    })();
    await new Promise<void>((resolve) => nextTurn(resolve));
    collectNow();
    expect(weak.linear.deref()).toBeUndefined();
    expect(weak.factor.deref()).toBeDefined();
    expect(prover.complete).toBe(true);
  });
});
