/**
 * What sessions of the tamper matrix are about: a circuit with one gate of every kind, whole models that are as small
 * as a model can be, and every task on the model that ships for it and on a tiny one of its kind.
 */
import { invariant } from '../../core/errors.ts';
import { type ModelConfig, parseModelConfig } from '../../ml/config.ts';
import { modelPlan } from '../../ml/measured-ranges.ts';
import { type ModelParameters, modelParameters } from '../../ml/models/parameters.ts';
import type { ModelPlan } from '../../ml/models/plan.ts';
import { randomWeights } from '../../ml/models/random.ts';
import { LOGITS, OUTPUT_FORM, ROWS, type RunShape, TOKENS } from '../../ml/models/run.ts';
import type { WeightSource } from '../../ml/models/weights.ts';
import { planFromRanges, provedRanges } from '../../ml/ranges.ts';
import { TASKS, type Task } from '../../ml/tasks/table.ts';
import { fingerprint } from '../../mpc/protocol/frame/fingerprint.ts';
import type { Gates, TruncationModel } from '../../mpc/protocol/types.ts';
import type { Wire } from '../../mpc/share/wire.ts';
import { embeddedModel } from '../../node/defaults.ts';
import { openModel } from '../../node/model.ts';
import type { TaskText } from '../../owner/types/index.ts';
import type { TaskPlan } from '../../owner/predict-plan.ts';
import { shapeOfPlan } from '../../owner/runner.ts';
import { type TaskOptions, planTask } from '../../owner/task-plans.ts';
import { loadTextContext } from '../../owner/text-context.ts';
import { type BuiltCircuit, Circuits, type RequestBuilder, builderFor } from '../../session/circuits.ts';
import type { Request } from '../../session/request.ts';
import { ASKED_TINY, type TaskModel, tinyModel } from './tiny.ts';

/** A circuit with one gate of every kind, whole models by what their heads give, and a step that follows on another. */
const TOYS = ['gates', 'classification', 'tokens', 'generation', 'steps'] as const;
type Toy = (typeof TOYS)[number];

/** What is asked of a model that ships: short, for every session is one of a whole model. */
const ASKED = {
  'fill-mask': { text: 'The capital of France is [MASK].', options: {} },
  'text-classification': { text: 'a fine film', options: {} },
  'zero-shot-classification': {
    text: 'France',
    options: { labels: ['Europe', 'Asia'], template: '{text} is in {mask}.' },
  },
  'question-answering': { text: { question: 'Who came?', context: 'Anna came.' }, options: {} },
  'token-classification': { text: 'Anna is in Paris', options: {} },
  'text-generation': { text: 'The', options: { generation: { maxNewTokens: 2 } } },
  'feature-extraction': { text: 'The capital', options: {} },
} as const satisfies Readonly<Record<Task, { readonly text: TaskText; readonly options: TaskOptions }>>;

/** A task is on the model that ships for it, or on a tiny one. */
type TinyTask = `tiny-${Task}`;
export type Family = Toy | Task | TinyTask;
const TINY_TASKS: readonly TinyTask[] = TASKS.map((task) => `tiny-${task}` as const);
export const FAMILIES: readonly Family[] = [...TOYS, ...TASKS, ...TINY_TASKS];

/** The task of a family that is one. */
export function taskOf(family: Family): Task | undefined {
  return TASKS.find((task) => family === task || family === `tiny-${task}`);
}

function isToy(family: Family): family is Toy {
  return (TOYS as readonly Family[]).includes(family);
}

