/** `tercet infer`: one private run, of any task, with local parties or named ones. */
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { concatBytes } from '../core/bytes.ts';
import { TercetError } from '../core/errors.ts';
import type { GenerationOptions } from '../ml/tasks/generate.ts';
import { TASKS } from '../ml/tasks/table.ts';
import { decodeUtf8, textLimit } from '../ml/text.ts';
import { OwnerCredential } from '../net/enrolment/credential.ts';
import { NETWORK_TIMEOUT_HELP, defaultThreads } from '../node/defaults.ts';
import { MAX_SEQUENCES } from '../session/request.ts';
import { printAnswers } from './answers.ts';
import { toJson } from './json-output.ts';
import {
  DEALER_TRUST,
  MAX_CHARACTERS_HELP,
  batchSize,
  decimal,
  integer,
  list,
  maxCharacters,
  modelLocation,
  networkTimeout,
  oneOf,
  parseDevice,
  parseLevel,
  parsePlan,
  parseProfile,
  parseRanges,
  parseTask,
  parseWeights,
  LEVEL_HELP,
  PROTOCOL_HELP,
  RANGES_HELP,
  type ModelFlags,
  withTask,
} from './options.ts';
import { type CredentialFlags, credentialFolder, credentialOptions } from './credentials.ts';
import { remote } from './remote.ts';
import { printCost } from './tables.ts';
import { runOnTerminal } from './terminal.ts';
import { TRACE_HELP, traceFile } from './trace.ts';

interface InferFlags extends ModelFlags, CredentialFlags {
  readonly task: string;
  readonly text?: string;
  readonly textFile?: string;
  readonly textsFile?: string;
  readonly batchSize?: string;
  readonly question?: string;
  readonly labels?: string;
  readonly template?: string;
  readonly verbalizers?: string;
  readonly multiLabel?: boolean;
  readonly pooling?: string;
  readonly normalize?: string;
  readonly specialTokens?: string;
  readonly maxCharacters?: string;
  readonly minNewTokens?: string;
  readonly noRepeatNgramSize?: string;
  readonly eosTokenId?: string;
  readonly suppressTokens?: string;
  readonly doSample?: string;
  readonly maxNewTokens?: string;
  readonly temperature?: string;
  readonly topP?: string;
  readonly sampleTopK?: string;
  readonly repetitionPenalty?: string;
  readonly stop?: string;
  readonly seed?: string;
  readonly tokens?: string;
  readonly sequences?: string;
  readonly protocol: string;
  readonly securityLevel: string;
  readonly weights: string;
  readonly plan: string;
  readonly credential?: string;
  readonly ranges?: string;
  readonly device: string;
  readonly threads?: string;
  readonly topK: string;
  readonly profile?: string;
  readonly peers?: string;
  readonly identities?: string;
  readonly dealer?: string;
  readonly dealerIdentity?: string;
  readonly compare?: boolean;
  readonly networkTimeout?: string;
  readonly trace?: string;
  readonly json?: boolean;
  readonly debug?: boolean;
}

/** Says whom secret weights protect against: more would be promised than is proved. */
const WEIGHTS_HELP = [
  'open: both compute parties know the model; secret: neither does, as long as every enrolled data owner is trusted with the weights',
  '(one owner that deals falsely can read them alone, exactly, without being noticed, unless both serve proved runs alone)',
].join(' ');

/** Lines of `--texts-file`: all are read and checked before the first run. */
const MOST_TEXTS = 10_000;

const PLAN_HELP =
  'lan: saves computing; wan-cloud: saves about half of what this process sends ahead, and the parties compute more';

