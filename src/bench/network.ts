/** The example of the README over the named networks: what latency and rate cost when only P1 and P2 talk in rounds. */
import { defaultThreads, embeddedModel } from '../node/defaults.ts';
import { toJson } from '../party/json-output.ts';
import { PROFILE_NAMES } from '../net/simulated/profiles.ts';
import { runInference } from '../party/run.ts';
import type { SuiteContext } from './rows.ts';

export async function benchNetwork(options: { readonly certificates: string }, context: SuiteContext): Promise<void> {
  for (const profile of [undefined, ...PROFILE_NAMES]) {
    context.note(`capitals-bert over ${profile ?? 'loopback'}`);
    const result = await runInference({
      task: 'fill-mask',
      model: { kind: 'folder', path: embeddedModel('fill-mask') },
      texts: ['The capital of France is [MASK].'],
      protocol: '3pc_semi_honest',
      weights: 'open',
      device: 'auto',
      threads: defaultThreads(),
      topK: 1,
      compare: false,
      ...(profile === undefined ? {} : { profile }),
      certificates: options.certificates,
      signal: context.signal,
      debug: false,
    });
    context.row({
      suite: 'network',
      name: `capitals-bert/${profile ?? 'loopback'}`,
      profile: profile ?? 'loopback',
      ...toJson(result, 'fill-mask', 'open'),
    });
  }
}