const SIZES = { hidden_size: 4, num_hidden_layers: 1, num_attention_heads: 1, intermediate_size: 4, vocab_size: 5 };
const POSITIONS = { max_position_embeddings: 4, type_vocab_size: 2 };
const LABELS = { id2label: { '0': 'no', '1': 'yes' } };
const BERT = { model_type: 'bert', hidden_act: 'gelu', layer_norm_eps: 1e-12, ...SIZES, ...POSITIONS };
const GPT2 = {
  ...{ model_type: 'gpt2', architectures: ['GPT2LMHeadModel'], activation_function: 'gelu_new' },
  ...{ n_embd: 4, n_layer: 1, n_head: 1, n_inner: 4, vocab_size: 5, n_positions: 4, layer_norm_epsilon: 1e-5 },
};
const CONFIGS: Readonly<Record<Toy, object>> = {
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
export const PROMPT = [3, 1];
export const BEHIND = 4;

/** Bits of a word in the circuit of gates. */
export const GATE_BITS = 14;

/** A model, and what is asked of it in every session. */
export interface Asked {
  readonly source: WeightSource;
  readonly shape: RunShape;
  /** Shared by all parties: what looks at a circuit looks at all of them. */
  readonly circuits: Circuits;
  plan(rounding: TruncationModel): Promise<ModelPlan>;
  /** Of a task: the text's part of one session. Its decoder goes with it. */
  readonly task?: (() => TaskPlan<unknown>) | undefined;
}

export async function askedOf(family: Family): Promise<Asked> {
  if (!isToy(family)) return askedOfTask(family);
  const source = randomWeights(parseModelConfig(CONFIGS[family]), 5, { outliers: false });
  const steps = family === 'steps' ? 1 : 0;
  const rows = family === 'gates' ? 1 : 0;
  return {
    source,
    shape: { sequences: 1, tokens: PROMPT.length, rows, padded: false, pair: false, steps },
    circuits: family === 'gates' ? new GateCircuits() : new Circuits(),
    plan: async (rounding) => planFromRanges(source.config, await provedRanges(source), rounding),
  };
}

async function askedOfTask(family: Task | TinyTask): Promise<Asked> {
  const task = taskOf(family);
  invariant(task !== undefined, 'a family of a task');
  const { config, files, source } = family === task ? await shipped(task) : tinyModel(task);
  const known = await loadTextContext(files, config);
  const { text, options } = (family === task ? ASKED : ASKED_TINY)[task];
  const plan = () => planTask(task, known, [text], options);
  const terms = { model: undefined, protocol: '3pc_malicious', weights: 'open' } as const;
  const shape = await shapeOfPlan({ config, terms, buckets: undefined, runMemory: Number.POSITIVE_INFINITY }, plan());
  return { source, shape, circuits: new Circuits(), plan: (rounding) => modelPlan(source, rounding), task: plan };
}

async function shipped(task: Task): Promise<TaskModel> {
  const opened = await openModel({ kind: 'folder', path: embeddedModel(task), task });
  const { config, files } = opened;
  if (files === undefined) throw new Error(`${opened.name} has no tokenizer`);
  return { config, files, source: await opened.weights() };
}

const POWERS = { bits: 3, entries: [1n, 2n, 4n, 8n, 16n, 32n, 64n, 128n] };

/** The smallest circuit with every kind of message, on the inputs and outputs of a model with masks. */
function everyGate(g: Gates, { embeddings, layers }: ModelParameters, { weights, protocol }: Request): void {
  const { k, scale } = OUTPUT_FORM[weights];
  const { weight } = layers[0].q;
  const map = g.affine([{ x: g.lookup(TOKENS, embeddings.word, 2), weight }]);
  const short = (wide: Wire) => g.reduce(g.reshape(wide, [8], 0), GATE_BITS);
  const wide = (x: Wire) => g.widen(g.add(x, g.table(g.reduce(x, 3), POWERS, GATE_BITS)), k);
  // Masks of a product follow from the input: what P0 and P2 send of them goes in the rounds, and not ahead.
  const symmetric = protocol === 'aby3';
  const x = short(symmetric ? g.affine([{ x: g.mul(map, map), weight }]) : map);
  const y = g.add(x, g.reduce(g.repeat(g.input(ROWS, [2], 64, 0), 4), GATE_BITS));
  const out = wide(g.mul(y, y));
  g.output(LOGITS, g.reshape(symmetric ? g.add(out, wide(short(map))) : out, [8], scale));
}

/** Of a model that is asked for as ever, the circuit is another. */
class GateCircuits extends Circuits {
  readonly #built = new Map<string, BuiltCircuit>();

  override async get(
    config: ModelConfig,
    _plan: ModelPlan,
    request: Request,
    _step = 0,
    builder: (request: Request) => RequestBuilder = builderFor,
  ): Promise<BuiltCircuit> {
    const key = `${request.protocol} ${request.weights}`;
    const known = this.#built.get(key);
    if (known !== undefined) return known;
    const gates = builder(request);
    everyGate(gates, modelParameters(config), request);
    const circuit = gates.finish();
    const built = { circuit, hash: fingerprint(circuit) };
    this.#built.set(key, built);
    return built;
  }
}
