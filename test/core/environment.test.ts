/** Settings in the environment that would be dropped are refused by name; their values are not repeated. */
import { describe, expect, it } from 'vitest';
import {
  checkEnvironment,
  environmentOfParty,
  refuseSettings,
  withoutSettings,
} from '../../src/core/environment-node.ts';
import { thrown } from '../failure.ts';

describe('the environment', () => {
  it.each([
    ['TERCET_PROTOCOL', 'unset it', checkEnvironment],
    // The command line reads settings by their schema (test/config); the SDK takes none.
    ['MPC_PROTOCOL', 'give the option', refuseSettings],
    ['MPC_SOMETHING_ELSE', 'give the option', refuseSettings],
  ])('that asks for %s is refused', (name, hint, check) => {
    const error = thrown('ERR_ARGUMENT', () => check({ [name]: 'a-value' }));
    expect(error.message).toContain(name);
    expect(error.hint).toContain(hint);
    expect(error.line()).not.toContain('a-value');
  });

  it('of a process that was started with its settings has none', () => {
    expect(withoutSettings({ MPC_PORT: '1', PATH: '/bin', TERCET_HOME: '/x' })).toEqual({
      PATH: '/bin',
      TERCET_HOME: '/x',
    });
  });

  it('of a party tells the allocator to give back what is long, unless somebody told it otherwise', () => {
    const told = environmentOfParty({ MPC_PORT: '1', PATH: '/bin', MALLOC_TRIM_THRESHOLD_: '4096' });
    expect(told).toEqual({ PATH: '/bin', MALLOC_MMAP_THRESHOLD_: '1048576', MALLOC_TRIM_THRESHOLD_: '4096' });
  });

  it('of anybody else, of what is taken, and of what is empty is none of its business', () => {
    const environment = {
      PATH: '/bin',
      TERCET_HOME: '/x',
      TERCET_OFFLINE: '1',
      TERCET_TEST_RUN: '1',
      MPC_PROTOCOL: '',
      mpc_host: 'x',
      constructor: 'x',
    };
    checkEnvironment(environment);
    refuseSettings(environment);
  });
});
