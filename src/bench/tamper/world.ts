/**
 * The world of the tamper matrix: sessions of all three parties in one process, over links in memory, on whole models
 * that are as small as a model can be. What does not follow from a cell is made once and shared: weights, plans,
 * circuits, kernels.
 */
import type { RingKernels } from '../../compute/kernels/types.ts';
import { loadNodeProofModule } from '../../compute/kernels/wasm/node-worker.ts';
import { WasmProofKernels } from '../../compute/kernels/wasm/proof.ts';
import { wordsFrom } from '../../compute/ring.ts';
import { type TercetError, asTercetError } from '../../core/errors.ts';
import { type ModelConfig, parseModelConfig } from '../../ml/config.ts';
import { parameterEncoder } from '../../ml/models/folding.ts';
import { type ModelParameters, listParameters, modelParameters } from '../../ml/models/parameters.ts';
import { randomWeights } from '../../ml/models/random.ts';
import type { ModelPlan } from '../../ml/models/plan.ts';
import { LOGITS, OUTPUT_FORM, ROWS, TOKENS } from '../../ml/models/run.ts';
import { planFromRanges, provedRanges } from '../../ml/ranges.ts';
import type { ProofParameters } from '../../mpc/proof/soundness.ts';
import type { Circuit } from '../../mpc/protocol/frame/circuit.ts';
import { fingerprint } from '../../mpc/protocol/frame/fingerprint.ts';
import type { ParameterView } from '../../mpc/protocol/frame/party.ts';
import { COMPLETE_ROUNDING } from '../../mpc/protocol/malicious/rounding.ts';
import type { ProvedRun } from '../../mpc/protocol/malicious/proving/run.ts';
import { SEMI_HONEST } from '../../mpc/protocol/registry.ts';
import type { Gates, Parameter } from '../../mpc/protocol/types.ts';
import { memoryPair } from '../../net/simulated/memory-link.ts';
import type { Channel, PartyId, PeerChannel } from '../../net/wire/types.ts';
import { wasmKernels } from '../../node/kernels.ts';
import { type BuiltCircuit, Circuits, type RequestBuilder, builderFor } from '../../session/circuits.ts';
import { type ServedModel, type SessionEnd, serveSession } from '../../session/compute.ts';
import { OpenParameters } from '../../session/open-parameters.ts';
import { ownerParameters } from '../../session/owner-parameters.ts';
import { OwnerSession } from '../../session/owner.ts';
import { PATIENCE } from '../../session/place.ts';
import { provingWith } from '../../session/proved-session.ts';
import type { Proving } from '../../session/proving.ts';
import type { Request, WeightMode } from '../../session/request.ts';
import { SharedParameters, maskParameter, ownerSeeds } from '../../session/secret-parameters.ts';
import { KeptWords } from './kept.ts';
import { Captured } from './repair.ts';

export type Protocol = '3pc_semi_honest' | '3pc_malicious';

/** A circuit with one gate of every kind, whole models by what their heads give, and a step that follows on another. */
export const FAMILIES = ['gates', 'classification', 'tokens', 'generation', 'steps'] as const;
export type Family = (typeof FAMILIES)[number];

/** A compression that misses an error once in 2^23: a matrix has hundreds of cells, and each is a session. */
const QUICK: ProofParameters = { sigma: 24, primeBits: 61, primes: 1, maskBits: 224, claimBits: 160 };
/** Everything is proved in one segment. */
const SEGMENT_BYTES = 2 ** 30;

