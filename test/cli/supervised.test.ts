/**
 * A party whose device is really lost ends with the code that its watcher restarts (ADR 10), at the same address.
 * The device is lost at the seam that a driver would use.
 */
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ChildMessage } from '../../src/daemon/local.ts';
import { supervise } from '../../src/daemon/supervisor.ts';
import { ROOT, TINY, Workplace } from './command.ts';

const place = new Workplace();
afterAll(() => place.close());

describe('a watched party whose device is lost', () => {
  it('is started again where it was, and ends when it is told to', { timeout: 120_000 }, async () => {
    const config = place.write('tiny.json', JSON.stringify(TINY));
    const preload = new URL('lose-device.mjs', import.meta.url).href;
    const before = { ...process.env };
    Object.assign(process.env, {
      NODE_OPTIONS: `--import ${preload}`,
      TERCET_TEST_LOST: join(place.folder, 'lost'),
      TERCET_HOME: place.home,
    });
    const stop = new AbortController();
    const said: string[] = [];
    const messages: ChildMessage[] = [];
    let ready = 0;
    try {
      const code = await supervise({
        args: [
          'party',
          '--party-id',
          '1',
          '--device',
          'wasm',
          '--threads',
          '0',
          '--random-weights',
          '1',
          '--architecture',
          config,
        ],
        entry: join(ROOT, 'dist/cli/main.js'),
        restart: true,
        mayFallBack: false,
        signal: stop.signal,
        say: (line) => said.push(line),
        relay: (message) => {
          messages.push(message);
          if (message.kind === 'ready' && ++ready === 2) stop.abort();
        },
      });
      expect(code).toBe(0);
    } finally {
      for (const name of ['NODE_OPTIONS', 'TERCET_TEST_LOST', 'TERCET_HOME']) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
    expect(said).toEqual(['its graphics device was lost; starting it again']);
    expect(messages.filter(({ kind }) => kind === 'failed')).toMatchObject([{ code: 'ERR_DEVICE_LOST' }]);
    const ports = messages.flatMap((message) => (message.kind === 'listening' ? [message.port] : []));
    expect(ports).toHaveLength(2);
    expect(ports[1]).toBe(ports[0]);
  });
});
