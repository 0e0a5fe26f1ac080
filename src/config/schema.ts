/**
 * Every setting of Tercet, once. From here come the types, the reader of `tercet.yaml`, the `MPC_…` variables, JSON
 * Schema (`tercet config schema`) and docs/CONFIGURATION.md.
 *
 * A setting either changes something in the commands that it names (`flags`), or says why it does not (`inert`).
 * What would be less security than asked for is refused (effective.ts).
 */
import { z } from 'zod';
import { MAX_TEXT_CHARACTERS, MOST_TEXT_CHARACTERS } from '../ml/text.ts';
import type { ConfiguredCommand } from './commands.ts';

type Flags = Readonly<Partial<Record<ConfiguredCommand, string>>>;

/** What is said of a setting beside its type. */
interface SettingMeta {
  /** The environment variable. */
  readonly env: `MPC_${string}`;
  /** What it does, in one sentence. */
  readonly description: string;
  /** What a value must be, as an error says it. */
  readonly expects: string;
  /** What holds when nobody sets it. */
  readonly standard: string;
  /** The option of each command that it stands for, as the parser names it (`maxMemory`). */
  readonly flags?: Flags;
  /** Held against what this version gives, for every command (effective.ts). */
  readonly checked?: true;
  /** Why it changes nothing in this version. */
  readonly inert?: string;
  /** The variable by which this process, and the parties that it starts, are told. */
  readonly variable?: string;
  /** Never printed; `…_FILE` names a file that holds it. */
  readonly secret?: true;
}

/** A type with what is said of it; every setting may be left out. */
function setting<T extends z.ZodType>(type: T, meta: SettingMeta) {
  return type.meta({ ...meta }).optional();
}

const every = (flag: string): Flags => ({ infer: flag, party: flag, dealer: flag, serve: flag });
const links = (flag: string): Flags => ({ infer: flag, party: flag, serve: flag });
const NOT_YET = 'not in this version';
/** A number and a unit: `512MB`, `20GB`, powers of ten. */
export const SIZE = /^(\d{1,6}(?:\.\d{1,3})?) ?(KB|MB|GB|TB)$/;
const size = z.string().regex(SIZE);
const SIZE_EXPECTS = 'a size such as "20GB" (KB, MB, GB or TB)';
const SWITCH_EXPECTS = 'true or false';

const Security = z.strictObject({
  protocol: setting(z.enum(['3pc_semi_honest', '3pc_malicious', 'aby3']), {
    env: 'MPC_PROTOCOL',
    description: 'What the parties are protected against.',
    expects: '3pc_semi_honest, 3pc_malicious or aby3',
    standard: '3pc_semi_honest',
    flags: { infer: 'protocol', serve: 'protocol' },
    checked: true,
  }),
  security_level: setting(z.union([z.literal(128), z.literal(256)]), {
    env: 'MPC_SECURITY_LEVEL',
    description: 'What proofs of 3pc_malicious promise: the name of a bound (docs/SECURITY.md).',
    expects: '128 or 256',
    standard: '128',
    flags: { infer: 'securityLevel', serve: 'securityLevel' },
    checked: true,
  }),
  tls_enabled: setting(z.boolean(), {
    env: 'MPC_TLS_ENABLED',
    description: 'Links between processes are TLS 1.3; there is no other kind.',
    expects: SWITCH_EXPECTS,
    standard: 'true',
    checked: true,
  }),
  certificate_path: setting(z.string().min(1), {
    env: 'MPC_TLS_CERT',
    description: "This party's certificate, a PEM file.",
    expects: 'the path of a PEM file',
    standard: 'that of the local set, for this machine',
    flags: links('tlsCert'),
  }),
  private_key_path: setting(z.string().min(1), {
    env: 'MPC_TLS_KEY',
    description: 'The key of that certificate, a PEM file that others cannot read.',
    expects: 'the path of a PEM file',
    standard: 'that of the local set, for this machine',
    flags: links('tlsKey'),
  }),
  authority_path: setting(z.string().min(1), {
    env: 'MPC_TLS_CA',
    description: 'The certificate of the authority that all three parties trust, a PEM file.',
    expects: 'the path of a PEM file',
    standard: 'that of the local set, for this machine',
    flags: links('tlsCa'),
  }),
});