const SIZES = { hidden_size: 4, num_hidden_layers: 1, num_attention_heads: 1, intermediate_size: 4, vocab_size: 5 };
const POSITIONS = { max_position_embeddings: 4, type_vocab_size: 2 };
const LABELS = { id2label: { '0': 'no', '1': 'yes' } };
const BERT = { model_type: 'bert', hidden_act: 'gelu', layer_norm_eps: 1e-12, ...SIZES, ...POSITIONS };
const GPT2 = {
  ...{ model_type: 'gpt2', architectures: ['GPT2LMHeadModel'], activation_function: 'gelu_new' },
  ...{ n_embd: 4, n_layer: 1, n_head: 1, n_inner: 4, vocab_size: 5, n_positions: 4, layer_norm_epsilon: 1e-5 },
};
const CONFIGS: Readonly<Record<Family, object>> = {
  gates: { ...BERT, architectures: ['BertForMaskedLM'] },
  classification: { ...BERT, architectures: ['BertForSequenceClassification'], ...LABELS },
  tokens: {
    ...{ model_type: 'distilbert', architectures: ['DistilBertForTokenClassification'], activation: 'gelu' },
    ...{ dim: 4, n_layers: 1, n_heads: 1, hidden_dim: 4, vocab_size: 5, max_position_embeddings: 4, ...LABELS },
  },
  generation: GPT2,
  steps: GPT2,
};
/** The prompt, and the token behind it. */
const PROMPT = [3, 1];
const BEHIND = 4;
const HASH = '7a'.repeat(32);
/** The same in every run, like the weights: what differs is what the parties draw. */
const SHARING = [new Uint8Array(32).fill(51), new Uint8Array(32).fill(52)] as const;
/** All three parties have one thread between them: nobody is impatient. */
const PATIENT = {
  ...PATIENCE,
  ...{ requestMs: 600_000, startMs: 600_000, dealMs: 600_000, silenceMs: 600_000, textMs: 600_000 },
};

/** Bits of a word in the circuit of gates. */
export const GATE_BITS = 14;

/** The smallest circuit with every kind of message, on the inputs and outputs of a model with masks. */
function everyGate(g: Gates, { embeddings, layers }: ModelParameters, weights: WeightMode): void {
  const { k, scale } = OUTPUT_FORM[weights];
  const map = g.affine([{ x: g.lookup(TOKENS, embeddings.word, 2), weight: layers[0].q.weight }]);
  const x = g.reduce(g.reshape(map, [8], 0), GATE_BITS);
  const y = g.add(x, g.reduce(g.repeat(g.input(ROWS, [2], 64, 0), 4), GATE_BITS));
  const square = g.mul(y, y);
  const table = g.table(g.reduce(square, 3), { bits: 3, entries: [1n, 2n, 4n, 8n, 16n, 32n, 64n, 128n] }, GATE_BITS);
  g.output(LOGITS, g.reshape(g.widen(g.add(square, table), k), [8], scale));
}

/** Of a model that is asked for as ever, the circuit is another. */
class GateCircuits extends Circuits {
  readonly #built = new Map<WeightMode, BuiltCircuit>();

  override async get(
    config: ModelConfig,
    _plan: ModelPlan,
    request: Request,
    _step = 0,
    builder: (request: Request) => RequestBuilder = builderFor,
  ): Promise<BuiltCircuit> {
    const known = this.#built.get(request.weights);
    if (known !== undefined) return known;
    const gates = builder(request);
    everyGate(gates, modelParameters(config), request.weights);
    const circuit = gates.finish();
    const built = { circuit, hash: fingerprint(circuit) };
    this.#built.set(request.weights, built);
    return built;
  }
}

export interface Engines {
  readonly kernels: RingKernels;
  readonly proofs: WasmProofKernels;
}

/** Kernels of all three parties, in this thread: the one place where a step of a session waits for another. */
export async function engines(): Promise<Engines> {
  return { kernels: await wasmKernels(0), proofs: new WasmProofKernels(await loadNodeProofModule()) };
}

export interface Play {
  /** The ends of a party's links, where it does not follow the protocol. */
  readonly corrupt?: (self: PartyId, channel: Channel) => Channel;
  readonly signal?: AbortSignal | undefined;
  /** Longest wait of a party for one message. */
  readonly timeoutMs?: number | undefined;
  /** Called with the session that the parties agree on, and with that of every step behind. */
  readonly agreed?: (session: Uint8Array) => void;
}

interface Sent {
  readonly from: PartyId;
  readonly to: PartyId;
  readonly tag: string;
}

export interface Played {
  /** Of the last step. */
  readonly logits: readonly number[] | undefined;
  /** Of P0, P1 and P2: why it failed, or undefined. */
  readonly errors: readonly (TercetError | undefined)[];
  /** Whether it overwrote its keys; of those whose run had begun. */
  readonly wiped: readonly (boolean | undefined)[];
  /** Messages of a run as they left, in order. */
  readonly sent: readonly Sent[];
}

