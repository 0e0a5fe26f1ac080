/**
 * What operators read of their links: `/metrics` of both compute parties after real sessions, against what the circuit
 * declares and what the data owner heard of the run.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadServedModels } from '../../src/daemon/served-model.ts';
import { LOGITS, OUTPUT_FORM, ROWS } from '../../src/ml/models/run.ts';
import type { Cost, Gates } from '../../src/mpc/protocol/types.ts';
import { proofPrice } from '../../src/mpc/protocol/malicious/proving/price.ts';
import { phaseOf } from '../../src/operate/traffic.ts';
import { SEGMENT_BYTES } from '../../src/session/proved-price.ts';
import { Circuits } from '../../src/session/circuits.ts';
import type { OwnerResult } from '../../src/session/owner.ts';
import type { Request } from '../../src/session/request.ts';
import { INPUT } from '../session/harness.ts';
import { provingOfCircuit } from '../session/proved-toy.ts';
import { completeCircuit } from '../support/proved.ts';
import { QUICK } from '../support/tamper.ts';
import { Parties } from './parties.ts';

/** For what comes soon, on a busy machine. */
const PATIENT = { timeout: 20_000 };
const PHASES = ['ahead', 'input', 'online', 'output', 'proofs', 'control'];
const watched: string[] = [];
let parties: Parties;

/** 2^(y² mod 8) for y = row + 3. */
const build = (g: Gates) => {
  const y = g.offset(g.reduce(g.input(ROWS, [2], 64, 0), 16), 3n);
  const entries = Array.from({ length: 8 }, (_, i) => 1n << BigInt(i));
  const chosen = g.table(g.reduce(g.mul(y, y), 3), { bits: 3, entries }, 14);
  const { k, scale } = OUTPUT_FORM.open;
  g.output(LOGITS, g.reshape(g.widen(chosen, k), [2], scale));
};
const proving = provingOfCircuit(() => build);

beforeAll(async () => {
  parties = await Parties.start(() => ({
    proving,
    watch: { host: '127.0.0.1', port: 0 },
    onWatch: (url) => watched.push(url),
  }));
}, 60_000);
afterAll(() => parties.stop());

type Counts = ReadonlyMap<string, number>;

/** Samples of one party, by name and labels. */
async function counts(party: 1 | 2): Promise<Counts> {
  const text = await (await fetch(`${watched[party - 1]}/metrics`)).text();
  return new Map([...text.matchAll(/^(mpc_\S+) (\S+)$/gm)].map(([, sample, value]) => [sample, Number(value)]));
}

/** How both have grown by a session that ended. */
async function grown(session: () => Promise<OwnerResult>) {
  const before = [await counts(1), await counts(2)];
  const ended = (all: Counts) => all.get('mpc_sessions_total{outcome="answered"}') ?? 0;
  const result = await session();
  await expect
    .poll(async () => [ended(await counts(1)), ended(await counts(2))], PATIENT)
    .toEqual(before.map((all) => ended(all) + 1));
  const after = [await counts(1), await counts(2)];
  const of = (party: 1 | 2, sample: string) =>
    (after[party - 1].get(sample) ?? 0) - (before[party - 1].get(sample) ?? 0);
  const bytes = (party: 1 | 2, direction: string, peer: number, phase: string) =>
    of(party, `mpc_link_bytes_total{direction="${direction}",party="${peer}",phase="${phase}"}`);
  const rounds = (party: 1 | 2, phase = 'online') => of(party, `mpc_rounds_total{phase="${phase}"}`);
  return { result, bytes, rounds, after };
}

type Grown = Awaited<ReturnType<typeof grown>>;

function asDeclared({ bytes, rounds }: Grown, cost: Cost): void {
  expect([rounds(1), rounds(2)]).toEqual([cost.rounds, cost.rounds]);
  const both = (from: 1 | 2, phase: string) => [
    bytes(from, 'sent', 3 - from, phase),
    bytes(from === 1 ? 2 : 1, 'received', from, phase),
  ];
  expect(both(1, 'online')).toEqual([cost.p1ToP2, cost.p1ToP2]);
  expect(both(2, 'online')).toEqual([cost.p2ToP1, cost.p2ToP1]);
  expect(both(1, 'ahead')).toEqual([cost.p1ToP2Ahead, cost.p1ToP2Ahead]);
  expect(both(2, 'ahead')).toEqual([cost.p2ToP1Ahead, cost.p2ToP1Ahead]);
  expect(bytes(1, 'received', 0, 'ahead')).toBe(cost.p0ToP1Ahead);
  expect(bytes(2, 'received', 0, 'ahead')).toBe(cost.p0ToP2Ahead);
  expect(bytes(1, 'received', 0, 'input')).toBe(cost.p0ToP1Input);
  expect(bytes(2, 'received', 0, 'input')).toBe(cost.p0ToP2Input);
  expect(bytes(1, 'sent', 0, 'output')).toBe(cost.p1ToP0);
  expect(bytes(2, 'sent', 0, 'output')).toBe(cost.p2ToP0);
}

