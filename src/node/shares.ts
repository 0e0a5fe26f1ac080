/**
 * The files of secret weights. The model owner writes one folder with a part for each party:
 *
 *   p1/, p2/   config.json, plan.json (a plan for each protocol), share.json, masked.safetensors (M as I64, the same
 *              file in both), seed (32 bytes, this party's own), later revoked.json
 *   owner/     config.json, the tokenizer's files, share.json, hash (the name of this sharing): public, the same
 *              for every data owner
 *   issuer/    share.json, seeds (64 bytes), enrolment.key, later enrolled.json and revoked.json: stays with the
 *              model's owner, who enrols data owners with it
 *
 * Every file is readable by its owner only. A part alone says nothing about the weights. A sharing is rotated by
 * making another one: new seeds, new enrolment key, new name. Which files may ever be public:
 * test/security/public-files.test.ts.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, link, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RingKernels } from '../compute/kernels/types.ts';
import { type Words, wordsFrom } from '../compute/ring.ts';
import { abortedError } from '../core/abort.ts';
import { TercetError } from '../core/errors.ts';
import { type ModelConfig, loadModelConfig } from '../ml/config.ts';
import { CONFIG_FILE } from '../ml/config-fields.ts';
import { folderFiles } from '../ml/files-node.ts';
import { openBytes } from '../ml/files.ts';
import { parseModelJson } from '../ml/json.ts';
import { parameterEncoder } from '../ml/models/folding.ts';
import { listParameters } from '../ml/models/parameters.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import { openSafetensors } from '../ml/safetensors.ts';
import { safetensorsHeader } from '../ml/safetensors-encode.ts';
import { ownerFiles } from '../ml/owner-files.ts';
import { sharingHash } from '../net/enrolment/credential.ts';
import type { Enrolment } from '../net/enrolment/enrolment.ts';
import { SEED_BYTES, identityFromSeed } from '../net/identity/identity.ts';
import type { ParameterView } from '../mpc/protocol/frame/party.ts';
import { planFromJson } from '../session/agreement.ts';
import { Fields } from '../session/control.ts';
import { SharedParameters, maskParameter, ownerSeeds } from '../session/secret-parameters.ts';
import { loadEnrolment } from './enrolment.ts';
import { hashFile } from './hash-files.ts';
import type { OpenedModel } from './model.ts';
import { wasmFold } from './kernels.ts';
import type { Ranges } from './defaults.ts';
import { plansOf } from './model-plan.ts';
import {
  CONFIG,
  ENROLMENT_KEY,
  PARTS,
  SEEDS,
  SHARE_FILE,
  type ShareManifest,
  checkPart,
  manifestJson,
  parseManifest,
  sha256,
} from './sharing.ts';

const MASKED = 'masked.safetensors';
const SEED = 'seed';
const PLAN = 'plan.json';
const PRIVATE = { mode: 0o600 };

/**
 * Splits a model into `folder`; returns the name of the sharing. Holds one parameter at a time. @throws
 * {TercetError} ERR_ARGUMENT when the folder exists.
 */
