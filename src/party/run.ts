/**
 * One private inference from this process: P0 here, P1 and P2 as local processes or at given addresses, and the
 * plaintext model beside it on request.
 */
import { webcrypto } from 'node:crypto';
import type { RingKernels } from '../compute/kernels/types.ts';
import { WasmKernels } from '../compute/kernels/wasm/kernels.ts';
import { Cleanup, abortedError, sleep, unlessAborted } from '../core/abort.ts';
import { fromHex } from '../core/bytes.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import type { Progress } from '../mpc/protocol/semi-honest/engine.ts';
import { protocolInfo } from '../mpc/protocol/registry.ts';
import type { BoundChannel } from '../net/wire/channel.ts';
import { type OwnerCredential, credentialFault } from '../net/enrolment/credential.ts';
import { loadCredentials } from '../net/tls/certificates.ts';
import { type Credentials, type Pinned, isPinned } from '../net/tls/credentials.ts';
import { ownerHandshakeOn } from '../net/handshake/handshake.ts';
import { checkPublicKey } from '../net/identity/identity.ts';
import { connectTls } from '../net/tls/tls.ts';
import type { Channel, PartyId } from '../net/wire/types.ts';
import { type Request, type WeightMode, checkShape, requestCode } from '../session/request.ts';
import { outlineOf, outputsOf, ownerInputOf, shapeFor } from '../session/task-run.ts';
import { sendKeys } from '../session/direct-key.ts';
import { ownerParameters } from '../session/owner-parameters.ts';
import { type OwnerResult, OwnerSession } from '../session/owner.ts';
import { type Comparison, compareWithPlaintext } from './compare.ts';
import { shaped } from '../daemon/daemon.ts';
import { enrolHere } from '../node/issuer.ts';
import { LocalParties, shareInProcess } from '../daemon/local.ts';
import { type ModelLocation, type OpenedModel, openModel } from '../node/model.ts';
import type { Ranges } from '../node/model-plan.ts';
import { type Device, nodeKernels, peakMemory, wasmKernels } from '../node/kernels.ts';
import { prepareShares } from '../node/shares.ts';
import { pickGreedily } from './greedy-decoder.ts';
import { ANY_MODEL } from '../daemon/owner-terms.ts';
import { type Answer, type PreparedTask, type TaskRequest, prepareTask } from '../node/task.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface RunOptions extends TaskRequest {
  readonly model: ModelLocation;
  readonly protocol: string;
  readonly weights: WeightMode;
  /** For secret weights with `peers`; not wiped here. */
  readonly credential?: OwnerCredential;
  /** How the parties that are started here plan the model. */
  readonly ranges?: Ranges;
  readonly device: Device;
  readonly threads: number;
  readonly topK: number;
  readonly compare: boolean;
  /** The model to compare with, where `model` is the owner's part of a sharing: that holds no weights. */
  readonly reference?: ModelLocation;
  readonly profile?: string;
  /** Addresses of running compute parties; without them, both are started here. */
  readonly peers?: readonly [Address, Address];
  /** Folder of the certificates, for parties that are started here. */
  readonly certificates: string;
  /** What is shown to running parties, and what they must prove (default: the certificates of the folder). */
  readonly credentials?: Credentials;
  readonly signal: AbortSignal;
  readonly debug: boolean;
  /** Pieces of a generated text, as they become certain. */
  onText?(text: string): void;
  /** What the owner should know of how the texts were read, before anything runs. */
  onNotice?(notice: string): void;
  onPhase?(phase: RunPhase): void;
  onProgress?(party: 0 | 1 | 2, progress: Progress): void;
}

export type RunPhase = 'start' | 'connect' | 'preprocess' | 'online' | 'compare' | 'done';

/** What one more token took. */
export interface StepCost {
  readonly preprocessMs: number;
  readonly onlineMs: number;
  readonly rounds: number;
  /** Bytes that P0 sent, and that went between P1 and P2, since the token before. */
  readonly p0SentBytes: number;
  readonly betweenBytes: number;
}

