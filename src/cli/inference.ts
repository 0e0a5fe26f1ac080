/**
 * One private inference from this process: the data owner's engine over mutual TLS, with both compute parties
 * started here or at given addresses, and the plaintext model beside it on request.
 */
import { Cleanup, abortedError, sleep, unlessAborted } from '../core/abort.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import { serveLocally } from '../daemon/serve-locally.ts';
import type { ModelConfig } from '../ml/config.ts';
import { inParts } from '../ml/tasks/batch.ts';
import { type Task, checkTask } from '../ml/tasks/table.ts';
import { protocolWithProofs } from '../mpc/protocol/registry.ts';
import type { ProtocolId } from '../mpc/protocol/types.ts';
import type { Progress } from '../mpc/protocol/frame/engine.ts';
import type { Trace } from '../mpc/protocol/trace.ts';
import type { OwnerCredential } from '../net/enrolment/credential.ts';
import { absentCredential } from '../net/enrolment/credential-terms.ts';
import { loadCredentials } from '../net/tls/certificates.ts';
import type { Credentials } from '../net/tls/credentials.ts';
import { type Comparison, compareWithPlaintext, plaintextKernels } from '../node/compare.ts';
import type { Device } from '../node/devices.ts';
import { nodeKernels, nodeProving } from '../node/kernels.ts';
import { type ModelLocation, type OpenedModel, openModel } from '../node/model.ts';
import type { Ranges } from '../node/defaults.ts';
import { type Address, type TlsParties, tlsEnvironment, tlsRunContext } from '../node/tls-owner.ts';
import { MAX_BATCH } from '../owner/batch-size.ts';
import { intoRuns } from '../owner/batches.ts';
import { type StepCost, type Totals, proofsOf, stepCosts, totalsOf, totalsOfRuns } from '../owner/cost.ts';
import type { RunProofs } from '../owner/types/index.ts';
import { planIds, spreadIds } from '../owner/id-plan.ts';
import { type RunResult, Runner, shapeOfPlan } from '../owner/runner.ts';
import { type TaskPlan, joinPlans, noticesOf } from '../owner/predict-plan.ts';
import { type TaskAnswer, type TaskOptions, planTexts } from '../owner/task-plans.ts';
import { loadTextContext, reading } from '../owner/text-context.ts';
import { checkLevel } from '../session/proving.ts';
import type { SecurityLevel, WeightMode } from '../session/request.ts';
import { type RunPlan, WIDENINGS } from '../session/run-plan.ts';
import { ENTRY } from './entry.ts';

export interface InferenceOptions extends TaskOptions {
  readonly task: Task;
  /** The texts, in as many runs as they take; empty with random weights and a number of tokens. */
  readonly texts: readonly string[];
  /** Question answering: the text is the context. */
  readonly question?: string | undefined;
  /** Longest text (default 10,000). */
  readonly maxCharacters?: number | undefined;
  /** Whether special tokens that a text spells are read as such. */
  readonly specialTokens?: 'cut' | 'allow' | undefined;
  /** Random weights: positions of every sequence, and how many sequences there are. */
  readonly tokens?: number | undefined;
  readonly sequences?: number | undefined;
  /** Texts or sequences of one run (default: as many as a run takes). */
  readonly batchSize?: number | undefined;
  readonly model: ModelLocation;
  readonly protocol: string;
  /** Default 128. */
  readonly securityLevel?: SecurityLevel;
  readonly weights: WeightMode;
  /** Default 'lan'. */
  readonly plan?: RunPlan;
  /** For secret weights with `peers`. */
  readonly credential?: OwnerCredential | undefined;
  /** How the parties that are started here plan the model. */
  readonly ranges?: Ranges | undefined;
  readonly device: Device;
  readonly threads: number;
  readonly compare: boolean;
  readonly profile?: string | undefined;
  /** Addresses of running compute parties; without them, both are started here. */
  readonly peers?: readonly [Address, Address];
  /** Who deals instead of this process; only with `peers` that are known by their identities. */
  readonly dealer?: { readonly address: Address; readonly identity: string };
  /** Folder of the certificates, for parties that are started here. */
  readonly certificates: string;
  /** What is shown to running parties, and what they must prove (default: the certificates of the folder). */
  readonly credentials?: Credentials;
  readonly signal: AbortSignal;
  readonly debug: boolean;
  /** Pieces of a generated text, as they become certain. */
  readonly onText?: ((text: string) => void) | undefined;
  /** What the owner should know of how the texts were read, before anything runs. */
  onNotice?(notice: string): void;
  onPhase?(phase: RunPhase): void;
  onProgress?(party: 0 | 1 | 2, progress: Progress): void;
  /** Runs of others compute first. @param ms about how long, where party 1 knows it */
  onQueued?(before: number, ms: number | undefined): void;
  /** Longest wait for one message of a party. */
  readonly recvTimeoutMs?: number;
  /** Every step of the data owner. */
  readonly trace?: Trace | undefined;
}

