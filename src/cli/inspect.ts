/** `tercet model inspect`: what a model is, what its ranges come to, and what it will cost before anyone pays it. */
import { Command } from 'commander';
import type { ModelConfig } from '../ml/config.ts';
import { listParameters } from '../ml/models/parameters.ts';
import { isChecked } from '../ml/models/guards.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import { buildModel } from '../ml/models/secure-at-once.ts';
import { CompleteBuilder } from '../mpc/protocol/malicious/circuit.ts';
import { proofMemory } from '../mpc/protocol/malicious/proving/memory.ts';
import { proofPrice } from '../mpc/protocol/malicious/proving/price.ts';
import { PARAMETERS } from '../mpc/proof/soundness.ts';
import type { Cost, ProtocolId } from '../mpc/protocol/types.ts';
import { openModel } from '../node/model.ts';
import { type Plans, plansOf } from '../node/model-plan.ts';
import { SEGMENT_BYTES } from '../session/proved-price.ts';
import { circuitFor } from '../session/circuit-for.ts';
import { type Request, type SecurityLevel, type WeightMode, shapeFor } from '../session/request.ts';
import { type ModelFlags, RANGES_HELP, integer, modelLocation, parseRanges, parseTask, withTask } from './options.ts';
import { bytes, table } from './tables.ts';

interface InspectFlags extends ModelFlags {
  readonly task: string;
  readonly tokens?: string;
  readonly ranges?: string;
  readonly json?: boolean;
}

/** Lengths whose cost is shown, unless one is asked for. */
const LENGTHS = [16, 32, 128];

/** Exact bytes and rounds of one run, as the circuit declares them. */
interface RunCost {
  readonly name: string;
  readonly p0Up: number;
  readonly p0Down: number;
  readonly between: number;
  readonly rounds: number;
  /** Of a proved run: bytes of its proofs on all links, which the others hold as well. */
  readonly proofs?: number;
  readonly levels?: Readonly<Record<SecurityLevel, LevelCost>>;
}

interface LevelCost {
  /** Bytes of the proofs on all links. */
  readonly proofs: number;
  /** log2 of what a wrong run is accepted with at most. */
  readonly soundness: number;
  /** Bytes that proofs hold at a party at most: of the party that holds most. */
  readonly memory: number;
}

interface Inspection {
  readonly model: string;
  readonly config: ModelConfig;
  readonly parameters: number;
  readonly scales: Readonly<Record<string, number>>;
  readonly plan: ModelPlan;
  readonly costs: readonly (RunCost & {
    readonly protocol: ProtocolId;
    readonly weights: WeightMode;
    readonly tokens: number;
  })[];
}

function total(cost: Cost): Omit<RunCost, 'name'> {
  return {
    p0Up: cost.p0ToP1Ahead + cost.p0ToP2Ahead + cost.p0ToP1Input + cost.p0ToP2Input,
    p0Down: cost.p1ToP0 + cost.p2ToP0,
    between: cost.p2ToP1Ahead + cost.p1ToP2Ahead + cost.p1ToP2 + cost.p2ToP1,
    rounds: cost.rounds,
  };
}

/** A text of `tokens` positions, and for a language model one more token behind it. */
function costsOf(config: ModelConfig, plan: ModelPlan, weights: WeightMode, tokens: number): RunCost[] {
  const steps = config.head === 'causal-lm' ? 1 : 0;
  const needs = {
    sequences: 1,
    tokens,
    secretRows: config.head === 'none' ? 1 : 0,
    padded: true,
    pair: config.head === 'question-answering',
    steps,
  };
  const request: Request = { protocol: '3pc_semi_honest', weights, ...shapeFor(config, needs) };
  const first = { name: steps > 0 ? 'prompt' : 'text', ...total(circuitFor(config, plan, request).cost) };
  return steps > 0
    ? [first, { name: 'each further token', ...total(circuitFor(config, plan, request, 1).cost) }]
    : [first];
}