export interface RunResult {
  readonly model: string;
  /** Positions of every sequence. */
  readonly tokens: number;
  readonly sequences: number;
  /** One for each text. */
  readonly answers: readonly Answer[];
  /** What the owner should know of how the texts were read. */
  readonly notices: readonly string[];
  /** Of the whole run: times and rounds of all steps together. */
  readonly owner: OwnerResult;
  /** Of the prompt and of every token behind it; empty where nothing is generated. */
  readonly steps: readonly StepCost[];
  readonly comparison?: Comparison & { readonly answers: readonly Answer[] };
  readonly setupMs: number;
  readonly totalMs: number;
}

/** Longest wait for one message of a peer: the slowest step at BERT-base dimensions takes seconds. */
export const RECV_TIMEOUT_MS = 300_000;
const NO_SIGNALLING = new Uint8Array(32);
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
    // A signal reaches the whole process group. Parties that end first must not hide why, and their end may be seen
    // before this process has heard its own signal.
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
  const model = await openModel(options.model, { weights: options.compare && options.reference === undefined, signal });
  const given = credentialOf(options, model);
  if (options.compare && model.sharing !== undefined && options.reference === undefined) {
    throw new TercetError(
      'ERR_ARGUMENT',
      'the owner folder of a sharing holds no weights to compare with',
      'leave out --compare',
    );
  }
  const task = await prepareTask(options, model);
  const notices = [...new Set(task.inputs.flatMap(({ notices = [] }) => [...notices]))];
  for (const notice of notices) options.onNotice?.(notice);
  options.onPhase?.('start');
  const lengths = task.inputs.map(({ inputIds }) => inputIds.length);
  const tokens = Math.max(...lengths);
  const outline = outlineOf(model.config, task.inputs, {
    tokens,
    padded: lengths.some((length) => length < tokens),
    steps: task.steps,
  });
  const shape = shapeFor(model.config, outline);
  checkShape(model.config, shape);
  const request: Request = { protocol, weights, ...shape, model: given?.sharing };

  const { kernels } = cleanup.add(
    await nodeKernels(options.device === 'auto' ? 'wasm' : options.device, options.threads),
    (opened) => opened.close(),
  );
  const credentials = options.credentials ?? (await loadCredentials(options.certificates, 0));
  const shares =
    weights === 'secret' && options.peers === undefined
      ? cleanup.add(await share(options), (s) => s.remove())
      : undefined;
  const parties =
    options.peers === undefined ? cleanup.add(await startParties(options, shares?.folder), (p) => p.stop()) : undefined;
  if (parties !== undefined) await unlessAborted(signal, parties.ready());

  options.onPhase?.('connect');
  const credential = shares === undefined ? given : cleanup.add(await enrolHere(shares.root), (own) => own.wipe());
  const session = webcrypto.getRandomValues(new Uint8Array(16));
  const addresses = options.peers ?? parties?.addresses() ?? [];
  const channels = cleanup.add(new Map<PartyId, Channel>(), abortAll);
  const presented: Uint8Array[] = [];
  for (const peer of [1, 2] as const) {
    const channel = await connect(options, peer, addresses[peer - 1], credentials, session);
    channels.set(peer, shaped(channel, options.profile));
    // A handshake carries it itself.
    if (credential !== undefined && !isPinned(credentials))
      presented.push(credential.present({ party: peer, session, binding: channel.binding() }));
  }
  const setupMs = performance.now() - start;

  const parameters = ownerParameters(model.config, credential?.seeds());
  const shown = presented.length === 2 ? { presented: [presented[0], presented[1]] as const } : {};
  const running = own(
    options,
    { config: model.config, request, ...shown, channels, session, kernels, parameters },
    task,
    { credentials, credential },
  );
  // A local party that fails says why; that is better than "the link was closed".
  const { results, picked } = await unlessAborted(
    signal,
    parties === undefined ? running : Promise.race([running, parties.failed]),
  );
  const totalMs = performance.now() - start;
  await Promise.all([...channels.values()].map((channel) => channel.close()));

  const outputs = outputsOf(model.config, task.inputs, shape, results[0].logits);
  const result: RunResult = {
    model: model.name,
    tokens,
    sequences: shape.sequences,
    answers: task.answers(outputs, options.topK),
    notices,
    owner: summed(results),
    steps: model.config.head === 'causal-lm' ? results.map((step, i) => stepCost(step, results[i - 1])) : [],
    setupMs,
    totalMs,
  };
  if (!options.compare) return result;
  options.onPhase?.('compare');
  const plaintext =
    kernels instanceof WasmKernels ? kernels : cleanup.add(await wasmKernels(options.threads), (k) => k.close());
  const steps = results.map(({ logits }) => logits);
  const plain = options.reference === undefined ? model : await openModel(options.reference, { weights: true, signal });
  const comparison = await compareWithPlaintext(
    await plain.weights(),
    task.inputs,
    model.config.head === 'causal-lm' ? steps : outputs,
    picked,
    plaintext,
  );
  return {
    ...result,
    comparison: {
      ...comparison,
      answers: task.generation === undefined ? task.answers(comparison.outputs, options.topK) : [],
    },
  };
}

