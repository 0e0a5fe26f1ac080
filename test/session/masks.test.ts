/**
 * Every message that is declared sealed depends on the mask that seals it, in every word: whole sessions of real
 * models, in which one draw at a time is changed, at all parties that know it. Then the message under it must
 * change everywhere, and the answer must stay. A mask that is left out, shared or derived keeps answers right and
 * χ² tests of single values quiet; here it is seen. The same for the seeds of secret weights.
 */
import type { RunShape } from '../../src/ml/models/run.ts';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { BLOCK_BYTES } from '../../src/compute/kernels/key-stream.ts';
import { tableBytes } from '../../src/compute/kernels/table-layout.ts';
import type { RingKernels, Stream } from '../../src/compute/kernels/types.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { type Words, laneBytes, lengthOf } from '../../src/compute/ring.ts';
import { toHex } from '../../src/core/bytes.ts';
import { parseModelConfig } from '../../src/ml/config.ts';
import { listParameters } from '../../src/ml/models/parameters.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import { PURPOSES } from '../../src/mpc/prg/gate-id.ts';
import { WIDENING } from '../../src/mpc/protocol/semi-honest/circuit.ts';
import { type Gate, longestStream } from '../../src/mpc/protocol/frame/gate.ts';
import { Link } from '../../src/mpc/protocol/frame/party.ts';
import { type OneTimeMask, Masked } from '../../src/mpc/share/masked.ts';
import { circuitFor } from '../../src/session/circuit-for.ts';
import type { Request } from '../../src/session/request.ts';
import { type StartOptions, prepared, servedModel, servedSecret } from './harness.ts';

// ── kernels in which one draw can be changed ─────────────────────────────────

const idOf = ({ key, nonce }: Stream) => `${toHex(key)}/${toHex(nonce)}`;

class Changes {
  /** The draw to change, and how often it was changed before. */
  target: string | undefined;
  turn = 0;
  /** Bytes drawn from every stream. */
  readonly drawn = new Map<string, number>();

