/** `tercet config`: shows settings, and what is in force. */
import { Command } from 'commander';
import { TercetError } from '../core/errors.ts';
import { type Effective, told } from '../config/effective.ts';
import { readConfig } from '../config/read-node.ts';
import { COMMANDS, takesSettings } from '../config/commands.ts';
import { SETTINGS, jsonSchema } from '../config/schema.ts';
import { CONFIG_HELP } from './settings.ts';
import { table } from './tables.ts';

interface CheckFlags {
  readonly config?: string;
  readonly for?: string;
  readonly json?: boolean;
}

export function configCommand(): Command {
  const config = new Command('config').description('settings: what there is, and what is in force');
  config
    .command('check')
    .description('check the file and the environment, and print what is in force, secrets left out')
    .option('--config <file>', CONFIG_HELP)
    .option('--for <command>', `say what changes nothing for ${COMMANDS.join(', ')}`)
    .option('--json', 'print one JSON object on stdout')
    .action(check);
  config
    .command('schema')
    .description('print the JSON Schema of the file, for editors')
    .action(() => {
      process.stdout.write(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
    });
  return config;
}

function check(flags: CheckFlags): void {
  if (flags.for !== undefined && !takesSettings(flags.for))
    throw new TercetError('ERR_ARGUMENT', `--for expected one of ${COMMANDS.join(', ')}`, 'for example --for party');
  const inForce = readConfig(flags.config, process.env);
  const rows = inForceRows(inForce);
  const notices = flags.for === undefined ? [] : told(inForce, flags.for).notices;
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify({ settings: rows, notices })}\n`);
    return;
  }
  process.stdout.write(
    `${table([['setting', 'value', 'from'], ...rows.map(({ path, value, source }) => [path, shown(value), source])], [])}\n`,
  );
  for (const notice of notices) process.stdout.write(`note: ${notice}\n`);
}

interface Row {
  readonly path: string;
  readonly value: unknown;
  readonly source: string;
}

/** Every setting, by the file's order, with who set it; a secret as such. */
function inForceRows(inForce: Effective): Row[] {
  return SETTINGS.map(({ path, meta }) => {
    const set = inForce.get(path);
    if (set === undefined) return { path, value: meta.standard, source: 'default' };
    return { path, value: meta.secret === true ? '(secret)' : set.value, source: set.source };
  });
}

function shown(value: unknown): string {
  return Array.isArray(value) ? value.join(', ') : String(value);
}
