/** `tercet party`: one compute party as a daemon, or (with an IPC parent) as a local party of `infer`. */
import { totalmem } from 'node:os';
import { Command, Option } from 'commander';
import { TercetError, asTercetError } from '../core/errors.ts';
import type { PartyId } from '../net/wire/types.ts';
import { isPinned } from '../net/tls/credentials.ts';
import { type BudgetLimits, defaultLimits } from '../daemon/budgets.ts';
import type { DaemonEnd, DaemonOptions } from '../daemon/daemon.ts';
import { OperatorLog } from '../daemon/log.ts';
import { mayHaveGpu } from '../node/devices.ts';
import { endWithParent, failed, progressTeller } from './child.ts';
import { ENTRY } from './entry.ts';
import { DEVICE_LOST_EXIT, isSupervised, supervise } from '../daemon/supervisor.ts';
import type { ChildMessage } from '../daemon/local.ts';
import { NETWORK_TIMEOUT_HELP, defaultThreads } from '../node/defaults.ts';
import type { ModelSource } from '../daemon/served-model.ts';
import type { WebOptions } from '../daemon/web.ts';
import { ensureIdentity } from '../net/identity/identity-node.ts';
import type { PartyIdentity } from '../net/identity/identity.ts';
import { type PartyCredentialFlags, credentialFolder, credentialOptions, partyCredentials } from './credentials.ts';
import {
  METRICS_HELP,
  integer,
  limits,
  modelLocation,
  namedModel,
  networkTimeout,
  oneOf,
  parseAddress,
  parseDevice,
  parseProfile,
  parseProtocols,
  parseRanges,
  PROTOCOLS,
  PROTOCOLS_HELP,
  RANGES_HELP,
  tlsFiles,
} from './options.ts';
import { notify } from '../operate/notify.ts';
import { cancelOnSignals, serviceSignals } from './signals.ts';
import { TRACE_HELP, traceFile } from './trace.ts';

interface PartyFlags extends PartyCredentialFlags {
  readonly model: readonly string[];
  readonly randomWeights?: string;
  readonly architecture?: string;
  readonly ranges?: string;
  readonly partyId: string;
  readonly host: string;
  readonly port: string;
  readonly peers?: string;
  readonly shares: readonly string[];
  readonly maxSessions: string;
  readonly maxRunning: string;
  readonly maxMemory?: string;
  readonly maxTraffic?: string;
  readonly maxSessionsPerAddress?: string;
  readonly device: string;
  readonly threads?: string;
  readonly profile?: string;
  readonly web?: string;
  readonly webCert?: string;
  readonly webKey?: string;
  readonly origins: readonly string[];
  readonly udpPorts?: string;
  readonly iceServers: readonly string[];
  readonly protocols: string;
  readonly once?: boolean;
  readonly audit?: string;
  readonly networkTimeout?: string;
  readonly trace?: string;
  readonly role?: string;
  readonly metrics?: string;
  readonly drain: string;
  readonly authority?: string;
  readonly debug?: boolean;
}

export function partyCommand(): Command {
  return credentialOptions(new Command('party'))
    .description('run one compute party: it listens for the data owner and, as party 1, for party 2')
    .requiredOption('--party-id <n>', '1 or 2')
    .option('--role <role>', 'compute, which is what this command runs')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on (0: any free one)', '0')
    .option('--peers <list>', 'for party 2: the address of party 1, as 1=HOST:PORT')
    .option(
      '--peer-identity <pin>',
      'the identity that the other compute party must prove, as 1=HEX or 2=HEX; no certificates are needed then',
    )
    .option(
      '--model <name>',
      'model folder or org/name on the hub to serve, with #feature-extraction behind it for vectors of any model, again for more (default: the embedded fill-mask model)',
      collect,
      [],
    )
    .option('--shares <dir>', "this party's part of secret weights, again for more", collect, [])
    .option('--random-weights <seed>', 'random weights of the architecture in --architecture')
    .option('--architecture <file>', 'config.json for --random-weights')
    .option(
      '--ranges <which>',
      `${RANGES_HELP}; the same at both parties, and for secret weights chosen by tercet model share`,
    )
    .option('--device <device>', 'auto, wasm, native or webgpu', 'auto')
    .option('--threads <n>', 'worker threads')
    .option('--protocols <list>', PROTOCOLS_HELP, PROTOCOLS.join(','))
    .option('--max-sessions <n>', 'sessions at a time, prepared ones included', '8')
    .option(
      '--max-running <n>',
      'of party 1: runs that compute at a time, the others wait for their turn; more where the parties are far apart',
      '2',
    )
    .option(
      '--max-memory <limits>',
      "memory for owners' runs, in GB like session=2,address=4,total=8, or none (default: total half of this machine's, address half of that, session up to 8)",
    )
    .option(
      '--max-traffic <limits>',
      "traffic of owners' runs under way, in GB, or none (default: session=200,address=400,total=800)",
    )
    .option(
      '--max-sessions-per-address <n>',
      'of one address; behind a proxy on another machine give as many as in all (default: half of all)',
    )
    .option('--profile <name>', 'shape the links like a network: lan, wan-cloud or home')
    .option('--web <address>', 'HOST:PORT where browsers reach this party (WebRTC, and WebSocket as the second way)')
    .option('--web-cert <file>', 'certificate of that address, PEM; needed unless it is this machine')
    .option('--web-key <file>', 'key of that certificate, PEM')
    .option('--origins <url>', 'origin of a page that may use this party, again for more', collect, [])
    .option('--udp-ports <from-to>', 'UDP ports for WebRTC, for firewalls')
    .option('--ice-servers <url>', 'STUN or TURN server of this party, again for more (default: none)', collect, [])
    .option('--audit <dir>', 'keep an audit log there: signed, and checked by tercet audit verify (default: none)')
    .option(
      '--authority <dir>',
      'folder of tercet certificates init: this party renews its own certificate in --certificates. Who has it can be every party',
    )
    .option('--metrics <address>', METRICS_HELP)
    .option(
      '--drain <s>',
      'how long sessions at work have when it is told to stop; a second signal stops at once',
      '30',
    )
    .option('--network-timeout <s>', NETWORK_TIMEOUT_HELP)
    .option('--trace <file>', TRACE_HELP)
    .addOption(new Option('--once', 'serve one session and end'))
    .action(async (flags: PartyFlags) => {
      await party(flags);
    });
}

