/** Models whose files change under a party that is left running. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, expect, it } from 'vitest';
import { sleep } from '../../src/core/abort.ts';
import { credentialsOf } from '../../src/net/tls/certificates.ts';
import { releaseWebRtc } from '../../src/net/webrtc/node.ts';
import { openModel } from '../../src/node/model.ts';
import { failure } from '../failure.ts';
import { until } from '../net/helpers.ts';
import { INPUT } from '../session/harness.ts';
import { Parties, randomSession } from './parties.ts';

const started: Parties[] = [];
afterEach(async () => {
  for (const parties of started.splice(0)) await parties.stop();
});
afterAll(releaseWebRtc);

it('are loaded again, under a session that goes on with the old one; what cannot be read changes nothing', async () => {
  const again: number[] = [];
  const parties = await Parties.start((id) => ({ lookEveryMs: 100, onModels: () => again.push(id) }));
  started.push(parties);
  const { location } = parties;
  if (location.kind !== 'random') throw new Error('random weights are what these parties serve');
  const config = JSON.parse(readFileSync(location.configPath, 'utf8')) as Record<string, unknown>;
  const before = await parties.prepare();

  writeFileSync(location.configPath, '{"model_type": "bert", ');
  await until(() => parties.parties.every(({ failures }) => failures.length > 0));
  expect(again).toEqual([]);
  // An owner that asks for the old model by its hash is let in.
  for (const id of [1, 2] as const) {
    const { channel } = await parties.link(id, randomSession());
    // The old model is let go when nobody is left who may ask for it.
    channel.abort(new Error('gone'));
  }

  writeFileSync(location.configPath, JSON.stringify({ ...config, layer_norm_eps: 1e-6 }));
  const old = parties.model;
  parties.model = await (await openModel(location, { weights: true })).hash();
  expect(parties.model).not.toBe(old);
  // Until both have it an owner of the new one is refused.
  for (;;) {
    const served = await parties.serves().then(
      () => true,
      () => false,
    );
    if (served) break;
  }
  expect((await before.run(INPUT)).logits.length).toBeGreaterThan(0);
  await until(() => again.length === 2);
  expect(new Set(again)).toEqual(new Set([1, 2]));
});

it('a party that stops waits for who reads them at that moment, one at a time, and reads none behind that', async () => {
  const reloads: (() => Promise<void>)[] = [];
  let gate: Promise<void> = Promise.resolve();
  let [reading, most] = [0, 0];
  let parties: Parties | undefined = undefined as Parties | undefined;
  parties = await Parties.start((id) => ({
    onReloadable: (reload) => reloads.push(reload),
    async renew() {
      most = Math.max(most, ++reading);
      await gate;
      reading--;
      if (parties === undefined) throw new Error('not yet');
      return { credentials: credentialsOf(parties.certificates, id), webTls: undefined, identity: undefined };
    },
  }));
  started.push(parties);
  const [reload] = reloads;
  const { one } = parties;
  await reload();
  let open: () => void = () => undefined;
  gate = new Promise((resolve) => {
    open = resolve;
  });
  [reading, most] = [0, 0];
  const [first, second] = [reload(), reload()];
  const refused = failure('ERR_ABORTED', second);
  const stopped = one.stop();
  await Promise.race([one.end, sleep(1_000)]);
  expect([one.running, reading]).toEqual([true, 1]);
  open();
  await first;
  await stopped;
  await refused;
  await failure('ERR_ABORTED', reload());
  expect([one.running, most]).toEqual([false, 1]);
});
