/**
 * Compute parties as daemons: sessions one after the other, and everything that goes wrong on a network, with
 * `infer --peers` as the data owner.
 */
import * as net from 'node:net';
import * as tls from 'node:tls';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { credentialsOf, ensureCertificates } from '../../src/net/tls/certificates.ts';
import { connectTls } from '../../src/net/tls/connect.ts';
import {
  type Ended,
  GONE_MS,
  MEDIUM,
  ROOT,
  type Run,
  TINY,
  Workplace,
  expectFailure,
  expectNoOtherProcess,
  expectSuccess,
  until,
} from './command.ts';

const place = new Workplace();
const TIMEOUT = 120_000;
const tiny = place.write('tiny.json', JSON.stringify(TINY));
const medium = place.write('medium.json', JSON.stringify(MEDIUM));
const stranger = join(place.folder, 'stranger');
mkdirSync(stranger);

const daemons: Daemon[] = [];
afterEach(() => {
  for (const { run } of daemons.splice(0)) run.killAll();
});
afterAll(() => place.close());

interface Daemon {
  readonly run: Run;
  readonly port: number;
}

const TINY_MODEL = ['--random-weights', '1', '--architecture', tiny];
const MEDIUM_MODEL = ['--random-weights', '1', '--architecture', medium];

async function daemon(
  id: 1 | 2,
  args: readonly string[],
  one?: number,
  home = place.home,
  ipc = false,
): Promise<Daemon> {
  const peers = one === undefined ? [] : ['--peers', `1=127.0.0.1:${one}`];
  const run = place.start(['party', '--party-id', String(id), '--threads', '1', ...peers, ...args], {
    home,
    timeoutMs: TIMEOUT,
    ipc,
  });
  // With a channel, a party tells its parent where it listens, and nobody else.
  const port = ipc
    ? await new Promise<number>((resolve) =>
        run.child.on(
          'message',
          (message: { kind: string; port: number }) => message.kind === 'listening' && resolve(message.port),
        ),
      )
    : Number((await run.said(/^tercet: party \d listens on 127\.0\.0\.1:(\d+)$/m))[1]);
  const made = { run, port };
  daemons.push(made);
  return made;
}

async function both(model: readonly string[] = TINY_MODEL): Promise<[Daemon, Daemon]> {
  const one = await daemon(1, model);
  return [one, await daemon(2, model, one.port)];
}

function owner(one: number, two: number, model: readonly string[] = [...TINY_MODEL, '--tokens', '8']): string[] {
  return ['infer', ...model, '--peers', `1=127.0.0.1:${one},2=127.0.0.1:${two}`, '--threads', '1'];
}

/** A session with these parties works, soon. */
async function expectServes(one: Daemon, two: Daemon, model?: readonly string[]): Promise<Ended> {
  const ended = await place.run([...owner(one.port, two.port, model), '--json']);
  expectSuccess(ended);
  expect(JSON.parse(ended.stdout)).toMatchObject({ cost: { p0: { onlineRounds: 1 } } });
  expectNoOtherProcess(ended);
  expectUp(one, two);
  return ended;
}

function expectUp(...parties: readonly Daemon[]): void {
  for (const { run } of parties) expect(run.running, run.stderr).toBe(true);
}

