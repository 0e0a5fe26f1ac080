/** `tercet audit`: reads a compute party's log, and says whether it is as it was written. */
import { Command } from 'commander';
import { AuditLog } from '../audit/log-node.ts';
import { RECORD_TYPES } from '../audit/record.ts';
import { type SoundLog, verifyLog } from '../audit/verify-node.ts';
import { TercetError } from '../core/errors.ts';
import { isPublicKey } from '../net/identity/identity.ts';
import { oneOf } from './options.ts';
import { collect } from './party.ts';

interface VerifyFlags {
  readonly log: string;
  readonly identity: readonly string[];
  readonly witness?: string;
  readonly witnessIdentity: readonly string[];
  readonly json?: boolean;
}

interface ShowFlags {
  readonly log: string;
  readonly since?: string;
  readonly type?: string;
}

export function auditCommand(): Command {
  const audit = new Command('audit').description("a compute party's audit log");
  audit
    .command('verify')
    .description('find the first place that was edited, removed, moved, cut or forked; exit code 1 if there is one')
    .requiredOption('--log <dir>', 'the folder that the party was given with --audit')
    .requiredOption(
      '--identity <hex>',
      'whose log it is, as tercet identity prints it, again for the key that the party changed to',
      collect,
      [],
    )
    .option('--witness <dir>', "the other party's log, which shows whether this one was cut or forked")
    .option(
      '--witness-identity <hex>',
      "the other party's identity, again for another: how many records it countersigned",
      collect,
      [],
    )
    .option('--json', 'print one JSON object on stdout')
    .action(verify);
  audit
    .command('show')
    .description('print the records, a JSON object a line')
    .requiredOption('--log <dir>', 'the folder that the party was given with --audit')
    .option('--since <time>', 'only of this time and later, as 2026-01-31 or with hours')
    .option('--type <type>', RECORD_TYPES.join(', '))
    .action(show);
  return audit;
}

async function verify({ log, identity, witness, witnessIdentity, json }: VerifyFlags): Promise<void> {
  checkKeys('--identity', identity);
  if (witnessIdentity.length > 0) checkKeys('--witness-identity', witnessIdentity);
  const verdict = await verifyLog({ folder: log, identity, witness, witnessIdentity });
  if (json === true) process.stdout.write(`${JSON.stringify(verdict)}\n`);
  else if (verdict.sound) process.stdout.write(`${soundWords(verdict, witnessIdentity.length > 0)}\n`);
  else process.stdout.write(`${verdict.fault} at ${verdict.at}: ${verdict.says}\n`);
  if (!verdict.sound) process.exitCode = 1;
}

function checkKeys(flag: string, keys: readonly string[]): void {
  if (keys.length > 0 && keys.every(isPublicKey)) return;
  throw new TercetError('ERR_ARGUMENT', `${flag} expected 64 lower-case hex digits`, 'tercet identity prints them');
}

function soundWords({ records, signed, countersigned }: SoundLog, witnessed: boolean): string {
  const other = witnessed ? `, ${countersigned} up to the last that the other party countersigned` : '';
  return `sound: ${records} records, ${signed} of them behind a signed checkpoint${other}`;
}

async function show({ log, since, type }: ShowFlags): Promise<void> {
  const wanted = type === undefined ? undefined : oneOf('type', type, RECORD_TYPES);
  const from = since === undefined ? undefined : new Date(since);
  if (from !== undefined && Number.isNaN(from.getTime()))
    throw new TercetError('ERR_ARGUMENT', '--since expected a time', 'for example --since 2026-01-31');
  for await (const record of AuditLog.read(log, { since: from, type: wanted }))
    process.stdout.write(`${JSON.stringify(record)}\n`);
}
