/**
 * A scripted SDK for looking at the page: no parties, no network, made-up figures. Development only; nothing under
 * `src/` may import it.
 *
 * What happens is chosen by name, so that a driver can hold the page in any state for a screenshot.
 */
import type { Sdk } from '../../src/app/port.ts';
import { TercetError } from '../../src/core/errors.ts';
import type {
  AnswerOptions,
  Captured,
  ClassifyOptions,
  Deployment,
  EmbedOptions,
  EntityOptions,
  GenerateOptions,
  GenerateResult,
  GenerateStream,
  Links,
  Model,
  ModelEntry,
  PartyHealth,
  PretrainedOptions,
  ProgressEvent,
  RunCost,
  RunProofs,
  TaskText,
  TextCheck,
} from '../../src/owner/types/index.ts';

export const SCRIPTS = [
  'ok',
  'hold-piece',
  'lost-piece',
  'refuses-label',
  'vectors',
  'hold-prepare',
  'hold-run',
  'silent',
  'full',
  'away',
  'peer-lost',
  'outside',
  'unproved',
  'dealer',
  'dealer-away',
  'identity',
  'device-lost',
  'fallback',
  'load-fails',
  'hold-load',
  'leaves',
  'lets-go',
  'link-blocked',
  'cannot-reach',
] as const;
export type Script = (typeof SCRIPTS)[number];

const LAYERS = 12;
const ROUNDS = 714;
const AHEAD = [1.9e6, 18.6e6] as const;
const BETWEEN = 486e6;
const SECTIONS = [
  'attention/scores',
  'attention/maximum',
  'attention/exponential',
  'attention/context',
  'attention output',
  'feed-forward',
  'feed-forward output',
];
const BUCKETS = [16, 32, 64, 128];

const LEASE =
  'The flat is let to Ms Okafor for three years. The lease ends on 31 May 2027 and may be renewed once, in writing, for a further year.';
/** What is added to a text, in pieces. */
const STORY =
  ' the sea had been quiet since noon, and that no ship had passed the lamp before the fog came in'.match(/ ?[^ ]+/g) ??
  [];

export const DEPLOYMENT: Deployment = {
  version: 1,
  parties: [
    { url: 'https://p1.alder.example', identity: '7c1e90ab42f3d518'.repeat(4), operator: 'Alder', place: 'Frankfurt' },
    { url: 'https://p2.birch.example', identity: 'b8035e6d11c9a274'.repeat(4), operator: 'Birch', place: 'Oslo' },
  ],
  models: 'models/',
  entries: [
    {
      id: 'bert-base-uncased',
      task: 'fill-mask',
      title: 'BERT base, English',
      weights: { open: '00'.repeat(32) },
      files: {},
      examples: [
        { label: 'a capital', text: 'The capital of France is [MASK].' },
        { label: 'a symptom', text: 'The patient was treated for [MASK] at home.' },
        { label: 'a contract', text: 'The contract ends in [MASK].' },
      ],
    },
    {
      id: 'sst2-bert',
      task: 'text-classification',
      title: 'Praise or complaint',
      weights: { open: '00'.repeat(32), secret: '11'.repeat(32) },
      files: {},
      examples: [
        { label: 'a complaint', text: 'I have waited three weeks and nobody has called me back.' },
        { label: 'a thank-you', text: 'Your engineer fixed it in ten minutes. Thank you.' },
      ],
    },
    {
      id: 'squad-distilbert',
      task: 'question-answering',
      title: 'Finds an answer in a text',
      weights: { open: '00'.repeat(32) },
      files: {},
      examples: [
        { label: 'a lease', text: LEASE, question: 'When does the lease end?' },
        { label: 'who it is', text: LEASE, question: 'Who is the flat let to?' },
      ],
    },
    {
      id: 'wnut-roberta',
      task: 'token-classification',
      title: 'Finds names',
      weights: { open: '00'.repeat(32) },
      files: {},
      examples: [
        { label: 'a change of jobs', text: 'Maria Lindqvist left Uppsala to work for Nordhavn Shipping in March.' },
        { label: 'none', text: 'It rained all day.' },
      ],
    },
    {
      id: 'tiny-gpt2',
      task: 'text-generation',
      title: 'Goes on with a story',
      weights: { open: '00'.repeat(32) },
      files: {},
      examples: [
        { label: 'a keeper', text: 'The keeper wrote in his log that' },
        { label: 'a cat', text: 'There was a cat that' },
      ],
    },
  ],
};

const VECTORS: ModelEntry = {
  ...DEPLOYMENT.entries[1],
  id: 'sentence-vectors',
  task: 'feature-extraction',
  title: 'Meaning as numbers',
};

