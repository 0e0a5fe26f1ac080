/** `tercet dealer`: deals for data owners on thin links, at one pair of compute parties. */
import { Command } from 'commander';
import { carriesTrust } from '../core/address.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import type { DealerDaemonOptions, PartyPlace } from '../daemon/dealer.ts';
import type { ChildMessage } from '../daemon/local.ts';
import { OperatorLog } from '../daemon/log.ts';
import { identitiesOf } from '../net/identity/pin.ts';
import { ensureIdentity, ensureOwnCertificate } from '../net/identity/identity-node.ts';
import { NETWORK_TIMEOUT_HELP, defaultThreads } from '../node/defaults.ts';
import { notify } from '../operate/notify.ts';
import { endWithParent, failed } from './child.ts';
import { credentialFolder } from './credentials.ts';
import {
  DEALER_TRUST,
  METRICS_HELP,
  both,
  integer,
  networkTimeout,
  parseAddress,
  parseIdentities,
  parseProfile,
} from './options.ts';
import { budgetLimits, collect, webOptions } from './party.ts';
import { cancelOnSignals } from './signals.ts';
import { TRACE_HELP, traceFile } from './trace.ts';

interface DealerFlags {
  readonly host: string;
  readonly port: string;
  readonly parties: string;
  readonly identities: string;
  readonly certificates?: string;
  readonly threads?: string;
  readonly maxSessions: string;
  readonly maxSessionsPerAddress?: string;
  readonly maxMemory?: string;
  readonly maxTraffic?: string;
  readonly profile?: string;
  readonly web?: string;
  readonly webCert?: string;
  readonly webKey?: string;
  readonly origins: readonly string[];
  readonly udpPorts?: string;
  readonly iceServers: readonly string[];
  readonly networkTimeout?: string;
  readonly trace?: string;
  readonly metrics?: string;
}

export function dealerCommand(): Command {
  return new Command('dealer')
    .description(
      `deal for data owners that name this dealer: they send their input only, and this process what is dealt ahead. ${DEALER_TRUST}`,
    )
    .requiredOption(
      '--parties <list>',
      'the two compute parties, as 1=HOST:PORT,2=HOST:PORT, or by the addresses where browsers reach them: 1=https://…,2=https://…',
    )
    .requiredOption('--identities <list>', 'the identities that they must prove, as 1=HEX,2=HEX')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on (0: any free one)', '0')
    .option('--certificates <dir>', "folder with this dealer's key (default: of this user)")
    .option('--threads <n>', 'worker threads')
    .option('--max-sessions <n>', 'owners at a time', '8')
    .option('--max-sessions-per-address <n>', 'of one address (default: half of all)')
    .option('--max-memory <limits>', 'as for tercet party')
    .option('--max-traffic <limits>', 'as for tercet party')
    .option('--profile <name>', 'shape the links like a network: lan, wan-cloud or home')
    .option('--web <address>', 'HOST:PORT where browsers reach this dealer')
    .option('--web-cert <file>', 'certificate of that address, PEM; needed unless it is this machine')
    .option('--web-key <file>', 'key of that certificate, PEM')
    .option('--origins <url>', 'origin of a page that may use this dealer, again for more', collect, [])
    .option('--udp-ports <from-to>', 'UDP ports for WebRTC, for firewalls')
    .option('--ice-servers <url>', 'STUN or TURN server of this dealer, again for more (default: none)', collect, [])
    .option('--network-timeout <s>', NETWORK_TIMEOUT_HELP)
    .option('--metrics <address>', METRICS_HELP)
    .option('--trace <file>', TRACE_HELP)
    .action(dealer);
}

/** Tells whoever started this process; on a terminal, in a line. */
function announce({ host }: DealerFlags, message: ChildMessage): void {
  if (process.send !== undefined) {
    if (process.connected) process.send(message);
    return;
  }
  const say = (line: string) => process.stderr.write(`tercet: ${line}\n`);
  if (message.kind === 'listening') say(`the dealer listens on ${host}:${message.port}`);
  else if (message.kind === 'web')
    say(`the dealer serves browsers at ${message.web.url}, identity ${message.web.identity}`);
  else if (message.kind === 'failed') say(`${message.code}: ${message.message} — ${message.hint}`);
}

async function dealer(flags: DealerFlags): Promise<void> {
  const { signal, release } = cancelOnSignals();
  if (process.send === undefined) signal.addEventListener('abort', () => void notify('STOPPING=1'));
  const alone = endWithParent();
  const folder = credentialFolder(flags);
  const identity = await ensureIdentity(folder, 3);
  const identities = parseIdentities('identities', flags.identities);
  if (identities.flatMap(identitiesOf).includes(identity.publicKey))
    throw new TercetError(
      'ERR_ARGUMENT',
      '--identities has that of this dealer itself',
      'a dealer that computes too would read the text: give those of the compute parties',
    );
  const log = new OperatorLog({ party: 3, now: () => Date.now(), write: (line) => process.stderr.write(`${line}\n`) });
  const { key, cert } = await ensureOwnCertificate(folder, 3);
  const trace = traceFile(flags.trace);
  const [one, two] = both('parties', flags.parties).map(placeOf);
  try {
    const options: DealerDaemonOptions = {
      host: flags.host,
      port: integer('port', flags.port, 0, 65535),
      identity,
      credentials: { own: { key, cert }, pins: {} },
      parties: [one, two],
      identities,
      threads: flags.threads === undefined ? defaultThreads() : integer('threads', flags.threads, 0, 64),
      profile: flags.profile === undefined ? undefined : parseProfile(flags.profile),
      recvTimeoutMs: networkTimeout(flags.networkTimeout),
      maxSessions: integer('max-sessions', flags.maxSessions, 1, 1000),
      maxPerAddress:
        flags.maxSessionsPerAddress === undefined
          ? undefined
          : integer('max-sessions-per-address', flags.maxSessionsPerAddress, 1, 1000),
      budgets: budgetLimits(flags),
      web: await webOptions(identity, flags),
      signal,
      trace: trace.trace,
      watch: flags.metrics === undefined ? undefined : parseAddress('metrics', flags.metrics, 0),
      onWatch: (url) => process.stderr.write(`tercet: the dealer is watched at ${url}/metrics\n`),
      onListening: (port) => announce(flags, { kind: 'listening', port }),
      onWeb: (web) => announce(flags, { kind: 'web', web }),
      onReady: () => {
        announce(flags, { kind: 'ready' });
        // One of another command is no service.
        if (process.send === undefined) void notify('READY=1');
      },
      onFailure: (error, session) => log.failed(error, session),
    };
    // What deals is loaded when the flags were taken.
    const { runDealer } = await import('../daemon/dealer.ts');
    const { deviceFault } = await runDealer(options);
    if (deviceFault === undefined) return;
    announce(flags, failed('the dealer', deviceFault));
    process.exitCode = 1;
  } catch (thrown) {
    if (signal.aborted) return;
    const error = asTercetError(thrown);
    if (process.send === undefined) throw error;
    announce(flags, failed('the dealer', error));
    process.exitCode = error.kind === 'usage' ? 2 : 1;
  } finally {
    trace.close();
    release();
    alone();
  }
}

/** Over TLS by host and port, or where browsers reach it by address. */
function placeOf(value: string): PartyPlace {
  if (!URL.canParse(value) || !/^https?:/.test(value)) return parseAddress('parties', value);
  if (!carriesTrust(value))
    throw new TercetError('ERR_ARGUMENT', '--parties expected https: addresses', 'http: only for this machine');
  return { url: value };
}
