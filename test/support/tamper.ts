/**
 * The tamper matrix: what every party that changes one of its messages meets (PROTOCOL §16.6). A cell is a cheater, a
 * message and a change. A prover repairs its claims: it knows the challenges of the compression by then, so that the
 * first check passes and what comes behind it must catch the lie.
 */
import { Captured } from '../../src/bench/tamper/repair.ts';
import type { ProofParameters } from '../../src/mpc/proof/soundness.ts';
import type { Gates, Inputs } from '../../src/mpc/protocol/types.ts';
import { SecurityViolationError, asTercetError } from '../../src/core/errors.ts';
import { wordsFrom } from '../../src/compute/ring.ts';
import type { Channel, PartyId } from '../../src/net/wire/types.ts';
import { type ClearParameter, parameterView } from './parameters.ts';
import { type Tap, createParties, settle } from './simulate.ts';
import { type Ended, completeCircuit, proofWasm, runProved, symmetricCircuit, wasm } from './proved.ts';

const TABLE: ClearParameter = {
  parameter: { name: 'table', rows: 5, cols: 2, scale: 0, lookup: true },
  values: Array.from({ length: 10 }, (_, i) => BigInt(i + 1)),
};
const W: ClearParameter = { parameter: { name: 'w', rows: 2, cols: 2, scale: 0 }, values: [1n, 2n, 3n, 4n] };
const EXACT = { bits: 3, entries: [1n, 2n, 4n, 8n, 16n, 32n, 64n, 128n] };

export const SMALL_PARAMETERS: readonly ClearParameter[] = [TABLE, W];

/** Small, with every kind of message. */
export function smallCircuit(g: Gates): void {
  const map = g.affine([{ x: g.lookup('t', TABLE.parameter, 1), weight: W.parameter }]);
  const x = g.reduce(g.reshape(map, [2]), 16);
  const y = g.add(x, g.input('x', [2], 16, 0));
  const square = g.mul(y, y);
  g.output('chosen', g.table(g.reduce(square, 3), EXACT, 8));
  g.output('wide', g.widen(square, 20));
}

export const SMALL_INPUTS: Inputs = { tensors: { x: wordsFrom([2, 5], 16) }, indices: { t: [3] } };

/** A compression that misses an error once in 2^15: cells of tests are many, and small. */
export const QUICK: ProofParameters = { sigma: 16, primeBits: 61, primes: 1, maskBits: 224, claimBits: 160 };

const CHANGES = ['flip', 'add', 'swap', 'zero', 'repeat', 'drop'] as const;
type Change = (typeof CHANGES)[number];

export interface Cell {
  readonly weights: 'open' | 'secret';
  /** Of `aby3`. */
  readonly symmetric?: true;
  readonly cheater: PartyId;
  readonly to: PartyId;
  /** The first part of its tag. */
  readonly message: string;
  readonly change: Change;
}

/** A line of the matrix. */
export interface Row extends Cell {
  /** `unproved`: the messages of `aby3` without its proofs. */
  readonly protocol: '3pc_malicious' | '3pc_semi_honest' | 'aby3' | 'unproved';
  /** `same`: the change changed nothing, and the run ended well. */
  readonly outcome: 'caught' | 'accepted' | 'same';
  /** Of the honest parties, in order. */
  readonly error: readonly (string | undefined)[];
  readonly phase: readonly (string | undefined)[];
  /** Whether every honest party overwrote its keys, and nobody opened anything. */
  readonly clean: boolean;
}

/** Messages that a change is made to, by weights. */
export function cellsOf(weights: 'open' | 'secret'): readonly Cell[] {
  const messages: (readonly [PartyId, PartyId, string])[] = [
    [2, 1, 'lookup-21'],
    [1, 2, 'lookup-12'],
    [2, 1, weights === 'open' ? 'affine-ahead' : 'affine-21'],
    [1, 2, 'affine-12'],
    [2, 1, 'product-21'],
    [1, 2, 'product-12'],
    [1, 2, 'select-12'],
    [2, 1, 'select-21'],
    [1, 2, 'widen-12'],
    [2, 1, 'widen-21'],
    [1, 0, 'output-output'],
    [2, 0, 'output-output'],
    [0, 1, 'input-input'],
    [0, 2, 'lookup-input'],
    ...(weights === 'open'
      ? []
      : (['lookup-deal', 'affine-deal', 'product-deal', 'select-deal', 'widen-deal'] as const).map(
          (message) => [0, 2, message] as const,
        )),
  ];
  return messages.flatMap(([cheater, to, message]) =>
    CHANGES.map((change): Cell => ({ weights, cheater, to, message, change })),
  );
}