/** A flag that may be given more than once. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** The defaults of this machine, and what the flags say in their place. */
export function budgetLimits({ maxMemory, maxTraffic }: Pick<PartyFlags, 'maxMemory' | 'maxTraffic'>): BudgetLimits {
  const { memory, traffic } = defaultLimits(totalmem());
  return { memory: limits('max-memory', maxMemory, memory), traffic: limits('max-traffic', maxTraffic, traffic) };
}

/** Where browsers come in, when `--web` asks for it. */
export async function webOptions(
  identity: PartyIdentity,
  flags: Pick<PartyFlags, 'web' | 'webCert' | 'webKey' | 'origins' | 'iceServers' | 'udpPorts'>,
): Promise<WebOptions | undefined> {
  if (flags.web === undefined) return undefined;
  const { host, port } = parseAddress('web', flags.web, 0);
  const tls = await tlsFiles('web', flags.webCert, flags.webKey);
  const { origins, iceServers } = flags;
  return {
    identity,
    host,
    port,
    tls,
    origins,
    iceServers,
    udpPorts: flags.udpPorts === undefined ? undefined : portRange(flags.udpPorts),
  };
}

function portRange(range: string): [number, number] {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(range);
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  if (!(from >= 1 && from <= to && to <= 65535))
    throw new TercetError('ERR_ARGUMENT', '--udp-ports expected FROM-TO', 'for example --udp-ports 50000-50100');
  return [from, to];
}

/** Every model folder and share that was named; the embedded model when none was. */
function modelSources({ model, shares, randomWeights, architecture, ranges }: PartyFlags): ModelSource[] {
  const plan = { ranges: ranges === undefined ? undefined : parseRanges(ranges) };
  const secret = shares.map((folder): ModelSource => ({ weights: 'secret', folder }));
  if (randomWeights !== undefined || architecture !== undefined || (model.length === 0 && secret.length === 0)) {
    const location = modelLocation({ model: model[0], randomWeights, architecture }, 'fill-mask');
    return [{ weights: 'open', model: location, ...plan }, ...secret];
  }
  if (ranges !== undefined && model.length === 0)
    throw new TercetError(
      'ERR_ARGUMENT',
      '--ranges does not change the plan of a sharing',
      'give it to tercet model share',
    );
  return [...model.map((name): ModelSource => ({ weights: 'open', model: namedModel(name), ...plan })), ...secret];
}

/** Tells whoever started this process; on a terminal, in a line. */
function announce({ partyId, host }: PartyFlags, message: ChildMessage): void {
  if (process.send !== undefined) {
    if (process.connected) process.send(message);
    return;
  }
  const say = (line: string) => process.stderr.write(`tercet: ${line}\n`);
  if (message.kind === 'listening') say(`party ${partyId} listens on ${host}:${message.port}`);
  else if (message.kind === 'web')
    say(`party ${partyId} serves browsers at ${message.web.url}, identity ${message.web.identity}`);
  else if (message.kind === 'device')
    say(
      `party ${partyId} computes on ${message.summary}${message.fallback === undefined ? '' : ` (${message.fallback})`}`,
    );
  else if (message.kind === 'download')
    say(
      `party ${partyId} fetches ${message.file}: ${message.percent} % of ${(message.totalBytes / 1e6).toFixed(1)} MB`,
    );
  else if (message.kind === 'failed') say(`${message.code}: ${message.message} — ${message.hint}`);
}