export function inferCommand(): Command {
  return credentialOptions(new Command('infer'))
    .description('answer privately, with both compute parties started on this machine')
    .option('--task <task>', TASKS.join(', '), 'fill-mask')
    .option(
      '--text <text>',
      'the text; for fill-mask with one or more [MASK], for a question its context, for generation the prompt',
    )
    .option(
      '--text-file <file>',
      'read the text from a file (- for standard input), which keeps it out of the list of processes',
    )
    .option('--texts-file <file>', 'a text a line (- for standard input), as many of them in one run as it takes')
    .option('--batch-size <n>', 'texts or sequences in one run at most (default: as many as a run takes)')
    .option('--question <text>', 'question-answering: the question')
    .option(
      '--labels <list>',
      'zero-shot-classification: the classes, with commas between; text-classification: only these classes',
    )
    .option(
      '--template <text>',
      'zero-shot-classification: the sentence that a label completes (default: "{text} It was {mask}." or "This example is {label}.")',
    )
    .option(
      '--verbalizers <list>',
      'zero-shot-classification with a fill-mask model: the word that stands for a label, as label=word with commas between',
    )
    .option('--multi-label', 'zero-shot-classification with an entailment model: every label for itself')
    .option('--pooling <kind>', 'feature-extraction: mean, cls or none (default: what the model declares, else mean)')
    .option(
      '--normalize <yes|no>',
      'feature-extraction: vectors of length one (default: what the model declares, else yes)',
    )
    .option(
      '--special-tokens <what>',
      'special tokens that a text spells: cut reads them as plain text and says so, allow reads them as tokens (default: cut)',
    )
    .option('--max-characters <n>', MAX_CHARACTERS_HELP)
    .option(
      '--max-new-tokens <n>',
      'text-generation: how many tokens to add at most; for this and what follows the model’s generation_config.json decides, and where it is silent the default (20)',
    )
    .option('--min-new-tokens <n>', 'text-generation: no end before so many')
    .option('--do-sample <yes|no>', 'text-generation: whether tokens are drawn')
    .option('--temperature <t>', 'text-generation: 0 always takes the likeliest token (default: 0)')
    .option('--top-p <p>', 'text-generation: sample among the likeliest tokens that together have this probability')
    .option('--sample-top-k <n>', 'text-generation: sample among so many of the likeliest tokens')
    .option('--repetition-penalty <x>', 'text-generation: above 1 makes tokens less likely that were there')
    .option('--no-repeat-ngram-size <n>', 'text-generation: no run of so many tokens comes twice; 0: any may')
    .option(
      '--eos-token-id <list>',
      'text-generation: ids of the tokens that end the text, with commas between; none: nothing does',
    )
    .option('--suppress-tokens <list>', 'text-generation: ids of tokens that never come')
    .option('--stop <text>', 'text-generation: end before this text')
    .option('--seed <n>', 'text-generation: repeat a sampled text')
    .option(
      '--model <name>',
      'model folder in the Hugging Face layout, org/name on the hub, or the owner folder of a sharing (default: the embedded model of the task)',
    )
    .option('--protocol <name>', PROTOCOL_HELP, '3pc_semi_honest')
    .option('--security-level <level>', LEVEL_HELP, '128')
    .option('--weights <mode>', WEIGHTS_HELP, 'open')
    .option('--plan <name>', PLAN_HELP, 'lan')
    .option(
      '--credential <file>',
      "for secret weights with --peers: the file that the model's owner made for you with `tercet owner enrol`",
    )
    .option('--ranges <which>', `${RANGES_HELP} (with parties that are started here)`)
    .option('--device <device>', 'auto, wasm, native or webgpu', 'auto')
    .option('--threads <n>', 'worker threads of each party')
    .option('--top-k <n>', 'how many answers to print', '5')
    .option('--profile <name>', 'shape the links like a network: lan, wan-cloud or home')
    .option(
      '--peers <list>',
      'addresses of running compute parties, as 1=HOST:PORT,2=HOST:PORT (default: start both here)',
    )
    .option(
      '--dealer <address>',
      `HOST:PORT of a dealer that deals instead of this process, which then sends its input only. ${DEALER_TRUST}`,
    )
    .option('--dealer-identity <hex>', 'with --dealer: the identity that it must prove')
    .option(
      '--identities <list>',
      'with --peers: the identities that they must prove, as 1=HEX,2=HEX; no certificates are needed then',
    )
    .option('--compare', 'also run the model in the clear in this process and print the difference')
    .option('--random-weights <seed>', 'random weights of the architecture in --architecture, for measuring')
    .option('--architecture <file>', 'config.json for --random-weights')
    .option('--tokens <n>', 'number of tokens for --random-weights')
    .option('--sequences <n>', 'number of sequences for --random-weights, in one run')
    .option('--network-timeout <s>', NETWORK_TIMEOUT_HELP)
    .option('--trace <file>', TRACE_HELP)
    .option('--json', 'print one JSON object on stdout')
    .action(async (flags: InferFlags) => {
      await infer(flags);
    });
}