/** A model of one family, with open or secret weights, in one protocol. */
export class World {
  readonly protocol: Protocol;
  readonly weights: WeightMode;
  readonly family: Family;
  readonly #engines: Engines;
  readonly #config: ModelConfig;
  readonly #served: readonly [ServedModel, ServedModel];
  readonly #circuits: Circuits;
  #captured: Captured | undefined;
  #kept: KeptWords | undefined;
  #normal: Promise<Played> | undefined;

  private constructor(
    protocol: Protocol,
    weights: WeightMode,
    family: Family,
    on: Engines,
    served: readonly [ServedModel, ServedModel],
  ) {
    this.protocol = protocol;
    this.weights = weights;
    this.family = family;
    this.#engines = on;
    this.#served = served;
    this.#config = served[0].config;
    this.#circuits = family === 'gates' ? new GateCircuits() : new Circuits();
  }

  static async make(protocol: Protocol, weights: WeightMode, family: Family, on: Engines): Promise<World> {
    const source = randomWeights(parseModelConfig(CONFIGS[family]), 5, { outliers: false });
    const { config } = source;
    const rounding = protocol === '3pc_semi_honest' ? SEMI_HONEST.truncation : COMPLETE_ROUNDING;
    const plan = planFromRanges(config, await provedRanges(source), rounding);
    const encode = parameterEncoder(source);
    const served = (parameters: ParameterView): ServedModel => ({
      ...{ name: family, config, plan, provedPlan: plan, hash: HASH, parameters },
    });
    if (weights === 'open') {
      const both = served(await OpenParameters.load(source, on.kernels, encode, undefined, encode));
      return new World(protocol, weights, family, on, [both, both]);
    }
    const masked = new Map<string, BigUint64Array>();
    for (const [number, parameter] of listParameters(config).entries()) {
      const words = wordsFrom(Array.from(await encode(parameter), BigInt), 64);
      const { data } = await maskParameter(on.kernels, SHARING, number, words);
      masked.set(parameter.name, data as BigUint64Array);
    }
    const read = async ({ name }: Parameter) => (masked.get(name) as BigUint64Array).slice();
    const of = async (id: 1 | 2) =>
      served(await SharedParameters.load(id, config, SHARING[id - 1], read, on.kernels, true));
    return new World(protocol, weights, family, on, [await of(1), await of(2)]);
  }

  /** The step whose messages are changed, which is the last. */
  get step(): 0 | 1 {
    return this.family === 'steps' ? 1 : 0;
  }

