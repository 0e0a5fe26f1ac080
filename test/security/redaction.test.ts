/**
 * Errors and printable objects carry codes, names, lengths and types, never a text, a share or a key. Scenarios
 * that fail in as many ways as these layers can are run on marked secrets, and everything that a logger could print
 * of the error (message, hint, stack, every cause) is searched for them.
 */
import { SEMI_HONEST } from '../../src/mpc/protocol/registry.ts';
import { describe, expect, it } from 'vitest';
import { encodeFixed } from '../../src/compute/fixed-point.ts';
import { ReferenceKernels } from '../../src/compute/kernels/reference/kernels.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { wordsFrom } from '../../src/compute/ring.ts';
import { toHex } from '../../src/core/bytes.ts';
import { type ErrorCode, TercetError, asTercetError } from '../../src/core/errors.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import type { Channel, PartyId } from '../../src/net/wire/types.ts';
import { modelPlan } from '../../src/ml/measured-ranges.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import { PairPrg, executionKey } from '../../src/mpc/prg/prg.ts';
import { PlaintextGates } from '../../src/testing/oracle.ts';
import { protocolInfo } from '../../src/mpc/protocol/registry.ts';
import type { Gates, Inputs } from '../../src/mpc/protocol/types.ts';
import { geluRange } from '../../src/mpc/secure/activation.ts';
import { serveSession } from '../../src/session/compute.ts';
import { recvPairKey, sendPairKey } from '../../src/session/direct-key.ts';
import { OpenParameters } from '../../src/session/open-parameters.ts';
import { OwnerSession } from '../../src/session/owner.ts';
import { revealLogits } from '../../src/session/reveal.ts';
import { OwnerSeeds, SharedParameters } from '../../src/session/secret-parameters.ts';
import { TINY } from '../ml/tiny-bert.ts';
import { printed, printedError, secretsIn } from '../support/secrets.ts';
import {
  type Message,
  type SimulationOptions,
  type Tap,
  collect,
  createParties,
  keysOf,
  noParameters,
  settle,
} from '../support/simulate.ts';

const wasm = await createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
const SEED = 21;

/** Words that say "secret!!" and "quiet..." in ASCII, so that they are found as bytes, as text and as numbers. */
const X = [0x7365637265742121n, 0x71756965742e2e2en];
const MARKED = 'Paris-7365637265';
const { execution, k01, k02 } = keysOf(SEED);

const SECRETS: Readonly<Record<string, Uint8Array>> = {
  k01,
  k02,
  'execution key 01': executionKey(k01, execution),
  'execution key 02': executionKey(k02, execution),
  x0: Uint8Array.from(Buffer.from('secret!!')),
  x1: Uint8Array.from(Buffer.from('quiet...')),
};
/** The same secrets as numbers and text. */
const TEXTS = [...X.map(String), ...X.map((x) => x.toString(16)), 'secret!!', 'quiet...', MARKED];

function leaks(text: string, secrets = SECRETS, texts: readonly string[] = TEXTS): string[] {
  return [...secretsIn(text, secrets), ...texts.filter((secret) => text.includes(secret))];
}

const INPUTS: Inputs = { tensors: { x: wordsFrom(X, 64) }, indices: {} };

function circuit(g: Gates): void {
  const x = g.input('x', [2], 64, 0);
  g.output('out', g.truncate(g.mul(x, x), 3, 64));
}

async function endings(options: SimulationOptions, inputs = INPUTS): Promise<unknown[]> {
  const results = await settle(createParties(circuit, { seed: SEED, timeoutMs: 3_000, ...options }), inputs);
  return results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
}

async function thrown(work: () => unknown): Promise<unknown[]> {
  try {
    await work();
  } catch (error) {
    return [error];
  }
  throw new Error('nothing was thrown');
}

/** Changes a frame of P1's first half-round. */
const tamper =
  (change: (frame: Uint8Array) => Uint8Array): SimulationOptions['wire'] =>
  ({ from, to }, frame) =>
    from === 1 && to === 2 ? change(Uint8Array.from(frame)) : undefined;

const flip = (at: number) =>
  tamper((frame) => {
    frame[at] ^= 1;
    return frame;
  });

const shorter: Tap = (from, to, _tag, bytes) => (from === 1 && to === 2 ? bytes.subarray(1) : undefined);