/** A task later: nested timers wait 4 ms each, whatever they are told. */
function soon(call: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    call();
  };
  port2.postMessage(0);
}

const wait = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = (): void => reject(new TercetError('ERR_ABORTED', 'the run was cancelled', 'start it again'));
    if (signal?.aborted === true) stop();
    signal?.addEventListener('abort', stop);
    if (ms < 1) soon(resolve);
    else setTimeout(resolve, ms);
  });

function hex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
}

const sample = (): readonly [string, string] => [hex(30), hex(30)];

/** `before`: pieces of a text that had come before. */
function links(ahead: number, input: boolean, run: number, output: boolean, before = 0): Links {
  return {
    p1: {
      ahead: Math.round(AHEAD[0] * ahead),
      input: input ? 98_304 + before * 6_000 : 0,
      output: output ? 244_192 * (before + 1) : 0,
    },
    p2: { ahead: Math.round(AHEAD[1] * ahead), input: input ? 98_304 + before * 6_000 : 0, output: 0 },
    between: {
      bytes: Math.round(BETWEEN * run),
      rounds: Math.round(ROUNDS * run),
      totalRounds: ROUNDS * 20 ** Number(before > 0),
    },
  };
}

/** An error with the party that it is about, as the SDK throws it. */
function of(party: 1 | 2, code: ConstructorParameters<typeof TercetError>[0], message: string): Error {
  return Object.assign(new TercetError(code, message, 'see the page'), { party });
}

function tokensOf(text: string): string[] {
  return [
    '[CLS]',
    ...(text.toLowerCase().match(/\[mask\]|\w+|[^\w\s]/g) ?? []).map((token) =>
      token === '[mask]' ? '[MASK]' : token,
    ),
    '[SEP]',
  ];
}

function captured(text: string): Captured {
  const tokens = tokensOf(text).map((token, i) => ({
    text: token,
    id: token === '[MASK]' ? 103 : 1000 + ((i * 977) % 9000),
    p1: hex(8),
    p2: hex(8),
  }));
  const pair = (total: bigint): readonly [string, string] => {
    const first = BigInt(`0x${hex(8)}`);
    return [
      first.toString(16).padStart(16, '0'),
      BigInt.asUintN(64, total - first)
        .toString(16)
        .padStart(16, '0'),
    ];
  };
  const histogram = (bytes: Uint8Array): number[] => {
    const counts = new Array<number>(256).fill(0);
    for (const byte of bytes) counts[byte]++;
    return counts;
  };
  const random = (length: number): number[] => {
    const all = new Uint8Array(length);
    for (let i = 0; i < length; i += 65536) crypto.getRandomValues(all.subarray(i, i + 65536));
    return histogram(all);
  };
  return {
    tokens,
    sum: { index: Math.min(3, tokens.length - 1), words: pair(1n), otherId: 1998, otherWords: pair(0n) },
    histograms: { text: histogram(new TextEncoder().encode(text)), p1: random(400_000), p2: random(2_000_000) },
  };
}

/** With open weights: the browser has nothing to prove. */
const PROOFS: RunProofs = {
  provers: [
    { prover: 1, verifiers: [2, 0], messages: 1_412, segments: 96, bytes: 2_310_000 },
    { prover: 2, verifiers: [1, 0], messages: 1_187, segments: 96, bytes: 2_090_000 },
  ],
  bytes: 4_400_000,
  ms: [2_900, 6_400, 6_100],
  soundness: -47.3,
};

class ScriptedModel {
  readonly layers = LAYERS;
  readonly maxTokens = 128;
  readonly downloadedBytes = 614_400;
  readonly device: Model['device'];
  readonly id: string;
  readonly task: Model['task'];
  readonly labels = [];
  readonly #script: Script;
  /** Milliseconds of waiting that take one. */
  readonly #pace: number;
  readonly #tell: (event: ProgressEvent) => void;
  readonly #dealer: boolean;
  readonly #proves: boolean;
  #ready = 0;

  constructor(
    script: Script,
    { pace = 1, fallback = false, dealer = false, proves = false }: Chosen,
    id: string,
    task: Model['task'],
    tell: (event: ProgressEvent) => void,
  ) {
    this.#script = script;
    this.#pace = pace;
    this.device = fallback ? 'wasm' : 'webgpu';
    this.#dealer = dealer;
    this.#proves = proves;
    this.id = id;
    this.task = task;
    this.#tell = tell;
  }

