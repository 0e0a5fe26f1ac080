/** Settings of real commands: a file below the environment below the flags, and what `tercet config` prints. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { TINY, Workplace, expectFailure, expectSuccess } from './command.ts';

const place = new Workplace();
afterAll(() => place.close());

const file = place.write(
  'tercet.yaml',
  `performance:
  device: wasm
  worker_threads: 1
networking:
  compression: true
debugging:
  trace_protocols: ${join(place.folder, 'from-file.jsonl')}
`,
);
const RUN = [
  ...['infer', '--random-weights', '1', '--architecture', place.write('config.json', JSON.stringify(TINY))],
  ...['--tokens', '5', '--json', '--config', file],
];

describe('a run', () => {
  it('takes what the file sets, and says what changes nothing', async () => {
    const ended = await place.run(RUN);
    expectSuccess(ended);
    expect(ended.stderr).toContain('notice: networking.compression changes nothing: shares are');
    expect(readFileSync(join(place.folder, 'from-file.jsonl'), 'utf8')).toContain('"phase":"input"');
  });

  it('takes a variable before the file, and a flag before both', async () => {
    const environment = { MPC_TRACE_PROTOCOLS: join(place.folder, 'from-environment.jsonl'), MPC_DEVICE: 'auto' };
    expectSuccess(await place.run(RUN, { env: environment }));
    expect(readFileSync(environment.MPC_TRACE_PROTOCOLS, 'utf8')).toContain('"phase":"input"');
    const flag = join(place.folder, 'from-flag.jsonl');
    expectSuccess(await place.run([...RUN, '--trace', flag], { env: environment }));
    expect(readFileSync(flag, 'utf8')).toContain('"phase":"input"');
  });

  it('does not start with less security than was asked for, nor with a setting that nobody knows', async () => {
    expectFailure(await place.run(RUN, { env: { MPC_TLS_ENABLED: 'false' } }), {
      exit: 1,
      code: 'ERR_INSECURE',
    });
    expectFailure(await place.run(RUN, { env: { MPC_UNHEARD_OF: '1' } }), {
      exit: 2,
      code: 'ERR_ARGUMENT',
      says: /MPC_UNHEARD_OF/,
    });
  });
});

describe('tercet config', () => {
  it('prints what is in force and who set it, without secrets', async () => {
    const ended = await place.run(['config', 'check', '--config', file, '--for', 'party'], {
      env: { MPC_PORT: '8001', MPC_HUB_TOKEN: 'a-secret-token' },
    });
    expectSuccess(ended);
    expect(ended.stdout).toMatch(/networking\.port +8001 +environment/);
    expect(ended.stdout).toMatch(/performance\.worker_threads +1 +file/);
    expect(ended.stdout).toMatch(/networking\.timeout +300 +default/);
    expect(ended.stdout).toMatch(/models\.hub_token +\(secret\) +environment/);
    expect(ended.stdout).toContain('note: networking.compression changes nothing');
    expect(ended.stdout + ended.stderr).not.toContain('a-secret-token');
  });

  it('prints the schema, and refuses a file that breaks it', async () => {
    const schema = await place.run(['config', 'schema']);
    expectSuccess(schema);
    expect(JSON.parse(schema.stdout)).toHaveProperty('properties.networking');
    const wrong = place.write('wrong.yaml', 'networking:\n  prot: 1\n');
    expectFailure(await place.run(['config', 'check', '--config', wrong]), {
      exit: 2,
      code: 'ERR_ARGUMENT',
      says: /"prot"/,
    });
  });
});