/** Small, with every kind of message that `aby3` has beside those of complete sharing. */
export function symmetricSmall(g: Gates): void {
  smallCircuit(g);
  const x = g.input('z', [1, 2], 64, 0);
  const product = g.truncate(g.mul(x, x), 1);
  g.output('behind', g.affine([{ x: product, weight: W.parameter }]));
}

export const SYMMETRIC_INPUTS: Inputs = {
  ...SMALL_INPUTS,
  tensors: { ...SMALL_INPUTS.tensors, z: wordsFrom([6, 4], 64) },
};

/** Messages of `aby3` that are not those of `3pc_malicious`. */
export function symmetricCells(weights: 'open' | 'secret'): readonly Cell[] {
  const messages: readonly (readonly [PartyId, PartyId, string])[] = [
    [0, 1, 'product-01'],
    [1, 2, 'product-12'],
    [2, 0, 'product-20'],
    [0, 2, 'select-02'],
    [0, 2, 'widen-02'],
    [0, 2, 'lookup-deal'],
    [2, 1, 'affine-21'],
    ...(weights === 'open' ? [] : ([[0, 2, 'affine-02']] as const)),
    [1, 2, 'affine-12'],
    [1, 2, 'select-12'],
    [2, 1, 'select-21'],
    [1, 0, 'output-output'],
    [2, 0, 'output-output'],
  ];
  return messages.flatMap(([cheater, to, message]) =>
    CHANGES.map((change): Cell => ({ weights, symmetric: true, cheater, to, message, change })),
  );
}

/** What is sent in place of a message; undefined: nothing. */
function changed(change: Change, bytes: Uint8Array, earlier: Uint8Array): Uint8Array | undefined {
  const out = bytes.slice();
  const half = out.length >> 1;
  switch (change) {
    case 'flip':
      out[out.length - 1] ^= 1;
      return out;
    case 'add':
      return out.map((byte) => byte + 1);
    case 'swap':
      out.set(bytes.subarray(half, 2 * half), 0);
      out.set(bytes.subarray(0, half), half);
      return out;
    case 'zero':
      return out.fill(0);
    case 'repeat':
      return out.map((_, i) => earlier[i % earlier.length]);
    case 'drop':
      return undefined;
  }
}

/** A run with one changed message, whose sender repairs its claims. */
export async function tampered(
  cell: Cell | undefined,
  weights: 'open' | 'secret' = cell?.weights ?? 'open',
  repairs = true,
  symmetric = cell?.symmetric ?? false,
  segmentBytes = 2 ** 30,
): Promise<{ ended: readonly Ended[]; changes: number }> {
  const circuit = symmetric ? symmetricCircuit(symmetricSmall, weights) : completeCircuit(smallCircuit, weights);
  const proofs = { kernels: wasm, proofs: proofWasm, parameters: QUICK, segmentBytes };
  const captured = new Captured(circuit, proofs);
  captured.forget(repairs);
  let changes = 0;
  /** The first seed of every segment, by the numbers of proof and segment. */
  const seeds = new Map<string, Uint8Array>();
  const corrupt = (channel: Channel, session: Uint8Array): Channel => {
    const sent: Uint8Array[] = [];
    const { self, peer, stats, ended } = channel;
    return {
      ...{ self, peer, stats, ended },
      close: () => channel.close(),
      abort: (error) => channel.abort(error),
      recv: async (tag, length) => {
        const bytes = await channel.recv(tag, length);
        const [, place] = /^proof-seed\/(\d\.\d+)\.1$/.exec(tag) ?? [];
        if (place !== undefined) seeds.set(place, bytes);
        return bytes;
      },
      send: async (tag, bytes) => {
        if (cell === undefined) return channel.send(tag, bytes);
        const [, proof, number] = /^proof-answer\/(\d)\.(\d+)\.1$/.exec(tag) ?? [];
        const seed = seeds.get(`${proof}.${number}`);
        if (repairs && changes > 0 && seed !== undefined) {
          const claims = await captured.repaired(cell.cheater, session, seed, bytes, Number(number));
          return channel.send(tag, claims ?? bytes);
        }
        if (changes > 0 || peer !== cell.to || !tag.startsWith(`${cell.message}/`)) {
          sent.push(bytes.slice());
          return channel.send(tag, bytes);
        }
        const other = changed(cell.change, bytes, sent.at(-1) ?? Uint8Array.of(1, 2, 3));
        if (other?.every((byte, i) => byte === bytes[i]) === true) return channel.send(tag, bytes);
        changes++;
        if (other === undefined) return;
        // In place: the cheater goes on with what it sent, and verifies as if nothing had been.
        bytes.set(other);
        await channel.send(tag, bytes);
      },
    };
  };
  const ended = await runProved(circuit, symmetric ? SYMMETRIC_INPUTS : SMALL_INPUTS, {
    weights,
    proofParameters: QUICK,
    segmentBytes,
    parameters: (id, kernels) => parameterView(weights, id, kernels, SMALL_PARAMETERS),
    corrupt: (id, channel, session) => (id === cell?.cheater ? corrupt(channel, session) : channel),
    timeoutMs: cell?.change === 'drop' ? 1000 : 60_000,
  });
  return { ended, changes };
}