const SCENARIOS: readonly [ErrorCode, string, () => Promise<unknown[]>][] = [
  [
    'ERR_SHAPE',
    'an input of the wrong length',
    () => endings({}, { tensors: { x: wordsFrom([...X, 1n], 64) }, indices: {} }),
  ],
  ['ERR_SHAPE', 'an input over the wrong ring', () => endings({}, { tensors: { x: wordsFrom(X, 63) }, indices: {} })],
  [
    'ERR_SHAPE',
    'an oracle without its input',
    () =>
      thrown(() => circuit(new PlaintextGates({ tensors: { x: wordsFrom([...X, 1n], 64) }, indices: {} }, () => []))),
  ],
  ['ERR_FRAME_FORMAT', 'another first byte', () => endings({ wire: flip(0) })],
  ['ERR_FRAME_SESSION', 'another session', () => endings({ wire: flip(20) })],
  ['ERR_FRAME_SEQUENCE', 'another number', () => endings({ wire: flip(5) })],
  ['ERR_FRAME_TAG', 'another tag', () => endings({ wire: flip(30) })],
  ['ERR_FRAME_LENGTH', 'a shorter message', () => endings({ tap: shorter })],
  ['ERR_PEER_CLOSED', 'a peer that fails', () => endings({ wire: flip(0) })],
  ['ERR_ABORTED', 'a run that is cancelled', () => endings({ signal: () => AbortSignal.abort() })],
  [
    'ERR_PEER_TIMEOUT',
    'a peer that says nothing',
    () => {
      const { engines } = createParties(circuit, { seed: SEED, timeoutMs: 50 });
      return thrown(() => engines[2].deal());
    },
  ],
  [
    'ERR_STATE',
    'a phase out of order',
    () => {
      const { engines } = createParties(circuit, { seed: SEED });
      return thrown(() => engines[0].input(INPUTS));
    },
  ],
  [
    'ERR_PAD_REUSE',
    'a pad drawn twice',
    () => {
      const prg = PairPrg.of(k01, execution);
      const id = { gate: 1, purpose: 'pad', table: 0, direction: 0 } as const;
      prg.takeMask(id, prg, 'λ2');
      return thrown(() => prg.takeMask(id, prg, 'λ2'));
    },
  ],
  [
    'ERR_INTERNAL',
    'a kernel that throws the words it was given',
    () => endings({ kernels: () => new FailingKernels() }),
  ],
  ['ERR_INTERNAL', 'a key of the wrong length', () => thrown(() => PairPrg.of(k01.subarray(1), execution))],
  [
    'ERR_INTERNAL',
    'words of the wrong number',
    () => thrown(() => new ReferenceKernels().unpack(SECRETS['x0'], 64, 2)),
  ],
  ['ERR_RANGE', 'a value that does not fit', () => thrown(() => encodeFixed([1, Number(X[0])], 32, 64))],
  ['ERR_RANGE', 'a bound that is too wide', () => thrown(() => geluRange(1e6))],
  ['ERR_ARGUMENT', 'a protocol with the text for a name', () => thrown(() => protocolInfo(MARKED))],
  ['ERR_PROTOCOL_UNAVAILABLE', 'a protocol that is not there', () => thrown(() => protocolInfo('aby3'))],
  [
    'ERR_STATE',
    'an output at the wrong party',
    () => thrown(() => revealLogits(new Map([[MARKED, wordsFrom(X, 64)]]), 'open')),
  ],
];

/** A backend that fails with the data in its message, as a careless library would. */
class FailingKernels extends ReferenceKernels {
  override async mul(): Promise<never> {
    throw new RangeError(`bad word ${X[0]} under key ${toHex(k01)}`);
  }
}

describe('errors of the protocol', () => {
  it.each(SCENARIOS)('%s, %s: message, hint, stack and causes carry no secret', async (code, name, run) => {
    const errors = await run();
    expect(errors.map((error) => asTercetError(error).code)).toContain(code);
    for (const error of errors) {
      const typed = asTercetError(error);
      expect(leaks(`${typed.message}\n${typed.hint}\n${typed.line()}`)).toEqual([]);
      // What the backend itself throws is its own cause, kept for --debug; Tercet's errors must not add to it.
      if (!name.startsWith('a kernel that throws')) expect(leaks(printedError(error)), printedError(error)).toEqual([]);
    }
  });

  it('of a failing backend do not repeat its message, which may hold data', async () => {
    const [error] = await endings({ kernels: () => new FailingKernels() });
    const typed = asTercetError(error);
    expect(typed.message).toBe('RangeError');
    // Control: the search finds the secrets where they are, in the backend's own message.
    expect(leaks(printedError(error))).toEqual(['k01', X[0].toString()]);
  });

  it('the search finds every secret in every form: the scenarios above could fail', () => {
    for (const [name, secret] of Object.entries(SECRETS)) {
      const error = new TercetError('ERR_STATE', 'x', 'y', { cause: new Error(Buffer.from(secret).toString('hex')) });
      expect(leaks(printedError(error))).toContain(name);
      expect(leaks(printedError(new TercetError('ERR_STATE', `${[...secret]}`, 'y')))).toContain(name);
      expect(leaks(printedError(new TercetError('ERR_STATE', 'x', Buffer.from(secret).toString('base64'))))).toContain(
        name,
      );
      expect(leaks(printed({ secret }))).toContain(name);
    }
    for (const text of TEXTS)
      expect(leaks(printedError(new TercetError('ERR_STATE', `got ${text}`, 'y')))).toContain(text);
  });
});

