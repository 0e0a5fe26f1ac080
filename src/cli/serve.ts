/**
 * `tercet serve`: the data owner's party as a REST service, with running compute parties or with two that it starts on
 * this machine.
 */
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { Cleanup } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import { VERSION } from '../daemon/version.ts';
import { NETWORK_TIMEOUT_HELP } from '../node/defaults.ts';
import { protocolWithProofs } from '../mpc/protocol/registry.ts';
import type { ProtocolId } from '../mpc/protocol/types.ts';
import { nodeKernels } from '../node/kernels.ts';
import { ServiceMetrics } from '../operate/metrics.ts';
import { DEFAULT_BATCH } from '../owner/batch-size.ts';
import { LOG_LEVELS, Public, type ServiceLog, serviceLog } from '../operate/service-log.ts';
import { notify } from '../operate/notify.ts';
import { openSpans } from '../operate/telemetry.ts';
import { serveWatch } from '../operate/watch.ts';
import type { RunPlan } from '../session/run-plan.ts';
import { KeyRing } from '../rest/keys.ts';
import { TRUST } from '../rest/openapi.ts';
import { MAX_TEXTS } from '../rest/schemas.ts';
import { DEFAULT_LIMITS, startGateway } from '../rest/server.ts';
import { credentialOptions } from './credentials.ts';
import { type GatewayModelFlags, openGatewayModels, threadsOf } from './gateway-models.ts';
import { keyFile } from './key.ts';
import {
  METRICS_HELP,
  DEALER_TRUST,
  MAX_CHARACTERS_HELP,
  batchSize,
  integer,
  LEVEL_HELP,
  maxCharacters,
  oneOf,
  parseAddress,
  parseDevice,
  parseLevel,
  parseProtocols,
  parsePlan,
  PROTOCOL_HELP,
  tlsFiles,
} from './options.ts';
import { collect } from './party.ts';
import { cancelOnSignals } from './signals.ts';

interface ServeFlags extends GatewayModelFlags {
  readonly host: string;
  readonly port: string;
  readonly defaultModel?: string;
  readonly protocol: string;
  readonly protocols?: string;
  readonly securityLevel: string;
  readonly plan: string;
  readonly keys?: string;
  readonly behindProxy?: boolean;
  readonly httpCert?: string;
  readonly httpKey?: string;
  readonly maxRuns: string;
  readonly maxQueue: string;
  readonly maxPerKey: string;
  readonly textsPerMinute: string;
  readonly maxBody: string;
  readonly maxTexts: string;
  readonly maxCharacters?: string;
  readonly batchSize: string;
  readonly maxConnections: string;
  readonly requestTimeout: string;
  readonly prepared: string;
  readonly metrics?: string;
  readonly drain: string;
  readonly logLevel: string;
  readonly networkTimeout?: string;
}

