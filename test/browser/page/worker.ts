/** A data owner in a worker, as the SDK will be one. */
import { type LinkRates, measureLink } from '../../../src/bench/link.ts';
import { fromHex } from '../../../src/core/bytes.ts';
import { asTercetError } from '../../../src/core/errors.ts';
import { type OwnerLink, type OwnerLinkOptions, openOwnerLink } from '../../../src/net/gateway/owner-link.ts';
import { pageOfferer } from '../../../src/net/webrtc/page-client.ts';
import type { RtcOfferer } from '../../../src/net/webrtc/types.ts';

/** Options that can be posted to a worker. */
export interface Command
  extends Pick<
    OwnerLinkOptions,
    'party' | 'address' | 'otherIdentity' | 'modelHash' | 'requestCode' | 'transport' | 'timeoutMs' | 'associations'
  > {
  readonly session: string;
  /** What to do with the link: measure it, flood the party for a second and a half, or just hold it. */
  readonly task: 'measure' | 'flood' | 'hold';
  readonly upBytes: number;
  readonly downBytes: number;
}

export interface Outcome {
  readonly transport?: string;
  readonly key?: string;
  readonly connectMs?: number;
  readonly handshakeMs?: number;
  readonly rates?: LinkRates;
  /** Bytes that the channel took in the flood. */
  readonly taken?: number;
  readonly fallbacks: readonly { from: string; to: string; reason: string }[];
  readonly error?: { code: string; message: string; hint: string };
}

let offerer: RtcOfferer | undefined;

addEventListener('message', async ({ data }: MessageEvent<MessagePort | Command>) => {
  if (data instanceof MessagePort) offerer = pageOfferer(data);
  else postMessage(await run(data));
});

async function run(command: Command): Promise<Outcome> {
  const fallbacks: { from: string; to: string; reason: string }[] = [];
  try {
    const { task, upBytes, downBytes, session, ...options } = command;
    const link = await openOwnerLink({
      ...options,
      session: fromHex(session),
      offerer,
      onFallback: (event) => fallbacks.push(event),
    });
    const { transport, connectMs, handshakeMs } = link;
    const key = [...link.pairKey].join();
    const about = { transport, key, connectMs, handshakeMs, fallbacks };
    if (task === 'flood') return { ...about, taken: await flood(link) };
    if (task === 'hold') return about;
    const rates = await measureLink(link.channel, { upBytes, downBytes });
    await link.channel.close();
    return { ...about, rates };
  } catch (error) {
    const { code, message, hint } = asTercetError(error);
    return { fallbacks, error: { code, message, hint } };
  }
}

/** Sends to a party that does not read, for a second and a half. */
async function flood({ channel }: OwnerLink): Promise<number> {
  const part = new Uint8Array(1 << 20);
  let taken = 0;
  const sending = (async () => {
    for (;;) {
      await channel.send('flood', part);
      taken += part.length;
    }
  })();
  await Promise.race([sending.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 1500))]);
  channel.abort(new Error('enough'));
  return taken;
}
