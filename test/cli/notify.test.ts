/**
 * What systemd hears of a service, from real processes. A program in the place of systemd-notify writes down what it
 * was told, and by whose socket.
 */
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { ROOT, Workplace, expectSuccess } from './command.ts';

const place = new Workplace();
afterAll(() => place.close());
const LONG = { timeout: 300_000 };
const PATIENT = { timeout: 120_000 };
const MODEL = join(ROOT, 'models/capitals-bert');

/** An environment in which a service finds the program, and what it was told so far. */
function systemd(name: string): { env: Record<string, string>; told: () => string[] } {
  const said = join(place.home, `${name}.said`);
  const program = place.write('systemd-notify', `#!/bin/sh\nprintf '%s\\n' "$*" >> "$NOTIFY_SOCKET"\n`);
  chmodSync(program, 0o700);
  return {
    env: { NOTIFY_SOCKET: said, PATH: `${dirname(program)}:${process.env['PATH']}` },
    told: () => (existsSync(said) ? readFileSync(said, 'utf8').trimEnd().split('\n') : []),
  };
}

it('a compute party is ready, reads its files again and is ready, and stops', LONG, async () => {
  const { env, told } = systemd('party');
  const args = ['party', '--party-id', '1', '--port', '0', '--device', 'wasm', '--model', MODEL];
  const party = place.start(args, { env, timeoutMs: LONG.timeout });
  await vi.waitFor(() => expect(told()).toEqual(['READY=1']), PATIENT);
  party.signal('SIGHUP');
  await vi.waitFor(() => expect(told()).toHaveLength(3), PATIENT);
  expect(told()[1]).toMatch(/^RELOADING=1 MONOTONIC_USEC=\d{6,}$/);
  expect(told()[2]).toBe('READY=1');
  party.signal('SIGTERM');
  expectSuccess(await party.ended);
  await vi.waitFor(() => expect(told().slice(3)).toEqual(['STOPPING=1']), PATIENT);
});

it('a gateway speaks for itself alone, not for the parties that it started', LONG, async () => {
  const { env, told } = systemd('gateway');
  const gateway = place.start(['serve', '--port', '0', '--device', 'wasm', '--model', MODEL], {
    ...{ env, timeoutMs: LONG.timeout },
  });
  await gateway.said(/the gateway is at/);
  await vi.waitFor(() => expect(told()).toEqual(['READY=1']), PATIENT);
  gateway.signal('SIGTERM');
  expectSuccess(await gateway.ended);
  await vi.waitFor(() => expect(told()).toEqual(['READY=1', 'STOPPING=1']), PATIENT);
});