export function serveCommand(): Command {
  const { runs, queue, perKey, textsPerMinute, bodyBytes, texts, connections, requestMs } = DEFAULT_LIMITS;
  return credentialOptions(new Command('serve'))
    .description(`serve the data owner's party as a REST gateway.\n${TRUST}`)
    .option('--host <host>', 'address to listen on; any but this machine needs keys, and TLS or a proxy', '127.0.0.1')
    .option('--port <port>', 'port to listen on (0: any free one)', '8080')
    .option(
      '--model <name>',
      'model folder or org/name on the hub, or a name of the deployment, again for more (default: all embedded, or all of the deployment)',
      collect,
      [],
    )
    .option('--default-model <name>', 'of requests that name none (default: the first)')
    .option('--peers <list>', 'running compute parties, as 1=HOST:PORT,2=HOST:PORT (default: start both here)')
    .option('--identities <list>', 'with --peers: the identities that they must prove, as 1=HEX,2=HEX')
    .option('--deployment <url>', 'address of the tercet.json that names the parties, in place of --peers')
    .option(
      '--dealer <address>',
      `HOST:PORT of a dealer that deals instead of this process; with --deployment the word deployment, for the one that it names. ${DEALER_TRUST}`,
    )
    .option('--dealer-identity <hex>', 'with --dealer HOST:PORT: the identity that it must prove')
    .option('--protocol <name>', PROTOCOL_HELP, '3pc_semi_honest')
    .option(
      '--protocols <list>',
      'what requests may name, with commas between (default: that of --protocol, and 3pc_malicious beside 3pc_semi_honest where nothing rules it out)',
    )
    .option('--security-level <level>', LEVEL_HELP, '128')
    .option('--plan <name>', 'lan or wan-cloud, as of tercet infer', 'lan')
    .option('--device <device>', 'auto, wasm, native or webgpu', 'auto')
    .option('--threads <n>', 'worker threads')
    .option('--keys <file>', 'who may call: a file of tercet key (default: that of this user, where there is one)')
    .option('--http-cert <file>', 'certificate of the address, PEM')
    .option('--http-key <file>', 'key of that certificate, PEM')
    .option('--behind-proxy', 'a proxy in front has the TLS, and nobody reaches this server but through it')
    .option('--max-runs <n>', 'runs at a time', String(runs))
    .option('--max-queue <n>', 'requests that may wait beside them', String(queue))
    .option('--max-per-key <n>', 'requests of one key at a time', String(perKey))
    .option('--texts-per-minute <n>', 'texts of one key in a minute', String(textsPerMinute))
    .option('--max-body <kB>', 'longest body of a request', String(bodyBytes / 1000))
    .option('--max-texts <n>', 'texts of one request', String(texts))
    .option('--max-characters <n>', MAX_CHARACTERS_HELP)
    .option(
      '--batch-size <n>',
      'texts of one request in one run of the protocol, whose rounds they share; a request may name another number',
      String(DEFAULT_BATCH),
    )
    .option('--max-connections <n>', 'connections at a time; others are hung up', String(connections))
    .option('--request-timeout <s>', 'longest request, with its wait', String(requestMs / 1000))
    .option('--prepared <n>', 'runs dealt ahead, of each model and length that was lately asked for', '1')
    .option('--metrics <address>', METRICS_HELP)
    .option('--drain <s>', 'how long requests have when it is told to stop', '30')
    .option('--log-level <level>', LOG_LEVELS.join(', '), 'info')
    .option('--network-timeout <s>', NETWORK_TIMEOUT_HELP)
    .action(async (flags: ServeFlags) => {
      await serve(flags);
    });
}

async function serve(flags: ServeFlags): Promise<void> {
  const { signal, release } = cancelOnSignals();
  const cleanup = new Cleanup();
  try {
    const log = serviceLog(oneOf('log-level', flags.logLevel, LOG_LEVELS), (line) => process.stderr.write(line));
    await run(flags, { signal, cleanup, log });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await cleanup.run();
    release();
  }
}

