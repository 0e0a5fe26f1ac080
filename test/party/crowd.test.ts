/** Connections that say nothing, many of them, and owners that must be served all the same. */
import * as net from 'node:net';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { releaseWebRtc } from '../../src/net/webrtc/node.ts';
import { until } from '../net/helpers.ts';
import { Parties } from './parties.ts';

const started: Parties[] = [];
const crowd: net.Socket[] = [];
let going = true;
afterEach(async () => {
  going = false;
  for (const socket of crowd.splice(0)) socket.destroy();
  for (const parties of started.splice(0)) await parties.stop();
  going = true;
});
afterAll(releaseWebRtc);

async function start(...change: Parameters<typeof Parties.start>): Promise<Parties> {
  const parties = await Parties.start(...change);
  started.push(parties);
  return parties;
}

/** Silent connections, each of which comes back when it is dropped. */
function silent(port: number, count: number): void {
  const hold = () => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (going) hold();
    });
    crowd.push(socket);
  };
  for (let i = 0; i < count; i++) hold();
}

describe('silent TCP connections', () => {
  it('at the port of party 1, more than it takes: every owner is served, on links that stood ahead', async () => {
    const parties = await start();
    await parties.serves();
    silent(parties.one.port, 100);
    await until(() => crowd.length > 100);
    for (let i = 0; i < 3; i++) await parties.serves();
  });

  it('at the port of its gateway, more than it takes: every owner is served', async () => {
    const parties = await start();
    silent(Number(new URL(parties.one.web.url).port), 140);
    await parties.serves();
    expect((await parties.one.health()).http).toBe(200);
  });
});
