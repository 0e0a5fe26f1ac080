#!/usr/bin/env node
/** The command line: parses, runs one command, prints its result on stdout and everything else on stderr. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { checkEnvironment } from '../core/environment-node.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import { relaxCollector } from '../daemon/gc.ts';
import { takesSettings } from '../config/commands.ts';
import { CONFIG_HELP, applyConfig } from './settings.ts';

const VERSION = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string }
).version;

const ABOUT = `Private transformer inference among three parties.

The data owner (party 0) holds the text; two compute parties (1 and 2) hold
the model. Nobody but the owner sees the text or the answer, as long as the
two compute parties do not work together. An owner on a thin link may name a
dealer (tercet dealer): then no two of the three servers may work together.

Examples:
  tercet infer --text "The capital of France is [MASK]."
  tercet infer --task text-classification --text "A warm, funny film."
  tercet infer --text "Paris is the capital of [MASK]." --weights secret
  tercet bench --suite kernels

Protocols: 3pc_semi_honest, where parties follow the protocol but look at all
they see; 3pc_malicious, where one of them may do anything, and every message
is proved before the answer opens; aby3, which claims the same with symmetric
products, as a reference to compare with.
Read docs/SECURITY.md before trusting it with anything.

Exit codes: 0 done, 1 a run failed, 2 wrong usage or input, 3 a violation.
Each error code has a paragraph in docs/ERRORS.md; TERCET_DOCS is where that is
served.`;

/** Every command, in the order of the help. Only the one that runs is loaded: all of them are a thousand files. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  infer: async () => (await import('./infer.ts')).inferCommand(),
  bench: async () => (await import('./bench.ts')).benchCommand(),
  party: async () => (await import('./party.ts')).partyCommand(),
  dealer: async () => (await import('./dealer.ts')).dealerCommand(),
  model: async () => (await import('./model.ts')).modelCommand(),
  owner: async () => (await import('./owner.ts')).ownerCommand(),
  demo: async () => (await import('./demo.ts')).demoCommand(),
  site: async () => (await import('./site.ts')).siteCommand(),
  serve: async () => (await import('./serve.ts')).serveCommand(),
  key: async () => (await import('./key.ts')).keyCommand(),
  keys: async () => (await import('./keys.ts')).keysCommand(),
  identity: async () => (await import('./identity.ts')).identityCommand(),
  certificates: async () => (await import('./certificates.ts')).certificatesCommand(),
  config: async () => (await import('./config.ts')).configCommand(),
  audit: async () => (await import('./audit.ts')).auditCommand(),
  trace: async () => (await import('./trace-view.ts')).traceCommand(),
};

/** @param asked the first word of the command line; the help needs all commands, and so does a word that is none */
async function build(asked: string | undefined): Promise<Command> {
  const program = new Command('tercet')
    .description(ABOUT)
    .version(VERSION)
    .helpCommand(false)
    .showSuggestionAfterError(true);
  program.exitOverride().configureOutput({ writeErr: () => undefined });
  program.hook('preAction', (_program, command) =>
    applyConfig(command, process.env, (notice) => process.stderr.write(`tercet: notice: ${notice}\n`)),
  );
  const names = asked !== undefined && Object.hasOwn(COMMANDS, asked) ? [asked] : Object.keys(COMMANDS);
  for (const name of names) {
    const command = await COMMANDS[name]();
    for (const leaf of command.commands.length > 0 ? command.commands : [command]) {
      leaf.addOption(new Option('--debug', 'print stacks and messages of the parties'));
      if (takesSettings(leaf.name())) leaf.option('--config <file>', CONFIG_HELP);
      leaf.exitOverride().configureOutput({ writeErr: () => undefined });
    }
    command.exitOverride().configureOutput({ writeErr: () => undefined });
    program.addCommand(command);
  }
  return program;
}

/** Whether the settings of the command that ran ask for stacks. */
function debugIsSet(program: Command): boolean {
  return program.commands.some((command) => command.getOptionValue('debug') === true);
}

/**
 * Commander's own complaints in the one form of errors that Tercet prints. What the user typed may be the text
 * itself, so only names of options are repeated, and only those that look like one.
 */
function fromCommander(error: CommanderError): TercetError {
  const option = /--[a-z][a-z-]{0,30}(?=[ '<=]|$)/.exec(error.message)?.[0];
  const named = option === undefined ? '' : ` ${option}`;
  const what: Record<string, string> = {
    'commander.unknownOption': `there is no option${named}`,
    'commander.optionMissingArgument': `the option${named} needs a value`,
    'commander.missingMandatoryOptionValue': `the option${named} is needed`,
    'commander.unknownCommand': 'there is no such command',
    'commander.excessArguments': 'there are arguments that belong to no option',
  };
  return new TercetError('ERR_ARGUMENT', what[error.code] ?? 'the command line cannot be read', 'see tercet --help');
}

/** A second line, where somebody says where the documentation is. */
function whereToRead({ documentation }: TercetError): string {
  const base = process.env['TERCET_DOCS'];
  if (base === undefined || base === '') return '';
  if (!URL.canParse(base)) return 'tercet: notice: TERCET_DOCS is no address, so nothing is said to read\n';
  return `tercet: see ${new URL(documentation, base.endsWith('/') ? base : `${base}/`).href}\n`;
}

/** Of a violation one of its own: a script may tell a party that was caught from a network that broke. */
function exitCode({ code, kind }: TercetError): number {
  if (code === 'ERR_SECURITY_VIOLATION') return 3;
  return kind === 'usage' ? 2 : 1;
}

async function main(argv: readonly string[]): Promise<number> {
  relaxCollector();
  // A reader that has seen enough (head, less) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const program = await build(argv[2]);
  try {
    if (argv.length <= 2) {
      program.outputHelp();
      return 2;
    }
    checkEnvironment(process.env);
    await program.parseAsync([...argv]);
    // A command that ended in its own way has said so.
    return Number(process.exitCode ?? 0);
  } catch (thrown) {
    if (thrown instanceof CommanderError && (thrown.exitCode === 0 || thrown.code === 'commander.helpDisplayed'))
      return 0;
    const error = thrown instanceof CommanderError ? fromCommander(thrown) : asTercetError(thrown);
    process.stderr.write(`${error.line()}\n${whereToRead(error)}`);
    if (argv.includes('--debug') || debugIsSet(program))
      process.stderr.write(`${error.stack ?? ''}\n${error.cause instanceof Error ? (error.cause.stack ?? '') : ''}\n`);
    return exitCode(error);
  }
}

process.exitCode = await main(process.argv);
