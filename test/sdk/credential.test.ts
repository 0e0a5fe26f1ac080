/**
 * Secret weights in the SDK: a credential is judged before anything is downloaded or sent, and goes to both
 * parties.
 */
import { describe, expect, it } from 'vitest';
import { failure } from '../failure.ts';
import { testFile, testSharing } from '../support/enrolment.ts';
import { type MemorySite, memorySite } from './memory-site.ts';

const later = (): number => Math.floor(Date.now() / 1000) + 1000;

async function secretSite(sharing: string): Promise<MemorySite> {
  return memorySite('filler', () => ({ weights: { secret: sharing } }));
}

describe('secret weights', () => {
  it('load with a credential: a string, bytes, a Blob, or its object (positive control)', async () => {
    const sharing = await testSharing();
    const text = await testFile(sharing, { expires: later() });
    const site = await secretSite(sharing.sharing);
    for (const credential of [text, new TextEncoder().encode(text), new Blob([text]), JSON.parse(text) as object])
      await (await site.load({ weights: 'secret', credential })).dispose();
    expect(site.fetched).not.toContain('owner.seeds');
  });

  it('are refused without one, with one that has ended, or of another sharing, or that is damaged, before anything is downloaded', async () => {
    const [sharing, other] = [await testSharing(), await testSharing()];
    const site = await secretSite(sharing.sharing);
    await failure('ERR_CREDENTIAL_MISSING', () => site.load({ weights: 'secret' }));
    await failure('ERR_CREDENTIAL_EXPIRED', async () =>
      site.load({ weights: 'secret', credential: await testFile(sharing, { expires: Math.floor(Date.now() / 1000) }) }),
    );
    await failure('ERR_CREDENTIAL_SHARING', async () =>
      site.load({ weights: 'secret', credential: await testFile(other, { expires: later() }) }),
    );
    const damaged = { ...JSON.parse(await testFile(sharing, { expires: later() })), seeds: '00'.repeat(64) };
    await failure('ERR_CREDENTIAL_SIGNATURE', () => site.load({ weights: 'secret', credential: damaged }));
    await failure('ERR_ARGUMENT', () => site.load({ weights: 'secret', credential: 'something else' }));
    expect(site.fetched).toEqual([]);
    expect(site.ends).toEqual([]);
  });

  it('are what a credential is for: with open weights it is refused', async () => {
    const credential = await testFile(await testSharing(), { expires: later() });
    const site = await memorySite('filler');
    await failure('ERR_ARGUMENT', () => site.load({ credential }));
    expect(site.fetched).toEqual([]);
  });
});
