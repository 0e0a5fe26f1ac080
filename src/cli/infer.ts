/** `tercet infer`: one private inference with local parties. */
import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { concatBytes } from '../core/bytes.ts';
import { TercetError } from '../core/errors.ts';
import { decodeUtf8 } from '../ml/text.ts';
import type { Address } from '../party/run.ts';
import { toJson } from '../party/contract.ts';
import { defaultThreads } from '../party/defaults.ts';
import { integer, modelLocation, parseAddress, parseDevice, parseProfile, parseTask, parseWeights, type ModelFlags } from './options.ts';
import { printAnswer, printCost } from './tables.ts';
import { runOnTerminal } from './terminal.ts';

export interface InferFlags extends ModelFlags {
  readonly task: string;
  readonly text?: string;
  readonly textFile?: string;
  readonly tokens?: string;
  readonly protocol: string;
  readonly weights: string;
  readonly device: string;
  readonly threads?: string;
  readonly topK: string;
  readonly profile?: string;
  readonly peers?: string;
  readonly compare?: boolean;
  readonly json?: boolean;
  readonly debug?: boolean;
}

export function inferCommand(): Command {
  return new Command('infer')
    .description('answer one text privately, with both compute parties started on this machine')
    .option('--task <task>', 'fill-mask or text-classification', 'fill-mask')
    .option('--text <text>', 'the text; for fill-mask with one or more [MASK]')
    .option('--text-file <file>', 'read the text from a file (- for standard input), which keeps it out of the list of processes')
    .option('--model <dir>', 'model folder in the Hugging Face layout (default: the embedded model of the task)')
    .addOption(new Option('--protocol <name>', '3pc_semi_honest; other modes are refused in this build').default('3pc_semi_honest'))
    .option('--weights <mode>', 'open: both compute parties know the model; secret: neither does', 'open')
    .option('--device <device>', 'auto, wasm or webgpu', 'auto')
    .option('--threads <n>', 'worker threads of each party')
    .option('--top-k <n>', 'how many answers to print', '5')
    .option('--profile <name>', 'shape the links like a network: lan, wan-cloud or home')
    .option('--peers <list>', 'addresses of running compute parties, as 1=HOST:PORT,2=HOST:PORT (default: start both here)')
    .option('--compare', 'also run the model in the clear in this process and print the difference')
    .option('--random-weights <seed>', 'random weights of the architecture in --config, for measuring')
    .option('--config <file>', 'config.json for --random-weights')
    .option('--tokens <n>', 'number of tokens for --random-weights')
    .option('--json', 'print one JSON object on stdout')
    .action(async (flags: InferFlags) => {
      await infer(flags);
    });
}

async function infer(flags: InferFlags): Promise<void> {
  const task = parseTask(flags.task);
  const location = modelLocation(flags, task);
  const text = await readText(flags);
  if (location.kind === 'random' && flags.tokens === undefined)
    throw new TercetError('ERR_ARGUMENT', '--random-weights needs --tokens', 'give for example --tokens 16');
  if (location.kind === 'folder' && flags.tokens !== undefined)
    throw new TercetError('ERR_ARGUMENT', '--tokens belongs to --random-weights', 'a text has as many tokens as it has');
  const weights = parseWeights(flags.weights);
  const json = flags.json === true;
  const result = await runOnTerminal(
    {
      task,
      model: location,
      text,
      tokens: flags.tokens === undefined ? undefined : integer('tokens', flags.tokens, 2, 65536),
      protocol: flags.protocol,
      weights,
      device: parseDevice(flags.device),
      threads: flags.threads === undefined ? defaultThreads() : integer('threads', flags.threads, 0, 64),
      topK: integer('top-k', flags.topK, 1, 1000),
      compare: flags.compare === true,
      ...(flags.profile === undefined ? {} : { profile: parseProfile(flags.profile) }),
      ...(flags.peers === undefined ? {} : { peers: bothPeers(flags.peers) }),
      debug: flags.debug === true,
    },
    json,
  );
  process.stdout.write(json ? `${JSON.stringify(toJson(result, task, weights))}\n` : `${printAnswer(result, text)}\n${printCost(result)}\n`);
}

function bothPeers(list: string): [Address, Address] {
  const match = /^1=([^,]+),2=([^,]+)$/.exec(list);
  if (match === null)
    throw new TercetError('ERR_ARGUMENT', '--peers expected 1=HOST:PORT,2=HOST:PORT', 'for example --peers 1=127.0.0.1:7001,2=127.0.0.1:7002');
  return [parseAddress('peers', match[1]), parseAddress('peers', match[2])];
}

async function readText(flags: InferFlags): Promise<string | undefined> {
  if (flags.textFile === undefined) return flags.text;
  if (flags.text !== undefined) throw new TercetError('ERR_ARGUMENT', '--text and --text-file exclude each other', 'give one of them');
  let bytes: Uint8Array;
  try {
    bytes = flags.textFile === '-' ? await readInput() : await readFile(flags.textFile);
  } catch (cause) {
    throw new TercetError('ERR_ARGUMENT', 'the file given by --text-file cannot be read', 'check the path', { cause });
  }
  return decodeUtf8(bytes).replace(/\r?\n$/, '');
}

/** All of standard input, whether it is a file, a pipe or a socket. */
async function readInput(): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return concatBytes(parts);
}
