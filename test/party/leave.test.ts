/** A compute party that one can leave running: watched, told to read its files again, and told to stop. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { releaseWebRtc } from '../../src/net/webrtc/node.ts';
import type { Renewed } from '../../src/daemon/daemon.ts';
import { createCertificates, credentialsOf } from '../../src/net/tls/certificates.ts';
import { failure } from '../failure.ts';
import { until } from '../net/helpers.ts';
import { INPUT } from '../session/harness.ts';
import { Parties } from './parties.ts';

const drain = [new AbortController(), new AbortController()] as const;
const watched: string[] = [];
const reloads: (() => Promise<void>)[] = [];
let renew: (id: 1 | 2) => Promise<Renewed>;
let parties: Parties;

beforeAll(async () => {
  parties = await Parties.start((id) => ({
    drain: { signal: drain[id - 1].signal, ms: 20_000 },
    watch: { host: '127.0.0.1', port: 0 },
    onWatch: (url) => watched.push(url),
    onReloadable: (reload) => reloads.push(reload),
    renew: () => renew(id),
  }));
  renew = async (id) => ({
    credentials: credentialsOf(parties.certificates, id),
    webTls: undefined,
    identity: undefined,
  });
});
afterAll(async () => {
  await parties.stop();
  await releaseWebRtc();
});

const readiness = (id: 1 | 2) => fetch(`${watched[id - 1]}/readyz`).then(({ status }) => status);

describe('a party', () => {
  it('is ready when the other one is there, and counts its sessions', async () => {
    for (const id of [1, 2] as const)
      while ((await readiness(id)) !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
    await parties.serves();
    const text = async () => (await fetch(`${watched[0]}/metrics`)).text();
    await until(() => parties.one.kernels !== undefined);
    let scraped = await text();
    while (!scraped.includes('mpc_sessions_total{outcome="answered"} 1')) scraped = await text();
    expect(scraped).toMatch(/^mpc_places\{state="max"\} 8$/m);
    expect(scraped).toMatch(/^mpc_models 1$/m);
  });

  it('reads models and certificates again under a session that waits, which goes on', async () => {
    const owner = await parties.prepare();
    const read = reloads.map((reload) => reload());
    await parties.serves();
    expect((await owner.run(INPUT)).logits.length).toBeGreaterThan(0);
    await Promise.all(read);
    await parties.serves();
  });

  it('changes nothing where they cannot be read', async () => {
    const other = await createCertificates();
    const { key } = credentialsOf(other, 1) as { key: string };
    const before = renew;
    renew = async (id) => ({
      credentials: { ...credentialsOf(parties.certificates, id), key } as never,
      webTls: undefined,
      identity: undefined,
    });
    await failure('ERR_PEER_CERTIFICATE', reloads[0]());
    renew = () => Promise.reject(new Error('the file is gone'));
    await expect(reloads[1]()).rejects.toThrow('the file is gone');
    renew = before;
    await parties.serves();
  });

  it('that is told to stop lets go who waits, serves who is at work, takes nobody else, and ends', async () => {
    const waiting = await parties.prepare();
    const atWork = await parties.prepare();
    const answer = atWork.run(INPUT);
    for (const { signal } of [drain[0], drain[1]]) expect(signal.aborted).toBe(false);
    drain[0].abort();
    drain[1].abort();
    expect((await answer).logits.length).toBeGreaterThan(0);
    await failure('ERR_PEER_LET_GO', waiting.run(INPUT));
    expect(await Promise.all(parties.parties.map(({ end }) => end))).toEqual([
      { deviceFault: undefined },
      { deviceFault: undefined },
    ]);
  });
});