async function infer(flags: InferFlags): Promise<void> {
  const task = parseTask(flags.task);
  const location = withTask(modelLocation(flags, task), task);
  const texts = await readTexts(flags);
  const random = location.kind === 'random';
  if (random && flags.tokens === undefined)
    throw new TercetError('ERR_ARGUMENT', '--random-weights needs --tokens', 'give for example --tokens 16');
  if (!random && (flags.tokens ?? flags.sequences) !== undefined)
    throw new TercetError(
      'ERR_ARGUMENT',
      '--tokens and --sequences belong to --random-weights',
      'a text has as many tokens as it has',
    );
  const weights = parseWeights(flags.weights);
  if (flags.ranges !== undefined && flags.peers !== undefined)
    throw new TercetError(
      'ERR_ARGUMENT',
      '--ranges is chosen where the model is served',
      'give it to both compute parties, or to tercet model share',
    );
  const json = flags.json === true;
  const streamed = !json && task === 'text-generation';
  const onText = streamedText(texts[0] ?? '');
  const trace = traceFile(flags.trace);
  const result = await runOnTerminal(
    {
      task,
      model: location,
      texts,
      batchSize: flags.batchSize === undefined ? undefined : batchSize(flags.batchSize),
      question: flags.question,
      labels: flags.labels === undefined ? undefined : list('labels', flags.labels),
      template: flags.template,
      verbalizers: flags.verbalizers === undefined ? undefined : verbalizersOf(flags.verbalizers),
      multiLabel: flags.multiLabel,
      pooling:
        flags.pooling === undefined ? undefined : oneOf('pooling', flags.pooling, ['mean', 'cls', 'none'] as const),
      normalize: flags.normalize === undefined ? undefined : yes('normalize', flags.normalize),
      specialTokens:
        flags.specialTokens === undefined
          ? undefined
          : oneOf('special-tokens', flags.specialTokens, ['cut', 'allow'] as const),
      maxCharacters: maxCharacters(flags.maxCharacters),
      generation: generationOptions(flags),
      onNotice: (notice) => process.stderr.write(`tercet: notice: ${notice}\n`),
      tokens: flags.tokens === undefined ? undefined : integer('tokens', flags.tokens, 1, 65536),
      sequences: flags.sequences === undefined ? undefined : integer('sequences', flags.sequences, 1, MAX_SEQUENCES),
      protocol: flags.protocol,
      securityLevel: parseLevel(flags.securityLevel),
      weights,
      plan: parsePlan(flags.plan),
      credential: flags.credential === undefined ? undefined : await readCredential(flags.credential),
      ranges: flags.ranges === undefined ? undefined : parseRanges(flags.ranges),
      device: parseDevice(flags.device),
      threads: flags.threads === undefined ? defaultThreads() : integer('threads', flags.threads, 0, 64),
      topK: integer('top-k', flags.topK, 1, 1000),
      compare: flags.compare === true,
      profile: flags.profile === undefined ? undefined : parseProfile(flags.profile),
      certificates: credentialFolder(flags),
      ...(await remote(flags)),
      onText: streamed ? onText : undefined,
      recvTimeoutMs: networkTimeout(flags.networkTimeout),
      trace: trace.trace,
      debug: flags.debug === true,
    },
    json || streamed,
  ).finally(() => trace.close());
  process.stdout.write(
    json
      ? `${JSON.stringify(toJson(result, task, weights))}\n`
      : `${streamed ? '\n' : ''}${printAnswers(result, texts, flags.question)}\n${printCost(result)}\n`,
  );
}

/** Shows a text as it grows, its prompt before the first piece: nothing is printed of a run that comes to nothing. */
function streamedText(prompt: string): (text: string) => void {
  let begun = false;
  return (text) => {
    process.stdout.write(begun ? text : `\n  ${prompt}${text}`);
    begun = true;
  };
}

