/**
 * The page gives the answer that Node gives: same words in the same order, over both links, with open and with
 * secret weights.
 */
import { EVERY_LOOK, type Score } from './support/app.ts';
import { sdkAnswer } from './support/node.ts';
import { expect, test } from './support/test.ts';

const TEXT = {
  'fill-mask': 'The capital of Norway is [MASK].',
  'text-classification': 'A dull story, told without a single good joke.',
} as const;
const NEAR = 0.01;

function expectSame(page: readonly Score[], other: readonly Score[], count: number): void {
  expect(page.map(({ word }) => word)).toEqual(other.slice(0, count).map(({ word }) => word));
  for (const [i, { score }] of page.entries())
    expect(Math.abs(score - other[i].score), `score of ${page[i].word}`).toBeLessThan(NEAR);
}

for (const task of ['fill-mask', 'text-classification'] as const) {
  for (const weights of ['open', 'secret'] as const) {
    test(`${task} with ${weights} weights is answered as in Node`, async ({ app, deployment }) => {
      const text = TEXT[task];
      if (task !== 'fill-mask') await app.task('Classify a sentence');
      if (weights === 'secret') await app.secretWeights(deployment.credential(task));
      const answer = await app.ask(text);
      expect(answer).toHaveLength(task === 'fill-mask' ? 5 : 2);
      await expect(app.bound('config')).toContainText(`${weights} weights, WASM`);
      await app.shot(`result-${task}-${weights}`, weights === 'open' ? EVERY_LOOK : ['light']);
      // One word put back together from what the two parties received: 1 for the word that was written, 0 for
      // another one.
      const sums = await app.sums();
      expect(sums.map(({ total }) => total)).toEqual(['1', '0']);
      for (const { keys, total } of sums) expect(BigInt.asUintN(64, keys[0] + keys[1])).toBe(BigInt(total));
      expectSame(answer, await sdkAnswer(deployment, task, text, weights), answer.length);
      if (weights === 'secret') return;
      // Control: another text is answered in another way, so equal answers say something.
      const other = await app.ask(
        task === 'fill-mask' ? 'The capital of Japan is [MASK].' : 'A warm, funny and moving film.',
      );
      expect(other[0].word).not.toBe(answer[0].word);
    });
  }
}

test('with proofs the answer is the same, and the page says who proved what to whom', async ({ app, deployment }) => {
  test.setTimeout(180_000);
  app.patienceMs = 90_000;
  const text = TEXT['fill-mask'];
  await app.choose('protocol', '3pc_malicious');
  const answer = await app.ask(text);
  const proved = app.page.locator('#proved');
  const rows = proved.locator('tbody tr');
  await expect(rows).toHaveCount(3);
  await expect(rows.nth(0)).toHaveText(/^Party 1party 2 and your browser\d+\s?kB$/);
  await expect(rows.nth(1)).toHaveText(/^Party 2party 1 and your browser\d+\s?kB$/);
  await expect(proved).toContainText('A cheat would pass less than once in 10¹⁴ tries.');
  await expect(app.bound('agreed')).toContainText('Every message of the run was proved.');
  expect((await app.sums()).map(({ total }) => total)).toEqual(['1', '0']);
  await expect(app.page.locator('#saw-lead')).toContainText('Halves of random words were sent ahead');
  await expect(proved).toContainText('At level 128 a wrong run passes with at most 2^-47');
  await app.shot('result-proved', EVERY_LOOK);
  expectSame(answer, await sdkAnswer(deployment, 'fill-mask', text, 'open'), answer.length);

  // The level is chosen where there are proofs; what the parties do not serve is there with the reason.
  await app.choose('level', '256');
  await app.openSettings();
  await expect(app.page.locator('#set-protocol-aby3')).toBeDisabled();
  await expect(app.settings).toContainText('Not available. The parties do not serve it.');
  await app.shot('settings-level', EVERY_LOOK);
  await app.closeSettings();
  expect(await app.ask(text)).toEqual(answer);
  await expect(proved).toContainText('At level 256 a wrong run passes with at most 2^-63');

  // Control: a run that proves nothing says nothing of the kind.
  await app.choose('protocol', '3pc_semi_honest');
  await app.ask(text);
  await expect(proved).toBeHidden();
  await expect(app.bound('agreed')).not.toContainText('proved.');
});

test('the link is WebRTC, and a WebSocket when it is chosen; the answer is the same', async ({ app, deployment }) => {
  const sockets: string[] = [];
  app.page.on('websocket', (socket) => sockets.push(new URL(socket.url()).host));
  const parties = [deployment.partyUrl(1), deployment.partyUrl(2)];
  const text = TEXT['fill-mask'];

  const direct = await app.ask(text);
  expect(app.signalled).toHaveLength(2);
  expect(new Set(app.signalled)).toEqual(new Set(parties));
  const sent = (await app.connections()).reduce((sum, connection) => sum + connection.sent, 0);
  expect(sent, 'bytes on data channels').toBeGreaterThan(100_000);
  expect(sockets).toEqual([]);
  await app.openSettings();
  await expect(app.settings).toContainText('Now: direct link (WebRTC)');
  await app.shot('settings-webrtc', ['light', 'narrow']);
  await expect(app.page.locator('#peers')).toContainText(/Party 1, Alder.*ed25519 [0-9a-f ]{79}.*Identity checked/);
  await app.page.locator('#set-prepare').scrollIntoViewIfNeeded();
  await app.shot('settings-parties');
  await app.closeSettings();

  await app.choose('transport', 'websocket');
  const asked = app.signalled.length;
  const relayed = await app.ask(text);
  expect(relayed).toEqual(direct);
  expect(app.signalled, 'no WebRTC was asked for').toHaveLength(asked);
  expect(new Set(sockets)).toEqual(new Set(parties.map((url) => new URL(url).host)));
});