/** Times and rounds of all steps; bytes are counted through, so those of the last step are those of all. */
function summed(results: readonly OwnerResult[]): OwnerResult {
  const last = results[results.length - 1];
  const sum = (of: (result: OwnerResult) => number) => results.reduce((total, result) => total + of(result), 0);
  return {
    ...last,
    rounds: sum(({ rounds }) => rounds),
    onlineRounds: sum(({ onlineRounds }) => onlineRounds),
    timing: {
      agreeMs: last.timing.agreeMs,
      preprocessMs: sum(({ timing }) => timing.preprocessMs),
      onlineMs: sum(({ timing }) => timing.onlineMs),
      inputMs: sum(({ timing }) => timing.inputMs),
      computeMs: sum(({ timing }) => timing.computeMs),
      outputMs: sum(({ timing }) => timing.outputMs),
    },
  };
}

function betweenBytes({ reports }: OwnerResult): number {
  const sent = (from: 1 | 2, to: 1 | 2) => Object.values(reports[from].links[to] ?? {}).reduce((sum, n) => sum + n, 0);
  return sent(1, 2) + sent(2, 1);
}

function stepCost(step: OwnerResult, before: OwnerResult | undefined): StepCost {
  return {
    preprocessMs: step.timing.preprocessMs,
    onlineMs: step.timing.onlineMs,
    rounds: step.rounds,
    p0SentBytes: step.reports[0].sentBytes - (before?.reports[0].sentBytes ?? 0),
    betweenBytes: betweenBytes(step) - (before === undefined ? 0 : betweenBytes(before)),
  };
}

type SessionParts = Pick<
  Parameters<typeof OwnerSession.open>[0],
  'config' | 'request' | 'presented' | 'channels' | 'session' | 'parameters'
> & {
  readonly kernels: RingKernels;
};

/** What the steps opened, and the tokens that were chosen from it. */
interface Steps {
  readonly results: readonly OwnerResult[];
  readonly picked: readonly number[];
}

/** What proves both ends of a link, and what the owner of secret weights presents on it. */
interface Proofs {
  readonly credentials: Credentials;
  readonly credential: OwnerCredential | undefined;
}

/** The data owner's session: agree, deal, run, and go on while there is more to say. */
async function own(
  options: RunOptions,
  parts: SessionParts,
  task: PreparedTask,
  { credentials, credential }: Proofs,
): Promise<Steps> {
  const keys = isPinned(credentials)
    ? ([
        await agreeKey(1, parts, credentials.pins, credential),
        await agreeKey(2, parts, credentials.pins, credential),
      ] as const)
    : await sendKeys((peer) => parts.channels.get(peer) as Channel);
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
  const results = [await attempt.run(ownerInputOf(parts.config, task.inputs, parts.request))];
  const picked: number[] = [];
  if (parts.config.head !== 'causal-lm') return { results, picked };
  const generation = task.generation ?? pickGreedily(parts.request.steps + 1);
  const length = task.inputs[0].inputIds.length;
  for (;;) {
    const { text, reason } = generation.step(results[results.length - 1].logits);
    if (text !== '') options.onText?.(text);
    if (reason !== undefined) break;
    const tokenId = generation.lastId as number;
    results.push(await attempt.next({ tokenId, position: length + picked.length }));
    picked.push(tokenId);
  }
  if (attempt.more) await attempt.discard();
  return { results, picked };
}

/**
 * The pairwise key with one party: drawn and sent where certificates prove both ends, agreed under its signature
 * where its identity is pinned.
 */
