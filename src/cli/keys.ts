/** `tercet keys`: the keys of this user's parties. `tercet key` has those of callers of a gateway. */
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { TercetError } from '../core/errors.ts';
import { KeyManager } from '../node/key-manager.ts';
import type { ServerId } from '../net/wire/types.ts';
import { credentialFolder } from './credentials.ts';
import { integer } from './options.ts';
import { table } from './tables.ts';

interface KeysFlags {
  readonly certificates?: string;
  readonly partyId?: string;
  readonly dealer?: boolean;
  readonly out: string;
  readonly from: string;
  readonly recipient?: string;
  readonly identityFile?: string;
  readonly passphraseFile?: string;
}

const FOLDER = 'folder that keeps the keys (default: of this user)';

export function keysCommand(): Command {
  const keys = new Command('keys').description("the keys of this user's parties");
  const command = (name: string, description: string) =>
    keys.command(name).description(description).option('--certificates <dir>', FOLDER);
  const ofParty = (name: string, description: string) =>
    command(name, description).option('--party-id <n>', '1 or 2').option('--dealer', 'that of a dealer');
  command('list', 'the keys and certificates that there are, without what is secret').action(show);
  command(
    'check',
    'whether secrets are for this user alone, and which certificates end within 30 days; exit code 1 if there is one',
  ).action(check);
  ofParty('rotate', 'make the identity that follows; deployments and the other party accept OLD+NEW@TIME first').action(
    async (flags: KeysFlags) => {
      const { current, next } = await managerOf(flags).rotateSigningKeys(partyOf(flags));
      say('have deployments and the other party accept this, with a time until which the old one is accepted;');
      say('then run tercet keys promote, and send the party SIGHUP');
      process.stdout.write(`${current}+${next}@TIME\n`);
    },
  );
  ofParty('promote', 'the identity that follows takes its place; SIGHUP makes a running party prove it').action(
    async (flags: KeysFlags) => {
      const { current } = await managerOf(flags).promote(partyOf(flags));
      process.stdout.write(`${current}\n`);
    },
  );
  ofParty('revoke', 'destroy the identity that was replaced').action(async (flags: KeysFlags) => {
    await managerOf(flags).revoke(partyOf(flags));
    say('it is gone here; whoever still accepts it has to take it out of deployments and --peer-identity');
  });
  command('backup', 'write all of them into one encrypted file in the age format')
    .requiredOption('--out <file>', 'where to write it')
    .option('--recipient <age1>', 'whose age identity opens it')
    .option('--passphrase-file <file>', 'or the passphrase that opens it, in a file')
    .action(async (flags: KeysFlags) => {
      const opens =
        flags.recipient === undefined
          ? { passphrase: await secretOf(flags.passphraseFile) }
          : { recipient: flags.recipient };
      if (flags.recipient !== undefined && flags.passphraseFile !== undefined) throw both();
      const { files } = await managerOf(flags).backupKeys(flags.out, opens);
      say(`${files} files are in the backup`);
    });
  command('restore', 'put the files of a backup where they belong; never over one that is there')
    .requiredOption('--from <file>', 'the backup')
    .option('--identity-file <file>', 'the age identity that opens it')
    .option('--passphrase-file <file>', 'or the passphrase, in a file')
    .action(async (flags: KeysFlags) => {
      const { identityFile, passphraseFile } = flags;
      if (identityFile !== undefined && passphraseFile !== undefined) throw both();
      const opens =
        identityFile === undefined
          ? { passphrase: await secretOf(passphraseFile) }
          : { identity: await secretOf(identityFile) };
      const { files } = await managerOf(flags).restoreKeys(flags.from, opens);
      say(`${files} files were restored`);
    });
  return keys;
}

const managerOf = (flags: KeysFlags) => new KeyManager(credentialFolder(flags));
const say = (line: string) => process.stderr.write(`tercet: ${line}\n`);

function partyOf({ partyId, dealer }: KeysFlags): ServerId {
  if ((dealer === true) === (partyId !== undefined))
    throw new TercetError('ERR_ARGUMENT', 'this needs --party-id or --dealer', 'for example --party-id 1');
  return partyId === undefined ? 3 : (integer('party-id', partyId, 1, 2) as 1 | 2);
}

async function show(flags: KeysFlags): Promise<void> {
  const rows = (await managerOf(flags).list()).map(({ file, kind, publicKey, ends }) => [
    ...[file, kind, publicKey ?? '–', ends?.toISOString().slice(0, 10) ?? '–'],
  ]);
  process.stdout.write(`${table([['file', 'kind', 'identity', 'ends'], ...rows], [])}\n`);
}

async function check(flags: KeysFlags): Promise<void> {
  const ending = await managerOf(flags).ending(new Date());
  for (const { file, ends } of ending)
    process.stdout.write(`${file} ends ${ends?.toISOString().slice(0, 10)}: renew it (tercet certificates issue)\n`);
  if (ending.length > 0) process.exitCode = 1;
  else process.stdout.write('every secret is for this user alone, and no certificate ends within 30 days\n');
}

/** The first line of a file that holds a secret: the command line itself is open to others. Comments of age are left out. */
async function secretOf(path: string | undefined): Promise<string> {
  if (path === undefined) throw new TercetError('ERR_ARGUMENT', 'nothing says what opens the backup', 'see --help');
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new TercetError('ERR_ARGUMENT', 'the file of the secret cannot be read', 'check the path', { cause });
  });
  return text.split(/\r?\n/).find((line) => line !== '' && !line.startsWith('#')) ?? '';
}

const both = () => new TercetError('ERR_ARGUMENT', 'two things would open the backup', 'give one of them');
