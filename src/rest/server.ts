/**
 * The REST gateway: the data owner's party as a service inside the owner's own trust domain. It reads every text and
 * every answer; the compute parties read neither.
 *
 * SECURITY: texts, answers and keys stay in the request that they belong to. Fastify's own log is off and its error
 * messages, which quote bodies, are never used. test/rest/gateway.test.ts.
 */
import { METHODS } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, type HTTPMethods, fastify } from 'fastify';
import { isLoopback } from '../core/address.ts';
import { TercetError } from '../core/errors.ts';
import { VIOLATION_CAUSES, type ViolationCause, violationCause } from '../core/violation-cause.ts';
import type { Model, Protocol, RunCost } from '../owner/types/index.ts';
import { Admission, type AdmissionLimits } from './admission.ts';
import { readBytes } from './body.ts';
import { totalCost } from './cost.ts';
import type { KeyRing } from './keys.ts';
import { openApi } from './openapi.ts';
import { OPERATIONS, type Call, type Operation, operationFor } from './operations.ts';
import { MAX_TEXTS, PROTOCOLS } from './schemas.ts';
import { PAGE_POLICY, documentPage } from './page.ts';
import { type OwnCode, Problem, problemOf } from './problem.ts';
import { Served, type ServedOptions } from './served.ts';
import { newRequestId, refuseConnection, refuseRequest } from './unreadable.ts';
import type { Answered } from '../operate/metrics.ts';
import type { Spans } from '../operate/spans.ts';
import { Public, type ServiceLog } from '../operate/service-log.ts';

export interface GatewayLimits extends AdmissionLimits {
  /** Longest body, in bytes. */
  readonly bodyBytes: number;
  /** Texts of one request. */
  readonly texts: number;
  /** Longest request with its wait, in milliseconds. */
  readonly requestMs: number;
  /** Connections at a time. */
  readonly connections: number;
}

export const DEFAULT_LIMITS: GatewayLimits = {
  runs: 2,
  queue: 32,
  perKey: 16,
  textsPerMinute: 600,
  bodyBytes: 1_000_000,
  texts: MAX_TEXTS,
  requestMs: 120_000,
  connections: 1_000,
};

/** What is told of a request that is over; nothing of what it was about. */
export interface Told extends Omit<Answered, 'costs'> {
  readonly costs: readonly RunCost[];
}

export interface GatewayOptions extends ServedOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** PEM. */
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
  /** A proxy in front has the TLS, and nobody reaches this server but through it. */
  readonly behindProxy?: boolean | undefined;
  /** Who may call; absent: everybody on this machine. */
  readonly keys?: KeyRing | undefined;
  readonly limits?: Partial<GatewayLimits> | undefined;
  readonly log: ServiceLog;
  readonly version: string;
  /** Whether requests can be answered now; asked by `/readyz`. */
  ready?(): Promise<boolean>;
  onDone?(told: Told): void;
  /** Where spans go, if anywhere. */
  readonly spans?: Spans | undefined;
}

export interface Gateway {
  readonly url: string;
  /** Requests that run, and that wait. */
  readonly load: { readonly running: number; readonly waiting: number };
  /** No new requests; those under way have so long, and are stopped at all three parties then. */
  close(graceMs: number): Promise<void>;
}

/**
 * @throws {TercetError} ERR_INSECURE for an address that others reach, without keys, or without TLS or a proxy;
 * ERR_ARGUMENT for one that cannot be listened on
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  checkReach(options);
  const server = new Server(options);
  await server.listen();
  return server;
}

function checkReach({ host, tls, behindProxy = false, keys }: GatewayOptions): void {
  if (tls !== undefined && behindProxy)
    throw new TercetError('ERR_ARGUMENT', 'TLS here and TLS at a proxy exclude each other', 'give one of them');
  const far = behindProxy || !isLoopback(host);
  if (far && (keys === undefined || keys.valid === 0))
    throw new TercetError(
      'ERR_INSECURE',
      'the gateway would answer others without a key',
      'make one with tercet key create and give --keys, or listen on 127.0.0.1 without a proxy',
    );
  if (far && tls === undefined && !behindProxy)
    throw new TercetError(
      'ERR_INSECURE',
      'texts and answers would go over the network without TLS',
      'give --tls-cert and --tls-key, say --behind-proxy if a proxy in front has them, or listen on 127.0.0.1',
    );
}

/** How often connections are looked at that are too slow, in milliseconds; who names no host is answered here. */
const HTTP = { connectionsCheckingInterval: 1_000, requireHostHeader: false };
/** Headers of every answer. */
const EVERY = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
} as const;
/** Of a request that asked for nothing that there is. */
const NOTHING = { operation: 'none', model: 'none', protocol: 'none', texts: 0, waitedMs: 0, costs: [] } as const;
/** Of those who need no key, together. */
const LOCAL = 'local';