export type RunPhase = 'start' | 'connect' | 'preprocess' | 'online' | 'compare' | 'done';

export interface Inference {
  readonly model: string;
  /** Positions of every sequence; of several runs in that of the longest text. */
  readonly tokens: number;
  /** In all runs. */
  readonly sequences: number;
  readonly runs: number;
  /** One for each text. */
  readonly answers: readonly TaskAnswer[];
  readonly notices: readonly string[];
  readonly protocol: ProtocolId;
  readonly totals: Totals;
  /** What was proved before the answer opened; of `3pc_malicious`. */
  readonly proofs?: RunProofs | undefined;
  /** Of the prompt and of every token behind it; empty where nothing is generated. */
  readonly steps: readonly StepCost[];
  readonly comparison?: Comparison & { readonly answers: readonly TaskAnswer[] };
  readonly setupMs: number;
  readonly totalMs: number;
}

/** How much later this process may hear a signal that ended the parties. */
const SIGNAL_GRACE_MS = 250;

/** Runs one inference and leaves nothing behind: no process, no link, no temporary file, whatever the end. */
export async function runInference(options: InferenceOptions): Promise<Inference> {
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

async function infer(options: InferenceOptions, cleanup: Cleanup): Promise<Inference> {
  const start = performance.now();
  const { signal, weights, compare, profile } = options;
  const protocol = protocolWithProofs(options.protocol);
  const securityLevel = checkLevel(protocol, options.securityLevel);
  const model = await openModel(options.model, { weights: compare, signal });
  const given = credentialOf(options, model);
  if (compare && model.sharing !== undefined)
    throw new TercetError(
      'ERR_ARGUMENT',
      'the owner folder of a sharing holds no weights to compare with',
      'leave out --compare',
    );
  const { config } = model;
  const plans = await plansOf(options, model);
  const whole = joinPlans(plans);
  const notices = noticesOf(whole);
  for (const notice of notices) options.onNotice?.(notice);
  if (options.peers === undefined) options.onPhase?.('start');
  const terms = {
    protocol,
    securityLevel,
    weights,
    model: given?.sharing,
    widening: WIDENINGS[options.plan ?? 'lan'],
    dealer: options.dealer?.identity,
  };
  const limits = { config, terms, buckets: undefined, runMemory: Number.POSITIVE_INFINITY };
  const runs = intoRuns(limits, plans, options.batchSize ?? MAX_BATCH).map(joinPlans);
  const shapes = await Promise.all(runs.map((run) => shapeOfPlan(limits, run)));

  const proving = protocol === '3pc_semi_honest' ? undefined : await nodeProving(options.device);
  for (const shape of shapes) proving?.check({ ...shape, ...terms, dealt: options.dealer !== undefined });
  const { kernels } = cleanup.add(
    await nodeKernels(options.device === 'auto' ? 'wasm' : options.device, options.threads),
    (opened) => opened.close(),
  );
  const credentials = options.credentials ?? (await loadCredentials(options.certificates, 0));
  const local =
    options.peers === undefined
      ? cleanup.add(await serveLocally({ ...options, entry: ENTRY, stay: runs.length > 1 }), (serving) =>
          serving.stop(),
        )
      : undefined;

  options.onPhase?.('connect');
  const parties: TlsParties = {
    addresses: (options.peers ?? local?.addresses) as TlsParties['addresses'],
    dealer: options.dealer?.address,
    credentials,
    profile,
    recvTimeoutMs: options.recvTimeoutMs,
  };
  const environment = tlsEnvironment(parties);
  let connected = start;
  const runner = cleanup.add(
    new Runner(
      tlsRunContext(parties, {
        environment: {
          ...environment,
          async openLink(request) {
            const link = await environment.openLink(request);
            connected = performance.now();
            return link;
          },
        },
        config,
        terms,
        proving,
        credential: local?.credential ?? given,
        kernels,
        onPhase: (phase) => options.onPhase?.(phase),
        onDealt: (progress) => options.onProgress?.(0, progress),
        onProgress: (event) => {
          if (event.status === 'queued') options.onQueued?.(event.before, event.milliseconds);
        },
        trace: options.trace,
      }),
    ),
    (run) => run.dispose(),
  );
  const done: RunResult<TaskAnswer[][]>[] = [];
  for (const run of runs) {
    const running = runner.run(run, { start, signal, onStep: (text) => text !== '' && options.onText?.(text) });
    // A local party that fails says why; that is better than "the link was closed".
    done.push(await unlessAborted(signal, local === undefined ? running : Promise.race([running, local.failed])));
  }
  const steps = done.flatMap((run) => run.steps);
  const generated = whole.decoder !== undefined;
  const result: Inference = {
    model: model.name,
    tokens: Math.max(...shapes.map(({ tokens }) => tokens)),
    sequences: shapes.reduce((sum, { sequences }) => sum + sequences, 0),
    runs: runs.length,
    answers: done.flatMap(({ value }) => value.flat()),
    notices,
    protocol,
    totals: totalsOfRuns(done.map((run) => totalsOf(run.steps))),
    proofs: proofsOf(steps),
    steps: generated ? stepCosts(steps) : [],
    setupMs: connected - start,
    totalMs: performance.now() - start,
  };
  if (!compare) return result;
  options.onPhase?.('compare');
  const plaintext = cleanup.add(await plaintextKernels(kernels, options.threads), (opened) => opened.close());
  const comparison = await compareWithPlaintext(
    await model.weights(),
    whole.inputs,
    generated ? steps.map(({ logits }) => logits) : done.flatMap(({ outputs }) => [...outputs]),
    done.flatMap(({ sent }) => [...sent]),
    plaintext,
  );
  // A generated text is compared token by token; random weights have nothing to say.
  const said = generated && model.files !== undefined ? [] : whole.finish(comparison.outputs).flat();
  return { ...result, comparison: { ...comparison, answers: said } };
}

/**
 * Plans that may run by themselves. All texts are checked and encoded before any process is started: bad input costs
 * nothing.
 */
async function plansOf(options: InferenceOptions, model: OpenedModel): Promise<TaskPlan<TaskAnswer[]>[]> {
  const { task, texts, question } = options;
  if (model.files === undefined) return idsPlans(options, model.config);
  if (texts.length === 0) throw new TercetError('ERR_ARGUMENT', 'there is no text', 'give --text "…"');
  const known = reading(await loadTextContext(model.files, model.config, options.maxCharacters), options.specialTokens);
  if (task === 'zero-shot-classification' && options.labels === undefined)
    throw new TercetError('ERR_ARGUMENT', 'there are no labels to choose from', 'give --labels "sports,politics"');
  // A question that is not there is refused where questions are read.
  const asked =
    task === 'question-answering' ? texts.map((context) => ({ question: question as string, context })) : texts;
  return planTexts(task, known, asked, options).map((plan) => joinPlans([plan]));
}

/** Random weights have no tokenizer: as many ids as were asked for. */
function idsPlans(
  { task, tokens = 0, sequences = 1, batchSize = sequences, generation }: InferenceOptions,
  config: ModelConfig,
): TaskPlan<TaskAnswer[]>[] {
  const smallest = config.head === 'causal-lm' ? 1 : 2;
  if (!Number.isInteger(tokens) || tokens < smallest || tokens > config.maxPositions) {
    throw new TercetError(
      'ERR_ARGUMENT',
      `--tokens must be from ${smallest} to ${config.maxPositions}`,
      'give for example --tokens 16',
    );
  }
  checkTask(task, config);
  // A run goes on with one sequence, or says that it does not with more.
  const each = config.head === 'causal-lm' ? sequences : batchSize;
  return inParts(spreadIds(config, tokens, sequences), each).map((ids) =>
    planIds(config, ids, { newTokens: generation?.maxNewTokens }),
  );
}

/**
 * The credential of a run, if it needs one that was given.
 * @throws {TercetError} ERR_CREDENTIAL_MISSING, ERR_CREDENTIAL_SHARING, ERR_CREDENTIAL_EXPIRED, ERR_CREDENTIAL_DEALER,
 * ERR_ARGUMENT: all before anybody is asked
 */
function credentialOf(
  { peers, weights, credential, dealer }: InferenceOptions,
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
  if (credential === undefined) throw absentCredential('missing');
  credential.check(sharing ?? credential.sharing, Date.now() / 1000);
  if (dealer !== undefined) credential.permitFor(dealer.identity);
  return credential;
}
