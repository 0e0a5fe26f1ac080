/** Settings in the environment that would be dropped are refused by name; their values are not repeated. */
import { describe, expect, it } from 'vitest';
import { checkEnvironment } from '../../src/core/environment-node.ts';
import { thrown } from '../failure.ts';

describe('the environment', () => {
  it.each([
    ['MPC_PROTOCOL', '--protocol'],
    ['MPC_SECURITY_LEVEL', 'unset it'],
    ['MPC_DP_EPSILON', 'unset it'],
    ['MPC_SOMETHING_ELSE', 'unset it'],
    ['TERCET_PROTOCOL', 'unset it'],
  ])('that asks for %s is refused', (name, hint) => {
    const error = thrown('ERR_ARGUMENT', () => checkEnvironment({ [name]: 'a-value' }));
    expect(error.message).toContain(name);
    expect(error.hint).toContain(hint);
    expect(error.line()).not.toContain('a-value');
  });

  it('of anybody else, of what is taken, and of what is empty is none of its business', () => {
    checkEnvironment({
      PATH: '/bin',
      TERCET_HOME: '/x',
      TERCET_OFFLINE: '1',
      TERCET_TEST_RUN: '1',
      MPC_PROTOCOL: '',
      mpc_host: 'x',
      constructor: 'x',
    });
  });
});
