/** The example of the README over the named networks: what latency and rate cost when only P1 and P2 talk in rounds. */
import { PROFILE_NAMES } from '../net/simulated/profiles.ts';
import { inferJson } from './bert.ts';
import type { SuiteContext } from './rows.ts';

export async function benchNetwork(context: SuiteContext): Promise<void> {
  for (const profile of [undefined, ...PROFILE_NAMES]) {
    context.note(`capitals-bert over ${profile ?? 'loopback'}`);
    const result = await inferJson<object>(
      [
        ...['--text', 'The capital of France is [MASK].', '--top-k', '1'],
        ...(profile === undefined ? [] : ['--profile', profile]),
      ],
      context,
    );
    context.row({
      suite: 'network',
      name: `capitals-bert/${profile ?? 'loopback'}`,
      profile: profile ?? 'loopback',
      ...result,
    });
  }
}
