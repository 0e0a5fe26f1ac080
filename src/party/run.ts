/** One private inference from this process: P0 here, P1 and P2 as local processes or at given addresses, and the plaintext model beside it on request. */
import { webcrypto } from 'node:crypto';
import type { RingKernels } from '../compute/kernels/types.ts';
import { WasmKernels } from '../compute/kernels/wasm/pool.ts';
import { Cleanup, abortedError, sleep, unlessAborted } from '../core/abort.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import type { Progress } from '../mpc/protocol/semi-honest/engine.ts';
import { protocolInfo } from '../mpc/protocol/registry.ts';
import { type Credentials, credentialsOf, ensureCertificates } from '../net/certificates.ts';
import { connectTls } from '../net/tls.ts';
import type { Channel, PartyId } from '../net/types.ts';
import type { Request, WeightMode } from '../session/agreement.ts';
import { sendKey } from '../session/direct-key.ts';
import type { OwnerInput } from '../session/inputs.ts';
import { ownerParameters } from '../session/owner-parameters.ts';
import { type OwnerResult, OwnerSession } from '../session/owner.ts';
import { type Comparison, compareWithPlaintext } from './compare.ts';
import { shaped } from './daemon.ts';
import { LocalParties, shareInProcess } from './local.ts';
import { type ModelLocation, openModel } from './model.ts';
import { type Device, nodeKernels, peakMemory, wasmKernels } from './node-kernels.ts';
import { prepareShares } from './shares.ts';
import { type Answer, type TaskRequest, prepareTask } from './task.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface RunOptions extends TaskRequest {
  readonly model: ModelLocation;
  readonly protocol: string;
  readonly weights: WeightMode;
  readonly device: Device;
  readonly threads: number;
  readonly topK: number;
  readonly compare: boolean;
  readonly profile?: string;
  /** Addresses of running compute parties; without them, both are started here. */
  readonly peers?: readonly [Address, Address];
  /** Folder of the certificates. */
  readonly certificates: string;
  readonly signal: AbortSignal;
  readonly debug: boolean;
  onPhase?(phase: RunPhase): void;
  onProgress?(party: 0 | 1 | 2, progress: Progress): void;
}

export type RunPhase = 'start' | 'connect' | 'preprocess' | 'online' | 'compare' | 'done';

export interface RunResult {
  readonly model: string;
  readonly tokens: number;
  readonly masks: number;
  readonly answer: Answer;
  readonly owner: OwnerResult;
  readonly comparison?: Comparison & { readonly answer: Answer };
  readonly setupMs: number;
  readonly totalMs: number;
}

/** Longest wait for one message of a peer: the slowest step at BERT-base dimensions takes seconds. */
export const RECV_TIMEOUT_MS = 300_000;
/** Longest wait for a compute party to answer at its address. */
const CONNECT_TIMEOUT_MS = 10_000;
/** How much later this process may hear a signal that ended the parties. */
const SIGNAL_GRACE_MS = 250;

/** Runs one inference and leaves nothing behind: no process, no link, no temporary file, whatever the end. */
export async function runInference(options: RunOptions): Promise<RunResult> {
  const cleanup = new Cleanup();
  try {
    return await infer(options, cleanup);
  } catch (error) {
    // A signal reaches the whole process group. Parties that end first must not hide why, and their end may be seen before this process has heard its own signal.
    if (!options.signal.aborted && asTercetError(error).kind === 'peer') await sleep(SIGNAL_GRACE_MS);
    throw options.signal.aborted ? abortedError() : error;
  } finally {
    await cleanup.run();
  }
}