/** Tells of a download in steps of a fifth: a line for each is enough. */
function downloadTeller(
  tell: (message: ChildMessage) => void,
): (file: string, loaded: number, totalBytes: number) => void {
  let last = '';
  return (file, loaded, totalBytes) => {
    const percent = 20 * Math.floor((5 * loaded) / Math.max(1, totalBytes));
    if (last === `${file} ${percent}`) return;
    last = `${file} ${percent}`;
    tell({ kind: 'download', file, percent, totalBytes });
  };
}

/** A graphics device is used in a process that may crash without taking the watcher along. */
function needsSupervisor({ device }: PartyFlags): boolean {
  return !isSupervised() && (device === 'webgpu' || (device === 'auto' && mayHaveGpu()));
}

async function superviseParty(flags: PartyFlags): Promise<number> {
  // SIGHUP is a service's word to read its files again: the party itself hears it.
  const { signal, release } = cancelOnSignals(false);
  const drainMs = 1000 * integer('drain', flags.drain, 0, 3600);
  const stop = new AbortController();
  const orphaned = () => stop.abort();
  if (process.send !== undefined) process.on('disconnect', orphaned);
  try {
    return await supervise({
      entry: ENTRY,
      args: process.argv.slice(2),
      restart: flags.once !== true,
      mayFallBack: flags.device === 'auto',
      signal: AbortSignal.any([signal, stop.signal]),
      killAfterMs: drainMs + 5_000,
      say: (line) => process.stderr.write(`tercet: party ${flags.partyId}: ${line}\n`),
      relay: (message) => announce(flags, message),
    });
  } finally {
    release();
    process.off('disconnect', orphaned);
    if (process.connected) process.disconnect();
  }
}

async function party(flags: PartyFlags): Promise<void> {
  const id = integer('party-id', flags.partyId, 1, 2) as PartyId & (1 | 2);
  if (needsSupervisor(flags)) {
    process.exitCode = await superviseParty(flags);
    return;
  }
  if (flags.role !== undefined) oneOf('role', flags.role, ['compute']);
  // A party that another command started ends with it, at once.
  const started = process.send !== undefined && !isSupervised();
  const drainMs = 1000 * integer('drain', flags.drain, 0, 3600);
  let reload: () => Promise<void> = async () => undefined;
  const say = (line: string) => process.stderr.write(`tercet: party ${id}: ${line}\n`);
  const again = async () => {
    await notify('RELOADING=1');
    await reload().then(
      () => say('models and certificates were read again'),
      (error: unknown) => say(`nothing was read again: ${asTercetError(error).line()}`),
    );
    await notify('READY=1');
  };
  // A party for one session, or of another command, has nothing to finish, and nothing to read again: SIGHUP ends it.
  const service = started || flags.once === true ? undefined : serviceSignals(() => void again());
  service?.drain.addEventListener('abort', () => void notify('STOPPING=1'));
  const { signal, release } = service ?? cancelOnSignals();
  const alone = endWithParent();
  if (id === 2 && flags.peers === undefined)
    throw new TercetError('ERR_ARGUMENT', 'party 2 needs the address of party 1', 'give --peers 1=HOST:PORT');
  const log = new OperatorLog({ party: id, now: () => Date.now(), write: (line) => process.stderr.write(`${line}\n`) });
  const peer = flags.peers === undefined ? undefined : peerAddress(flags.peers);
  const credentials = await partyCredentials(id, flags, [flags.host, ...(peer === undefined ? [] : [peer.host])]);
  // Only where somebody could ask for it.
  const identity =
    (flags.web ?? flags.audit) === undefined && !isPinned(credentials)
      ? undefined
      : await ensureIdentity(credentialFolder(flags), id);
  const trace = traceFile(flags.trace);
  try {
    const options: DaemonOptions = {
      id,
      host: flags.host,
      port: integer('port', flags.port, 0, 65535),
      peer,
      credentials,
      identity,
      models: modelSources(flags),
      device: parseDevice(flags.device),
      threads: flags.threads === undefined ? defaultThreads() : integer('threads', flags.threads, 0, 64),
      profile: flags.profile === undefined ? undefined : parseProfile(flags.profile),
      recvTimeoutMs: networkTimeout(flags.networkTimeout),
      maxSessions: integer('max-sessions', flags.maxSessions, 1, 1000),
      maxRunning: integer('max-running', flags.maxRunning, 1, 1000),
      budgets: budgetLimits(flags),
      maxPerAddress:
        flags.maxSessionsPerAddress === undefined
          ? undefined
          : integer('max-sessions-per-address', flags.maxSessionsPerAddress, 1, 1000),
      protocols: parseProtocols(flags.protocols),
      once: flags.once === true,
      web: identity === undefined ? undefined : await webOptions(identity, flags),
      signal,
      drain: service === undefined ? undefined : { signal: service.drain, ms: drainMs },
      watch: flags.metrics === undefined ? undefined : parseAddress('metrics', flags.metrics, 0),
      onWatch: (url) => say(`is watched at ${url}/metrics`),
      renew: async () => ({
        credentials: await partyCredentials(id, flags, [flags.host, ...(peer === undefined ? [] : [peer.host])]),
        webTls: identity === undefined ? undefined : (await webOptions(identity, flags))?.tls,
        identity: identity === undefined ? undefined : await ensureIdentity(credentialFolder(flags), id),
      }),
      renewCertificate: renewalOf(id, flags),
      onCertificate: (use, until) => say(certificateWords(use, until)),
      onReloadable: (read) => {
        reload = read;
      },
      onModels: () => say('read its models again: files changed'),
      onListening: (port) => announce(flags, { kind: 'listening', port }),
      onWeb: (web) => announce(flags, { kind: 'web', web }),
      onDevice: (summary, fallback) => announce(flags, { kind: 'device', summary, fallback }),
      onDownload: downloadTeller((message) => announce(flags, message)),
      onReady: () => {
        announce(flags, { kind: 'ready' });
        // A party of another command is no service: whoever started it says when it is ready.
        if (service !== undefined) void notify('READY=1');
      },
      onProgress: progressTeller(
        (message) => announce(flags, message),
        () => performance.now(),
      ),
      audit: flags.audit,
      trace: trace.trace,
      onFailure: (error, session) => log.failed(error, session),
    };
    const { deviceFault } = await serve(options);
    if (deviceFault === undefined) return;
    announce(flags, failed(`party ${id}`, deviceFault));
    process.exitCode = isSupervised() ? DEVICE_LOST_EXIT : 1;
  } catch (thrown) {
    const error = asTercetError(thrown);
    if (signal.aborted || service?.drain.aborted === true) return;
    if (process.send === undefined || flags.debug === true) throw error;
    announce(flags, failed(`party ${id}`, error));
    process.exitCode = error.kind === 'usage' ? 2 : 1;
  } finally {
    trace.close();
    release();
    alone();
  }
}

