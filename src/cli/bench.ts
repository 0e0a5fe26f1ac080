/** `tercet bench`: suites of measurements, as rows in the units of the JSON contract. */
import { join } from 'node:path';
import { Command } from 'commander';
import { type Row, type SuiteContext, keepResults } from '../bench/rows.ts';
import { TercetError } from '../core/errors.ts';
import { stateFolder } from '../node/defaults.ts';
import { ENTRY } from './entry.ts';
import { SEMI_HONEST, protocolWithProofs } from '../mpc/protocol/registry.ts';
import { integer, oneOf, parseProfile, parseTask, parseWeights } from './options.ts';
import { cancelOnSignals } from './signals.ts';

const SUITES = ['kernels', 'bert', 'gpt2', 'batch', 'accuracy', 'network', 'modes', 'tamper'] as const;

/** Which suites honour a flag; the others refuse it. */
const HONOURED = {
  tokens: ['bert'],
  weights: ['bert', 'accuracy', 'modes'],
  profile: ['bert'],
  limit: ['accuracy'],
  task: ['accuracy'],
  filter: ['modes', 'tamper'],
  every: ['tamper'],
  cover: ['tamper'],
  device: ['tamper'],
  protocol: ['accuracy'],
  gatesOnly: ['accuracy'],
  rows: ['tamper', 'accuracy', 'modes'],
} as const satisfies Partial<Record<keyof BenchFlags, readonly (typeof SUITES)[number][]>>;

interface BenchFlags {
  readonly suite?: string;
  readonly tokens?: string;
  readonly weights?: string;
  readonly profile?: string;
  readonly limit?: string;
  readonly task?: string;
  readonly filter?: string;
  readonly every?: string;
  readonly cover?: string;
  readonly device?: string;
  readonly protocol?: string;
  readonly gatesOnly?: boolean;
  readonly rows?: string;
  readonly out?: string;
  readonly json?: boolean;
}

export function benchCommand(): Command {
  return new Command('bench')
    .description(
      'measure: kernels, bert and gpt2 (real dimensions), batch, accuracy (private against plaintext), network, modes (protocols side by side), tamper (parties that cheat are caught)',
    )
    .option('--suite <name>', 'kernels, bert, gpt2, batch, accuracy, network, modes or tamper')
    .option('--tokens <n>', 'bert: only this length (16 or 128)')
    .option('--weights <mode>', 'bert, accuracy, modes: only open or only secret')
    .option('--profile <name>', 'bert: shape the links like a network: lan, wan-cloud or home')
    .option('--limit <n>', 'accuracy: only the first texts of each kind')
    .option('--task <task>', 'accuracy: only the texts of this task')
    .option(
      '--filter <text>',
      'modes, tamper: only what has it in its name, as bert-base/16/open or secret/generation/P1-P2/select-12/bit',
    )
    .option('--protocol <name>', 'accuracy: what the texts are asked by (default: 3pc_semi_honest)')
    .option('--gates-only', 'accuracy: a protocol with proofs, without them, all parties in this process')
    .option('--every <n>', 'tamper: one cell of so many, of each model')
    .option(
      '--cover <what>',
      'tamper: of each model a changed message of all parties, or of all kinds, or a change of each class of all kinds: parties, kinds or classes; with --every, what that leaves out',
    )
    .option(
      '--device <name>',
      'tamper: where parties compute and prove: wasm, webgpu, or webgpu+wasm, which proves beside the device (default: wasm)',
    )
    .option(
      '--rows <file>',
      'tamper, accuracy, modes: append what is made to this file, and do not make again what it has',
    )
    .option('--out <file>', 'keep the rows with commit, machine and command')
    .option('--json', 'print the rows as one JSON list on stdout')
    .action(async (flags: BenchFlags) => {
      await bench(flags);
    });
}

