/** The page of the link tests: a worker that is the data owner, and WebRTC for it. */
import { servePageHost } from '../../../src/net/webrtc/page-host.ts';
import type { Command, Outcome } from './worker.ts';

declare global {
  interface Window {
    /** Carries out one command in the worker. */
    run(command: Command): Promise<Outcome>;
    stop(): void;
  }
}

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const { port1, port2 } = new MessageChannel();
const host = servePageHost(port1);
worker.postMessage(port2, [port2]);

window.run = (command) =>
  new Promise((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<Outcome>) => resolve(data);
    worker.postMessage(command);
  });

window.stop = () => {
  worker.terminate();
  host.close();
};