/** What computes is loaded when the flags were taken, and what a start waits for longest is loaded first. */
async function serve(options: DaemonOptions): Promise<DaemonEnd> {
  const { headStart } = await import('../daemon/head-start.ts');
  const begun = headStart(options);
  try {
    const { runDaemon } = await import('../daemon/daemon.ts');
    return await runDaemon({ ...options, openKernels: begun.openKernels, opened: begun.opened });
  } finally {
    await begun.end();
  }
}

/** Renews this party's certificate by an authority that is at hand. @throws {TercetError} ERR_ARGUMENT */
function renewalOf(id: 1 | 2, flags: PartyFlags): (() => Promise<void>) | undefined {
  const { authority, certificates, tlsCert, peerIdentity } = flags;
  if (authority === undefined) return undefined;
  if (certificates === undefined || (tlsCert ?? peerIdentity) !== undefined)
    throw new TercetError(
      'ERR_ARGUMENT',
      '--authority renews the certificate in --certificates',
      'give --certificates DIR, and neither --tls-cert nor --peer-identity',
    );
  return async () => {
    const { readAuthority } = await import('./certificates.ts');
    const { renewOwn } = await import('../net/tls/certificates.ts');
    await renewOwn(certificates, id, { authority: await readAuthority(authority) });
  };
}

function certificateWords(use: 'link' | 'web', until: Date): string {
  const how =
    use === 'web'
      ? 'put a new one in the place of --web-cert'
      : 'put a new party-N.pem in its place (tercet certificates issue), or give --authority';
  return `the certificate for ${use === 'web' ? 'browsers' : 'links'} ends at ${until.toISOString()}: ${how}; it is read within a minute`;
}

/** `1=HOST:PORT`; with other parties named too, as in a list that all parties share. */
function peerAddress(list: string): { host: string; port: number } {
  const match = /(?:^|,)1=([^,]+)(?:,|$)/.exec(list);
  if (match === null)
    throw new TercetError('ERR_ARGUMENT', '--peers expected 1=HOST:PORT', 'for example --peers 1=127.0.0.1:7001');
  return parseAddress('peers', match[1]);
}