export async function shareModel(
  model: OpenedModel,
  folder: string,
  kernels: RingKernels,
  signal: AbortSignal,
  ranges?: Ranges,
): Promise<string> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (cause) {
    throw new TercetError(
      'ERR_ARGUMENT',
      'the folder for the shares cannot be made',
      'give a new folder below one that exists',
      { cause },
    );
  }
  try {
    const source = await model.weights();
    const fold = await wasmFold();
    const seeds: [Uint8Array, Uint8Array] = [randomBytes(32), randomBytes(32)];
    const { plan: semiHonest, provedPlan } = await plansOf(model, source, { ranges, fold });
    const plan = JSON.stringify({ ...semiHonest, proved: provedPlan });
    const config = JSON.stringify(model.rawConfig);
    for (const part of PARTS) await mkdir(join(folder, part), { mode: 0o700 });
    const masked = await open(join(folder, 'p1', MASKED), 'wx', 0o600);
    try {
      await writeMasked(masked, model.config, parameterEncoder(source, fold), seeds, kernels, signal);
    } finally {
      await masked.close();
    }
    await link(join(folder, 'p1', MASKED), join(folder, 'p2', MASKED));
    const enrolmentKey = randomBytes(SEED_BYTES);
    const names = {
      masked: await hashFile(join(folder, 'p1', MASKED)),
      seeds: [sha256(seeds[0]), sha256(seeds[1])] as const,
      config: sha256(Buffer.from(config)),
      plan: sha256(Buffer.from(plan)),
      enrolment: (await identityFromSeed(Uint8Array.from(enrolmentKey))).publicKey,
    };
    const write = async (part: ShareManifest['part'], file: string, content: string | Uint8Array) => {
      await mkdir(dirname(join(folder, part, file)), { recursive: true, mode: 0o700 });
      await writeFile(join(folder, part, file), content, PRIVATE);
    };
    for (const id of [1, 2] as const) {
      const part = `p${id}` as const;
      await write(part, SEED, seeds[id - 1]);
      await write(part, PLAN, plan);
      await write(part, CONFIG, config);
      await write(part, SHARE_FILE, manifestJson({ part, ...names }));
    }
    await write('issuer', SEEDS, ownerSeeds(seeds));
    await write('issuer', ENROLMENT_KEY, `${enrolmentKey.toString('hex')}\n`);
    await write('issuer', SHARE_FILE, manifestJson({ part: 'issuer', ...names }));
    await write('owner', CONFIG, config);
    await write('owner', SHARE_FILE, manifestJson({ part: 'owner', ...names }));
    await write('owner', 'hash', `${sharingHash(names)}\n`);
    if (model.files !== undefined)
      for (const file of await ownerFiles(model.files))
        if (file !== CONFIG_FILE) await write('owner', file, await model.files.read(file));
    return sharingHash(names);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function writeMasked(
  file: FileHandle,
  config: ModelConfig,
  encode: ReturnType<typeof parameterEncoder>,
  seeds: readonly [Uint8Array, Uint8Array],
  kernels: RingKernels,
  signal: AbortSignal,
): Promise<void> {
  const parameters = listParameters(config);
  await file.write(
    safetensorsHeader(parameters.map(({ name, rows, cols }) => ({ name, dtype: 'I64', shape: [rows, cols] }))),
  );
  for (const [number, parameter] of parameters.entries()) {
    if (signal.aborted) throw abortedError();
    const encoded = await encode(parameter);
    const words: Words =
      encoded instanceof BigInt64Array ? { k: 64, data: new BigUint64Array(encoded.buffer) } : wordsFrom(encoded, 64);
    const { data } = await maskParameter(kernels, seeds, number, words);
    await file.write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
}

/**
 * Loads a compute party's part.
 * @param onProblem hears of a later list of revoked credentials that cannot be taken
 * @throws {TercetError} ERR_MODEL_HASH for the part of another party or files of another sharing; ERR_MODEL_FORMAT,
 * ERR_MODEL_NOT_FOUND
 */
export async function loadShares(
  id: 1 | 2,
  folder: string,
  kernels: RingKernels,
  onProblem?: (error: TercetError) => void,
): Promise<{
  config: ModelConfig;
  parameters: ParameterView;
  plan: ModelPlan;
  provedPlan: ModelPlan | undefined;
  hash: string;
  enrolment: Enrolment;
}> {
  const files = await folderFiles(folder);
  const config = await loadModelConfig(files);
  const manifest = parseManifest(await files.read(SHARE_FILE));
  if (manifest.part !== `p${id}`) {
    throw new TercetError(
      'ERR_MODEL_HASH',
      `this is the part "${manifest.part}" of a sharing, and this is party ${id}`,
      `give --shares the folder p${id}`,
    );
  }
  const enrolment = await loadEnrolment(folder, manifest, onProblem);
  const seed = await files.read(SEED);
  if (seed.length !== 32)
    throw new TercetError(
      'ERR_MODEL_FORMAT',
      'the seed of the shared weights has not 32 bytes',
      'share the model again',
    );
  checkPart(SEED, sha256(seed), manifest.seeds[id - 1]);
  const planFile = await files.read(PLAN);
  checkPart(CONFIG, sha256(await files.read(CONFIG)), manifest.config);
  checkPart(PLAN, sha256(planFile), manifest.plan);
  checkPart(MASKED, await hashFile(join(folder, MASKED)), manifest.masked);
  const store = await openSafetensors(await openBytes(files, MASKED));
  const parameters = await SharedParameters.load(
    id,
    config,
    seed,
    async ({ name, rows, cols }) => {
      const { bytes, dtype } = await store.raw(name);
      if (dtype !== 'I64' || bytes.length !== 8 * rows * cols)
        throw new TercetError(
          'ERR_MODEL_FORMAT',
          `the share of ${name} has the wrong type or size`,
          'share the model again, with this config.json',
        );
      return new BigUint64Array(bytes.buffer, bytes.byteOffset, rows * cols);
    },
    kernels,
    true,
  );
  const malformed = () => new TercetError('ERR_MODEL_FORMAT', `${PLAN} is malformed`, 'share the model again');
  const plans = new Fields(parseModelJson(planFile, PLAN, 'ERR_MODEL_FORMAT'), malformed);
  const plan = planFromJson(plans, config.layers, malformed);
  // Sharings from before have none, and serve no proved run.
  const provedPlan = plans.has('proved') ? planFromJson(plans.object('proved'), config.layers, malformed) : undefined;
  return { config, parameters, plan, provedPlan, hash: enrolment.sharing, enrolment };
}

/** Shares made for one local run, and removed after it. */
export interface PreparedShares {
  /** The whole sharing. */
  readonly root: string;
  folder(id: 1 | 2): string;
  remove(): Promise<void>;
}

/**
 * Makes a sharing of the model in a temporary folder, as the model owner would: in a process of its own, so that P0
 * never holds a weight.
 */
export async function prepareShares(
  share: (folder: string) => Promise<void>,
  name = 'shares',
): Promise<PreparedShares> {
  const parent = await mkdtemp(join(tmpdir(), 'tercet-'));
  const folder = join(parent, name);
  const remove = () => rm(parent, { recursive: true, force: true });
  try {
    await share(folder);
    return { root: folder, folder: (id) => join(folder, `p${id}`), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
