/**
 * The worker of all cards of one page: each frame has a port to it, and a party of its own behind that. Here it runs
 * what the SDK's worker runs for one page.
 */
import { expose } from 'comlink';
import { partyApi } from '../../sdk/worker/party-api.ts';
import { startAllWorkersSo } from './start-worker.ts';

startAllWorkersSo();

addEventListener('message', ({ ports: [port] }: MessageEvent) => {
  if (port === undefined) return;
  const api = partyApi();
  expose(api, port);
  // A frame that went away without a word: what it holds at the parties is let go.
  port.addEventListener('close', () => void api.dispose());
});