/** The same of `3pc_malicious`: a text, or a prompt whose one new token follows from it. */
function provedCostsOf(config: ModelConfig, plan: ModelPlan, weights: WeightMode, tokens: number): RunCost[] {
  const needs = { sequences: 1, tokens, secretRows: config.head === 'none' ? 1 : 0, padded: true, steps: 0 };
  const shape = shapeFor(config, { ...needs, pair: config.head === 'question-answering' });
  const builder = new CompleteBuilder(weights);
  buildModel(builder, { ...shape, config, plan }, 0);
  const circuit = builder.finish();
  const { bytes: sent } = proofPrice(circuit, PARAMETERS[128], SEGMENT_BYTES);
  const all = (bytes: typeof sent) => bytes.flat().reduce((sum, n) => sum + n, 0);
  const at = (level: SecurityLevel): LevelCost => {
    const { bytes, soundness } = proofPrice(circuit, PARAMETERS[level], SEGMENT_BYTES);
    const { peak } = proofMemory(circuit, PARAMETERS[level], SEGMENT_BYTES);
    return { proofs: all(bytes), soundness, memory: Math.max(...peak) };
  };
  const { p0Up, p0Down, between, rounds } = total(circuit.cost);
  const to = (pairs: readonly (readonly [number, number])[]) => pairs.reduce((sum, [a, b]) => sum + sent[a][b], 0);
  return [
    {
      name: config.head === 'causal-lm' ? 'prompt' : 'text',
      p0Up:
        p0Up +
        to([
          [0, 1],
          [0, 2],
        ]),
      p0Down:
        p0Down +
        to([
          [1, 0],
          [2, 0],
        ]),
      between:
        between +
        to([
          [1, 2],
          [2, 1],
        ]),
      rounds,
      proofs: all(sent),
      levels: { 128: at(128), 256: at(256) },
    },
  ];
}

function inspect(
  model: string,
  config: ModelConfig,
  { plan, provedPlan }: Plans,
  lengths: readonly number[],
): Inspection {
  const parameters = listParameters(config);
  const count = parameters.reduce((sum, { rows, cols }) => sum + rows * cols, 0);
  const [scale] = [parameters.find(({ name }) => name.endsWith('.q'))?.scale ?? 0];
  const costs = (['open', 'secret'] as const).flatMap((weights) =>
    lengths.flatMap((tokens) =>
      [
        ...costsOf(config, plan, weights, tokens).map((cost) => ({ ...cost, protocol: '3pc_semi_honest' as const })),
        ...(provedPlan === undefined ? [] : provedCostsOf(config, provedPlan, weights, tokens)).map((cost) => ({
          ...cost,
          protocol: '3pc_malicious' as const,
        })),
      ].map((cost) => ({ ...cost, weights, tokens })),
    ),
  );
  return {
    model,
    config,
    parameters: count,
    scales: { weights: scale, activations: 16, sums: 32, embeddings: parameters[0].scale, outputs: 16 },
    plan,
    costs,
  };
}

function count<T>(values: readonly T[]): string {
  const names = [...new Set(values)];
  return names.map((name) => `${String(name)} ×${values.filter((value) => value === name).length}`).join(', ');
}

/** What is proved, what is checked, and how much room there is. */
function rangeFacts(config: ModelConfig, plan: ModelPlan): string[][] {
  const { checks } = plan;
  const { layers } = config;
  if (checks === null)
    return [
      [
        'ranges',
        `proved from the weights, for every text; ${isChecked(config, plan) ? 'every run checks that no variance of a LayerNorm is too small' : 'nothing is checked'}`,
      ],
    ];
  const { margin, sampled } = checks;
  const kinds: [string, readonly (number | null)[]][] = [
    ['score spread', checks.spread],
    ['activation', checks.activation],
    ['values', checks.value],
    ["head's activation", [checks.headActivation]],
    ['outputs', [checks.logit]],
  ];
  const places = (values: readonly (number | null)[]) => values.filter((value) => value !== null).length;
  const some = kinds
    .filter(([, values]) => places(values) > 0)
    .map(([name, values]) =>
      values.length < layers ? name : `${name} (${places(values)} of ${values.length} layers)`,
    );
  const none = kinds.filter(([, values]) => places(values) === 0).map(([name]) => name);
  return [
    [
      'ranges',
      `measured on samples of up to ${sampled} tokens, with a margin of ${margin} before a text is refused (ERR_RANGE_EXCEEDED)`,
    ],
    ['checked in every run', [...some, 'LayerNorm (all, both ends)'].join(', ')],
    ['proved, if no check fails', none.length === 0 ? 'nothing else' : none.join(', ')],
    ['longer texts', 'the checks cover every length: beyond the samples a text is answered rightly or refused'],
  ];
}

