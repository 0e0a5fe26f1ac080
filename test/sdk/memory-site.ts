/**
 * A deployment in one process: the real SDK, real sessions of all three parties, links in memory, and tiny models
 * of random weights with real tokenizers.
 */
import { createHash } from 'node:crypto';
import { createWasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import type { RingKernels } from '../../src/compute/kernels/types.ts';
import { type TercetError, asTercetError } from '../../src/core/errors.ts';
import { type ModelConfig, parseModelConfig } from '../../src/ml/config.ts';
import { memoryFiles } from '../../src/ml/files.ts';
import { randomWeights } from '../../src/ml/models/random.ts';
import type { WeightSource } from '../../src/ml/models/weights.ts';
import { type Tokenizer, loadTokenizer } from '../../src/ml/tokenizers/tokenizer.ts';
import { browserStore } from '../../src/hub/index.ts';
import { memoryPair } from '../../src/net/simulated/memory-link.ts';
import type { Channel } from '../../src/net/wire/types.ts';
import type { Environment, RoutedLink, RoutedLinkRequest } from '../../src/owner/environment.ts';
import { OwnerModel } from '../../src/owner/owner-model.ts';
import { taskOf } from '../../src/ml/tasks/table.ts';
import type { Deployment, PretrainedOptions, ProgressEvent } from '../../src/owner/types/index.ts';
import { type SessionEnd, serveSession } from '../../src/session/compute.ts';
import type { ServedModel } from '../../src/session/model.ts';
import type { Proving } from '../../src/session/proving.ts';
import { PIECES, TOKENIZER_CONFIG_JSON, TOKENIZER_JSON, jsonBytes } from '../ml/tiny-bert.ts';
import { circuits, kernels, servedModel } from '../session/harness.ts';
import { seeded } from '../support/simulate.ts';

const SIZES = {
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 24,
  layer_norm_eps: 1e-5,
};
const BERT = {
  model_type: 'bert',
  hidden_act: 'gelu',
  max_position_embeddings: 32,
  type_vocab_size: 2,
  vocab_size: PIECES.length,
  ...SIZES,
};

/** The 256 characters of bytes, two merges, and the end of a text. */
const BYTES = (() => {
  const printable = Array.from({ length: 256 }, (_, b) => b).filter(
    (b) => (b > 32 && b < 127) || (b > 160 && b !== 173),
  );
  let next = 256;
  return Array.from({ length: 256 }, (_, b) => String.fromCodePoint(printable.includes(b) ? b : next++));
})();
const MERGES = ['t h', 'th e'];
const GPT2_PIECES = [...BYTES, ...MERGES.map((merge) => merge.replace(' ', '')), '<|endoftext|>'];
const GPT2 = {
  architectures: ['GPT2LMHeadModel'],
  model_type: 'gpt2',
  activation_function: 'gelu_new',
  n_embd: 16,
  n_layer: 2,
  n_head: 2,
  n_positions: 32,
  layer_norm_epsilon: 1e-5,
  vocab_size: GPT2_PIECES.length,
};

const bert = (architecture: string, labels?: readonly string[]) => ({
  ...BERT,
  architectures: [architecture],
  ...(labels === undefined ? {} : { id2label: Object.fromEntries(labels.entries()) }),
});

/** config.json of a model for every head, and one that was trained on entailment, as far as its labels say. */
const CONFIGS = {
  filler: bert('BertForMaskedLM'),
  classifier: bert('BertForSequenceClassification', ['bad', 'fair', 'good']),
  entailment: bert('BertForSequenceClassification', ['CONTRADICTION', 'NEUTRAL', 'ENTAILMENT']),
  reader: bert('BertForQuestionAnswering'),
  tagger: bert('BertForTokenClassification', ['I-LOC', 'O', 'B-LOC', 'B-PER']),
  writer: GPT2,
  encoder: bert('BertModel'),
} as const;
export type ModelId = keyof typeof CONFIGS;

function filesOf(id: ModelId): Map<string, Uint8Array> {
  const config = ['config.json', jsonBytes(CONFIGS[id])] as const;
  if (id !== 'writer')
    return new Map([
      config,
      ['tokenizer.json', jsonBytes(TOKENIZER_JSON)],
      ['tokenizer_config.json', jsonBytes(TOKENIZER_CONFIG_JSON)],
    ]);
  const end = GPT2_PIECES[GPT2_PIECES.length - 1];
  return new Map([
    config,
    ['vocab.json', jsonBytes(Object.fromEntries(GPT2_PIECES.map((piece, i) => [piece, i])))],
    ['merges.txt', new TextEncoder().encode(`#version: 0.2\n${MERGES.join('\n')}\n`)],
    [
      'tokenizer_config.json',
      jsonBytes({ tokenizer_class: 'GPT2Tokenizer', bos_token: end, eos_token: end, unk_token: end }),
    ],
  ]);
}

export interface MemorySite {
  readonly source: WeightSource;
  readonly config: ModelConfig;
  /** Of the model that both parties serve. */
  readonly hash: string;
  readonly deployment: Deployment;
  openLink(request: Pick<RoutedLinkRequest, 'party' | 'session'>): Promise<RoutedLink>;
  readonly tokenizer: Tokenizer;
  readonly events: ProgressEvent[];
  /** Names of files, in the order in which they were asked for. */
  readonly fetched: string[];
  /** Their whole addresses. */
  readonly addresses: string[];
  file(name: string): Uint8Array;
  /** What is served in place of the model's file of that name. */
  readonly faults: Map<string, Uint8Array>;
  /** How every session ended, of both compute parties, in the order in which they began. */
  readonly ends: Promise<SessionEnd | TercetError>[];
  /** The compute parties' ends of the owner's links, in the same order. */
  readonly owners: Channel[];
  /** @param kernels of the owner, in place of the reference */
  load(options?: PretrainedOptions, kernels?: RingKernels): Promise<OwnerModel>;
}

/**
 * @param change of the deployment's one entry
 * @param on what both compute parties compute on (default: the reference, each session for itself)
 * @param proved what proves the messages of all three parties, and a compute party's end of the link to the other one
 */
export async function memorySite(
  id: ModelId,
  change: (entry: Deployment['entries'][number]) => object = (entry) => entry,
  on?: RingKernels,
  proved: Proved = {},
): Promise<MemorySite> {
  const config = parseModelConfig(CONFIGS[id]);
  const files = filesOf(id);
  const source = randomWeights(config, 7);
  const model = await servedModel(source, on);
  const pins = Object.fromEntries(
    [...files].map(([name, bytes]) => [
      name,
      { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
    ]),
  );
  const entry = { id, task: taskOf(config.head), title: id, weights: { open: model.hash }, files: pins, examples: [] };
  const party = (id: 1 | 2) => ({ url: `http://127.0.0.1:${id}`, identity: `c${id}`.repeat(32) });
  const deployment: Deployment = {
    version: 1,
    parties: [party(1), party(2)],
    models: 'models',
    entries: [{ ...entry, ...change(entry) }],
  };
  const fetched: string[] = [];
  const addresses: string[] = [];
  const faults: MemorySite['faults'] = new Map();
  const store = browserStore();
  const events: ProgressEvent[] = [];
  const ends: MemorySite['ends'] = [];
  const owners: Channel[] = [];
  const openLink = opener(model, ends, owners, on, proved);
  const place: Environment = {
    base: 'http://127.0.0.1/',
    async fetch(url) {
      const name = new URL(url).pathname.split('/').at(-1) ?? '';
      fetched.push(name);
      addresses.push(url);
      const bytes = faults.get(name) ?? files.get(name);
      return bytes === undefined ? new Response('no', { status: 404 }) : new Response(Uint8Array.from(bytes));
    },
    hub: async () => ({ store }),
    now: () => performance.now(),
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    peakMemory: () => 1,
    capabilities: () => Promise.reject(new Error('the device is named')),
    openKernels: async () => createWasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 }),
    openLink,
    proving: proved.proving === undefined ? undefined : async () => proved.proving as Proving,
  };
  return {
    source,
    config,
    hash: model.hash,
    deployment,
    openLink,
    tokenizer: await loadTokenizer(memoryFiles(id, files)),
    events,
    fetched,
    addresses,
    file: (name) => files.get(name) ?? new Uint8Array(),
    faults,
    ends,
    owners,
    load: (options, kernels) =>
      OwnerModel.load(
        id,
        { deployment, device: 'wasm', buckets: [8, 16], progress_callback: (event) => events.push(event), ...options },
        kernels === undefined ? place : { ...place, openKernels: async () => kernels },
      ),
  };
}

