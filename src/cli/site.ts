/** `tercet site`: serves the web app for a pair of running parties. */
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { parseHubId } from '../hub/index.ts';
import { embeddedModels } from '../node/defaults.ts';
import { downloadedModel } from '../node/hub-model.ts';
import { type PublishedModel, writeDeployment } from '../server/deployment.ts';
import { type Site, serveSite } from '../server/site.ts';
import type { PartyAddress } from '../owner/types/index.ts';
import { TercetError } from '../core/errors.ts';
import { snippetOf } from '../widget/snippet.ts';
import {
  DEALER_TRUST,
  MAX_CHARACTERS_HELP,
  both,
  maxCharacters,
  namedModel,
  parseAddress,
  parseDealerIdentity,
  parseHubOrigin,
  parseIdentities,
  parseWidgetHost,
  tlsFiles,
} from './options.ts';
import { cancelOnSignals } from './signals.ts';

interface SiteFlags {
  readonly address: string;
  readonly app: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly behindProxy?: boolean;
  readonly parties: string;
  readonly identities: string;
  readonly operators?: string;
  readonly dealer?: string;
  readonly dealerIdentity?: string;
  readonly dealerOperator?: string;
  readonly model: readonly string[];
  readonly ownerShares: readonly string[];
  readonly iceServers: readonly string[];
  readonly maxCharacters?: string;
  readonly hubOrigins: readonly string[];
  readonly widgetHosts: readonly string[];
}

/** Where the build puts the app. */
const APP = fileURLToPath(new URL('../app', import.meta.url));

export function siteCommand(): Command {
  const collect = (value: string, before: readonly string[]) => [...before, value];
  return new Command('site')
    .description('serve the web app for two running compute parties')
    .requiredOption('--parties <list>', 'their web addresses, as 1=https://…,2=https://…')
    .requiredOption('--identities <list>', 'the identities they must prove, as 1=HEX,2=HEX (each party prints its own)')
    .option('--operators <list>', 'who runs them, as 1=NAME,2=NAME')
    .option('--dealer <url>', `web address of a dealer that owners may choose. ${DEALER_TRUST}`)
    .option('--dealer-identity <hex>', 'with --dealer: the identity that it must prove')
    .option('--dealer-operator <name>', 'with --dealer: who runs it')
    .option('--address <address>', 'HOST:PORT to listen on', '127.0.0.1:8420')
    .option('--tls-cert <file>', 'certificate of that address, PEM; needed unless it is this machine')
    .option('--tls-key <file>', 'key of that certificate, PEM')
    .option('--behind-proxy', 'a proxy in front of this server has the TLS, and nobody reaches it but through that')
    .option('--app <dir>', 'folder of another page that uses the SDK, instead of the web app', APP)
    .option(
      '--model <name>',
      'model folder or org/name on the hub to offer, again for more (default: the embedded models)',
      collect,
      [],
    )
    .option(
      '--owner-shares <dir>',
      'folder of a sharing made by `tercet model share` (its part owner is enough), one for each --model in order, to offer it with secret weights to enrolled owners',
      collect,
      [],
    )
    .option('--ice-servers <url>', 'STUN or TURN server for browsers, again for more (default: none)', collect, [])
    .option('--max-characters <n>', MAX_CHARACTERS_HELP)
    .option(
      '--hub-origins <origin>',
      'origin that pages may load models’ public files from, again for more (default: this server alone)',
      collect,
      [],
    )
    .option(
      '--widget-hosts <origin>',
      'origin of a page that may frame the widget, again for more (default: any page)',
      collect,
      [],
    )
    .action(async (flags: SiteFlags) => {
      const { signal, release } = cancelOnSignals();
      try {
        const site = await siteFor(flags);
        process.stderr.write(`tercet: the web app is at ${site.url}\n${tagFor(site)}`);
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        await site.close();
      } finally {
        release();
      }
    });
}

/** What other pages carry to have the first model; `widget.html` has the others. */
function tagFor({ url, widget, models: [model] }: Site): string {
  if (widget === undefined || model === undefined) return '';
  const tag = snippetOf(widget, url, { model: model.id, task: model.task });
  return `tercet: the tag for other pages (choose at ${url}widget.html):\n${tag}\n`;
}

async function siteFor(flags: SiteFlags): Promise<Site> {
  const { host, port } = parseAddress('address', flags.address, 0);
  const hubOrigins = flags.hubOrigins.map(parseHubOrigin);
  const widgetHosts = flags.widgetHosts.map(parseWidgetHost);
  const folders = flags.model.length > 0 ? flags.model : embeddedModels();
  const models: PublishedModel[] = [];
  for (const [i, name] of folders.entries())
    models.push({
      ...(await published(name)),
      shares: flags.ownerShares[i] as string | undefined,
    });
  const iceServers = flags.iceServers.map((urls) => ({ urls }));
  const tls = await tlsFiles('tls', flags.tlsCert, flags.tlsKey);
  const reach = { tls, behindProxy: flags.behindProxy === true };
  return serveSite({
    ...(await writeDeployment(addresses(flags), models, {
      iceServers,
      maxCharacters: maxCharacters(flags.maxCharacters),
      ...dealerOf(flags),
    })),
    app: flags.app,
    host,
    port,
    ...reach,
    hubOrigins,
    widgetHosts,
  });
}

/** A folder, or a model of a hub under its own name; the weights are needed for their hash only. */
async function published(name: string): Promise<PublishedModel> {
  const location = namedModel(name);
  const task = location.kind === 'random' ? undefined : location.task;
  if (location.kind === 'folder') return { folder: location.path, task };
  const id = location.kind === 'hub' ? location.id : name;
  const { repository } = parseHubId(id);
  const { folder, commit } = await downloadedModel(id, { weights: true });
  return { folder, id: repository, hub: { repository, commit }, task };
}

function dealerOf(flags: SiteFlags): { dealer?: PartyAddress } {
  const { dealer: url, dealerIdentity, dealerOperator: operator, identities } = flags;
  if (url === undefined && dealerIdentity === undefined && operator === undefined) return {};
  if (url === undefined || dealerIdentity === undefined)
    throw new TercetError('ERR_ARGUMENT', '--dealer and --dealer-identity belong together', 'give both');
  const identity = parseDealerIdentity(dealerIdentity, identities);
  return { dealer: { url, identity, operator } };
}

function addresses({ parties, identities, operators }: SiteFlags): [PartyAddress, PartyAddress] {
  const [urls, keys, names] = [
    both('parties', parties),
    parseIdentities('identities', identities),
    operators === undefined ? undefined : both('operators', operators),
  ];
  const one = (i: 0 | 1): PartyAddress => ({
    url: urls[i],
    ...keys[i],
    operator: names?.[i],
  });
  return [one(0), one(1)];
}