function print({ model, config, parameters, scales, plan, costs }: Inspection): string {
  const { hiddenSize, layers, heads, intermediateSize, vocabSize, maxPositions, numLabels, id2label } = config;
  const facts = [
    ['model', model],
    ['architecture', `${config.architecture} (${config.modelType}, head ${config.head})`],
    [
      'size',
      `${layers} layers, width ${hiddenSize}, ${heads} heads of ${hiddenSize / heads}, feed-forward ${intermediateSize} (${config.activation})`,
    ],
    ['vocabulary', `${vocabSize} pieces, ${maxPositions} positions`],
    ...(numLabels > 0 && id2label.length > 0
      ? [['labels', id2label.slice(0, 12).join(', ') + (id2label.length > 12 ? ', …' : '')]]
      : []),
    [
      'parameters',
      `${(parameters / 1e6).toFixed(2)} million; with secret weights a part of ${bytes(8 * parameters)} for each compute party, 64 B for owners`,
    ],
    [
      'fixed point',
      `Z_2^64; ${Object.entries(scales)
        .map(([name, bits]) => `${name} 2^-${bits}`)
        .join(', ')}`,
    ],
    ...rangeFacts(config, plan),
    [
      'gadgets',
      `activation ${count(plan.activation)}; score spread bits ${count(plan.treeBits)}; LayerNorm ${count(plan.norms)}`,
    ],
  ];
  const rows = costs.map((cost) => [
    String(cost.tokens),
    cost.weights,
    cost.proofs === undefined ? cost.name : `${cost.name}, proved`,
    bytes(cost.p0Up),
    bytes(cost.p0Down),
    bytes(cost.between),
    String(cost.rounds),
    cost.proofs === undefined ? '' : bytes(cost.proofs),
  ]);
  return [
    '',
    table(facts, []),
    '',
    table(
      [['tokens', 'weights', 'of a', 'P0 up', 'P0 down', 'P1↔P2', 'rounds', 'proofs'], ...rows],
      [0, 3, 4, 5, 6, 7],
    ),
    '',
    '  Exact payload bytes of a padded run; frames add less than one in a hundred. Proved: 3pc_malicious.',
    ...levelLines(costs),
    '',
    '',
  ].join('\n');
}

/** What the two levels of proofs promise for this model, and cost: the weakest bound and the most bytes of its rows. */
function levelLines(costs: Inspection['costs']): string[] {
  const levels = costs.flatMap((cost) => (cost.levels === undefined ? [] : [cost.levels]));
  if (levels.length === 0) return [];
  return ([128, 256] as const).map((level) => {
    const bound = Math.max(...levels.map((of) => of[level].soundness));
    const most = Math.max(...levels.map((of) => of[level].proofs));
    const held = bytes(Math.max(...levels.map((of) => of[level].memory)));
    const passes = `a wrong run passes with at most 2^${bound.toFixed(1)}`;
    return `  Level ${level}: ${passes}; proofs of at most ${bytes(most)}, which hold at most ${held} at a party.`;
  });
}

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('show architecture, sizes, scales, ranges and the exact cost of a model before anyone pays it')
    .option('--task <task>', 'which embedded model, when no model is named', 'fill-mask')
    .option('--model <name>', 'model folder or org/name on the hub')
    .option('--random-weights <seed>', 'random weights of the architecture in --architecture')
    .option('--architecture <file>', 'config.json for --random-weights')
    .option('--tokens <n>', 'cost of this length only')
    .option('--ranges <which>', RANGES_HELP)
    .option('--json', 'print one JSON object on stdout')
    .action(async (flags: InspectFlags) => {
      const task = parseTask(flags.task);
      const location = modelLocation(flags, task);
      const model = await openModel(task === 'fill-mask' ? location : withTask(location, task));
      const longest = model.config.maxPositions - (model.config.head === 'causal-lm' ? 1 : 0);
      const wanted = flags.tokens === undefined ? LENGTHS : [integer('tokens', flags.tokens, 2, longest)];
      const lengths = [...new Set(wanted.map((length) => Math.min(length, longest)))];
      const ranges = flags.ranges === undefined ? undefined : parseRanges(flags.ranges);
      const inspection = inspect(
        model.name,
        model.config,
        await plansOf(model, await model.weights(), { ranges }),
        lengths,
      );
      process.stdout.write(flags.json === true ? `${JSON.stringify(inspection)}\n` : print(inspection));
    });
}
