/** Settings from file and environment: what is read, what wins, what is refused and in which words. */
import { describe, expect, it } from 'vitest';
import { effective, told } from '../../src/config/effective.ts';
import { SETTINGS, jsonSchema } from '../../src/config/schema.ts';
import { fromEnvironment, fromYaml } from '../../src/config/sources.ts';
import { thrown } from '../failure.ts';
import { configurationPage } from './page.ts';

const none = new Map<string, unknown>();
const noSecret = (): string => {
  throw new Error('no secret is expected');
};
const file = (text: string) => fromYaml(text, 'tercet.yaml');
const variables = (values: NodeJS.ProcessEnv) => fromEnvironment(values, noSecret);

/** The file that the guide shows, as far as this version gives what it asks for. */
const GUIDE = `
security:
  protocol: "3pc_semi_honest"
  security_level: 128
  tls_enabled: true
  certificate_path: "/path/to/cert.pem"
  private_key_path: "/path/to/key.pem"
performance:
  gpu_acceleration: true
  batch_size: 32
  worker_threads: 8
  memory_limit: "20GB"
  optimization_level: 2
privacy:
  differential_privacy: false
networking:
  port: 8001
  timeout: 30
  compression: true
  buffer_size: "64KB"
models:
  cache_directory: "/app/models"
  preload_models:
    - "bert-base-uncased"
    - "roberta-base"
  default_model: "bert-base-uncased"
`;

describe('a file of settings', () => {
  it('is read as the guide writes it', () => {
    const { flags, variables: set, notices } = told(effective(file(GUIDE), none), 'party');
    expect(Object.fromEntries([...flags].map(([name, { value }]) => [name, value]))).toEqual({
      tlsCert: '/path/to/cert.pem',
      tlsKey: '/path/to/key.pem',
      device: 'auto',
      threads: '8',
      maxMemory: 'total=20',
      port: '8001',
      networkTimeout: '30',
      model: ['bert-base-uncased', 'roberta-base'],
    });
    expect([...set]).toEqual([['TERCET_CACHE', '/app/models']]);
    expect(notices.map((line) => line.split(' ')[0])).toEqual([
      'performance.batch_size',
      'performance.optimization_level',
      'networking.compression',
      'networking.buffer_size',
      'models.default_model',
    ]);
  });

  it('that is empty sets nothing', () => {
    expect([...file(''), ...file('# nothing\n'), ...file('networking:\n')]).toEqual([]);
  });

  it.each([
    ['an unknown setting', 'networking:\n  prot: 1\n', '"prot"', 'port'],
    ['an unknown section', 'network:\n  port: 1\n', '"network"', 'networking'],
    ['a wrong type', 'networking:\n  port: "a-value"\n', 'networking.port expected an integer', 'schema'],
    ['a number out of range', 'networking:\n  port: 70000\n', 'networking.port expected an integer', 'schema'],
    ['a list with a wrong member', 'models:\n  preload_models: [a, 3]\n', 'models.preload_models expected', 'schema'],
    ['a list in place of settings', '- a\n', 'the file is no section', 'schema'],
    ['broken YAML', 'networking:\n  port: [1\n', 'no YAML: line', 'schema'],
    ['the same setting twice', 'networking:\n  port: 1\n  port: 2\n', 'no YAML: line 3', 'schema'],
    ['aliases', 'a: &x [1]\nb: *x\n', 'uses aliases', 'write each value out'],
  ])('with %s is refused in words', (_, text, message, hint) => {
    const error = thrown('ERR_ARGUMENT', () => file(text));
    expect(error.message).toContain('tercet.yaml');
    expect(error.message).toContain(message);
    expect(error.hint).toContain(hint);
    expect(error.line()).not.toContain('a-value');
  });
});

