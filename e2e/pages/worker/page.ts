/** A host page with a worker of its own that uses the SDK; the page lends its WebRTC, or does not. */
import { serveWebRtc } from '../../../src/sdk/index.ts';
import type { Told } from './worker.ts';

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });

function ask(text: string, lend: boolean): Promise<Told> {
  const { port1, port2 } = new MessageChannel();
  const host = lend ? serveWebRtc(port1) : undefined;
  const told = new Promise<Told>((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<Told>) => resolve(data);
  });
  worker.postMessage(
    { text, deployment: new URL('tercet.json', document.baseURI).href, ...(lend ? { page: port2 } : {}) },
    lend ? [port2] : [],
  );
  return told.finally(() => host?.close());
}

Object.assign(globalThis, { ask });
