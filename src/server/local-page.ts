/**
 * The web app with everything behind it on this machine: two compute parties as processes, and the page's server.
 * For trying, not for secrets.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Cleanup, unlessAborted } from '../core/abort.ts';
import { Issuer } from '../node/issuer.ts';
import { LocalParties, shareInProcess } from '../daemon/local.ts';
import { prepareShares } from '../node/shares.ts';
import type { PartyAddress } from '../owner/types/index.ts';
import { type PublishedModel, writeDeployment } from './deployment.ts';
import { serveSite } from './site.ts';

export interface LocalPageOptions {
  /** The program that the parties run: the command line. */
  readonly entry: string;
  readonly models: readonly string[];
  /** Folders that are also served for vectors of texts, as `NAME-vectors`, with open weights. */
  readonly vectors?: readonly string[] | undefined;
  /** Folder of a page that uses the SDK, instead of the web app. */
  readonly app?: string | undefined;
  /** Preferred port of the page; another free one if it is taken. */
  readonly port: number;
  /** Pages of other servers that the parties answer, besides this one: that of `npm run dev`. */
  readonly origins?: readonly string[] | undefined;
  readonly certificates: string;
  /** Start a dealer too, which the page then offers. */
  readonly dealer?: boolean | undefined;
  readonly device: string;
  readonly threads: number;
  readonly signal: AbortSignal;
  readonly debug: boolean;
}

export interface LocalPage {
  readonly url: string;
  /**
   * Folder with a credential file for each model: what the user of this machine gives the page for secret weights.
   * No server hands them out.
   */
  readonly credentials: string;
  /** Rejects with the error of a party that fails. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** Folder of the built app, beside this code's own. */
const APP = fileURLToPath(new URL('../app', import.meta.url));
const HOST = '127.0.0.1';
/** The sharing is gone when the page stops. */
const DAYS = 30;

export async function serveLocalPage(options: LocalPageOptions): Promise<LocalPage> {
  const cleanup = new Cleanup();
  try {
    const published: PublishedModel[] = [];
    const credentials = cleanup.add(await mkdtemp(join(tmpdir(), 'tercet-credentials-')), (folder) =>
      rm(folder, { recursive: true, force: true }),
    );
    for (const folder of options.models) {
      published.push({ folder, shares: await share(folder, options, cleanup) });
    }
    for (const folder of options.vectors ?? []) published.push({ folder, task: 'feature-extraction' });
    const port = await freePort(options.port);
    const origins = [`http://${HOST}:${port}`, `http://localhost:${port}`, ...(options.origins ?? [])];
    const parties = cleanup.add(
      await LocalParties.start({
        entry: options.entry,
        stay: true,
        args: (id) => partyArguments(id, published, origins, options),
      }),
      (local) => local.stop(),
    );
    await unlessAborted(options.signal, parties.ready());
    const addresses = (await parties.web()).map((web): PartyAddress => ({ ...web, place: 'this machine' }));
    const dealer = options.dealer === true ? await startDealer(parties, addresses, origins, options) : undefined;
    for (const { folder, shares } of published) {
      if (shares === undefined) continue;
      await (await Issuer.open(shares)).enrol(
        'the user of this machine',
        DAYS,
        join(credentials, `${basename(folder)}.credential.json`),
        { dealer: dealer?.identity },
      );
    }
    const site = cleanup.add(
      await serveSite({
        ...(await writeDeployment([addresses[0], addresses[1]], published, { dealer })),
        app: options.app ?? APP,
        host: HOST,
        port,
      }),
      (served) => served.close(),
    );
    return { url: site.url, credentials, failed: parties.failed, stop: () => cleanup.run() };
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

/** On one machine nobody is kept from colluding: a dealer here is for trying. */
async function startDealer(
  parties: LocalParties,
  addresses: readonly PartyAddress[],
  origins: readonly string[],
  { entry, certificates, threads }: LocalPageOptions,
): Promise<PartyAddress> {
  const both = (of: (address: PartyAddress) => string) => addresses.map((one, i) => `${i + 1}=${of(one)}`).join(',');
  const web = await parties.startDealer(entry, [
    ...['--parties', both(({ url }) => url), '--identities', both(({ identity }) => identity)],
    ...['--web', `${HOST}:0`, '--certificates', certificates, '--threads', String(threads)],
    ...origins.flatMap((origin) => ['--origins', origin]),
  ]);
  return { ...web, place: 'this machine' };
}

/** A sharing of the model for this run, as the model owner would make it. */
async function share(folder: string, { entry, signal }: LocalPageOptions, cleanup: Cleanup): Promise<string> {
  const made = cleanup.add(
    await prepareShares((out) => shareInProcess(entry, ['--model', folder], out, signal), basename(folder)),
    (shares) => shares.remove(),
  );
  return made.root;
}

function partyArguments(
  id: 1 | 2,
  models: readonly PublishedModel[],
  origins: readonly string[],
  options: LocalPageOptions,
): string[] {
  return [
    ...models.flatMap(({ folder, task, shares }) => [
      '--model',
      task === undefined ? folder : `${folder}#${task}`,
      ...(shares === undefined ? [] : ['--shares', join(shares, `p${id}`)]),
    ]),
    ...['--web', `${HOST}:0`],
    // A page for trying shows what there is to compare with, too.
    ...['--protocols', '3pc_semi_honest,3pc_malicious,aby3'],
    ...origins.flatMap((origin) => ['--origins', origin]),
    ...['--certificates', options.certificates, '--device', options.device, '--threads', String(options.threads)],
    ...(options.debug ? ['--debug'] : []),
  ];
}

/** `wanted` if nobody listens there, else a free port. */
async function freePort(wanted: number): Promise<number> {
  const listening = (port: number) =>
    new Promise<number | undefined>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(undefined));
      server.listen(port, HOST, () => {
        const { port: given } = server.address() as AddressInfo;
        server.close(() => resolve(given));
      });
    });
  return (await listening(wanted)) ?? (await listening(0)) ?? 0;
}
