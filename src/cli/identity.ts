/**
 * `tercet identity`: the public key of a party, made on first use, for the other operator and for whoever runs the
 * page to pin.
 */
import { Command } from 'commander';
import { TercetError } from '../core/errors.ts';
import { ensureIdentity } from '../net/identity/identity-node.ts';
import { credentialFolder } from './credentials.ts';
import { integer } from './options.ts';

interface IdentityFlags {
  readonly partyId?: string;
  readonly dealer?: boolean;
  readonly certificates?: string;
}

export function identityCommand(): Command {
  return new Command('identity')
    .description(
      'print the identity of a compute party, or of a dealer: 64 digits that others pin, of a key that never leaves this machine',
    )
    .option('--party-id <n>', '1 or 2')
    .option('--dealer', 'that of a dealer, in place of a compute party')
    .option('--certificates <dir>', 'folder that keeps the key (default: of this user)')
    .action(async (flags: IdentityFlags) => {
      if ((flags.dealer === true) === (flags.partyId !== undefined))
        throw new TercetError('ERR_ARGUMENT', 'identity needs --party-id or --dealer', 'for example --party-id 1');
      const id = flags.partyId === undefined ? 3 : (integer('party-id', flags.partyId, 1, 2) as 1 | 2);
      process.stdout.write(`${(await ensureIdentity(credentialFolder(flags), id)).publicKey}\n`);
    });
}
