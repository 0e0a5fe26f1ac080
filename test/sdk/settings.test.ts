/** Settings of code win over the environment, and that over a file; what would be dropped is said. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataOwnerParty, MpcCoordinator } from '../../src/sdk/node.ts';
import type { Protocol } from '../../src/owner/types/index.ts';
import { RUN, withSettings } from '../../src/sdk/local/settings.ts';
import { failure } from '../failure.ts';

const VARIABLES = ['MPC_DEVICE', 'MPC_PROTOCOL', 'MPC_WORKER_THREADS', 'MPC_HUB_TOKEN'];
let folder: string;
let warnings: string[] = [];
const hear = (warning: Error) => {
  if (warning.name === 'TercetWarning') warnings.push(warning.message);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tercet-settings-'));
  warnings = [];
  process.on('warning', hear);
});
afterEach(() => {
  process.off('warning', hear);
  for (const name of VARIABLES) delete process.env[name];
  rmSync(folder, { recursive: true });
});

function file(text: string): string {
  const path = join(folder, 'tercet.yaml');
  writeFileSync(path, text);
  return path;
}

interface Options {
  readonly config?: string;
  readonly protocol?: Protocol;
  readonly securityLevel?: 128 | 256;
  readonly device?: 'auto' | 'wasm' | 'native' | 'webgpu';
}
const read = (options: Options) => withSettings<Options>(options, 'Somebody', RUN);

describe('a setting', () => {
  const text = 'security: {protocol: 3pc_malicious, security_level: 256}\nperformance: {device: webgpu}\n';

  it('of the file holds where nobody else says it', async () => {
    const config = file(text);
    expect(await read({ config })).toEqual({
      config,
      ...{ protocol: '3pc_malicious', securityLevel: 256, device: 'webgpu' },
    });
    expect(await read({ config: file('performance: {gpu_acceleration: false}') })).toMatchObject({ device: 'wasm' });
  });

  it('of the environment wins over the file, and one of code over both', async () => {
    const config = file(text);
    process.env['MPC_DEVICE'] = 'auto';
    expect(await read({ config })).toMatchObject({ device: 'auto', securityLevel: 256 });
    expect(await read({ config, device: 'wasm', securityLevel: 128 })).toMatchObject({
      ...{ device: 'wasm', securityLevel: 128, protocol: '3pc_malicious' },
    });
  });

  it('of the environment is refused where no file is named', async () => {
    process.env['MPC_PROTOCOL'] = '3pc_malicious';
    await failure('ERR_ARGUMENT', read({}), /MPC_PROTOCOL/);
    await failure('ERR_ARGUMENT', new MpcCoordinator().startAllParties(), /MPC_PROTOCOL/);
  });

  it('that changes nothing here is said, without its value', async () => {
    process.env['MPC_WORKER_THREADS'] = '3';
    process.env['MPC_HUB_TOKEN'] = 'hf_secret';
    await read({ config: file('networking: {port: 8001}') });
    await expect.poll(() => warnings).toHaveLength(3);
    expect(warnings.join('\n')).toMatch(/networking\.port changes nothing for Somebody/);
    expect(warnings.join('\n')).toMatch(/threads changes nothing for Somebody/);
    expect(warnings.join('\n')).toMatch(/sets no HF_TOKEN/);
    expect(warnings.join('\n')).not.toContain('hf_secret');
  });

  it.each([
    ['a file that is not there', () => join(folder, 'none.yaml'), 'ERR_ARGUMENT'],
    ['no path', () => '', 'ERR_ARGUMENT'],
    ['an unknown key', () => file('security: {protocl: 3pc_malicious}'), 'ERR_ARGUMENT'],
    ['less security than asked for', () => file('privacy: {differential_privacy: true}'), 'ERR_ARGUMENT'],
    ['no TLS', () => file('security: {tls_enabled: false}'), 'ERR_INSECURE'],
  ] as const satisfies readonly (readonly [string, () => string, string])[])(
    'is refused before anything starts: %s',
    async (_what, config, code) => {
      const peers = ['127.0.0.1:1', '127.0.0.1:2'] as const;
      await failure(code, new MpcCoordinator({ config: config() }).startAllParties());
      await failure(code, new DataOwnerParty({ config: config(), model: 'capitals-bert', peers }).start());
    },
  );
});
