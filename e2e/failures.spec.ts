/**
 * What goes wrong outside the page is said with its place, costs no word of the text, and is over when its cause
 * is.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, EVERY_LOOK } from './support/app.ts';
import { SLOW_LINK } from './support/deployment.ts';
import { expect, test } from './support/test.ts';

test.use({ deploymentOptions: SLOW_LINK });

const TEXT = 'The capital of Norway is [MASK].';
const OPERATOR = { 1: 'Alder', 2: 'Birch' } as const;

async function expectAnswer(app: App): Promise<void> {
  expect((await app.answer())[0].word).toBe('oslo');
}

for (const id of [2, 1] as const) {
  test(`party ${id} is killed in the middle of a run: named, nothing lost, and the button works when it is back`, async ({
    app,
    deployment,
  }) => {
    const root = app.page.locator('html');
    await app.run(TEXT);
    await app.middle();
    await expect(root).not.toHaveAttribute('data-lost');
    await deployment.party(id).signal('SIGKILL');
    await expect(root).toHaveAttribute('data-lost', `p${id}`);
    await expect(root).toHaveAttribute('data-phase', 'lost');
    await expect(app.error).toContainText(`Party ${id} stopped answering`);
    await expect(app.error).toContainText(OPERATOR[id]);
    await expect(app.error).toContainText(/What to do: run it again\./);
    await expect(app.text).toHaveValue(TEXT);
    await app.shot(`error-party-${id}-killed`, id === 2 ? EVERY_LOOK : ['light']);
    await deployment.restart(id);
    await app.button.click();
    await expectAnswer(app);
    await expect(root).not.toHaveAttribute('data-lost');
  });
}

test('a party that is down before the run is named, and reached when it is up', async ({ app, deployment }) => {
  await deployment.party(2).signal('SIGKILL');
  await app.run(TEXT);
  await expect(app.error).toContainText('Party 2 cannot be reached');
  await expect(app.error).toContainText('No connection to Birch came about.');
  await expect(app.page.locator('html')).toHaveAttribute('data-lost', 'p2');
  await expect(app.text).toHaveValue(TEXT);
  await app.shot('error-party-2-down');
  await deployment.restart(2);
  await app.button.click();
  await expectAnswer(app);
});

test('an answer stays when the keys for the next text cannot be made', async ({ app, deployment }) => {
  await app.run(TEXT);
  await expectAnswer(app);
  await deployment.party(2).signal('SIGKILL');
  // The page asks both parties how they are when something fails.
  await expect(app.bound('p2.health')).toHaveText('not reached');
  await expect(app.page.locator('#answer')).toBeVisible();
  await expect(app.error).toBeHidden();
  await deployment.restart(2);
  expect((await app.again())[0].word).toBe('oslo');
});

test('Stop in the middle of a run stops all three parties, which then serve the next run', async ({
  app,
  deployment,
}) => {
  await app.prepareWhileTyping(false);
  await deployment.deserted();
  await app.run(TEXT);
  await app.middle();
  for (const id of [1, 2] as const) expect(await deployment.places(id)).toEqual({ taken: 1, idle: 0 });
  await expect(app.button).toHaveText('Stop');
  await app.button.click();
  await expect(app.readiness).toHaveText('Stopped on all three parties. Nothing was opened.');
  await expect(app.said).toHaveText('Stopped on all three parties. Nothing was opened.');
  await expect(app.error).toBeHidden();
  await deployment.deserted();
  await app.shot('stopped');
  await app.button.click();
  await expectAnswer(app);
});

test('six quick clicks are one: the run goes on, and is answered', async ({ app }) => {
  await app.type(TEXT);
  // The sixth comes when a second one would stop.
  await app.button.click({ clickCount: 6, delay: 90 });
  await expectAnswer(app);
});

test('a run that goes on, in every look', async ({ app, deployment }) => {
  await app.run(TEXT);
  await app.middle();
  // The party is held, so that there is time for pictures, and let go: the run ends as if nothing had been.
  await deployment.party(2).signal('SIGSTOP');
  await app.shot('running', EVERY_LOOK);
  await expect(app.button).toHaveText('Stop');
  // The other party still says that it waits, so the page can tell which one is silent; and nothing is shown to move.
  await expect(app.bound('p2.health')).toHaveText(/^no message for \d+.s$/);
  await expect(app.bound('p1.health')).toHaveText(/^online/);
  await expect(app.bound('picLine')).toHaveText(/^No message from party 2 for \d+.s\.$/);
  await expect(app.page.locator('html')).toHaveAttribute('data-moving', '');
  await app.shot('silent');
  await deployment.party(2).signal('SIGCONT');
  await expectAnswer(app);
});

test('a party with another identity gets no key and no text', async ({ app, deployment }) => {
  const home = mkdtempSync(join(tmpdir(), 'tercet-e2e-other-'));
  try {
    const promised = await deployment.restart(2);
    expect(await deployment.restart(2, { home })).not.toBe(promised);
    await app.run(TEXT);
    await expect(app.error).toContainText('This is not the party you chose');
    await expect(app.error).toContainText(
      'What answered as party 2 did not prove the identity that was chosen for Birch.',
    );
    await expect(app.error).toContainText('What to do: do not continue.');
    await expect(app.error.getByRole('button')).toHaveText(['Check the settings']);
    await expect(app.page.locator('html')).toHaveAttribute('data-lost', 'p2');
    for (const figure of ['p01.ahead', 'p02.ahead', 'p01.input', 'p02.input'] as const)
      expect(await app.figure(figure), figure).toBe('–');
    expect(
      (await app.connections()).map(({ sent }) => sent),
      'bytes for the party that is another one',
    ).toContain(0);
    await expect(app.text).toHaveValue(TEXT);
    await app.shot('error-identity');
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  await deployment.restart(2);
  await app.button.click();
  await expectAnswer(app);
});

test('a party that serves another model is named', async ({ app, deployment }) => {
  await deployment.restart(2, { models: ['text-classification'] });
  await app.run(TEXT);
  await expect(app.error).toContainText('The parties run a different model');
  await expect(app.error).toContainText('Party 2 does not run the model that this page asked for.');
  await expect(app.page.locator('html')).toHaveAttribute('data-lost', 'p2');
  await app.shot('error-model');
  await deployment.restart(2);
  await app.button.click();
  await expectAnswer(app);
});

for (const [blocked, why] of [
  ['webrtc', 'in a browser without WebRTC'],
  ['udp', 'on a network that lets no UDP through'],
] as const) {
  test(`${why} the page says that it takes the WebSocket, and answers`, async ({ openTab }) => {
    const app = await openTab(blocked);
    const sockets: string[] = [];
    app.page.on('websocket', (socket) => sockets.push(socket.url()));
    await app.run(TEXT);
    await expect(
      app.notice.filter({ hasText: 'The direct link did not open, so Tercet uses the WebSocket link.' }),
    ).toBeVisible();
    await expectAnswer(app);
    expect(sockets.length, 'a WebSocket to each party').toBeGreaterThanOrEqual(2);
    await app.shot(`fallback-${blocked}`);
    await app.openSettings();
    await expect(app.settings).toContainText('Now: WebSocket');
    await expect(app.page.locator('#set-transport-webrtc')).toBeEnabled({ enabled: blocked === 'udp' });
    await app.shot(`settings-without-${blocked}`);
  });
}