/** A request that may run. */
interface Granted {
  readonly call: Call;
  readonly model: Model;
  readonly protocol: Protocol;
  /** When it came. */
  readonly start: number;
  readonly signal: AbortSignal;
}

interface Under {
  readonly control: AbortController;
  readonly why: { code: OwnCode | undefined };
}

class Server implements Gateway {
  readonly #options: GatewayOptions;
  readonly #limits: GatewayLimits;
  readonly #admission: Admission;
  readonly #served: Served;
  readonly #app: FastifyInstance;
  readonly #under = new Set<Under>();
  /** The key that each request showed. */
  readonly #callers = new WeakMap<FastifyRequest, string>();
  readonly #idle: (() => void)[] = [];
  url = '';
  #draining = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#admission = new Admission(this.#limits, () => performance.now());
    this.#served = new Served(options);
    const { tls } = options;
    const { bodyBytes, requestMs } = this.#limits;
    const common = {
      logger: false,
      bodyLimit: bodyBytes,
      // A client that sends slowly, or nothing, ends by itself.
      requestTimeout: Math.min(30_000, requestMs),
      connectionTimeout: 0,
      keepAliveTimeout: 5_000,
      return503OnClosing: false,
      http: HTTP,
      forceCloseConnections: true,
      genReqId: newRequestId,
      onProtoPoisoning: 'remove',
      onConstructorPoisoning: 'remove',
      routerOptions: { maxParamLength: 100 },
      // An address that is none: Fastify's own answer quotes it.
      frameworkErrors: (_error: Error, request: FastifyRequest, reply: FastifyReply) => {
        reply.headers({ ...EVERY, 'x-request-id': request.id });
        this.#fail(reply, request, Problem.own('ERR_ROUTE'));
      },
      clientErrorHandler: (error: Error, socket: Duplex) => this.#unreadable(refuseConnection(error, socket)),
    } as const;
    this.#app = (
      tls === undefined
        ? fastify(common)
        : fastify({ ...common, https: { ...HTTP, key: tls.key, cert: tls.cert, minVersion: 'TLSv1.2' } })
    ) as FastifyInstance;
    this.#app.server.maxConnections = this.#limits.connections;
    // A connection that cannot be accepted (no descriptors left) ends nothing.
    this.#app.server.on('error', () => undefined);
    this.#app.server.headersTimeout = 10_000;
    this.#app.server.on('checkExpectation', (_request, response) => this.#unreadable(refuseRequest(response)));
    this.#routes();
  }

  get load(): Gateway['load'] {
    return { running: this.#admission.running, waiting: this.#admission.waiting };
  }

  async listen(): Promise<void> {
    const { host, port, tls } = this.#options;
    try {
      await this.#app.listen({ host, port });
      const at = (this.#app.server.address() as AddressInfo).port;
      this.url = `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${at}`;
    } catch (cause) {
      await this.#app.close();
      throw new TercetError('ERR_ARGUMENT', `cannot listen on ${host}:${port}`, 'choose another --port', { cause });
    }
  }

  async close(graceMs: number): Promise<void> {
    this.#draining = true;
    const abort = () => {
      for (const under of this.#under) stop(under, 'ERR_DRAINING');
    };
    const late = setTimeout(abort, graceMs);
    while (this.#under.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    clearTimeout(late);
    await this.#app.close();
  }

  #routes(): void {
    const app = this.#app;
    const { version, ready } = this.#options;
    const { models, protocols } = this.#served;
    // A page of any origin can send other types without being asked.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser(/^application\/json(?:;|$)/, { parseAs: 'buffer' }, (request, body, done) => {
      try {
        done(null, readBytes(body as Buffer, request.headers));
      } catch (problem) {
        done(problem as Problem);
      }
    });
    app.addHook('onRequest', async (request, reply) => {
      reply.headers({ ...EVERY, 'x-request-id': request.id });
      if (request.headers.host === undefined) throw Problem.own('ERR_REQUEST');
      if (this.#foreign(request)) throw Problem.own('ERR_HOST');
      // Before anything of a body is read.
      if (request.url.startsWith('/api/')) this.#callers.set(request, await this.#caller(request));
      if (request.is404) throw this.#nowhere(request, reply);
    });
    app.setErrorHandler((error, request, reply) => this.#fail(reply, request, problemOf(error)));
    app.setNotFoundHandler((request, reply) => this.#fail(reply, request, Problem.own('ERR_ROUTE')));

    const document = openApi(version, this.#limits);
    const page = documentPage(this.#options.keys === undefined ? models.map(({ id }) => id) : []);
    app.get('/openapi.json', (_request, reply) => reply.send(document));
    app.get('/docs', (_request, reply) =>
      reply.header('content-security-policy', PAGE_POLICY).type('text/html; charset=utf-8').send(page),
    );
    app.get('/livez', (_request, reply) => reply.send({ status: 'ok' }));
    app.get('/readyz', async (_request, reply) => {
      const ok = !this.#draining && (await (ready?.() ?? true));
      return reply.status(ok ? 200 : 503).send({ status: ok ? 'ok' : 'not ready' });
    });
    app.get('/api/v1/models', (_request, reply) => {
      const listed = models.map(({ id, task, maxTokens, labels, device }) => ({
        ...{ id, task, max_tokens: maxTokens, labels, device, protocols },
      }));
      return reply.send({ models: listed });
    });
    app.post('/api/v1/inference', (request, reply) => this.#answer(request, reply, undefined));
    for (const operation of OPERATIONS)
      app.post(`/api/v1/${operation.name}`, (request, reply) => this.#answer(request, reply, operation));
  }

  /** No address, or one that takes other methods, which are named. */
  #nowhere({ url }: FastifyRequest, reply: FastifyReply): Problem {
    const [path] = url.split('?');
    const allowed = METHODS.filter((method) => this.#app.hasRoute({ url: path, method: method as HTTPMethods }));
    if (allowed.length === 0) return Problem.own('ERR_ROUTE');
    reply.header('allow', allowed.join(', '));
    return Problem.own('ERR_METHOD');
  }

  /** On this machine without keys: whether a page reached this server under a name of its own (DNS rebinding). */
  #foreign({ headers }: FastifyRequest): boolean {
    if (this.#options.keys !== undefined) return false;
    const host = `http://${headers.host ?? ''}`;
    return !URL.canParse(host) || !isLoopback(new URL(host).hostname);
  }

  /** Name of the caller's key. @throws {Problem} with status 401 */
  async #caller({ headers }: FastifyRequest): Promise<string> {
    const { keys } = this.#options;
    if (keys === undefined) return LOCAL;
    const key = await keys.check(headers.authorization);
    if (key === undefined) throw Problem.own('ERR_KEY');
    return key.id;
  }

  async #answer(request: FastifyRequest, reply: FastifyReply, asked: Operation | undefined): Promise<void> {
    const start = performance.now();
    const control = new AbortController();
    const under: Under = { control, why: { code: undefined } };
    let told: Pick<Told, 'operation' | 'model' | 'protocol' | 'texts' | 'waitedMs' | 'costs'> = {
      operation: asked?.name ?? 'inference',
      model: 'none',
      protocol: 'none',
      texts: 0,
      waitedMs: 0,
      costs: [],
    };
    const timer = setTimeout(() => stop(under, 'ERR_TIME_LIMIT'), this.#limits.requestMs);
    // The caller went away: so do all three parties.
    const gone = () => {
      if (!reply.raw.writableFinished) stop(under, undefined);
    };
    reply.raw.on('close', gone);
    this.#under.add(under);
    let problem: Problem | undefined;
    let cause: ViolationCause | undefined;
    const key = this.#callers.get(request) ?? LOCAL;
    const span = this.#options.spans?.request(request.headers.traceparent);
    try {
      if (this.#draining) throw Problem.own('ERR_DRAINING', 10);
      const named = this.#served.named(asked, request.body);
      const operation = asked ?? operationFor(named, request.body);
      told = { ...told, operation: operation.name, model: named.id };
      const call = operation.read(request.body);
      const { model, protocol } = this.#served.by(call, named);
      told = { ...told, protocol };
      this.#served.checkLevel(call, protocol);
      told = { ...told, texts: call.texts };
      if (call.texts > this.#limits.texts) throw Problem.tooManyTexts(this.#limits.texts);
      const turn = await this.#admission.enter(key, call.texts, control.signal);
      told = { ...told, waitedMs: turn.waitedMs };
      try {
        const run = () => this.#run(request, reply, { call, model, protocol, start, signal: control.signal });
        const costs = await (span === undefined ? run() : span.within(run));
        told = { ...told, costs };
      } finally {
        turn.end();
      }
    } catch (thrown) {
      problem = under.why.code === undefined ? Problem.of(thrown) : Problem.own(under.why.code);
      cause = violationCause(thrown);
      if (reply.raw.destroyed) reply.hijack();
      else this.#send(reply, request, problem);
    } finally {
      clearTimeout(timer);
      reply.raw.off('close', gone);
      this.#under.delete(under);
      for (const resolve of this.#idle.splice(0)) resolve();
      const ended = { ...told, status: problem?.status ?? 200, code: problem?.code };
      span?.end(ended);
      this.#tell(request.id, key, { ...ended, ms: performance.now() - start }, cause);
    }
  }

  async #run(
    request: FastifyRequest,
    reply: FastifyReply,
    { call, model, protocol, start, signal }: Granted,
  ): Promise<readonly RunCost[]> {
    const { answers, costs } = await call.run(model, signal, (text) => {
      // Only what is known to be going well begins an answer: an error before the first piece has its status.
      if (!call.stream || text === '') return;
      if (!reply.raw.headersSent) beginEvents(reply);
      reply.raw.write(event('token', { text }));
    });
    const every = {
      model: model.id,
      task: model.task,
      protocol,
      request_id: request.id,
      processing_time: (performance.now() - start) / 1000,
      cost: totalCost(costs),
    };
    const body = call.many ? { ...every, results: answers } : { ...every, ...answers[0] };
    if (!call.stream) await reply.send(body);
    else {
      if (!reply.raw.headersSent) beginEvents(reply);
      reply.raw.end(event('done', body));
    }
    return costs;
  }

  #fail(reply: FastifyReply, request: FastifyRequest, problem: Problem): void {
    this.#send(reply, request, problem);
    this.#tell(request.id, LOCAL, { ...NOTHING, code: problem.code, status: problem.status, ms: reply.elapsedTime });
  }

  /** What never became a request has no id of its own: it is counted, and a line says so. */
  #unreadable(code: OwnCode | undefined): void {
    if (code === undefined) return;
    this.#tell(newRequestId(), LOCAL, { ...NOTHING, code, status: Problem.own(code).status, ms: 0 });
  }

  #send(reply: FastifyReply, request: FastifyRequest, problem: Problem): void {
    const body = problem.body(request.id);
    if (reply.raw.headersSent) {
      reply.raw.end(event('error', body));
      return;
    }
    if (problem.retryAfter !== undefined) reply.header('retry-after', String(problem.retryAfter));
    if (problem.code === 'ERR_KEY') reply.header('www-authenticate', 'Bearer');
    // What is left of a body that nobody reads would be taken for the next request.
    if (problem.code === 'ERR_BODY_SIZE') reply.header('connection', 'close');
    reply.status(problem.status).type('application/problem+json').send(JSON.stringify(body));
  }

  /** @param cause of a violation, which the caller is not told */
  #tell(id: string, key: string, told: Told, cause?: ViolationCause): void {
    const { log, models, onDone } = this.#options;
    const { operation, model, protocol, status, code, ms, waitedMs, texts, costs } = told;
    onDone?.(told);
    log.log(status >= 500 ? 'warn' : 'info', 'request', {
      id: Public.hex(id),
      operation: Public.of(operation, ['inference', ...OPERATIONS.map(({ name }) => name)]),
      model: Public.of(
        model,
        models.map(({ id }) => id),
      ),
      protocol: protocol === 'none' ? undefined : Public.of(protocol, PROTOCOLS),
      key: key === LOCAL ? undefined : Public.hex(key),
      status,
      code: code === undefined ? undefined : Public.code(code),
      cause: cause === undefined ? undefined : Public.of(cause, VIOLATION_CAUSES),
      ms: Math.round(ms),
      waitedMs: Math.round(waitedMs),
      texts,
      runs: costs.length,
    });
  }
}

function stop({ control, why }: Under, code: OwnCode | undefined): void {
  if (control.signal.aborted) return;
  why.code = code;
  control.abort();
}

/** From here on the answer is events, and Fastify has no part in it. */
function beginEvents(reply: FastifyReply): void {
  reply.hijack();
  const headers = Object.fromEntries(
    Object.entries(reply.getHeaders()).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  reply.raw.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    // Proxies that gather an answer would hold the pieces back.
    'x-accel-buffering': 'no',
  });
}

const event = (name: string, data: object) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