const Performance = z.strictObject({
  gpu_acceleration: setting(z.boolean(), {
    env: 'MPC_GPU_ACCELERATION',
    description: 'true: a graphics device where there is one; false: WebAssembly.',
    expects: SWITCH_EXPECTS,
    standard: 'true',
    flags: links('device'),
  }),
  device: setting(z.enum(['auto', 'wasm', 'native', 'webgpu']), {
    env: 'MPC_DEVICE',
    description: 'The device by name; native and webgpu fail where there is none.',
    expects: 'auto, wasm, native or webgpu',
    standard: 'auto',
    flags: links('device'),
  }),
  batch_size: setting(z.int().min(1).max(256), {
    env: 'MPC_BATCH_SIZE',
    description: 'Texts of a list in one run of the protocol; in the SDK the option batchSize.',
    expects: 'an integer from 1 to 256',
    standard: '8 for serve; for infer as many as a run takes',
    flags: { infer: 'batchSize', serve: 'batchSize' },
  }),
  worker_threads: setting(z.int().min(0).max(64), {
    env: 'MPC_WORKER_THREADS',
    description: 'Workers beside the main thread.',
    expects: 'an integer from 0 to 64',
    standard: 'half of the cores, 8 at most',
    flags: every('threads'),
  }),
  memory_limit: setting(size, {
    env: 'MPC_MEMORY_LIMIT',
    description: "Memory of all owners' runs together at a compute party.",
    expects: SIZE_EXPECTS,
    standard: 'half of the memory of the machine',
    flags: { party: 'maxMemory' },
  }),
  gpu_memory_limit: setting(size, {
    env: 'MPC_GPU_MEMORY_LIMIT',
    description: 'Memory of the graphics device.',
    expects: SIZE_EXPECTS,
    standard: 'all that the device gives',
    inert: `${NOT_YET}: memory_limit bounds what runs may hold, on either device`,
  }),
  optimization_level: setting(z.int().min(0).max(3), {
    env: 'MPC_OPTIMIZATION_LEVEL',
    description: 'How hard kernels are tuned.',
    expects: 'an integer from 0 to 3',
    standard: '–',
    inert: 'there is one set of kernels, the fastest known for each device',
  }),
});

const Privacy = z.strictObject({
  differential_privacy: setting(z.boolean(), {
    env: 'MPC_DIFFERENTIAL_PRIVACY',
    description: 'Noise added inside the computation before an answer opens.',
    expects: SWITCH_EXPECTS,
    standard: 'false',
    checked: true,
  }),
  epsilon: setting(z.number().positive().max(100), {
    env: 'MPC_DP_EPSILON',
    description: 'The budget of differential privacy.',
    expects: 'a number above 0, up to 100',
    standard: '–',
    inert: NOT_YET,
  }),
  delta: setting(z.number().positive().lt(1), {
    env: 'MPC_DP_DELTA',
    description: 'The probability that differential privacy may fail.',
    expects: 'a number between 0 and 1',
    standard: '–',
    inert: NOT_YET,
  }),
  noise_mechanism: setting(z.enum(['gaussian', 'laplace']), {
    env: 'MPC_DP_MECHANISM',
    description: 'The kind of noise.',
    expects: 'gaussian or laplace',
    standard: '–',
    inert: NOT_YET,
  }),
});

const Networking = z.strictObject({
  host: setting(z.string().min(1), {
    env: 'MPC_HOST',
    description: 'The address to listen on.',
    expects: 'a host name or address',
    standard: '127.0.0.1',
    flags: { party: 'host', dealer: 'host', serve: 'host' },
  }),
  port: setting(z.int().min(0).max(65535), {
    env: 'MPC_PORT',
    description: 'The port to listen on; 0 takes any free one.',
    expects: 'an integer from 0 to 65535',
    standard: '0, of serve 8080',
    flags: { party: 'port', dealer: 'port', serve: 'port' },
  }),
  peers: setting(z.array(z.string().min(1)).max(2), {
    env: 'MPC_PEERS',
    description: 'Addresses of the compute parties, as 1=HOST:PORT and 2=HOST:PORT.',
    expects: 'a list of 1=HOST:PORT and 2=HOST:PORT',
    standard: 'parties of this machine',
    flags: links('peers'),
  }),
  timeout: setting(z.int().min(1).max(3600), {
    env: 'MPC_NETWORK_TIMEOUT',
    description: 'Seconds to wait for one message of a peer.',
    expects: 'an integer from 1 to 3600, in seconds',
    standard: '300',
    flags: every('networkTimeout'),
  }),
  compression: setting(z.boolean(), {
    env: 'MPC_COMPRESSION',
    description: 'Compression of what the parties send.',
    expects: SWITCH_EXPECTS,
    standard: 'false',
    inert: 'shares are uniformly random words, which nothing compresses; words are packed to the bit instead',
  }),
  buffer_size: setting(size, {
    env: 'MPC_BUFFER_SIZE',
    description: 'Size of a buffer of a link.',
    expects: SIZE_EXPECTS,
    standard: '–',
    inert: 'links size their buffers by what a round sends',
  }),
});

