/** Commands that documents show: each is read by the command line as it is, up to where it would run. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { auditCommand } from '../../src/cli/audit.ts';
import { benchCommand } from '../../src/cli/bench.ts';
import { certificatesCommand } from '../../src/cli/certificates.ts';
import { configCommand } from '../../src/cli/config.ts';
import { dealerCommand } from '../../src/cli/dealer.ts';
import { demoCommand } from '../../src/cli/demo.ts';
import { identityCommand } from '../../src/cli/identity.ts';
import { inferCommand } from '../../src/cli/infer.ts';
import { keyCommand } from '../../src/cli/key.ts';
import { modelCommand } from '../../src/cli/model.ts';
import { ownerCommand } from '../../src/cli/owner.ts';
import { partyCommand } from '../../src/cli/party.ts';
import { serveCommand } from '../../src/cli/serve.ts';
import { siteCommand } from '../../src/cli/site.ts';
import { BLOCKS, ROOT } from '../support/documents.ts';

/** Scripts of the package that a document is of: an example has its own. */
function scriptsOf(file: string): Readonly<Record<string, string>> {
  const own = `${ROOT}${dirname(file)}/package.json`;
  const { scripts } = JSON.parse(readFileSync(existsSync(own) ? own : `${ROOT}package.json`, 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  return scripts;
}

const COMMANDS = [
  ...[auditCommand, benchCommand, certificatesCommand, configCommand, dealerCommand, demoCommand, identityCommand],
  ...[inferCommand, keyCommand, modelCommand, ownerCommand, partyCommand, serveCommand, siteCommand],
].map((make) => make());
/** Of every command (src/cli/main.ts). */
const SHARED = ['--debug', '--config', '--help'];

/** Files of the repository that a command reads, or tests that it runs; not what it writes. */
const PATH = /(?<!--out )(?<![\w./-])(?:bench|docs|examples|models|scripts|src|test|training)\/[\w./*{},-]+/g;

/** What is wrong with a line of a block; empty if nothing is. */
function faults(line: string, file = 'README.md'): string[] {
  return line
    .replaceAll('npm run -s tercet --', 'tercet')
    .replace(/\s#.*$/, '')
    .split(/\s&&\s|\s{4,}(?=tercet )/)
    .flatMap((command) => {
      const words = [...command.matchAll(/"[^"]*"|'[^']*'|\S+/g)].map(([word]) => word);
      const script = /^npm run (?:-s )?([\w:-]+)/.exec(command)?.[1];
      if (script !== undefined && scriptsOf(file)[script] === undefined) return [`npm run ${script}`];
      const gone = [...command.matchAll(PATH)].map(([path]) => path).find((path) => !existsSync(`${ROOT}${path}`));
      if (gone !== undefined) return [gone];
      const at = words.indexOf('tercet');
      return at === -1 ? [] : faultsOf(words.slice(at + 1));
    });
}

function faultsOf([name, ...rest]: readonly string[]): string[] {
  const [command, args] = commandOf(name, rest);
  if (command === undefined) return [`tercet ${name} ${rest[0] ?? ''}`];
  const found: string[] = [];
  for (const [i, word] of args.entries()) {
    if (!word.startsWith('--') || SHARED.includes(word)) continue;
    const option = command.options.find(({ long }) => long === word);
    if (option === undefined) found.push(`${command.name()} ${word}`);
    else if (option.required && (args[i + 1] ?? '--').startsWith('--')) found.push(`${word} without a value`);
  }
  return found;
}

function commandOf(name: string | undefined, rest: readonly string[]): [Command | undefined, readonly string[]] {
  const command = COMMANDS.find((one) => one.name() === name);
  if (command === undefined || command.commands.length === 0) return [command, rest];
  return [command.commands.find((one) => one.name() === rest[0]), rest.slice(1)];
}

const LINES = BLOCKS.filter(({ language }) => language === 'sh').flatMap(({ file, code }) =>
  code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => ({ file, line })),
);

it('commands in documents are those of the command line', () => {
  expect(LINES.filter(({ line }) => line.includes('tercet ')).length).toBeGreaterThan(40);
  expect(LINES.filter(({ file }) => file.startsWith('examples/')).length).toBeGreaterThan(20);
  expect(LINES.flatMap(({ file, line }) => faults(line, file).map((fault) => `${file}: ${fault}`))).toEqual([]);
});

it.each([
  ['tercet infer --txt "a"', ['infer --txt']],
  ['tercet model look --model X', ['tercet model look']],
  ['tercet guess', ['tercet guess ']],
  ['tercet infer --text --json', ['--text without a value']],
  ['npm run -s tercet -- infer --text "a --no b"', []],
  ['npm run nothing', ['npm run nothing']],
  ['npm run build && node scripts/gone.mjs', ['scripts/gone.mjs']],
  ['npx vitest run test/core test/gone', ['test/gone']],
  ['python docs/checks/run.py --out bench/results/new.json', []],
])('a mistake is noticed: %s', (line, expected) => {
  expect(faults(line)).toEqual(expected);
});

it('an example is held to the scripts of its own package', () => {
  expect(faults('npm run parties', 'examples/fastify/README.md')).toEqual([]);
  expect(faults('npm run parties', 'README.md')).toEqual(['npm run parties']);
});