  /** A mask plus one in every word, exactly; pads, which never leave the kernels, from another stream. */
  kernels(real: RingKernels<Words>): RingKernels<Words> {
    const pads = (stream: Stream, bytes: number): Stream => {
      this.#note(stream, bytes);
      if (idOf(stream) !== this.target) return stream;
      const nonce = stream.nonce.slice();
      nonce[11] ^= 1 + this.turn;
      return { key: stream.key, nonce };
    };
    // Of transfers, at both ends: they take the address and no words.
    const moved = (nonce: Uint8Array): Uint8Array => {
      if (toHex(nonce) !== this.target?.split('/')[1]) return nonce;
      const other = nonce.slice();
      other[11] ^= 1 + this.turn;
      return other;
    };
    const overrides: Partial<RingKernels<Words>> = {
      otReceive: (base, nonce, choice, k) => {
        this.#hashed(nonce, lengthOf(choice));
        return real.otReceive(base, moved(nonce), choice, k);
      },
      otSend: (base, nonce, message, k) => real.otSend(base, moved(nonce), message, k),
      scope: () => proxy,
      draw: async (stream, k, count, first = 0) => {
        this.#note(stream, laneBytes(k) * (first + count));
        const words = await real.draw(stream, k, count, first);
        return idOf(stream) === this.target ? real.offset(words, 1n) : words;
      },
      selectionTable: (table, layout, stream, from, to) =>
        real.selectionTable(table, layout, pads(stream, 0), from, to),
      dealSelection: async (choice, layout, stream, r0) =>
        real.dealSelection(choice, layout, pads(stream, tableBytes(layout, lengthOf(choice.index))), r0),
    };
    const proxy: RingKernels<Words> = new Proxy(real, {
      get: (target, property) => {
        const value: unknown = Reflect.get(overrides, property) ?? Reflect.get(target, property);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    return proxy;
  }

  /** A block of the hash for every transfer of an address. */
  #hashed(nonce: Uint8Array, count: number): void {
    this.drawn.set(`/${toHex(nonce)}`, BLOCK_BYTES * count);
  }

  #note(stream: Stream, bytes: number): void {
    const id = idOf(stream);
    this.drawn.set(id, Math.max(this.drawn.get(id) ?? 0, bytes));
  }
}

const changes = new Changes();
let real: RingKernels<Words>;
let kernels: RingKernels<Words>;
beforeAll(async () => {
  real = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
  kernels = changes.kernels(real);
});
afterAll(() => real.close());
afterEach(() => {
  changes.target = undefined;
  vi.restoreAllMocks();
});

// ── what a session sends ─────────────────────────────────────────────────────

interface Message {
  /** The draw that seals it. */
  readonly id: string;
  readonly tag: string;
  /** Words, or the bytes of a table. */
  readonly content: (bigint | number)[];
  readonly k: number;
}

interface Sent {
  readonly sealed: Message[];
  readonly plain: Set<string>;
}

/** Records what links are given, with the draw behind it. */
function recorder(): () => Sent {
  let sent: Sent = { sealed: [], plain: new Set() };
  const ids = new WeakMap<Masked, string>();
  const { under, parts, transfer } = Masked;
  vi.spyOn(Masked, 'transfer').mockImplementation((fresh: OneTimeMask, payload) => {
    const sealed = transfer.call(Masked, fresh, payload);
    ids.set(sealed, idOf(fresh.stream));
    return sealed;
  });
  vi.spyOn(Masked, 'under').mockImplementation((fresh: OneTimeMask, payload) => {
    const sealed = under.call(Masked, fresh, payload);
    ids.set(sealed, idOf(fresh.stream));
    return sealed;
  });
  vi.spyOn(Masked, 'parts').mockImplementation(async function* (fresh: OneTimeMask, payloads) {
    for await (const sealed of parts.call(Masked, fresh, payloads)) {
      ids.set(sealed, idOf(fresh.stream));
      yield sealed;
    }
  });
  const send = Link.prototype.send;
  vi.spyOn(Link.prototype, 'send').mockImplementation(function (this: Link, tag, message) {
    const id = ids.get(message);
    const { payload } = message;
    if (id === undefined) sent.plain.add(tag.split('/')[0]);
    else if (payload instanceof Uint8Array) sent.sealed.push({ id, tag, content: [...payload], k: 8 });
    else sent.sealed.push({ id, tag, content: [...(payload as Words).data], k: payload.k });
    return send.call(this, tag, message);
  });
  return () => {
    const last = sent;
    sent = { sealed: [], plain: new Set() };
    return last;
  };
}

/** The message under a draw, parts of a table put together. */
function under(sent: Sent, id: string): Message {
  const parts = sent.sealed.filter((message) => message.id === id);
  return { ...parts[0], content: parts.flatMap(({ content }) => content) };
}

/**
 * How often a table is sent again under other pads: a byte that depends on its pad stays the same every time with
 * probability 2^-16, a bit with 1/4.
 */
const TURNS = 2;

/** What is wrong with a message that was sent again under another draw; nothing is expected. */
function independent(before: Message, after: readonly Message[], bits: boolean): string[] {
  const one = after.length === 1;
  const { content, k } = before;
  if (one) {
    // The mask is one more in every word, so the message is one more in every word, or one less.
    const differences = new Set(content.map((word, i) => BigInt.asIntN(k, BigInt(after[0].content[i]) - BigInt(word))));
    const unit = k === 1 ? [-1n] : [1n, -1n];
    return differences.size === 1 && unit.some((difference) => differences.has(difference))
      ? []
      : [`differs by ${[...differences].slice(0, 3)}`];
  }
  const flipped = content.map((byte, i) =>
    after.reduce((seen, message) => seen | (Number(message.content[i]) ^ Number(byte)), 0),
  );
  // A table of single bits may have bits behind its last one, which are always zero.
  const same = bits
    ? flipped.reduce((sum, byte) => sum + 8 - byte.toString(2).replaceAll('0', '').length, 0) - 7
    : flipped.reduce((sum, byte) => sum + Number(byte === 0), 0);
  const [n, p] = bits ? [8 * content.length, 2 ** -TURNS] : [content.length, 2 ** (-8 * TURNS)];
  return same <= n * p + 6 * Math.sqrt(n * p) + 1
    ? []
    : [`${same} of ${n} ${bits ? 'bits' : 'bytes'} are the same under ${TURNS} other pads`];
}

// ── sessions ─────────────────────────────────────────────────────────────────

const SIZES = {
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 12,
  vocab_size: 20,
  layer_norm_eps: 1e-5,
};
const BERT = { model_type: 'bert', hidden_act: 'gelu', max_position_embeddings: 12, type_vocab_size: 2, ...SIZES };
const GPT2 = {
  model_type: 'gpt2',
  activation_function: 'gelu_new',
  n_embd: 8,
  n_layer: 1,
  n_head: 2,
  n_positions: 12,
  vocab_size: 20,
  n_inner: 12,
  layer_norm_epsilon: 1e-5,
};
const SHAPE: RunShape = { sequences: 1, tokens: 4, rows: 0, padded: true, pair: false, steps: 0 };

interface Case {
  readonly json: object;
  readonly shape: RunShape;
  readonly text: { readonly inputIds: number[]; readonly rows: number[] };
  readonly following: readonly number[];
  /** Step of which one draw of every kind is changed, and which of them: a whole session for each. */
  readonly step: number;
  readonly pick: 'first' | 'last' | 'none';
  readonly widening?: 'ot';
  /** Kinds of messages that not every model has. */
  readonly open: readonly string[];
  readonly secret: readonly string[];
}

const CASES: Readonly<Record<string, Case>> = {
  'filling a mask': {
    json: { ...BERT, architectures: ['BertForMaskedLM'] },
    shape: { ...SHAPE, rows: 1 },
    text: { inputIds: [2, 9, 4], rows: [2] },
    following: [],
    step: 0,
    pick: 'first',
    // Rows that P0 chose are masked: they are lifted so, and P2's part of what is made of them is known ahead.
    open: ['lift-12', 'reshare-ahead'],
    secret: [],
  },
  'filling a mask, widened by transfer': {
    json: { ...BERT, architectures: ['BertForMaskedLM'] },
    shape: { ...SHAPE, rows: 1 },
    text: { inputIds: [2, 9, 4], rows: [2] },
    following: [],
    step: 0,
    pick: 'first',
    widening: 'ot',
    open: ['lift-12', 'reshare-ahead'],
    secret: [],
  },
  classification: {
    json: { ...BERT, hidden_act: 'relu', architectures: ['BertForSequenceClassification'] },
    shape: SHAPE,
    text: { inputIds: [2, 9, 4], rows: [] },
    following: [],
    step: 0,
    pick: 'none',
    open: [],
    secret: [],
  },
  generation: {
    json: { ...GPT2, architectures: ['GPT2LMHeadModel'] },
    shape: { ...SHAPE, rows: 1, steps: 1 },
    text: { inputIds: [5, 11, 3], rows: [2] },
    following: [8],
    step: 1,
    pick: 'last',
    open: [],
    secret: [],
  },
};

/** The dither of a truncation moves with its mask. */
const TOLERANCE = 0.02;

async function sessions({ json, shape, text, following, widening }: Case, weights: 'open' | 'secret') {
  const source = randomWeights(parseModelConfig(json), 5);
  const secret = weights === 'secret' ? await servedSecret(source, kernels) : undefined;
  const model = secret?.parties[0] ?? (await servedModel(source, kernels));
  const request: Request = { model: model.hash, protocol: '3pc_semi_honest', weights, widening, ...shape };
  const options: StartOptions = {
    request,
    model,
    on: kernels,
    ...(secret === undefined ? {} : { seeds: secret.seeds, compute: (id) => ({ models: [secret.parties[id - 1]] }) }),
  };
  const run = async (): Promise<number[]> => {
    const { session, ends } = await prepared(options);
    const logits = [...(await session.run([text])).logits];
    let position = text.inputIds.length;
    for (const tokenId of following) logits.push(...(await session.next({ tokenId, position: position++ })).logits);
    expect(await Promise.all(ends)).toEqual(['answered', 'answered']);
    return logits;
  };
  const gates = Array.from(
    { length: shape.steps + 1 },
    (_, step) => circuitFor(model.config, model.plan, request, step).gates,
  );
  return { run, gates };
}

/** Step, gate and purpose of a draw. */
function placeOf(id: string): { readonly step: number; readonly number: number; readonly purpose: number } {
  const nonce = new DataView(Uint8Array.from(Buffer.from(id.split('/')[1], 'hex')).buffer);
  return { step: nonce.getUint16(0, true), number: nonce.getUint32(4, true), purpose: nonce.getUint8(10) };
}

/**
 * Kind of message: relation, phase, for a lift whether what it masks is a part of a sum, for a selection whether P1
 * chooses by it, and for a reshare whether the lower bits stay.
 */
function kindOf(gate: Gate, tag: string, id: string): string {
  const part = gate.relation === 'lift' && gate.traits[0] === 'additive' ? ' of a part' : '';
  const wrap = gate.relation === 'select' && id.endsWith('01') ? ' of a wrap' : '';
  const upper = gate.relation === 'reshare' && gate.traits.length > 0 ? ' of upper bits' : '';
  return `${tag.split('/')[0]}${part}${wrap}${upper}`;
}

/** Draws by the kind of message that they seal, in one step. */
function byKind(
  messages: readonly Message[],
  gates: readonly (readonly Gate[])[],
  step: number,
): ReadonlyMap<string, readonly string[]> {
  const kinds = new Map<string, string[]>();
  for (const { id, tag } of messages) {
    const place = placeOf(id);
    if (place.step !== step) continue;
    const kind = kindOf(gates[step][place.number], tag, id);
    kinds.set(kind, [...(kinds.get(kind) ?? []), id]);
  }
  return kinds;
}

const OPEN_KINDS = ['input-input', 'lift-12 of a part', 'product-21', 'product-deal', 'reshare-21'];
const SELECTED = ['select-12', 'select-21', 'select-21 of a wrap', 'select-deal', 'widen-12'];
const WIDENED = {
  dealer: ['select-deal of a wrap', 'widen-deal'],
  ot: ['ot-base-deal', 'select-ahead of a wrap', 'widen-ahead'],
};
const SECRET_KINDS = [
  'affine-deal',
  'input-input',
  'lift-12',
  'lift-12 of a part',
  'lookup-input',
  'product-21',
  'product-deal',
  'reshare-21',
  'reshare-21 of upper bits',
];

describe.each(['open', 'secret'] as const)('%s weights', (weights) => {
  it.each(Object.entries(CASES))(
    '%s: one draw changed, its message changes in every word, and the answer stays',
    { timeout: 300_000 },
    async (_name, of) => {
      const { run, gates } = await sessions(of, weights);
      const taken = recorder();
      changes.drawn.clear();
      const answer = await run();
      const base = taken();

      // What leaves unsealed is what may: keys of point functions, and outputs to their owner.
      expect([...base.plain].sort()).toEqual(['lookup-input', 'output-output']);
      // No draw seals two messages. (Parts of one table have one tag.)
      const tags = new Map<string, Set<string>>();
      for (const { id, tag } of base.sealed) tags.set(id, (tags.get(id) ?? new Set()).add(tag));
      expect([...tags.values()].filter((set) => set.size > 1).map((set) => [...set])).toEqual([]);
      const repeated = base.sealed.filter(
        ({ id, tag }, i) =>
          tag.split('/')[0].match(/^(select|widen)-12$/) === null && base.sealed.findIndex((m) => m.id === id) !== i,
      );
      expect(repeated.map(({ tag }) => tag)).toEqual([]);

      const draws = byKind(base.sealed, gates, of.step);
      // A step behind the prompt has all kinds of the prompt.
      expect([...draws.keys()].sort()).toEqual(
        [
          ...(weights === 'open' ? [...OPEN_KINDS, ...of.open] : [...SECRET_KINDS, ...of.secret]),
          ...SELECTED,
          ...WIDENED[of.widening ?? WIDENING],
        ].sort(),
      );

      // No stream is longer than the gate says: it is what `CircuitBuilder` holds against the end of a key stream.
      const longest = new Map<Gate, number>();
      for (const [id, bytes] of changes.drawn) {
        const { step, number, purpose } = placeOf(id);
        if (purpose === PURPOSES.weight) continue;
        const gate = gates[step][number];
        longest.set(gate, Math.max(longest.get(gate) ?? 0, bytes));
      }
      expect(longest.size).toBeGreaterThan(50);
      expect(
        [...longest]
          .filter(([gate, bytes]) => bytes !== longestStream(gate))
          .map(([gate, bytes]) => `${gate.path}: ${bytes}`),
      ).toEqual([]);

      const wrong: string[] = [];
      // A step's gates with secret weights are those of a prompt with secret weights; their draws are told apart above.
      const told = of.pick === 'none' || ((of.step > 0 || of.widening === 'ot') && weights === 'secret');
      // Of a circuit with transfers, what it has beside the messages of the one without.
      const own = ['select-21 of a wrap', 'widen-12', ...WIDENED.ot];
      const changed = told ? [] : [...draws].filter(([kind]) => of.widening !== 'ot' || own.includes(kind));
      for (const [kind, ids] of changed) {
        // Every change is a whole session: the first finding is enough.
        if (wrong.length > 0) break;
        const id = of.pick === 'first' ? ids[0] : ids[ids.length - 1];
        const transferred = of.widening === 'ot' && kind === 'select-21 of a wrap';
        const table = transferred || /^(select|widen)-12|-ahead of a wrap|^widen-ahead/.test(kind);
        const after: Message[] = [];
        changes.target = id;
        for (changes.turn = 0; changes.turn < (table ? TURNS : 1); changes.turn++) {
          const moved = (await run()).map((logit, i) => Math.abs(logit - answer[i]));
          if (Math.max(...moved) > TOLERANCE) wrong.push(`${kind}: the answer moved by ${Math.max(...moved)}`);
          after.push(under(taken(), id));
        }
        const { step, number } = placeOf(id);
        wrong.push(
          ...independent(
            under(base, id),
            after,
            /^(select|widen)-12/.test(kind) && gates[step][number].traits[2] === 1,
          ).map((what) => `${kind}: ${what}`),
        );
      }
      expect(wrong).toEqual([]);
    },
  );
});

describe('the seeds of secret weights', () => {
  it('mask every parameter under draws of its own: one of them changed, M changes in every word of that parameter alone, and the answer stays', {
    timeout: 300_000,
  }, async () => {
    const source = randomWeights(parseModelConfig(CASES['filling a mask'].json), 5);
    const answered = async () => (await sessions(CASES['filling a mask'], 'secret')).run();
    changes.drawn.clear();
    const { masked } = await servedSecret(source, kernels);
    const draws = [...changes.drawn.keys()].filter((id) => placeOf(id).purpose === PURPOSES.weight);
    const names = listParameters(source.config).map(({ name }) => name);
    // Two seeds, and each of them once for each parameter.
    expect(draws).toHaveLength(2 * names.length);
    expect(names.filter((_, i) => draws.filter((id) => placeOf(id).number === i).length !== 2)).toEqual([]);
    for (const id of draws) {
      changes.target = id;
      const { masked: other } = await servedSecret(source, kernels);
      const changed = names.filter((_, i) => other[i].data.some((word, j) => word !== masked[i].data[j]));
      expect(changed).toEqual([names[placeOf(id).number]]);
      const at = placeOf(id).number;
      expect(
        new Set([...other[at].data].map((word, j) => BigInt.asUintN(64, BigInt(word) - BigInt(masked[at].data[j])))),
      ).toEqual(new Set([1n]));
    }
    changes.target = undefined;
    const answer = await answered();
    for (const id of [draws[0], draws[1], draws[draws.length - 1]]) {
      changes.target = id;
      expect(await answered()).toEqual(answer);
    }
  });
});