async function bench(flags: BenchFlags): Promise<void> {
  if (flags.suite === undefined)
    throw new TercetError('ERR_ARGUMENT', 'there is no --suite', 'for example --suite kernels');
  const suite = oneOf('suite', flags.suite, SUITES);
  for (const [flag, suites] of Object.entries(HONOURED))
    if (flags[flag as keyof BenchFlags] !== undefined && !suites.some((one) => one === suite))
      throw new TercetError(
        'ERR_ARGUMENT',
        `--suite ${suite} has no --${flag.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)}`,
        `leave it out, or take the suite ${suites.join(' or ')}`,
      );
  const protocol = flags.protocol === undefined ? undefined : protocolWithProofs(flags.protocol);
  if (flags.gatesOnly === true && (protocol === undefined || protocol === SEMI_HONEST.id))
    throw new TercetError(
      'ERR_ARGUMENT',
      '--gates-only is of a protocol that has proofs',
      'add --protocol 3pc_malicious or aby3',
    );
  const { signal, release } = cancelOnSignals();
  const rows: Row[] = [];
  const context: SuiteContext = {
    entry: ENTRY,
    signal,
    note: (text) => process.stderr.write(`  ${text}\n`),
    row: (row) => {
      rows.push(row);
      // A run that is stopped keeps what it measured; tamper has a thousand rows, and `--rows`.
      if (flags.out !== undefined && suite !== 'tamper') keepResults(flags.out, suite, rows);
      if (flags.json !== true) process.stdout.write(`${JSON.stringify(row)}\n`);
    },
  };
  const certificates = join(stateFolder(), 'certificates');
  const weights = flags.weights === undefined ? undefined : parseWeights(flags.weights);
  try {
    switch (suite) {
      case 'kernels':
        await (await import('../bench/kernels.ts')).benchKernels(context);
        break;
      case 'bert':
        await (await import('../bench/bert.ts')).benchBert(
          {
            tokens: flags.tokens === undefined ? undefined : integer('tokens', flags.tokens, 16, 128),
            weights,
            profile: flags.profile === undefined ? undefined : parseProfile(flags.profile),
          },
          context,
        );
        break;
      case 'accuracy':
        await (await import('../bench/accuracy.ts')).benchAccuracy(
          {
            certificates,
            limit: flags.limit === undefined ? undefined : integer('limit', flags.limit, 1, 100_000),
            weights,
            task: flags.task === undefined ? undefined : parseTask(flags.task),
            protocol,
            gatesOnly: flags.gatesOnly,
            rows: flags.rows,
          },
          context,
        );
        break;
      case 'network':
        await (await import('../bench/network.ts')).benchNetwork(context);
        break;
      case 'gpt2':
        await (await import('../bench/gpt2.ts')).benchGpt2(context);
        break;
      case 'batch':
        await (await import('../bench/batch.ts')).benchBatch(context);
        break;
      case 'modes':
        await (await import('../bench/modes.ts')).benchModes(
          { filter: flags.filter, weights, rows: flags.rows },
          context,
        );
        break;
      case 'tamper': {
        const { benchTamper } = await import('../bench/tamper/suite.ts');
        const every = flags.every === undefined ? undefined : integer('every', flags.every, 1, 10_000);
        const device =
          flags.device === undefined
            ? undefined
            : oneOf('device', flags.device, ['wasm', 'webgpu', 'webgpu+wasm'] as const);
        const cover =
          flags.cover === undefined ? undefined : oneOf('cover', flags.cover, ['parties', 'kinds', 'classes'] as const);
        const { filter, rows: file } = flags;
        const { survived, ...counts } = await benchTamper({ filter, every, cover, device, rows: file }, context);
        context.note(`${counts.caught} caught, ${survived} survived, ${counts.same} changed nothing`);
        context.note(
          `${counts.controls} sessions answered that nobody changed; ${counts.unnoticed} changes unnoticed without proofs`,
        );
        if (survived > 0) process.exitCode = 1;
        break;
      }
    }
  } finally {
    release();
  }
  if (flags.json === true) process.stdout.write(`${JSON.stringify(rows)}\n`);
  if (flags.out !== undefined) keepResults(flags.out, suite, rows);
}
