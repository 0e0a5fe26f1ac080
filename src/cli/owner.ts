/** `tercet owner`: the model owner says who may use its secret weights: enrol, revoke, list. */
import { Command } from 'commander';
import { TercetError } from '../core/errors.ts';
import { DEFAULT_DAYS, type EnrolledOwner, Issuer, MAX_DAYS } from '../node/issuer.ts';
import { checkDealerIdentity, integer } from './options.ts';

interface OwnerFlags {
  readonly sharing: string;
  readonly name?: string;
  readonly id?: string;
  readonly days: string;
  readonly dealer?: string;
  readonly out: string;
  readonly json?: boolean;
}

const SHARING = ['--sharing <dir>', 'folder that `tercet model share` made'] as const;

export function ownerCommand(): Command {
  return new Command('owner')
    .description('say who may use secret weights: enrol, revoke, list')
    .addCommand(enrolCommand())
    .addCommand(revokeCommand())
    .addCommand(listCommand())
    .action(() => {
      throw new TercetError(
        'ERR_ARGUMENT',
        'owner needs to know what to do',
        'tercet owner enrol, revoke or list --sharing DIR',
      );
    });
}

function enrolCommand(): Command {
  return new Command('enrol')
    .description(
      'make the credential file of a data owner: a certificate, its private key, and the seeds of the weights. Hand it over in secret',
    )
    .requiredOption(...SHARING)
    .requiredOption('--name <name>', 'what you call the owner; the compute parties are not told')
    .option('--days <n>', 'until the credential ends', String(DEFAULT_DAYS))
    .option(
      '--dealer <hex>',
      'identity of a dealer that this owner may have deal (default: none). It gets the seeds: with either compute party it would have the weights, for good',
    )
    .requiredOption('--out <file>', 'a new file')
    .action(async ({ sharing, name = '', days, dealer, out }: OwnerFlags) => {
      if (dealer !== undefined) checkDealerIdentity('--dealer', dealer);
      const issuer = await Issuer.open(sharing);
      const owner = await issuer.enrol(name, integer('days', days, 1, MAX_DAYS), out, { dealer });
      const lines = [
        `  ${out}: credential ${owner.id} of ${owner.name}, good until ${day(owner.expires)}`,
        '  Whoever has the file is this owner, and trusted with the weights. Hand it over in secret, and keep no copy.',
        '  It is given to `tercet infer --credential FILE`, to the page, or to fromPretrained as `credential`.',
        ...(dealer === undefined
          ? []
          : [`  The dealer ${dealer} may deal for it. It must not work together with a compute party.`]),
      ];
      process.stdout.write(`\n${lines.join('\n')}\n\n`);
    });
}

function revokeCommand(): Command {
  return new Command('revoke')
    .description('end credentials before their time: writes a signed list, revoked.json, beside p1 and p2')
    .requiredOption(...SHARING)
    .option('--name <name>', 'all credentials of the owner that you call so')
    .option('--id <id>', 'one credential')
    .action(async ({ sharing, name, id }: OwnerFlags) => {
      const issuer = await Issuer.open(sharing);
      const { number, folders } = await issuer.revoke(await named(issuer, name, id));
      const lines = [
        `  list ${number} of revoked credentials: ${folders.map((folder) => `${folder}/revoked.json`).join(', ')}`,
        '  Give it to both compute parties, into their part of the sharing: each reads it without a restart, and refuses the next session.',
        '  A revoked owner still knows the 64 bytes of seeds. Where it might help a compute party, share the model again.',
      ];
      process.stdout.write(`\n${lines.join('\n')}\n\n`);
    });
}

function listCommand(): Command {
  return new Command('list')
    .description('who was enrolled, until when, and who was revoked')
    .requiredOption(...SHARING)
    .option('--json', 'print one JSON object on stdout')
    .action(async ({ sharing, json }: OwnerFlags) => {
      const issuer = await Issuer.open(sharing);
      const revoked = new Set(await issuer.revoked());
      const owners = (await issuer.owners()).map((owner) => ({ ...owner, revoked: revoked.has(owner.id) }));
      if (json === true) process.stdout.write(`${JSON.stringify({ sharing: issuer.sharing, owners })}\n`);
      else process.stdout.write(`${owners.map((owner) => `${owner.id}  ${state(owner)}  ${owner.name}`).join('\n')}\n`);
    });
}

async function named(issuer: Issuer, name: string | undefined, id: string | undefined): Promise<string[]> {
  if ((name === undefined) === (id === undefined))
    throw new TercetError('ERR_ARGUMENT', 'revoke needs --name or --id', 'see tercet owner list');
  if (id !== undefined) {
    if (!/^[0-9a-f]{32}$/.test(id))
      throw new TercetError('ERR_ARGUMENT', '--id expected 32 hex digits', 'see tercet owner list');
    return [id];
  }
  const ids = (await issuer.owners()).filter((owner) => owner.name === name).map((owner) => owner.id);
  if (ids.length === 0)
    throw new TercetError('ERR_ARGUMENT', 'nobody of that name was enrolled', 'see tercet owner list');
  return ids;
}

function state({ expires, revoked }: EnrolledOwner & { readonly revoked: boolean }): string {
  if (revoked) return 'revoked         ';
  return `${expires * 1000 <= Date.now() ? 'ended' : 'until'} ${day(expires)}`;
}

function day(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}
