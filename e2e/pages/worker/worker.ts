/** The host's worker: the same calls as in a page. */
import { SecureTransformer, TercetError } from '../../../src/sdk/index.ts';

interface Asked {
  readonly text: string;
  readonly deployment: string;
  readonly page?: MessagePort;
}

export interface Told {
  readonly tokens: readonly string[];
  readonly transports: readonly string[];
  readonly fallbacks: readonly string[];
  readonly error?: string;
}

addEventListener('message', async ({ data }: MessageEvent<Asked>) => {
  const { text, ...options } = data;
  const [transports, fallbacks]: [string[], string[]] = [[], []];
  try {
    const model = await SecureTransformer.fromPretrained('capitals-bert', {
      ...options,
      device: 'wasm',
      progress_callback: (event) => event.status === 'connect' && transports.push(event.transport),
      onFallback: ({ what, to }) => fallbacks.push(`${what} to ${to}`),
    });
    await model.prepare((await model.check(text)).tokens);
    const { predictions } = await model.predict(text);
    await model.dispose();
    postMessage({ tokens: predictions.map(({ token }) => token), transports, fallbacks } satisfies Told);
  } catch (error) {
    postMessage({
      tokens: [],
      transports,
      fallbacks,
      error: error instanceof TercetError ? error.line() : String(error),
    } satisfies Told);
  }
});
