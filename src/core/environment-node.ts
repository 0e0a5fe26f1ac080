/**
 * Variables of the environment that Tercet knows by name. Unknown ones are refused, as unknown options are, so that
 * nobody gets less than they asked for.
 */
import { TercetError } from './errors.ts';

/** Variables of Tercet's own. */
const TAKEN = ['TERCET_HOME', 'TERCET_HUB', 'TERCET_OFFLINE', 'TERCET_CACHE', 'TERCET_SUPERVISED', 'TERCET_DOCS'];
/** Of its tests, which say them for themselves. */
const TESTS = /^TERCET_(?:TEST_|TOKENIZERS$)/;
/** Settings (src/config/schema.ts). */
const SETTING = /^MPC_[A-Z0-9_]+$/;

/**
 * Refuses every unknown `TERCET_…` variable that is not empty. Values are not repeated: they may be secrets.
 * @throws {TercetError} ERR_ARGUMENT, naming the variable
 */
export function checkEnvironment(environment: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(environment)) {
    if (!value || TAKEN.includes(name) || TESTS.test(name) || !/^TERCET_[A-Z0-9_]+$/.test(name)) continue;
    throw new TercetError(
      'ERR_ARGUMENT',
      `${name} is set, and there is no such variable`,
      'unset it: it would change nothing',
    );
  }
}

/**
 * Refuses settings where only the caller's own options count: `MPC_…` variables belong to the command line.
 * @throws {TercetError} ERR_ARGUMENT, naming the variable
 */
export function refuseSettings(environment: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(environment)) {
    if (!value || !SETTING.test(name)) continue;
    throw new TercetError(
      'ERR_ARGUMENT',
      `${name} is set, and the SDK takes no settings from the environment`,
      'unset it, and give the option to fromPretrained or pipeline',
    );
  }
}

/** The environment of a process whose settings were made by the one that starts it. */
export function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !SETTING.test(name)));
}

/**
 * What glibc is told at a party's start: buffers of a megabyte and more have pages of their own, which go back with
 * them. Else it moves this bound up to 32 MB, and keeps what they leave in holes. Other allocators do not read it.
 */
const ALLOCATOR = { MALLOC_MMAP_THRESHOLD_: '1048576', MALLOC_TRIM_THRESHOLD_: '1048576' };

/** The environment of a party that another process starts. What it says of the allocator itself stays. */
export function environmentOfParty(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...ALLOCATOR, ...withoutSettings(environment) };
}