  /** Masked places. */
  get #rows(): readonly number[] {
    return this.family === 'gates' ? [0] : [];
  }

  get #request(): Request {
    const { protocol, weights } = this;
    const rows = this.#rows.length;
    const shape = { sequences: 1, tokens: PROMPT.length, rows, padded: false, pair: false, steps: this.step };
    return { model: HASH, protocol, weights, ...shape };
  }

  /** What proves its sessions. */
  get #proving(): Proving | undefined {
    if (this.protocol === '3pc_semi_honest') return undefined;
    const { proofs } = this.#engines;
    return provingWith({ kernels: proofs, parameters: QUICK, segmentBytes: SEGMENT_BYTES });
  }

  /** The circuit of the last step of its sessions: one object, shared by them all. */
  async circuit(): Promise<Circuit> {
    const { config, plan } = this.#served[0];
    const builder = this.#proving?.builder;
    return (await this.#circuits.get(config, plan, this.#request, this.step, builder)).circuit;
  }

  /** What verifiers take in, of a protocol that proves. Public words are kept from one session to the next. */
  async captured(): Promise<Captured | undefined> {
    if (this.protocol === '3pc_semi_honest') return undefined;
    const { kernels, proofs } = this.#engines;
    const on = { kernels, proofs, parameters: QUICK, segmentBytes: SEGMENT_BYTES };
    // It looks at halves as a cheater has them.
    await this.kept();
    this.#captured ??= new Captured(await this.circuit(), on);
    return this.#captured;
  }

  /** Words that parties keep, where a step follows on another. */
  async kept(): Promise<KeptWords | undefined> {
    if (this.step === 0) return undefined;
    const circuit = await this.circuit();
    this.#kept ??= new KeptWords(circuit);
    return this.#kept;
  }

  /** The session that nobody changes. */
  normal(): Promise<Played> {
    this.#normal ??= this.play();
    return this.#normal;
  }

  /** A session to its end, whatever that is. */
  async play({ corrupt = (_self, channel) => channel, signal, timeoutMs, agreed }: Play = {}): Promise<Played> {
    const sent: Sent[] = [];
    const runs: (ProvedRun | undefined)[] = [undefined, undefined, undefined];
    const proving = this.#watched(runs, agreed);
    const request = this.#request;
    const { kernels } = this.#engines;
    const session = crypto.getRandomValues(new Uint8Array(16));
    const pairKeys = [1, 2].map(() => crypto.getRandomValues(new Uint8Array(32)));
    const secret = crypto.getRandomValues(new Uint8Array(32));
    const link = (a: PartyId, b: PartyId) =>
      memoryPair(a, b, {
        timeoutMs: timeoutMs ?? 600_000,
        tap: ({ from, to }, tag) => void sent.push({ from: from as PartyId, to: to as PartyId, tag }),
      });
    const [own1, one0] = link(0, 1);
    const [own2, two0] = link(0, 2);
    const [one2, two1] = link(1, 2);
    const common = {
      ...{ session, kernels, circuits: this.#circuits, proving, signal },
      now: () => performance.now(),
      peakMemory: () => 1,
    };
    const serve = (id: 1 | 2, owner: Channel, peer: Channel): Promise<SessionEnd | TercetError> =>
      serveSession({
        ...common,
        id,
        owner: corrupt(id, owner),
        pairKey: pairKeys[id - 1].slice(),
        connectPeer: async (): Promise<PeerChannel> =>
          Object.assign(corrupt(id, peer), { secret: () => secret.slice() }),
        models: [this.#served[id - 1]],
        patience: PATIENT,
      }).catch(asTercetError);
    const ends = [serve(1, one0, one2), serve(2, two0, two1)];
    let logits: readonly number[] | undefined;
    let failed: TercetError | undefined;
    try {
      const seeds = this.weights === 'secret' ? ownerSeeds(SHARING) : undefined;
      const owner = await OwnerSession.open({
        ...common,
        config: this.#config,
        request,
        channels: new Map<PartyId, Channel>([
          [1, corrupt(0, own1)],
          [2, corrupt(0, own2)],
        ]),
        pairKeys: [pairKeys[0].slice(), pairKeys[1].slice()],
        parameters: ownerParameters(this.#config, seeds),
      });
      await owner.prepare();
      const first = await owner.run([{ inputIds: PROMPT, rows: this.#rows }]);
      const last = this.step === 0 ? first : await owner.next({ tokenId: BEHIND, position: PROMPT.length });
      logits = Array.from(last.logits);
    } catch (error) {
      failed = asTercetError(error);
    }
    const errors = [failed, ...(await Promise.all(ends)).map((end) => (typeof end === 'string' ? undefined : end))];
    return { logits, errors, wiped: runs.map((run) => run?.ended), sent };
  }

  #watched(runs: (ProvedRun | undefined)[], agreed: Play['agreed']): Proving | undefined {
    const real = this.#proving;
    if (real === undefined) return undefined;
    return {
      protocols: real.protocols,
      builder: real.builder,
      check: real.check,
      begin(self) {
        const session = real.begin(self);
        return {
          get nonce() {
            return session.nonce;
          },
          agree: (nonces, names) => {
            const made = session.agree(nonces, names);
            agreed?.(made.slice());
            return made;
          },
          next: () => {
            const made = session.next();
            agreed?.(made.slice());
            return made;
          },
          end: () => session.end(),
          walk: (walk) => {
            const run = session.walk(walk);
            runs[self] = run as ProvedRun;
            return run;
          },
        };
      },
    };
  }
}