const Inputs = z.strictObject({
  max_characters: setting(z.int().min(1).max(MOST_TEXT_CHARACTERS), {
    env: 'MPC_MAX_CHARACTERS',
    description: 'The longest text that is taken, in characters.',
    expects: `an integer from 1 to ${MOST_TEXT_CHARACTERS}`,
    standard: String(MAX_TEXT_CHARACTERS),
    flags: { infer: 'maxCharacters', serve: 'maxCharacters' },
  }),
  max_texts: setting(z.int().min(1).max(64), {
    env: 'MPC_MAX_TEXTS',
    description: 'Texts of one request to the gateway.',
    expects: 'an integer from 1 to 64',
    standard: '64',
    flags: { serve: 'maxTexts' },
  }),
  max_body: setting(z.int().min(1).max(100_000), {
    env: 'MPC_MAX_BODY',
    description: 'The longest body of a request to the gateway, in kB.',
    expects: 'an integer from 1 to 100000, in kB',
    standard: '1000',
    flags: { serve: 'maxBody' },
  }),
});

const Models = z.strictObject({
  cache_directory: setting(z.string().min(1), {
    env: 'MPC_MODEL_CACHE',
    description: 'Where models of the hub are kept.',
    expects: 'the path of a folder',
    standard: '~/.cache/tercet/hub',
    variable: 'TERCET_CACHE',
  }),
  hub_token: setting(z.string().min(1).max(1000), {
    env: 'MPC_HUB_TOKEN',
    description: 'Opens gated models of the hub.',
    expects: 'a token of the hub',
    standard: 'none',
    variable: 'HF_TOKEN',
    secret: true,
  }),
  preload_models: setting(z.array(z.string().min(1)).min(1).max(64), {
    env: 'MPC_PRELOAD_MODELS',
    description: 'The models that a compute party or a gateway serves: folders, or org/name on the hub.',
    expects: 'a list of folders or of org/name',
    standard: 'the embedded fill-mask model',
    flags: { party: 'model', serve: 'model' },
  }),
  default_model: setting(z.string().min(1), {
    env: 'MPC_DEFAULT_MODEL',
    description: 'The model of a run that names none.',
    expects: 'a folder, or org/name',
    standard: 'the embedded model of the task',
    flags: { infer: 'model', serve: 'defaultModel' },
  }),
});

const Debugging = z.strictObject({
  debug_mode: setting(z.boolean(), {
    env: 'MPC_DEBUG_MODE',
    description: 'Prints stacks and what the parties say.',
    expects: SWITCH_EXPECTS,
    standard: 'false',
    flags: every('debug'),
  }),
  log_level: setting(z.enum(['error', 'warn', 'info', 'debug', 'trace']), {
    env: 'MPC_LOG_LEVEL',
    description: 'The least of what the log tells.',
    expects: 'error, warn, info, debug or trace',
    standard: 'info',
    flags: { serve: 'logLevel' },
  }),
  trace_protocols: setting(z.string().min(1), {
    env: 'MPC_TRACE_PROTOCOLS',
    description: 'A file for a line a gate and half-round, with bytes and milliseconds, never values.',
    expects: 'the path of a file',
    standard: 'no trace',
    flags: { infer: 'trace', party: 'trace', dealer: 'trace' },
  }),
});

/** `tercet.yaml`. */
export const Config = z.strictObject({
  security: Security.optional(),
  performance: Performance.optional(),
  privacy: Privacy.optional(),
  networking: Networking.optional(),
  inputs: Inputs.optional(),
  models: Models.optional(),
  debugging: Debugging.optional(),
});

/** What a file holds: sections of settings, each of which may be absent. */
export type Config = z.infer<typeof Config>;

/** One setting by its path. */
export interface Setting {
  /** As in the file: `networking.port`. */
  readonly path: string;
  readonly meta: SettingMeta;
  readonly type: z.ZodType;
}

/** All settings, in the order of the file. */
export const SETTINGS: readonly Setting[] = Object.entries(Config.shape).flatMap(([section, settings]) =>
  Object.entries(settings.unwrap().shape).map(([name, optional]) => {
    const type = (optional as z.ZodOptional<z.ZodType>).unwrap();
    return { path: `${section}.${name}`, meta: type.meta() as unknown as SettingMeta, type };
  }),
);

/** JSON Schema (draft 2020-12) of the file, for editors and for machines that write it. */
export function jsonSchema(): object {
  return z.toJSONSchema(Config, {
    override: ({ jsonSchema: node }) => {
      for (const name of ['env', 'expects', 'standard', 'flags', 'checked', 'inert', 'variable', 'secret'])
        delete (node as Record<string, unknown>)[name];
    },
  });
}
