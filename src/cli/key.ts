/** `tercet key`: keys of those who may call `tercet serve`. */
import { join } from 'node:path';
import { Command } from 'commander';
import { stateFolder } from '../node/defaults.ts';
import { createKey, readKeys, revokeKey } from '../rest/keys.ts';
import { integer } from './options.ts';
import { table } from './tables.ts';

const KEYS_HELP = 'file of the keys (default: keys.json in the folder of this user)';

export function keyFile(given: string | undefined): string {
  return given ?? join(stateFolder(), 'keys.json');
}

interface KeyFlags {
  readonly keys?: string;
  readonly name: string;
  readonly days?: string;
  readonly id: string;
}

export function keyCommand(): Command {
  const key = new Command('key').description('keys of those who may call tercet serve');
  key
    .command('create')
    .description('make a key and print it, once: its hash alone is kept')
    .requiredOption('--name <name>', 'what you call it')
    .option('--days <n>', 'how long it opens something (default: until it is revoked)')
    .option('--keys <file>', KEYS_HELP)
    .action(async ({ keys, name, days }: KeyFlags) => {
      const expires =
        days === undefined ? undefined : Math.floor(Date.now() / 1000) + 86_400 * integer('days', days, 1, 3650);
      const made = await createKey(keyFile(keys), { name, expires });
      process.stderr.write(`tercet: key ${made.record.id} was made; it is not shown again\n`);
      process.stdout.write(`${made.key}\n`);
    });
  key
    .command('list')
    .description('the keys that there are, without what opens something')
    .option('--keys <file>', KEYS_HELP)
    .action(async ({ keys }: KeyFlags) => {
      const day = (seconds: number | undefined) =>
        seconds === undefined ? '–' : new Date(1000 * seconds).toISOString().slice(0, 10);
      const rows = (await readKeys(keyFile(keys))).map(({ id, name, created, expires, revoked }) => [
        ...[id, name, day(created), day(expires), day(revoked)],
      ]);
      process.stdout.write(`${table([['id', 'name', 'made', 'ends', 'revoked'], ...rows], [])}\n`);
    });
  key
    .command('revoke')
    .description('end a key; a running server follows within a second')
    .requiredOption('--id <id>', 'of tercet key list')
    .option('--keys <file>', KEYS_HELP)
    .action(async ({ keys, id }: KeyFlags) => {
      await revokeKey(keyFile(keys), id);
      process.stderr.write(`tercet: key ${id} opens nothing any more\n`);
    });
  return key;
}
