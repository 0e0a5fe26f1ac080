/** `test` with a deployment that a file's tests share, and a page of it that is loaded. */
import { test as base } from '@playwright/test';
import { App } from './app.ts';
import type { Blocked } from './wire.ts';
import { Deployment, type DeploymentOptions } from './deployment.ts';

interface Shared {
  /** Set with `test.use` at the top of a file. */
  readonly deploymentOptions: DeploymentOptions;
  readonly deployment: Deployment;
}

interface Each {
  readonly app: App;
  /** Opens another tab of the same browser. */
  readonly openTab: (blocked?: Blocked) => Promise<App>;
}

export const test = base.extend<Each, Shared>({
  deploymentOptions: [{ secret: true }, { scope: 'worker', option: true }],
  deployment: [
    async ({ deploymentOptions }, use) => {
      const deployment = await Deployment.start(deploymentOptions);
      await use(deployment);
      await deployment.stop();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  app: async ({ page, deployment }, use, info) => {
    const app = new App(page, deployment.url);
    await app.open();
    await use(app);
    if (info.status === info.expectedStatus) return;
    for (const id of [1, 2] as const) await info.attach(`party ${id}`, { body: deployment.party(id).log });
    await info.attach('details', { body: (await app.page.locator('#tech').textContent()) ?? '' });
    await info.attach('console', { body: app.complaints.join('\n') });
  },
  openTab: async ({ context, deployment }, use) => {
    await use(async (blocked) => {
      const tab = new App(await context.newPage(), deployment.url);
      await tab.open(blocked);
      return tab;
    });
  },
});

export { expect } from '@playwright/test';