/** What was said of a generated text; the task checks it, with the prompt and the model at hand. */
function generationOptions(flags: InferFlags): GenerationOptions {
  return {
    maxNewTokens:
      flags.maxNewTokens === undefined ? undefined : integer('max-new-tokens', flags.maxNewTokens, 1, 65536),
    minNewTokens:
      flags.minNewTokens === undefined ? undefined : integer('min-new-tokens', flags.minNewTokens, 0, 65536),
    noRepeatNgramSize:
      flags.noRepeatNgramSize === undefined
        ? undefined
        : integer('no-repeat-ngram-size', flags.noRepeatNgramSize, 0, 65536),
    eosTokenId: flags.eosTokenId === undefined ? undefined : idsOf('eos-token-id', flags.eosTokenId),
    suppressTokens: flags.suppressTokens === undefined ? undefined : idsOf('suppress-tokens', flags.suppressTokens),
    doSample: flags.doSample === undefined ? undefined : yes('do-sample', flags.doSample),
    temperature: flags.temperature === undefined ? undefined : decimal('temperature', flags.temperature),
    topP: flags.topP === undefined ? undefined : decimal('top-p', flags.topP),
    topK: flags.sampleTopK === undefined ? undefined : integer('sample-top-k', flags.sampleTopK, 1, 1_000_000),
    repetitionPenalty:
      flags.repetitionPenalty === undefined ? undefined : decimal('repetition-penalty', flags.repetitionPenalty),
    stop: flags.stop,
    seed: flags.seed === undefined ? undefined : integer('seed', flags.seed, 0, 2 ** 32 - 1),
  };
}

/** `positive=good,negative=bad` */
function verbalizersOf(value: string): Record<string, string> {
  const pairs = list('verbalizers', value).map((pair) => /^([^=]+)=([^=]+)$/.exec(pair));
  if (pairs.some((pair) => pair === null))
    throw new TercetError(
      'ERR_ARGUMENT',
      '--verbalizers expected label=word between commas',
      'for example --verbalizers "positive=good,negative=bad"',
    );
  return Object.fromEntries(pairs.map((pair) => [pair?.[1].trim() ?? '', pair?.[2].trim() ?? '']));
}

function yes(name: string, value: string): boolean {
  return oneOf(name, value, ['yes', 'no'] as const) === 'yes';
}

/** Ids with commas between, or `none`. */
function idsOf(name: string, value: string): number[] {
  return value === 'none' ? [] : list(name, value).map((id) => integer(name, id, 0, 2_000_000));
}

async function readTexts(flags: InferFlags): Promise<string[]> {
  const given = (['text', 'textFile', 'textsFile'] as const).filter((flag) => flags[flag] !== undefined);
  if (given.length > 1)
    throw new TercetError(
      'ERR_ARGUMENT',
      '--text, --text-file and --texts-file exclude each other',
      'give one of them',
    );
  if (flags.text !== undefined) return [flags.text];
  const most = textLimit(maxCharacters(flags.maxCharacters));
  if (flags.textFile !== undefined)
    return [(await readFlagFile('text-file', flags.textFile, most)).replace(/\r?\n$/, '')];
  if (flags.textsFile === undefined) return [];
  const texts = (await readFlagFile('texts-file', flags.textsFile, most * MOST_TEXTS))
    .replace(/\r?\n$/, '')
    .split(/\r?\n/);
  if (texts.length > MOST_TEXTS)
    throw new TercetError(
      'ERR_ARGUMENT',
      `--texts-file has ${texts.length} lines`,
      `give at most ${MOST_TEXTS} in one call`,
    );
  return texts;
}

async function readCredential(path: string): Promise<OwnerCredential> {
  return OwnerCredential.read(await readFlagFile('credential', path));
}

/** @param most characters */
async function readFlagFile(flag: string, path: string, most?: number): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = path === '-' ? await readInput() : await readFile(path);
  } catch (cause) {
    throw new TercetError('ERR_ARGUMENT', `the file given by --${flag} cannot be read`, 'check the path', { cause });
  }
  return decodeUtf8(bytes, most);
}

/** All of standard input, whether it is a file, a pipe or a socket. */
async function readInput(): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return concatBytes(parts);
}