// ── sessions ─────────────────────────────────────────────────────────────────

interface SessionRun {
  readonly errors: readonly unknown[];
  readonly messages: readonly Message[];
  readonly keys: readonly Uint8Array[];
  readonly logits: Float32Array | undefined;
}

const SESSION = Uint8Array.from({ length: 16 }, (_, i) => 100 + i);
const source = randomWeights(TINY, 3);
const view = await OpenParameters.load(source, wasm);
const plan = await modelPlan(source, SEMI_HONEST.truncation);

/** A whole session of three roles in memory: what each ended with, and every message. */
async function session(tap?: Tap): Promise<SessionRun> {
  const messages: Message[] = [];
  const listen = collect(messages);
  const keys: Uint8Array[] = [];
  const channels: Map<PartyId, Channel>[] = [new Map(), new Map(), new Map()];
  for (const [a, b] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as [PartyId, PartyId][]) {
    const [left, right] = memoryPair(a, b, {
      timeoutMs: 20_000,
      tap: ({ from, to }, tag, bytes) => {
        listen(from as PartyId, to as PartyId, tag, Uint8Array.from(bytes));
        return tap?.(from as PartyId, to as PartyId, tag, bytes);
      },
    });
    channels[a].set(b, left);
    channels[b].set(a, right);
  }
  const common = { kernels: wasm, session: SESSION, peakMemory: () => 1, now: () => 0 };
  const link = (id: PartyId, peer: PartyId): Channel => {
    const channel = channels[id].get(peer);
    if (channel === undefined) throw new Error(`no link ${id} → ${peer}`);
    return channel;
  };
  const model = { name: 'tiny', config: TINY, plan, hash: 'model', parameters: view };
  const compute = ([1, 2] as const).map(async (id) =>
    serveSession({
      ...common,
      id,
      owner: link(id, 0),
      pairKey: await recvPairKey(link(id, 0)),
      connectPeer: async () => link(id, id === 1 ? 2 : 1),
      models: [model],
    }),
  );
  const owner = async (): Promise<Float32Array> => {
    try {
      keys.push(await sendPairKey(link(0, 1)), await sendPairKey(link(0, 2)));
      const open = await OwnerSession.open({
        ...common,
        config: TINY,
        request: {
          protocol: '3pc_semi_honest',
          weights: 'open',
          sequences: 1,
          tokens: 4,
          rows: 1,
          padded: false,
          pair: false,
          steps: 0,
        },
        pairKeys: [keys[0].slice(), keys[1].slice()],
        channels: channels[0],
        parameters: noParameters,
      });
      await open.prepare();
      return (await open.run([{ inputIds: [2, 9, 4, 3], rows: [2] }])).logits;
    } catch (error) {
      for (const channel of channels[0].values()) channel.abort(asTercetError(error));
      throw error;
    }
  };
  const [first, ...rest] = await Promise.allSettled([owner(), ...compute]);
  const errors = [first, ...rest].flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  return { errors, messages, keys, logits: first.status === 'fulfilled' ? first.value : undefined };
}

const secretsOf = (keys: readonly Uint8Array[]): Record<string, Uint8Array> => ({
  'key of P1': keys[0],
  'key of P2': keys[1],
});