async function agreeKey(
  party: 1 | 2,
  { channels, session, request }: SessionParts,
  pins: Pinned['pins'],
  credential?: OwnerCredential,
): Promise<Uint8Array> {
  const channel = channels.get(party) as Channel;
  const pin = (id: 1 | 2): string => checkPublicKey(pins[id] ?? '', id);
  return ownerHandshakeOn(channel, {
    party,
    session,
    identity: pin(party),
    otherIdentity: pin(party === 1 ? 2 : 1),
    modelHash: request.model === undefined ? ANY_MODEL : fromHex(request.model),
    requestCode: fromHex(requestCode(request)),
    signallingHash: NO_SIGNALLING,
    credential,
  });
}

/**
 * The credential of a run, if it needs one that was given.
 * @throws {TercetError} ERR_CREDENTIAL_MISSING, ERR_CREDENTIAL_SHARING, ERR_CREDENTIAL_EXPIRED, ERR_ARGUMENT: all
 * before anybody is asked
 */
function credentialOf(
  { peers, weights, credential }: RunOptions,
  { sharing }: OpenedModel,
): OwnerCredential | undefined {
  if (peers === undefined) {
    if (sharing !== undefined)
      throw new TercetError(
        'ERR_ARGUMENT',
        'the owner folder of a sharing holds no weights',
        'name the parties that hold the other parts: --peers 1=HOST:PORT,2=HOST:PORT --weights secret --credential FILE',
      );
    if (credential === undefined) return undefined;
    throw new TercetError(
      'ERR_ARGUMENT',
      'a credential is for parties that run already',
      'name them with --peers, or leave out --credential',
    );
  }
  if (weights === 'open') {
    if (credential === undefined && sharing === undefined) return undefined;
    throw new TercetError(
      'ERR_ARGUMENT',
      'a credential, or the owner folder of a sharing, is for secret weights',
      'add --weights secret',
    );
  }
  if (credential === undefined) throw credentialFault('missing');
  credential.check(sharing ?? credential.sharing, Date.now() / 1000);
  return credential;
}

async function connect(
  options: RunOptions,
  peer: 1 | 2,
  { host, port }: Address,
  credentials: Credentials,
  session: Uint8Array,
): Promise<BoundChannel> {
  const limits = { recvTimeoutMs: RECV_TIMEOUT_MS, timeoutMs: CONNECT_TIMEOUT_MS };
  return connectTls({ self: 0, peer, host, port, credentials, session, signal: options.signal, ...limits });
}

function abortAll(channels: ReadonlyMap<PartyId, Channel>): void {
  for (const channel of channels.values())
    channel.abort(new TercetError('ERR_STATE', 'the run is over', 'start a new one'));
}

function share({ model, ranges, signal }: RunOptions): ReturnType<typeof prepareShares> {
  return prepareShares((folder) =>
    shareInProcess([...modelArguments(model), ...rangesArguments(ranges)], folder, signal),
  );
}

function startParties(options: RunOptions, shares: ((id: 1 | 2) => string) | undefined): Promise<LocalParties> {
  return LocalParties.start({
    args: (id) => partyArguments(options, shares?.(id)),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  });
}

function rangesArguments(ranges: Ranges = 'auto'): string[] {
  return ranges === 'auto' ? [] : ['--ranges', ranges];
}

function modelArguments(model: ModelLocation): string[] {
  return model.kind === 'random'
    ? ['--random-weights', String(model.seed), '--config', model.configPath]
    : ['--model', `${model.kind === 'hub' ? model.id : model.path}${model.task === undefined ? '' : `#${model.task}`}`];
}

function partyArguments(options: RunOptions, shares: string | undefined): string[] {
  return [
    ...(shares === undefined
      ? [...modelArguments(options.model), ...rangesArguments(options.ranges)]
      : ['--shares', shares]),
    // Nobody but this process reaches them: what a run may take is the user's own choice.
    ...['--max-memory', 'none', '--max-traffic', 'none'],
    ...['--certificates', options.certificates, '--device', options.device, '--threads', String(options.threads)],
    ...(options.profile === undefined ? [] : ['--profile', options.profile]),
    ...(options.debug ? ['--debug'] : []),
  ];
}