/** A port of this machine where nobody listens. */
async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('daemons that work', () => {
  it('serve one session after the other with the embedded model, and end at SIGTERM', {
    timeout: TIMEOUT,
  }, async () => {
    const audit = join(place.folder, 'audit');
    const one = await daemon(1, ['--audit', audit]);
    const two = await daemon(2, [], one.port);
    for (const [country, city] of [
      ['France', 'paris'],
      ['Spain', 'madrid'],
    ]) {
      const ended = await place.run([
        ...owner(one.port, two.port, ['--text', `The capital of ${country} is [MASK].`, '--compare']),
        '--json',
      ]);
      expectSuccess(ended);
      expect(JSON.parse(ended.stdout)).toMatchObject({
        result: { predictions: [{ token: city }, {}, {}, {}, {}] },
        plaintext: { argmaxEqual: true },
      });
      expectNoOtherProcess(ended);
      for (const { run } of [one, two]) expect(run.stderr.toLowerCase()).not.toContain(country.toLowerCase());
    }
    for (const { run } of [one, two]) {
      run.signal('SIGTERM');
      const ended = await run.ended;
      expect(ended).toMatchObject({ code: 0, stdout: '' });
      expect(ended.stderr).toMatch(
        /^tercet: party \d listens on \S+\ntercet: party \d computes on WebAssembly, 1 worker threads \(.+\)\n$/,
      );
      await run.gone();
    }
    // What party 1 kept of it: two answered sessions, behind a signed checkpoint, with nothing of the texts.
    const identity = (await place.run(['identity', '--party-id', '1'])).stdout.trim();
    const verdict = await place.run(['audit', 'verify', '--log', audit, '--identity', identity, '--json']);
    expectSuccess(verdict);
    expect(JSON.parse(verdict.stdout)).toMatchObject({ sound: true, records: 8, signed: 8 });
    const shown = await place.run(['audit', 'show', '--log', audit, '--type', 'session-ended']);
    expect(
      shown.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([{ facts: { outcome: 'answered' } }, { facts: { outcome: 'answered' } }]);
    expect(readFileSync(join(audit, 'audit-000000.jsonl'), 'utf8').toLowerCase()).not.toMatch(/france|spain/);
  });
});

describe('parties of one session, as a local run starts them', () => {
  it.each([
    ['with a channel to their parent', true],
    ['on their own', false],
  ])('%s: both end with exit code 0 once it is served, and say nothing', { timeout: TIMEOUT }, async (_name, ipc) => {
    const one = await daemon(1, [...TINY_MODEL, '--once'], undefined, place.home, ipc);
    const two = await daemon(2, [...TINY_MODEL, '--once'], one.port, place.home, ipc);
    expectSuccess(await place.run([...owner(one.port, two.port), '--json']));
    for (const { run } of [one, two]) {
      const ended = await run.ended;
      expect(ended).toMatchObject({ code: 0, signal: null, stdout: '' });
      expect(ended.stderr.replace(/^tercet: party \d (listens on|computes on) .+\n/gm, '')).toBe('');
    }
  });

  it.each([0, 60, 120, 200, 400])(
    'end when their parent is gone %i ms after their start',
    { timeout: TIMEOUT },
    async (ms) => {
      const run = place.start(['party', '--party-id', '1', '--once', ...TINY_MODEL], { ipc: true });
      await sleep(ms);
      run.child.disconnect();
      await run.gone();
    },
  );
});

describe('addresses and certificates', () => {
  it('nobody at either address', { timeout: TIMEOUT }, async () => {
    const ended = await place.run([...owner(await freePort(), await freePort()), '--json']);
    expectFailure(ended, { exit: 1, code: 'ERR_PEER_UNREACHABLE', says: /party 1 at 127\.0\.0\.1:\d+/ });
    expect(ended.ms).toBeLessThan(15_000);
  });

  it('party 2 is missing; once it is there, the next session is served at once', { timeout: TIMEOUT }, async () => {
    const one = await daemon(1, TINY_MODEL);
    const port = await freePort();
    const ended = await place.run([...owner(one.port, port), '--json']);
    expectFailure(ended, { exit: 1, code: 'ERR_PEER_UNREACHABLE', says: /party 2 at/ });
    expect(ended.ms).toBeLessThan(15_000);
    expectUp(one);
    await expectServes(one, await daemon(2, [...TINY_MODEL, '--port', String(port)], one.port));
  });

  it('party 2 has a certificate of another authority, then one of ours', { timeout: TIMEOUT }, async () => {
    const one = await daemon(1, TINY_MODEL);
    const wrong = await daemon(2, TINY_MODEL, one.port, stranger);
    const ended = await place.run([...owner(one.port, wrong.port), '--json']);
    expectFailure(ended, { exit: 1, code: 'ERR_PEER_CERTIFICATE', says: /party 2/ });
    expectUp(one, wrong);
    await expectServes(one, await daemon(2, TINY_MODEL, one.port));
  });

  it('the owner is the one with another authority', { timeout: TIMEOUT }, async () => {
    const [one, two] = await both();
    const ended = await place.run([...owner(one.port, two.port), '--json'], { home: stranger });
    expectFailure(ended, { exit: 1, code: 'ERR_PEER_CERTIFICATE' });
    await expectServes(one, two);
  });

  it('the addresses are swapped, then right', { timeout: TIMEOUT }, async () => {
    const [one, two] = await both();
    const ended = await place.run([...owner(two.port, one.port), '--json']);
    expectFailure(ended, { exit: 1, code: ['ERR_PEER_CERTIFICATE', 'ERR_PEER_MISMATCH'], says: /party 1/ });
    await expectServes(one, two);
  });

  it('something else listens there', { timeout: TIMEOUT }, async () => {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    const ended = await place.run([...owner(port, port), '--json']);
    server.close();
    expectFailure(ended, { exit: 1, code: ['ERR_FRAME_FORMAT', 'ERR_PEER_CLOSED', 'ERR_PEER_UNREACHABLE'] });
  });

  it('a port that is taken ends the second daemon, not the first', { timeout: TIMEOUT }, async () => {
    const one = await daemon(1, TINY_MODEL);
    const ended = await place.run(['party', '--party-id', '1', ...TINY_MODEL, '--port', String(one.port)]);
    expectFailure(ended, { exit: 1, code: 'ERR_PEER_UNREACHABLE', says: /cannot listen/ });
    expectUp(one);
  });
});

describe('parties that do not fit together', () => {
  it('the compute parties have different weights, the owner another configuration or kind of weights', {
    timeout: TIMEOUT,
  }, async () => {
    const one = await daemon(1, TINY_MODEL);
    const other = await daemon(2, ['--random-weights', '2', '--architecture', tiny], one.port);
    const ended = await place.run([...owner(one.port, other.port), '--json']);
    expectFailure(ended, { exit: 1, code: 'ERR_PEER_MISMATCH', says: /different weights/ });
    expectUp(one, other);
    const two = await daemon(2, TINY_MODEL, one.port);
    const wider = place.write('wider.json', JSON.stringify({ ...TINY, intermediate_size: 128 }));
    const mismatch = await place.run([
      ...owner(one.port, two.port, ['--random-weights', '1', '--architecture', wider, '--tokens', '8']),
      '--json',
    ]);
    expectFailure(mismatch, { exit: 1, code: 'ERR_PEER_MISMATCH', says: /config\.json/ });
    await expectServes(one, two);
  });

  it('one bit of the weights differs', { timeout: TIMEOUT }, async () => {
    const model = join(place.folder, 'one-bit');
    cpSync(join(ROOT, 'models', 'capitals-bert'), model, { recursive: true });
    const weights = readFileSync(join(model, 'model.safetensors'));
    weights[weights.length - 2] ^= 1;
    writeFileSync(join(model, 'model.safetensors'), weights);
    const one = await daemon(1, []);
    const two = await daemon(2, ['--model', model], one.port);
    const text = 'Quillfeather wandered towards [MASK].';
    const ended = await place.run([...owner(one.port, two.port, ['--text', text]), '--json']);
    expectFailure(ended, { exit: 1, code: 'ERR_PEER_MISMATCH', says: /different weights/, text });
    expectUp(one, two);
  });
});

describe('a party that dies or leaves in the middle', () => {
  // The owner hears nothing of the progress of daemons: this is the last that it says before the answer, seconds later.
  const COMPUTING = /computing on shares/;
  const run = (one: Daemon, two: Daemon) => place.start(owner(one.port, two.port, [...MEDIUM_MODEL, '--tokens', '64']));

  it.each([
    ['party 2 while correlations are dealt', 2, /ahead {2}layer 1/],
    ['party 1 while the parties compute', 1, COMPUTING],
  ] as const)('%s', { timeout: TIMEOUT }, async (_name, victim, moment) => {
    const parties = await both(MEDIUM_MODEL);
    const session = run(...parties);
    await session.said(moment);
    const dead = parties[victim - 1];
    dead.run.signal('SIGKILL');
    // It notices by its link: a message may take 300 s, and it would not live so long (command.ts).
    expectFailure(await session.ended, { exit: 1, code: 'ERR_PEER_CLOSED' });
    const survivor = parties[2 - victim];
    await survivor.run.said(
      /^tercet: \d{4}-\d\d-\d\dT\S+Z party \d session [0-9a-f]{8}: (ERR_PEER_CLOSED \(party \d\): |the data owner left)/m,
    );
    expectUp(survivor);
    const again = await daemon(
      victim,
      [...MEDIUM_MODEL, '--port', String(dead.port)],
      victim === 2 ? survivor.port : undefined,
    );
    const short = [...MEDIUM_MODEL, '--tokens', '4'];
    await (victim === 2 ? expectServes(survivor, again, short) : expectServes(again, survivor, short));
  });

  it('the owner, by Ctrl-C; both daemons serve the next one', { timeout: TIMEOUT }, async () => {
    const [one, two] = await both(MEDIUM_MODEL);
    const session = run(one, two);
    await session.said(COMPUTING);
    session.signal('SIGINT');
    const ended = await session.ended;
    expectFailure(ended, { exit: 1, code: 'ERR_ABORTED' });
    // It says what it does: parties that are there are not started.
    expect(ended.stderr).not.toContain('starting two compute parties');
    expectUp(one, two);
    await expectServes(one, two, [...MEDIUM_MODEL, '--tokens', '4']);
  });

  it('a daemon that gets SIGTERM in the middle of a session lets it end, and ends', { timeout: TIMEOUT }, async () => {
    const [one, two] = await both(MEDIUM_MODEL);
    const session = run(one, two);
    await session.said(COMPUTING);
    two.run.signal('SIGTERM');
    expect((await session.ended).code).toBe(0);
    await two.run.gone(GONE_MS);
    expectUp(one);
  });

  it('at a second SIGTERM it ends within three seconds, and the owner is told', { timeout: TIMEOUT }, async () => {
    const [one, two] = await both(MEDIUM_MODEL);
    const session = run(one, two);
    await session.said(COMPUTING);
    two.run.signal('SIGTERM');
    // Two that arrive together are one.
    await sleep(100);
    two.run.signal('SIGTERM');
    await two.run.gone(GONE_MS);
    expectFailure(await session.ended, { exit: 1, code: ['ERR_PEER_CLOSED', 'ERR_ABORTED'] });
    expectUp(one);
  });
});

describe('hostile clients', () => {
  const SESSION = Uint8Array.from({ length: 16 }, (_, i) => i);
  const garbage = Uint8Array.from({ length: 4096 }, (_, i) => (i * 167 + 13) & 255);

  it('do not end a daemon, and do not stand in the way of the next session', { timeout: TIMEOUT }, async () => {
    const [one, two] = await both();
    const open: { destroy(): unknown }[] = [];
    for (const { port } of [one, two]) {
      const raw = net.connect({ host: '127.0.0.1', port });
      raw.on('error', () => undefined);
      raw.write(garbage);
      const silent = net.connect({ host: '127.0.0.1', port });
      silent.on('error', () => undefined);
      const nobody = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['tercet/1'] });
      nobody.on('error', () => undefined);
      nobody.write(garbage);
      const { ca, key, cert } = credentialsOf(await ensureCertificates(join(stranger, 'certificates')), 0);
      const foreign = tls.connect({
        host: '127.0.0.1',
        port,
        ca,
        key,
        cert,
        rejectUnauthorized: false,
        ALPNProtocols: ['tercet/1'],
      });
      foreign.on('error', () => undefined);
      foreign.write(garbage);
      open.push(raw, silent, nobody, foreign);
    }
    await sleep(300);
    await expectServes(one, two);
    for (const socket of open) socket.destroy();
  });

  it('with a certificate of party 0 and no protocol do not end a daemon either', { timeout: TIMEOUT }, async () => {
    const [one, two] = await both();
    const credentials = credentialsOf(await ensureCertificates(join(place.home, 'certificates')), 0);
    const { ca, key, cert } = credentials;
    const insider = tls.connect({
      host: '127.0.0.1',
      port: one.port,
      ca,
      key,
      cert,
      servername: 'party-1.tercet',
      ALPNProtocols: ['tercet/1'],
    });
    insider.on('error', () => undefined);
    insider.write(garbage);
    await new Promise((resolve) => insider.once('close', resolve));
    const bodies = [
      'null',
      '[]',
      '{"version":1}',
      '{"version":1e308}',
      '{',
      `{"protocol":${'['.repeat(5000)}`,
      JSON.stringify({ version: 1, key: 'no' }),
    ];
    for (const [i, body] of bodies.entries()) {
      const session = SESSION.map((byte) => byte ^ (i + 1));
      const links = await Promise.all(
        ([1, 2] as const).map((peer) =>
          connectTls({ self: 0, peer, host: '127.0.0.1', port: [one, two][peer - 1].port, credentials, session }),
        ),
      );
      for (const link of links) {
        const bytes = new TextEncoder().encode(body);
        const length = new Uint8Array(4);
        new DataView(length.buffer).setUint32(0, i === 0 ? 0xffff_ffff : bytes.length, true);
        await link.send('control/request-length', length);
        await link.send('control/request', bytes).catch(() => undefined);
      }
      // Each daemon says what is wrong and hangs up.
      await Promise.all(links.map((link) => link.recv('nothing', 0).catch(() => undefined)));
      for (const link of links) link.abort(new Error('done'));
    }
    expectUp(one, two);
    const lines = () => one.run.stderr.match(/^tercet: \S+Z party 1 session [0-9a-f]{8}: /gm)?.length ?? 0;
    await until(() => lines() >= bodies.length || undefined, 5_000, 'a line for each');
    expect(lines()).toBe(bodies.length);
    await expectServes(one, two);
  });

  it('with a certificate of party 0 that speak to party 1 alone and leave hold it up for a moment only', {
    timeout: TIMEOUT,
  }, async () => {
    const [one, two] = await both();
    const credentials = credentialsOf(await ensureCertificates(join(place.home, 'certificates')), 0);
    const link = await connectTls({
      self: 0,
      peer: 1,
      host: '127.0.0.1',
      port: one.port,
      credentials,
      session: SESSION,
    });
    link.abort(new Error('gone'));
    await expectServes(one, two);
  });
});