describe('a session', () => {
  it('runs from the request to the answer', async () => {
    const { errors, logits } = await session();
    expect(errors).toEqual([]);
    expect(logits).toHaveLength(TINY.vocabSize);
  });

  it('gives each compute party its own pairwise key and never the other one, in any message', async () => {
    const { messages, keys } = await session();
    const text = ({ bytes }: Message) => toHex(bytes);
    const requests = messages.filter(({ tag }) => tag === 'control/key');
    expect(requests.map(({ to }) => to)).toEqual([1, 2]);
    // Control: the right key is there.
    expect(requests.map((message) => secretsIn(text(message), secretsOf(keys)))).toEqual([
      ['key of P1'],
      ['key of P2'],
    ]);
    for (const message of messages) {
      const other = message.to === 1 ? keys[1] : message.to === 2 ? keys[0] : undefined;
      if (other === undefined) continue;
      expect(secretsIn(text(message), { other }), message.tag).toEqual([]);
      expect(Buffer.from(message.bytes).includes(Buffer.from(other.subarray(0, 8))), message.tag).toBe(false);
    }
  });

  /** Replaces the body of a control message by another of the same length. */
  const rewrite =
    (name: string, to: PartyId, change: (body: string) => string): Tap =>
    (_from, receiver, tag, bytes) =>
      tag === `control/${name}` && receiver === to
        ? Uint8Array.from(Buffer.from(change(Buffer.from(bytes).toString('latin1')), 'latin1'))
        : undefined;

  it.each<[ErrorCode, string, Tap]>([
    [
      'ERR_FRAME_LENGTH',
      'a key that is cut',
      (_from, to, tag, bytes) => (to === 1 && tag === 'control/key' ? bytes.subarray(1) : undefined),
    ],
    ['ERR_FRAME_FORMAT', 'a request whose JSON breaks', rewrite('request', 1, (body) => `${body.slice(0, -1)}!`)],
    [
      'ERR_PEER_MISMATCH',
      'a request of another version',
      rewrite('request', 2, (body) => body.replace('"version":5', '"version":6')),
    ],
    [
      'ERR_FRAME_FORMAT',
      'a request whose padding is no yes or no',
      rewrite('request', 1, (body) => body.replace('"padded":false', '"padded":12345')),
    ],
    [
      'ERR_MODEL_HASH',
      'a request for a model that nobody serves',
      rewrite('request', 1, (body) => body.replace('"model":null', '"model":"ab"')),
    ],
    [
      'ERR_PEER_MISMATCH',
      'a request for one token',
      rewrite('request', 2, (body) => body.replace('"tokens":4', '"tokens":1')),
    ],
    [
      'ERR_PEER_MISMATCH',
      'an offer of another configuration',
      rewrite('offer', 0, (body) => body.replace(/("config":")[0-9a-f]/, '$1x')),
    ],
    [
      'ERR_PEER_MISMATCH',
      'another circuit',
      rewrite('start', 1, (body) => body.replace(/("circuit":")[0-9a-f]/, '$1x')),
    ],
    [
      'ERR_FRAME_LENGTH',
      'a dealt message that is cut',
      (from, to, tag, bytes) => (from === 0 && to === 2 && tag.includes('-deal/') ? bytes.subarray(1) : undefined),
    ],
    [
      'ERR_FRAME_LENGTH',
      'an online message that is cut',
      (from, to, tag, bytes) => (from === 1 && to === 2 && tag.includes('-12/') ? bytes.subarray(1) : undefined),
    ],
    [
      'ERR_FRAME_LENGTH',
      'an output that is cut',
      (_from, to, tag, bytes) => (to === 0 && tag.startsWith('output') ? bytes.subarray(1) : undefined),
    ],
  ])('%s for %s: all parties end with typed errors that hold no part of a key', async (code, _name, tap) => {
    const { errors, keys } = await session(tap);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.every((error) => error instanceof TercetError)).toBe(true);
    expect(errors.map((error) => (error as TercetError).code)).toContain(code);
    for (const error of errors) {
      const text = printedError(error);
      expect(secretsIn(text, secretsOf(keys)), text).toEqual([]);
      // Four bytes of a key in hex are already eight characters too many.
      for (const key of keys)
        for (let at = 0; at + 4 <= key.length; at++)
          expect(text.includes(toHex(key.subarray(at, at + 4))), text).toBe(false);
    }
  });
});

// ── printable objects ────────────────────────────────────────────────────────

describe('objects that hold secrets', () => {
  it('print none: generators, engines and views of weights, as text, JSON and by util.inspect with hidden fields', async () => {
    const { engines } = createParties(circuit, { seed: SEED });
    const seeds = Uint8Array.from({ length: 64 }, (_, i) => (i * 53 + 17) % 256);
    const masked = wordsFrom(X, 64).data as BigUint64Array;
    const shared = await SharedParameters.load(
      1,
      TINY,
      seeds.slice(0, 32),
      async ({ rows, cols }) => new BigUint64Array(rows * cols).fill(masked[0]),
      wasm,
    );
    await engines[0].deal();
    const secrets = { ...SECRETS, 'seed 1': seeds.slice(0, 32), 'seed 2': seeds.slice(32) };
    for (const object of [PairPrg.of(k01, execution), ...engines, new OwnerSeeds(TINY, seeds), shared, view]) {
      expect(leaks(printed(object), secrets), object.constructor.name).toEqual([]);
      expect(leaks(printed({ inside: [object] }), secrets), object.constructor.name).toEqual([]);
    }
    // Control: a plain holder of the same bytes is caught.
    expect(leaks(printed({ seeds: seeds.slice(32) }), secrets)).toEqual(['seed 2']);
  });
});
