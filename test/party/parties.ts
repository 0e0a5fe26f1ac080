/**
 * Both compute parties as daemons of this process, on loopback, with owners that follow the protocol and owners
 * that do not.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { WasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { sleep } from '../../src/core/abort.ts';
import { toHex } from '../../src/core/bytes.ts';
import { TercetError } from '../../src/core/errors.ts';
import { type Certificates, createCertificates, credentialsOf } from '../../src/net/tls/certificates.ts';
import { type PartyIdentity, createIdentity } from '../../src/net/identity/identity.ts';
import { type OwnerLink, openOwnerLink } from '../../src/net/gateway/owner-link.ts';
import type { Channel, PartyId } from '../../src/net/wire/types.ts';
import type { WebSocketConstructor } from '../../src/net/websocket/link.ts';
import { defaultLimits } from '../../src/daemon/budgets.ts';
import { type DaemonEnd, type DaemonOptions, runDaemon } from '../../src/daemon/daemon.ts';
import { openAhead } from '../../src/daemon/head-start.ts';
import { type ModelLocation, openModel } from '../../src/node/model.ts';
import { linkName } from '../../src/session/binding.ts';
import { sendControl } from '../../src/session/control.ts';
import { ownerParameters } from '../../src/session/owner-parameters.ts';
import { OwnerSession } from '../../src/session/owner.ts';
import type { Proving } from '../../src/session/proving.ts';
import { type Request, SESSION_VERSION, requestCode } from '../../src/session/request.ts';
import type { Status } from '../../src/session/status.ts';
import { INPUT, SHAPE } from '../session/harness.ts';

const CONFIG = {
  ...{
    architectures: ['BertForMaskedLM'],
    model_type: 'bert',
    hidden_act: 'gelu',
    hidden_size: 16,
    num_hidden_layers: 1,
    num_attention_heads: 2,
  },
  ...{ intermediate_size: 24, vocab_size: 40, max_position_embeddings: 64, type_vocab_size: 2, layer_norm_eps: 1e-5 },
};

export interface RunningParty {
  readonly id: 1 | 2;
  readonly port: number;
  readonly web: { readonly url: string; readonly identity: string };
  /** Its own, with the key: a test can lie in its name. */
  readonly identity: PartyIdentity;
  readonly kernels: WasmKernels;
  /** Why sessions and connections failed, in order. */
  readonly failures: TercetError[];
  /** How the daemon ended; rejects if it threw. */
  readonly end: Promise<DaemonEnd>;
  readonly running: boolean;
  health(): Promise<{ readonly http: number; readonly [key: string]: unknown }>;
  stop(): Promise<void>;
}

export interface OwnerWays {
  /** By how many milliseconds the text is late at each party, once it was announced. */
  readonly late?: readonly [number, number];
  readonly onStatus?: (status: Status) => void;
  readonly signal?: AbortSignal;
  /** What it asks for, in place of the usual run, and what proves it. */
  readonly request?: Request;
  readonly proving?: Proving;
  /** Of its links. */
  readonly change?: (channel: Channel) => Channel;
}

