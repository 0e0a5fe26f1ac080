/**
 * Settings that a caller makes in the environment and this version does not take: refused, as unknown options are,
 * so that nobody gets less than they asked for.
 */
import { TercetError } from './errors.ts';

/** Variables that Tercet's guide names, with what sets the same thing here, where there is something. */
const NOT_TAKEN: Readonly<Record<string, string | undefined>> = {
  MPC_PROTOCOL: '--protocol, or the option protocol',
  MPC_SECURITY_LEVEL: undefined,
  MPC_DIFFERENTIAL_PRIVACY: undefined,
  MPC_DP_EPSILON: undefined,
  MPC_DP_DELTA: undefined,
  MPC_TLS_ENABLED: undefined,
  MPC_GPU_ACCELERATION: '--device, or the option device',
  MPC_GPU_MEMORY_LIMIT: undefined,
  MPC_BATCH_SIZE: 'the option batchSize',
  MPC_WORKER_THREADS: '--threads',
  MPC_PORT: '--port',
  MPC_NETWORK_TIMEOUT: undefined,
};

/** Variables of Tercet's own. */
const TAKEN = ['TERCET_HOME', 'TERCET_HUB', 'TERCET_OFFLINE', 'TERCET_CACHE', 'TERCET_SUPERVISED'];
/** Of its tests, which say them for themselves. */
const TESTS = /^TERCET_(?:TEST_|TOKENIZERS$)/;

/**
 * Refuses settings that would be dropped: every `MPC_…` and every unknown `TERCET_…` variable that is not empty.
 * Values are not repeated: they may be secrets.
 * @throws {TercetError} ERR_ARGUMENT, naming the variable and what to use instead
 */
export function checkEnvironment(environment: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(environment)) {
    if (!value || TAKEN.includes(name) || TESTS.test(name) || !/^(?:MPC|TERCET)_[A-Z0-9_]+$/.test(name)) continue;
    const instead = Object.hasOwn(NOT_TAKEN, name) ? NOT_TAKEN[name] : undefined;
    throw new TercetError(
      'ERR_ARGUMENT',
      `${name} is set, and this version takes no such setting`,
      instead === undefined ? 'unset it: it would change nothing' : `unset it, and use ${instead}`,
    );
  }
}