async function run(
  flags: ServeFlags,
  { signal, cleanup, log }: { signal: AbortSignal; cleanup: Cleanup; log: ServiceLog },
): Promise<void> {
  const { host } = flags;
  const keys = await keysOf(flags);
  const tls = await tlsFiles('http', flags.httpCert, flags.httpKey);
  const drainMs = 1000 * integer('drain', flags.drain, 0, 3600);
  const port = integer('port', flags.port, 0, 65535);
  const limits = {
    runs: integer('max-runs', flags.maxRuns, 1, 64),
    queue: integer('max-queue', flags.maxQueue, 0, 10_000),
    perKey: integer('max-per-key', flags.maxPerKey, 1, 10_000),
    textsPerMinute: integer('texts-per-minute', flags.textsPerMinute, 1, 1_000_000),
    bodyBytes: 1000 * integer('max-body', flags.maxBody, 1, 100_000),
    texts: integer('max-texts', flags.maxTexts, 1, MAX_TEXTS),
    connections: integer('max-connections', flags.maxConnections, 1, 1_000_000),
    requestMs: 1000 * integer('request-timeout', flags.requestTimeout, 1, 3600),
  };
  const securityLevel = parseLevel(flags.securityLevel);
  const each = integer('prepared', flags.prepared, 0, 16);
  const device = parseDevice(flags.device);
  const { kernels, summary } = cleanup.add(
    await nodeKernels(device === 'auto' ? 'wasm' : device, threadsOf(flags)),
    (opened) => opened.close(),
  );
  const plan = parsePlan(flags.plan);
  const protocols = protocolsOf(flags, plan);
  const spans = await openSpans();
  const { models: byProtocol, reach } = await openGatewayModels(flags, {
    ...{
      kernels,
      plan,
      protocols,
      securityLevel,
      maxCharacters: maxCharacters(flags.maxCharacters),
      batchSize: batchSize(flags.batchSize),
      span: spans && ((run) => spans.run(run)),
      cleanup,
    },
    stock: each === 0 ? undefined : { each, shapes: 4 },
  });
  const [[protocol, models], ...others] = byProtocol;
  const metrics = new ServiceMetrics({
    models: models.map(({ id }) => id),
    protocols,
    device: kernels.name,
    now: () => performance.now(),
  });
  const health = async () => {
    const both = await reach();
    metrics.reached(both);
    return both.every(({ ok }) => ok) && !kernels.fault.failed;
  };
  const gateway = await startGateway({
    ...{ models, host, port, tls, behindProxy: flags.behindProxy, keys, limits, log, version: VERSION },
    ...{ protocol, others: new Map(others), defaultModel: flags.defaultModel },
    securityLevel,
    ready: remembered(health, READY_MS),
    onDone: (told) => metrics.answered(told),
    spans,
  });
  metrics.watch(() => ({ running: gateway.load.running, waiting: gateway.load.waiting }));
  cleanup.add(gateway, (open) => open.close(0));
  if (flags.metrics !== undefined) {
    const address = parseAddress('metrics', flags.metrics, 0);
    const watch = await serveWatch({ ...address, metrics, ready: remembered(health, READY_MS) });
    cleanup.add(watch, (open) => open.close());
    process.stderr.write(`tercet: the gateway is watched at ${watch.url}/metrics\n`);
  }
  process.stderr.write(
    `tercet: ${TRUST}\ntercet: the gateway is at ${gateway.url} (see ${gateway.url}/docs), on ${summary}\n`,
  );
  log.log('info', 'listening', { models: models.length, keys: keys?.valid });
  void notify('READY=1');
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
  void notify('STOPPING=1');
  log.log('info', 'stopping', { running: gateway.load.running, why: Public.of('signal', ['signal']) });
  await gateway.close(drainMs);
}

/**
 * What requests may name; the first is for those that name none. Nobody is given less than `--protocol` unless its
 * operator lists it.
 * @throws {TercetError} ERR_ARGUMENT for a list without the one of `--protocol`
 */
function protocolsOf(
  { protocol, protocols, dealer }: ServeFlags,
  plan: RunPlan,
): readonly [ProtocolId, ...ProtocolId[]] {
  const chosen = protocolWithProofs(protocol);
  const proofs = dealer === undefined && plan === 'lan';
  const usual: readonly ProtocolId[] = chosen === '3pc_semi_honest' && proofs ? ['3pc_malicious'] : [];
  const named = protocols === undefined ? [chosen, ...usual] : parseProtocols(protocols);
  if (!named.includes(chosen))
    throw new TercetError(
      'ERR_ARGUMENT',
      `--protocols leaves out ${chosen}, which requests get that name none`,
      'add it, or give another --protocol',
    );
  return [chosen, ...named.filter((one) => one !== chosen)];
}

/** How long an answer of `/readyz` holds: whoever asks often costs the parties nothing. */
const READY_MS = 5_000;

function remembered(ask: () => Promise<boolean>, ms: number): () => Promise<boolean> {
  let asked = Number.NEGATIVE_INFINITY;
  let answer: Promise<boolean> | undefined;
  return () => {
    if (answer === undefined || performance.now() - asked > ms) {
      asked = performance.now();
      answer = ask().catch(() => false);
    }
    return answer;
  };
}

/** The file that was named, or this user's, where there is one. */
async function keysOf({ keys }: ServeFlags): Promise<KeyRing | undefined> {
  const path = keyFile(keys);
  return keys === undefined && !existsSync(path) ? undefined : KeyRing.open(path);
}