interface Proved {
  readonly proving?: Proving;
  /** Of the compute parties, where it is another one. */
  readonly theirs?: Proving;
  /** Longest wait for one message. */
  readonly timeoutMs?: number;
  /** @param number of the session, from 0 */
  readonly between?: (number: number, self: 1 | 2, channel: Channel) => Channel;
}

/** Both compute parties start with the first link of a session; the links between them stand already. */
function opener(
  model: ServedModel,
  ends: MemorySite['ends'],
  owners: Channel[],
  on: RingKernels | undefined,
  { proving, theirs = proving, timeoutMs, between = (_number, _self, channel) => channel }: Proved,
): (request: Pick<RoutedLinkRequest, 'party' | 'session'>) => Promise<RoutedLink> {
  const waiting = new Map<string, readonly Channel[]>();
  return async ({ party, session }) => {
    const name = session.join();
    const key = (id: 1 | 2) => seeded(32, 7, id);
    let channels = waiting.get(name);
    if (channels === undefined) {
      const [own1, one0] = memoryPair(0, 1, { timeoutMs });
      const [own2, two0] = memoryPair(0, 2, { timeoutMs });
      const [one2, two1] = memoryPair(1, 2, { timeoutMs });
      const now = () => performance.now();
      const number = ends.length / 2;
      const secret = crypto.getRandomValues(new Uint8Array(32));
      const serve = (id: 1 | 2, owner: Channel, peer: Channel) =>
        serveSession({
          id,
          owner,
          pairKey: key(id),
          connectPeer: async () => Object.assign(between(number, id, peer), { secret: () => secret.slice() }),
          proving: theirs,
          session: session.slice(),
          models: [model],
          kernels: on ?? kernels,
          circuits,
          now,
          peakMemory: () => 1,
        }).catch(asTercetError);
      owners.push(one0, two0);
      ends.push(serve(1, one0, one2), serve(2, two0, two1));
      channels = [own1, own2];
      waiting.set(name, channels);
    }
    if (party === 3) throw new Error('this site has no dealer');
    return { channel: channels[party - 1], pairKey: key(party), transport: 'websocket', handshakeMs: 0 };
  };
}
