/**
 * `tercet certificates`: init, request, issue, show. For three parties that trust one authority; each key is made
 * where it stays. Two operators who trust no third pin each other's identities instead (`tercet identity`).
 */
import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { TercetError } from '../core/errors.ts';
import {
  type Authority,
  createAuthority,
  createRequest,
  issueCertificate,
  keyFingerprint,
  requestFingerprint,
} from '../net/tls/authority.ts';
import type { PartyId } from '../net/wire/types.ts';
import { integer, pem } from './options.ts';

interface Flags {
  readonly out: string;
  readonly partyId: string;
  readonly ca: string;
  readonly request: string;
  readonly days: string;
}

const CA = 'ca.pem';
const CA_KEY = 'ca.key';
const DAYS = '365';

export function certificatesCommand(): Command {
  const init = new Command('init')
    .description(
      'make an authority; its key stays in the folder, for its keeper alone, who can then be any party to any other',
    )
    .requiredOption('--out <dir>', 'folder for ca.pem and ca.key')
    .option('--days <n>', 'how long it holds', '3650')
    .action(async ({ out, days }: Flags) => {
      const { ca, key } = await createAuthority({ days: integer('days', days, 1, 36_500) });
      await keep(out, { [CA_KEY]: key, [CA]: ca });
      say([
        `authority in ${out}: give ${CA} to all parties, ${CA_KEY} to nobody`,
        line('authority', keyFingerprint(new X509Certificate(ca).publicKey)),
      ]);
    });
  const request = new Command('request')
    .description('make the key of a party, where it stays, and a request for its certificate, which holds no secret')
    .requiredOption('--party-id <n>', '0 (a data owner), 1 or 2')
    .requiredOption('--out <dir>', 'folder for party-N.key and party-N.csr')
    .action(async ({ out, partyId }: Flags) => {
      const party = partyOf(partyId);
      const made = await createRequest(party);
      await keep(out, { [`party-${party}.key`]: made.key, [`party-${party}.csr`]: made.request });
      const next = `send party-${party}.csr to the keeper of the authority, who should hear this fingerprint from you`;
      say([next, line(`party ${party}`, await requestFingerprint(made.request))]);
    });
  const issue = new Command('issue')
    .description('issue the certificate of a party for its request')
    .requiredOption('--ca <dir>', 'folder that init made')
    .requiredOption('--party-id <n>', 'the party that it is for, and no other')
    .requiredOption('--request <file>', 'its party-N.csr')
    .requiredOption('--out <dir>', 'folder for party-N.pem and ca.pem, to be sent back')
    .option('--days <n>', 'how long it holds', DAYS)
    .action(async (flags: Flags) => {
      const party = partyOf(flags.partyId);
      const asked = await pem('request', flags.request);
      const authority = await readAuthority(flags.ca);
      const cert = await issueCertificate(authority, asked, { party, days: integer('days', flags.days, 1, 36_500) });
      await keep(flags.out, { [`party-${party}.pem`]: cert, [CA]: authority.ca });
      const next = `send party-${party}.pem and ${CA} back, to lie beside its key: tercet party --certificates DIR, or tercet infer`;
      say([
        `compare this fingerprint with what the operator says; ${next}`,
        ...describe(cert),
        ...describe(authority.ca),
      ]);
    });
  const show = new Command('show')
    .description('print what certificates and requests say, and their fingerprints')
    .argument('<file...>', 'PEM files')
    .action(async (files: readonly string[]) => {
      for (const file of files) {
        const text = await pem('file', file);
        if (text.includes('PRIVATE KEY'))
          throw new TercetError('ERR_ARGUMENT', 'that is a private key', 'show the certificate or the request');
        say(
          text.includes('CERTIFICATE REQUEST') ? [line('request', await requestFingerprint(text))] : describe(text),
          process.stdout,
        );
      }
    });
  return new Command('certificates')
    .description('credentials of one party, from an authority: init, request, issue, show')
    .addCommand(init)
    .addCommand(request)
    .addCommand(issue)
    .addCommand(show)
    .action(() => {
      throw new TercetError(
        'ERR_ARGUMENT',
        'certificates needs to know what to do',
        'tercet certificates init, request, issue or show',
      );
    });
}

function partyOf(value: string): PartyId {
  return integer('party-id', value, 0, 2) as PartyId;
}

function describe(cert: string): string[] {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(cert);
  } catch (cause) {
    throw new TercetError('ERR_PEER_CERTIFICATE', 'that is no certificate and no request', 'give PEM files', { cause });
  }
  const { subject, validFrom, validTo, publicKey } = certificate;
  return [line(subject.replace(/^CN=/, ''), keyFingerprint(publicKey)), `  from ${validFrom} to ${validTo}`];
}

function line(what: string, fingerprint: string): string {
  return `${what}: key fingerprint ${fingerprint}`;
}

function say(lines: readonly string[], to: NodeJS.WritableStream = process.stdout): void {
  for (const text of lines) to.write(`${text}\n`);
}

/** Writes files for their owner alone, and over nothing. */
async function keep(dir: string, files: Readonly<Record<string, string>>): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    for (const [name, text] of Object.entries(files)) {
      const path = join(dir, name);
      await writeFile(path, text, { mode: 0o600, flag: 'wx', flush: true }).catch(
        async (error: NodeJS.ErrnoException) => {
          // The same authority may lie there already.
          if (error.code !== 'EEXIST' || (await readFile(path, 'utf8')) !== text) throw error;
        },
      );
    }
  } catch (cause) {
    const there = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new TercetError(
      'ERR_ARGUMENT',
      there ? `${dir} holds other keys or certificates already` : `${dir} cannot be written`,
      'give another folder',
      {
        cause,
      },
    );
  }
}

/** What `init` made. @throws {TercetError} ERR_ARGUMENT, ERR_PEER_CERTIFICATE for a key that others can read */
export async function readAuthority(dir: string): Promise<Authority> {
  return { ca: await pem('ca', join(dir, CA)), key: await ownKey(join(dir, CA_KEY)) };
}

async function ownKey(path: string): Promise<string> {
  const key = await pem('ca', path);
  if (((await stat(path)).mode & 0o077) !== 0 && process.platform !== 'win32') {
    throw new TercetError(
      'ERR_PEER_CERTIFICATE',
      'the key of the authority can be read by other users',
      'make a new authority: it may have been read already',
    );
  }
  return key;
}