/** A link on which the word that a text follows, and all behind it, takes longer. */
function slowed(channel: Channel, ms: number): Channel {
  let before: Promise<unknown> | undefined;
  const send: Channel['send'] = async (tag, bytes) => {
    if (tag === 'control/hold' && bytes[0] === 1) before = sleep(ms);
    if (before === undefined) return channel.send(tag, bytes);
    // The owner goes on to the other party meanwhile.
    before = before.then(() => channel.send(tag, bytes)).catch(() => undefined);
  };
  return new Proxy(channel, {
    get(target, key) {
      if (key === 'send') return send;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

export type PartyChange = (id: 1 | 2) => Partial<DaemonOptions>;

export class Parties {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tercet-parties-'));
  readonly certificates: Certificates;
  readonly parties: RunningParty[] = [];
  model = '';
  /** What both serve. */
  readonly location: ModelLocation;
  readonly #open: Channel[] = [];

  #change: PartyChange = () => ({});

  private constructor(certificates: Certificates, config: object) {
    this.certificates = certificates;
    const configPath = join(this.#folder, 'config.json');
    writeFileSync(configPath, JSON.stringify(config));
    this.location = { kind: 'random', seed: 1, configPath };
  }

  /** @param config of the model that both serve, with random weights */
  static async start(change: PartyChange = () => ({}), config: object = CONFIG): Promise<Parties> {
    const parties = new Parties(await createCertificates(), config);
    const { location } = parties;
    parties.model = await (await openModel(location, { weights: true })).hash();
    parties.#change = change;
    for (const id of [1, 2] as const)
      parties.parties.push(await parties.#start(id, { models: [{ weights: 'open', model: location }], ...change(id) }));
    return parties;
  }

  /** Party 2 again, after it ended: party 1 listens, and waits for it. */
  async restartTwo(): Promise<void> {
    const { location } = this;
    this.parties[1] = await this.#start(2, { models: [{ weights: 'open', model: location }], ...this.#change(2) });
  }

  get one(): RunningParty {
    return this.parties[0];
  }

  get two(): RunningParty {
    return this.parties[1];
  }

  get request(): Request & { model: string } {
    return { model: this.model, protocol: '3pc_semi_honest', weights: 'open', ...SHAPE };
  }

  async #start(id: 1 | 2, options: Partial<DaemonOptions>): Promise<RunningParty> {
    const identity = await createIdentity();
    const kernels = new WasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
    const stop = new AbortController();
    const failures: TercetError[] = [];
    let port = 0;
    let url = '';
    let running = true;
    let ready: () => void = () => undefined;
    const started = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const end = runDaemon({
      id,
      host: '127.0.0.1',
      port: 0,
      ...(id === 2 ? { peer: { host: '127.0.0.1', port: this.one.port } } : {}),
      credentials: credentialsOf(this.certificates, id),
      models: [],
      device: 'wasm',
      threads: 0,
      recvTimeoutMs: 20_000,
      maxSessions: 8,
      budgets: defaultLimits(8e9),
      once: false,
      identity,
      web: { identity, host: '127.0.0.1', port: 0, origins: [], iceServers: [] },
      signal: stop.signal,
      openKernels: async () => ({ kernels, summary: 'test', fallback: undefined, close: () => kernels.close() }),
      onListening: (at) => {
        port = at;
      },
      onWeb: (web) => {
        url = web.url;
      },
      onReady: () => ready(),
      onFailure: (error) => failures.push(error),
      // As `tercet party` does.
      opened: openAhead(options.models ?? []),
      ...options,
    }).finally(() => {
      running = false;
    });
    end.catch(() => undefined);
    await Promise.race([started, end]);
    return {
      ...{ id, port, identity, kernels, failures, end, web: { url, identity: identity.publicKey } },
      get running() {
        return running;
      },
      async health() {
        const response = await fetch(`${url}/v1/health`);
        return { http: response.status, ...((await response.json()) as object) };
      },
      async stop() {
        stop.abort();
        await end.catch(() => undefined);
      },
    };
  }

  /** A link of an owner to one party, with keys agreed and nothing said. */
  async link(
    party: 1 | 2,
    session: Uint8Array,
    request: Request = this.request,
    dealer?: PartyIdentity,
  ): Promise<OwnerLink> {
    const link = await openOwnerLink({
      ...{
        party,
        address: this.parties[party - 1].web,
        session,
        modelHash: this.model,
        requestCode: requestCode(request),
        transport: 'websocket',
        dealer,
      },
      WebSocket: WebSocket as unknown as WebSocketConstructor,
    });
    this.#open.push(link.channel);
    return link;
  }

  /** An owner that follows the protocol until its correlations are dealt. */
  async prepare({
    late = [0, 0],
    onStatus,
    signal,
    request = this.request,
    proving,
    change = (channel) => channel,
  }: OwnerWays = {}): Promise<OwnerSession> {
    const session = crypto.getRandomValues(new Uint8Array(16));
    const links = await Promise.all(([1, 2] as const).map((party) => this.link(party, session, request)));
    const model = await openModel(this.location, { weights: false });
    const kernels = new WasmKernels({ party: PartyOperations, module: await loadNodeModule(), threads: 0 });
    const owner = await OwnerSession.open({
      ...{
        config: model.config,
        request,
        proving,
        session,
        kernels,
        parameters: ownerParameters(model.config, undefined),
      },
      channels: new Map<PartyId, Channel>([
        [1, change(slowed(links[0].channel, late[0]))],
        [2, change(slowed(links[1].channel, late[1]))],
      ]),
      ...(onStatus && { onStatus }),
      signal,
      pairKeys: [links[0].pairKey, links[1].pairKey],
      now: () => performance.now(),
      peakMemory: () => 0,
    });
    await owner.prepare();
    return owner;
  }

  /** Whether an owner is served. @throws what it fails with */
  async serves(): Promise<void> {
    const owner = await this.prepare();
    const { logits } = await owner.run(INPUT);
    if (logits.length !== CONFIG.vocab_size) throw new Error(`${logits.length} logits`);
  }

  /** The request of an owner that then says nothing. */
  async ask(
    session: Uint8Array,
    requests: readonly [Request, Request] = [this.request, this.request],
  ): Promise<[OwnerLink, OwnerLink]> {
    const links = [await this.link(1, session, requests[0]), await this.link(2, session, requests[1])] as [
      OwnerLink,
      OwnerLink,
    ];
    const names = { '1': toHex(linkName(links[0].pairKey)), '2': toHex(linkName(links[1].pairKey)) };
    for (const [i, { channel }] of links.entries())
      await sendControl(channel, 'request', {
        version: SESSION_VERSION,
        ...requests[i],
        model: this.model,
        links: names,
      });
    return links;
  }

  async stop(): Promise<void> {
    for (const channel of this.#open) channel.abort(new TercetError('ERR_STATE', 'the test is over', 'nothing to do'));
    await Promise.all(this.parties.map((party) => party.stop()));
    rmSync(this.#folder, { recursive: true });
  }
}

export const randomSession = (): Uint8Array => crypto.getRandomValues(new Uint8Array(16));