  async check(given: TaskText): Promise<TextCheck> {
    const text = typeof given === 'string' ? given : `${given.question} [SEP] ${given.context}`;
    const empty =
      typeof given === 'string'
        ? given.trim() === ''
        : [given.question, given.context].some((part) => part.trim() === '');
    const tokens = tokensOf(text).length;
    const blanks = text.split('[MASK]').length - 1;
    const paddedTokens = BUCKETS.find((length) => length >= tokens);
    const code = empty
      ? 'ERR_TEXT_EMPTY'
      : paddedTokens === undefined
        ? 'ERR_TOO_MANY_TOKENS'
        : this.task === 'fill-mask' && blanks === 0
          ? 'ERR_NO_MASK'
          : undefined;
    return {
      tokens,
      paddedTokens,
      blanks,
      ...(code === undefined ? {} : { problem: new TercetError(code, 'the text cannot run as it is', 'see the page') }),
    };
  }

  async prepare(length: number, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#deal(length, true, options.signal);
    this.#ready = length;
    if (this.#script === 'lets-go')
      setTimeout(() => this.#tell({ status: 'released', length, reason: 'lost', code: 'ERR_PEER_LET_GO' }), 300);
  }

  async release(): Promise<void> {
    this.#ready = 0;
  }

  async predict(text: string, options: { readonly signal?: AbortSignal } = {}): ReturnType<Model['predict']> {
    const words: [string, number][] = [
      ['paris', 0.417],
      ['lille', 0.071],
      ['lyon', 0.063],
      ['marseille', 0.044],
      ['tours', 0.03],
    ];
    const cost = await this.#compute(text, options.signal);
    const list = words.map(([token_str, score], i) => ({
      token: token_str,
      token_str,
      token_id: 3000 + i,
      score,
      sequence: text.replace('[MASK]', token_str),
    }));
    return {
      predictions: list,
      blanks: text
        .split('[MASK]')
        .slice(1)
        .map(() => list),
      cost,
      captured: captured(text),
    };
  }

  async classify(text: string, options: ClassifyOptions = {}): ReturnType<Model['classify']> {
    if (this.#script === 'refuses-label')
      throw new TercetError(
        'ERR_ARGUMENT',
        'the label "Europe" is not one word of the model\'s vocabulary',
        'see the page',
      );
    const cost = await this.#compute(text, options.signal);
    const names = Array.isArray(options.labels) ? (options.labels as string[]) : ['complaint', 'question', 'praise'];
    const labels = names.map((label, i) => ({ label, score: [0.964, 0.028, 0.008][i] ?? 0 }));
    return { label: labels[0].label, score: 0.964, labels, cost, captured: captured(text) };
  }

  async answerQuestion(
    { question, context }: { readonly question: string; readonly context: string },
    options: AnswerOptions = {},
  ): ReturnType<Model['answerQuestion']> {
    const cost = await this.#compute(`${question} [SEP] ${context}`, options.signal);
    const answers = (['31 May 2027', 'three years', 'a further year'] as const).map((text, i) => {
      const start = Math.max(0, context.indexOf(text));
      return { text, answer: text, score: [0.962, 0.021, 0.004][i], start, end: start + text.length };
    });
    return { ...answers[0], answers, cost, captured: captured(`${question} ${context}`) };
  }

  async extractEntities(text: string, options: EntityOptions = {}): ReturnType<Model['extractEntities']> {
    const cost = await this.#compute(text, options.signal);
    const found = (
      [
        ['Maria Lindqvist', 'PER', 0.998],
        ['Uppsala', 'LOC', 0.994],
        ['Nordhavn Shipping', 'ORG', 0.987],
      ] as const
    ).filter(([word]) => text.includes(word));
    const entities = found.map(([word, label, score]) => {
      const start = text.indexOf(word);
      return { text: word, word, label, entity_group: label, score, start, end: start + word.length };
    });
    return { entities, cost, captured: captured(text) };
  }

  generate(prompt: string, options: GenerateOptions = {}): GenerateStream {
    const whole = this.#write(prompt, options);
    return {
      // biome-ignore lint/suspicious/noThenProperty: as the SDK's: it can be awaited, and iterated over
      then: (...both) => whole.then(...both),
      async *[Symbol.asyncIterator]() {
        yield (await whole).text;
      },
    };
  }

  async #write(prompt: string, { maxNewTokens = 20, signal }: GenerateOptions): Promise<GenerateResult> {
    const pieces = Array.from({ length: maxNewTokens }, (_, i) => STORY[i % STORY.length]);
    const [pieceMs, start]: [number[], number] = [[], performance.now()];
    let [cost, done]: [RunCost | undefined, number] = [undefined, 0];
    for (const text of pieces) {
      cost = await this.#compute(prompt, signal, done++, 4);
      this.#tell({ status: 'token', index: done - 1, text, links: cost.links });
      pieceMs.push(done === 1 ? performance.now() - start : 410 + 10 * (done % 5));
      if (done === 7 && this.#script === 'hold-piece') await this.#hold(signal);
      if (done === 7 && this.#script === 'lost-piece') throw of(2, 'ERR_PEER_TIMEOUT', 'no frame for 10 s');
    }
    if (cost === undefined) throw new TercetError('ERR_ARGUMENT', 'no piece', 'see the page');
    const text = pieces.join('');
    return {
      text,
      generated_text: prompt + text,
      ids: pieces.map((_, i) => i),
      reason: 'length',
      cost,
      pieceMs,
      captured: captured(prompt),
    };
  }

  async embed(texts: string | readonly string[], options: EmbedOptions = {}): ReturnType<Model['embed']> {
    const cost = await this.#compute(String(texts), options.signal);
    const data = Float32Array.from({ length: 384 }, (_, i) => Math.sin(1 + i * i) / 14);
    return { vectors: [{ dims: [1, 384], data }], costs: [cost] };
  }

  async classifyBatch(): ReturnType<Model['classifyBatch']> {
    return { results: [], costs: [] };
  }

  async health(): ReturnType<Model['health']> {
    await wait(20 / this.#pace);
    const left = this.#script === 'leaves' && this.#ready > 0;
    const down = this.#script === 'cannot-reach' || this.#script === 'away' || left;
    const full = this.#script === 'full';
    const error = new TercetError('ERR_PEER_UNREACHABLE', 'no connection', 'see the page');
    const dealer: PartyHealth =
      this.#script === 'dealer-away'
        ? { party: 3, ok: false, error }
        : { party: 3, ok: true, milliseconds: 24, device: 'wasm-simd128', version: '0.1.0' };
    return [
      { party: 1, ok: true, milliseconds: 24, device: 'wasm-simd128', version: '0.1.0' },
      down
        ? { party: 2, ok: false, error }
        : {
            party: 2,
            ok: true,
            load: full ? 'full' : 'free',
            milliseconds: 31,
            device: 'wasm-simd128',
            version: '0.1.0',
          },
      ...(this.#dealer ? [dealer] : []),
    ];
  }

  async dispose(): Promise<void> {
    this.#ready = 0;
  }

  async #deal(length: number, ahead: boolean, signal: AbortSignal | undefined): Promise<void> {
    if (this.#script === 'identity') throw of(1, 'ERR_IDENTITY_KEY', 'the answer was signed by another key');
    if (this.#script === 'unproved') throw of(2, 'ERR_IDENTITY_PEERS', 'party 2 proved nothing to party 1');
    if (this.#script === 'link-blocked') throw of(2, 'ERR_LINK_BLOCKED', 'no candidate pair in 5 s');
    if (this.#script === 'cannot-reach') throw of(2, 'ERR_PEER_UNREACHABLE', 'connection refused');
    for (const party of [1, 2] as const) {
      this.#tell({ status: 'connect', party, transport: 'webrtc' });
      this.#tell({ status: 'handshake', party, milliseconds: 31 });
    }
    for (let step = 1; step <= 50; step++) {
      await wait(20 / this.#pace, signal);
      if (this.#script === 'device-lost' && step === 31)
        throw new TercetError('ERR_DEVICE_LOST', 'device lost: unknown', 'see the page');
      if (this.#script === 'hold-prepare' && step === 32) await wait(1e8, signal);
      this.#tell({
        status: 'preprocess',
        length,
        progress: step / 50,
        links: links(step / 50, false, 0, false),
        done: step === 50,
        ahead,
        sample: sample(),
      });
    }
  }

  /** Both parties are there and wait; of one that is silent nothing is heard. */
  async #hold(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      this.#tell({ status: 'heard', party: 1 });
      if (this.#script !== 'silent') this.#tell({ status: 'heard', party: 2 });
      await wait(500, signal);
    }
  }

  async #compute(text: string, signal: AbortSignal | undefined, before = 0, ms = 18): Promise<RunCost> {
    const start = performance.now();
    const check = await this.check(text);
    const preparedAhead = this.#ready === check.paddedTokens || before > 0;
    if (!preparedAhead) await this.#deal(check.paddedTokens ?? 16, false, signal);
    this.#ready = 0;
    await wait(40 / this.#pace, signal);
    this.#tell({ status: 'input', links: links(1, true, before, before > 0, before), sample: sample() });
    const steps = (LAYERS + 2) * SECTIONS.length;
    for (let step = 0; step < steps; step++) {
      if (ms > 10 || step % SECTIONS.length === 0) await wait(ms / this.#pace, signal);
      for (const party of [1, 2] as const) this.#tell({ status: 'heard', party });
      const layer = Math.floor(step / SECTIONS.length);
      const section = layer === 0 ? 'embeddings' : layer > LAYERS ? 'head' : SECTIONS[step % SECTIONS.length];
      this.#tell({
        status: 'layer',
        layer,
        layers: LAYERS,
        section,
        progress: step / steps,
        links: links(1, true, before + step / steps, before > 0, before),
      });
      if (layer === 7 && step % SECTIONS.length === 5) {
        if (this.#script === 'outside')
          throw new TercetError('ERR_RANGE_EXCEEDED', 'a value left its range', 'see the page');
        if (this.#script === 'peer-lost') throw of(2, 'ERR_PEER_TIMEOUT', 'no frame for 10 s');
        if (this.#script === 'hold-run' || this.#script === 'silent') await this.#hold(signal);
      }
    }
    this.#tell({ status: 'reconstruct', links: links(1, true, before + 1, true, before) });
    await wait(60 / this.#pace, signal);
    return {
      tokens: check.tokens,
      paddedTokens: check.paddedTokens ?? 16,
      links: links(1, true, before + 1, true, before),
      onlineRounds: 1,
      sentBytes: [20_800_000, 243_500_000, 243_500_000],
      receivedBytes: [246_000, 245_500_000, 261_700_000],
      peakMemoryBytes: [212e6, 1.1e9, 1.1e9],
      devices: ['webgpu', 'wasm', 'wasm'],
      timing: {
        prepareMs: 5900,
        inputMs: 40,
        computeMs: performance.now() - start - 100,
        outputMs: 60,
        totalMs: performance.now() - start,
      },
      preparedAhead,
      proofs: this.#proves ? PROOFS : undefined,
    };
  }
}

const DEALER = {
  url: 'https://d.cedar.example',
  identity: 'd41c77a0be95f263'.repeat(4),
  operator: 'Cedar',
  place: 'Bern',
};

/** Beside the script: how fast it goes, and whether the browser lacks WebGPU. */
export interface Stage {
  readonly pace?: number;
  readonly fallback?: boolean;
}

/** And what was asked for of a model. */
type Chosen = Stage & { readonly dealer?: boolean; readonly proves?: boolean };

export function scripted(script: Script, { pace = 1, fallback = script === 'fallback' }: Stage = {}): Sdk {
  return {
    async loadDeployment() {
      if (script === 'load-fails') throw new TercetError('ERR_DOWNLOAD', 'tercet.json: 404', 'see the page');
      if (script === 'dealer' || script === 'dealer-away') return { ...DEPLOYMENT, dealer: DEALER };
      return script === 'vectors' ? { ...DEPLOYMENT, entries: [...DEPLOYMENT.entries, VECTORS] } : DEPLOYMENT;
    },
    async capabilities() {
      const webgpu = fallback
        ? ({ ok: false, reason: 'no-api', detail: '' } as const)
        : ({ ok: true, detail: '4 GB buffers, 256 threads a group' } as const);
      return {
        webgpu,
        wasm: { ok: true, detail: 'with SIMD' },
        webrtc: { ok: true, detail: '' },
        workers: { ok: true, detail: '' },
        threads: 8,
        crossOriginIsolated: false,
        device: webgpu.ok ? 'webgpu' : 'wasm',
      };
    },
    async fromPretrained(id: string, options: PretrainedOptions) {
      await wait(30);
      if (script === 'hold-load') {
        options.progress_callback?.({
          status: 'progress',
          name: id,
          file: 'vocab.txt',
          loaded: 2e5,
          total: 6e5,
          progress: 33,
        });
        await wait(1e8);
      }
      if (options.weights === 'secret' && options.credential === undefined)
        throw new TercetError('ERR_CREDENTIAL_MISSING', 'secret weights without a credential', 'see the page');
      if (fallback)
        options.onFallback?.({ what: 'device', from: 'webgpu', to: 'wasm', reason: 'this browser has no WebGPU' });
      const task = [...DEPLOYMENT.entries, VECTORS].find((entry) => entry.id === id)?.task ?? 'fill-mask';
      const proves = (options.protocol ?? '3pc_semi_honest') !== '3pc_semi_honest';
      const stage = { pace, fallback, dealer: options.dealer === true, proves };
      return new ScriptedModel(script, stage, id, task, (event) => options.progress_callback?.(event));
    },
  };
}