/** Messages of the proofs themselves. */
export function proofCells(): readonly Cell[] {
  const messages: readonly (readonly [PartyId, PartyId, string])[] = [
    [0, 1, 'proof-anchor'],
    [0, 2, 'proof-statement'],
    [1, 2, 'proof-answer'],
    [2, 1, 'proof-answer'],
    [2, 1, 'proof-seed'],
    [1, 2, 'proof-seed'],
    [1, 0, 'proof-verdict'],
    [2, 0, 'proof-verdict'],
    [1, 2, 'agreement'],
  ];
  return messages.flatMap(([cheater, to, message]) =>
    (['flip', 'zero'] as const).map((change): Cell => ({ weights: 'open', cheater, to, message, change })),
  );
}

/** Where the honest parties must end, and which of them: a party that has sent its last word may have left. */
export function expectedOf({ weights, cheater, message, change }: Cell): { phase: string | undefined; all: boolean } {
  const all = !message.startsWith('output') && message !== 'proof-verdict';
  // Behind δ of one byte, which swaps with nothing, Γ2 is changed: a proof is about that.
  const either = weights === 'secret' && message === 'lookup-input';
  if (change === 'drop' || either) return { phase: undefined, all };
  if (message === 'agreement' || (cheater === 0 && message.endsWith('-input'))) return { phase: 'agreement', all };
  return { phase: message.startsWith('output') ? 'output' : 'proof', all };
}

/** One line of the matrix. */
export async function rowOf(cell: Cell): Promise<Row> {
  const { ended, changes } = await tampered(cell);
  const honest = ([0, 1, 2] as const).filter((id) => id !== cell.cheater).map((id) => ended[id]);
  const errors = honest.map(({ error }) => (error === undefined ? undefined : asTercetError(error)));
  const opened = ended.some(({ outputs }) => (outputs?.size ?? 0) > 0);
  const caught = errors.some((error) => error?.code === 'ERR_SECURITY_VIOLATION');
  return {
    protocol: cell.symmetric === true ? 'aby3' : '3pc_malicious',
    ...cell,
    outcome: changes === 0 ? 'same' : caught && !opened ? 'caught' : 'accepted',
    error: errors.map((error) => error?.code),
    phase: errors.map((error) => (error instanceof SecurityViolationError ? error.phase : undefined)),
    clean: !opened && honest.every(({ wiped }) => wiped),
  };
}

/** The same change where nothing is proved; undefined where that protocol has no such message. */
export async function controlOf(cell: Cell): Promise<Row | undefined> {
  let changes = 0;
  let before: Uint8Array = Uint8Array.of(1, 2, 3);
  const tap: Tap = (from, to, tag, bytes) => {
    if (from !== cell.cheater || to !== cell.to) return undefined;
    const earlier = before;
    before = bytes;
    if (changes > 0 || !tag.startsWith(`${cell.message}/`)) return undefined;
    changes++;
    return changed(cell.change, bytes, earlier);
  };
  const symmetric = cell.symmetric === true;
  const parties = createParties(symmetric ? symmetricSmall : smallCircuit, {
    ...(symmetric ? ({ sharing: 'complete', aby3: true } as const) : {}),
    ...{ weights: cell.weights, seed: 1, tap, kernels: () => wasm },
    parameters: (id, kernels) => parameterView(cell.weights, id, kernels, SMALL_PARAMETERS),
  });
  const ended = await settle(parties, symmetric ? SYMMETRIC_INPUTS : SMALL_INPUTS);
  if (changes === 0) return undefined;
  const failed = ended.map((end) => (end.status === 'rejected' ? asTercetError(end.reason).code : undefined));
  return {
    protocol: symmetric ? 'unproved' : '3pc_semi_honest',
    ...cell,
    outcome: failed.every((code) => code === undefined) ? 'accepted' : 'caught',
    error: failed,
    phase: [],
    clean: false,
  };
}