describe('the environment', () => {
  it('is read by the types of the settings', () => {
    const values = variables({
      MPC_SECURITY_LEVEL: '128',
      MPC_PROTOCOL: '3pc_semi_honest',
      MPC_GPU_ACCELERATION: 'true',
      MPC_WORKER_THREADS: '8',
      MPC_TLS_ENABLED: '1',
      MPC_DIFFERENTIAL_PRIVACY: 'false',
      MPC_DP_DELTA: '1e-5',
      MPC_PRELOAD_MODELS: 'a, b',
      MPC_LOG_LEVEL: 'INFO',
      MPC_PORT: '',
      PATH: '/bin',
    });
    expect(Object.fromEntries(values)).toEqual({
      'security.security_level': 128,
      'security.protocol': '3pc_semi_honest',
      'performance.gpu_acceleration': true,
      'performance.worker_threads': 8,
      'security.tls_enabled': true,
      'privacy.differential_privacy': false,
      'privacy.delta': 1e-5,
      'models.preload_models': ['a', 'b'],
      'debugging.log_level': 'info',
    });
  });

  it.each([
    ['MPC_SOMETHING_ELSE', 'there is no such setting'],
    ['MPC_PORT', 'MPC_PORT expected an integer'],
    ['MPC_PORT_FILE', 'there is no such setting'],
  ])('that sets %s to a word is refused without repeating it', (name, words) => {
    const error = thrown('ERR_ARGUMENT', () => variables({ [name]: 'a-value' }));
    expect(error.message).toContain(words);
    expect(error.line()).not.toContain('a-value');
  });

  it('names files of secrets, and a secret is told by variable and never twice', () => {
    const values = fromEnvironment({ MPC_HUB_TOKEN_FILE: '/run/secrets/hub' }, (path) => `token of ${path}\n`);
    expect([...told(effective(none, values), 'party').variables]).toEqual([['HF_TOKEN', 'token of /run/secrets/hub']]);
    thrown('ERR_ARGUMENT', () => fromEnvironment({ MPC_HUB_TOKEN: 'x', MPC_HUB_TOKEN_FILE: '/y' }, () => 'z'));
  });
});

describe('what is in force', () => {
  it('comes from the environment where both set it', () => {
    const inForce = effective(file('networking:\n  port: 1\n  host: a\n'), variables({ MPC_PORT: '2' }));
    expect(inForce.get('networking.port')).toEqual({ value: 2, source: 'environment' });
    expect(inForce.get('networking.host')).toEqual({ value: 'a', source: 'file' });
  });

  it.each([
    ['security: {tls_enabled: false}', 'ERR_INSECURE'],
    ['privacy: {differential_privacy: true}', 'ERR_ARGUMENT'],
    ['performance: {device: webgpu, gpu_acceleration: false}', 'ERR_ARGUMENT'],
    ['performance: {device: wasm, gpu_acceleration: true}', 'ERR_ARGUMENT'],
  ] as const)('is never less than %s', (text, code) => {
    thrown(code, () => effective(file(text), none));
  });

  it('hands a level to who asks for runs, and refuses it where it would be dropped', () => {
    const inForce = effective(file('security: {protocol: 3pc_malicious, security_level: 256}'), none);
    for (const command of ['infer', 'serve'] as const)
      expect(told(inForce, command).flags.get('securityLevel')).toEqual({ value: '256', source: 'file' });
    for (const command of ['party', 'dealer'] as const)
      expect(thrown('ERR_ARGUMENT', () => told(inForce, command)).message).toContain('security_level 256');
    told(effective(file('security: {security_level: 128}'), none), 'party');
  });

  it.each([
    ['512MB', 'total=0.512'],
    ['64KB', 'total=0.000064'],
    ['1.5TB', 'total=1500'],
  ])('has %s of memory as gigabytes', (size, flag) => {
    const { flags } = told(effective(file(`performance: {memory_limit: ${size}}`), none), 'party');
    expect(flags.get('maxMemory')?.value).toBe(flag);
  });

  it('is silent nowhere: every setting has an effect, a check or a reason', () => {
    for (const { path, meta } of SETTINGS) {
      const says = [meta.flags, meta.inert, meta.variable].filter((given) => given !== undefined).length;
      expect(says, path).toBe(meta.checked === true && meta.flags === undefined ? 0 : 1);
    }
  });
});

describe('the schema', () => {
  it('is that of the file, for editors', () => {
    expect(jsonSchema()).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      additionalProperties: false,
      properties: { networking: { additionalProperties: false, properties: { port: { maximum: 65535 } } } },
    });
    expect(JSON.stringify(jsonSchema())).not.toContain('MPC_');
  });

  it('is what docs/CONFIGURATION.md says', async () => {
    await expect(configurationPage()).toMatchFileSnapshot('../../docs/CONFIGURATION.md');
  });
});