async function infer(options: RunOptions, cleanup: Cleanup): Promise<RunResult> {
  const start = performance.now();
  const { signal, weights } = options;
  const { id: protocol } = protocolInfo(options.protocol);
  if (options.peers !== undefined && weights === 'secret') {
    throw new TercetError('ERR_ARGUMENT', '--peers with secret weights is not in this build', 'leave --peers out to run all three parties here');
  }
  const model = await openModel(options.model);
  const task = await prepareTask(options, model);
  options.onPhase?.('start');
  const { input } = task;
  const request: Request = { protocol, weights, tokens: input.inputIds.length, masks: input.maskPositions.length, padded: false };

  const { kernels } = cleanup.add(await nodeKernels(options.device === 'auto' ? 'wasm' : options.device, options.threads), (opened) => opened.close());
  const credentials = credentialsOf(await ensureCertificates(options.certificates), 0);
  const shares = weights === 'secret' ? cleanup.add(await share(options), (s) => s.remove()) : undefined;
  const parties = options.peers === undefined ? cleanup.add(await startParties(options, shares?.folder), (p) => p.stop()) : undefined;
  if (parties !== undefined) await unlessAborted(signal, parties.ready());

  options.onPhase?.('connect');
  const session = webcrypto.getRandomValues(new Uint8Array(16));
  const addresses = options.peers ?? parties?.addresses() ?? [];
  const channels = cleanup.add(new Map<PartyId, Channel>(), abortAll);
  for (const peer of [1, 2] as const) channels.set(peer, await connect(options, peer, addresses[peer - 1], credentials, session));
  const setupMs = performance.now() - start;

  const parameters = ownerParameters(model.config, shares?.seeds);
  const running = own(options, { config: model.config, request, channels, session, kernels, parameters }, input);
  // A local party that fails says why; that is better than "the link was closed".
  const owner = await unlessAborted(signal, parties === undefined ? running : Promise.race([running, parties.failed]));
  const totalMs = performance.now() - start;
  await Promise.all([...channels.values()].map((channel) => channel.close()));

  const result = { model: model.name, tokens: request.tokens, masks: request.masks, answer: task.answer(owner.logits, options.topK), owner, setupMs, totalMs };
  if (!options.compare) return result;
  options.onPhase?.('compare');
  const plaintext = kernels instanceof WasmKernels ? kernels : cleanup.add(await wasmKernels(options.threads), (k) => k.close());
  const comparison = await compareWithPlaintext(await model.weights(), input, owner.logits, plaintext);
  return { ...result, comparison: { ...comparison, answer: task.answer(comparison.logits, options.topK) } };
}

type SessionParts = Pick<Parameters<typeof OwnerSession.open>[0], 'config' | 'request' | 'channels' | 'session' | 'parameters'> & {
  readonly kernels: RingKernels;
};

/** The data owner's session: agree, deal, run. */
async function own(options: RunOptions, parts: SessionParts, input: OwnerInput): Promise<OwnerResult> {
  const keys = [webcrypto.getRandomValues(new Uint8Array(32)), webcrypto.getRandomValues(new Uint8Array(32))] as const;
  for (const peer of [1, 2] as const) await sendKey(parts.channels.get(peer) as Channel, keys[peer - 1]);
  const attempt = await OwnerSession.open({
    ...parts,
    keys,
    now: () => performance.now(),
    peakMemory,
    signal: options.signal,
    onProgress: (progress) => options.onProgress?.(0, progress),
  });
  options.onPhase?.('preprocess');
  await attempt.prepare();
  options.onPhase?.('online');
  return attempt.run(input);
}

async function connect(options: RunOptions, peer: 1 | 2, { host, port }: Address, credentials: Credentials, session: Uint8Array): Promise<Channel> {
  const { signal, profile } = options;
  const limits = { recvTimeoutMs: RECV_TIMEOUT_MS, timeoutMs: CONNECT_TIMEOUT_MS };
  return shaped(await connectTls({ self: 0, peer, host, port, credentials, session, signal, ...limits }), profile);
}

function abortAll(channels: ReadonlyMap<PartyId, Channel>): void {
  for (const channel of channels.values()) channel.abort(new TercetError('ERR_STATE', 'the run is over', 'start a new one'));
}

function share({ model, signal }: RunOptions): ReturnType<typeof prepareShares> {
  return prepareShares((folder) => shareInProcess(modelArguments(model), folder, signal));
}

function startParties(options: RunOptions, shares: ((id: 1 | 2) => string) | undefined): Promise<LocalParties> {
  return LocalParties.start({
    args: (id) => partyArguments(options, shares?.(id)),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  });
}

function modelArguments(model: ModelLocation): string[] {
  return model.kind === 'folder' ? ['--model', model.path] : ['--random-weights', String(model.seed), '--config', model.configPath];
}

function partyArguments(options: RunOptions, shares: string | undefined): string[] {
  return [
    ...(shares === undefined ? modelArguments(options.model) : ['--shares', shares]),
    ...['--certificates', options.certificates, '--device', options.device, '--threads', String(options.threads)],
    ...(options.profile === undefined ? [] : ['--profile', options.profile]),
    ...(options.debug ? ['--debug'] : []),
  ];
}