/** Against what the parties told the owner: the report itself was still to be sent. */
function asHeard({ bytes, result: { reports } }: Grown): void {
  for (const party of [1, 2] as const)
    for (const [peer, sent] of Object.entries(reports[party].links))
      for (const phase of PHASES) {
        const heard = Object.entries(sent).reduce((sum, [tag, n]) => (phaseOf(tag) === phase ? sum + n : sum), 0);
        const counted = bytes(party, 'sent', Number(peer), phase);
        if (phase === 'control' && peer === '0') expect(counted).toBeGreaterThan(heard);
        else expect([party, peer, phase, counted]).toEqual([party, peer, phase, heard]);
      }
}

describe('bytes and rounds by phase, at both compute parties', () => {
  it('of 3pc_semi_honest are the declared ones, and those that the owner heard', async () => {
    const [{ config, plan }] = await loadServedModels(
      1,
      [{ weights: 'open', model: parties.location }],
      parties.one.kernels,
    );
    const { circuit } = await new Circuits().get(config, plan, parties.request, 0);
    const session = await grown(async () => (await parties.prepare()).run(INPUT));
    // Control: it is a run with something in every phase.
    const { cost } = circuit;
    for (const bytes of [cost.rounds, cost.p0ToP2Ahead, cost.p0ToP1Input, cost.p1ToP2, cost.p2ToP1, cost.p1ToP0])
      expect(bytes).toBeGreaterThan(0);
    asDeclared(session, cost);
    asHeard(session);
    expect(session.bytes(1, 'sent', 2, 'proofs')).toBe(0);
    expect([session.rounds(1, 'proofs'), session.rounds(2, 'proofs')]).toEqual([0, 0]);
  });

  it('of 3pc_malicious too, with the proofs in a phase of their own', async () => {
    const shape = { tokens: 2, rows: 1, padded: false };
    const request: Request = { ...parties.request, protocol: '3pc_malicious', ...shape };
    const session = await grown(async () =>
      (await parties.prepare({ request, proving })).run([{ inputIds: [3, 1], rows: [0] }]),
    );
    const circuit = completeCircuit(build);
    const { cost } = circuit;
    expect(cost.p2ToP0).toBeGreaterThan(0);
    asDeclared(session, cost);
    asHeard(session);
    // What the proofs of that circuit declare, link by link, and their rounds between P1 and P2, which S1 and S2 share.
    const declared = proofPrice(circuit, QUICK, SEGMENT_BYTES);
    const { bytes } = declared;
    for (const party of [1, 2] as const) {
      const other = party === 1 ? 2 : 1;
      // The agreement is no proof.
      expect(session.bytes(party, 'sent', other, 'proofs')).toBe(bytes[party][other] - 32);
      expect(session.bytes(other, 'received', party, 'proofs')).toBe(bytes[party][other] - 32);
      expect(session.bytes(party, 'sent', 0, 'proofs')).toBe(bytes[party][0]);
      expect(session.bytes(party, 'received', 0, 'proofs')).toBe(bytes[0][party]);
    }
    const [, s1, s2] = declared.exchanges;
    expect(Math.min(s1, s2)).toBeGreaterThan(2);
    expect([session.rounds(1, 'proofs'), session.rounds(2, 'proofs')]).toEqual([Math.max(s1, s2), Math.max(s1, s2)]);
  });

  it('of a session that its owner discards: what was dealt, and no round', async () => {
    const before = await counts(1);
    const owner = await parties.prepare();
    await owner.discard();
    const dealt = 'mpc_link_bytes_total{direction="received",party="0",phase="ahead"}';
    await expect.poll(async () => (await counts(1)).get(dealt), PATIENT).toBeGreaterThan(before.get(dealt) ?? 0);
    const rounds = 'mpc_rounds_total{phase="online"}';
    expect((await counts(1)).get(rounds)).toBe(before.get(rounds));
  });

  it('stand beside whether the other compute party is there', async () => {
    const up = async (party: 1 | 2) => (await counts(party)).get(`mpc_party_up{party="${3 - party}"}`);
    await expect.poll(async () => [await up(1), await up(2)], PATIENT).toEqual([1, 1]);
  });

  it('have labels of fixed lists alone', async () => {
    const samples = [...(await counts(1)).keys()].filter((name) => name.startsWith('mpc_link_bytes_total'));
    for (const sample of samples)
      expect(sample).toMatch(
        new RegExp(`\\{direction="(sent|received)",party="[0-3]",phase="(${PHASES.join('|')})"\\}$`),
      );
    for (const tag of ['proof-x', 'mul-12', 'mul-21', 'mul-ahead', 'x-deal', 'x-input', 'x-output'])
      expect(phaseOf(tag)).not.toBe('control');
    // What no gate sends, whatever it looks like.
    for (const tag of ['control', '-12', 'x-constructor', 'x-__proto__', '__proto__', 'agreement'])
      expect(phaseOf(tag)).toBe('control');
  });
});
