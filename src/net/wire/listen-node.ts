/** Starts a server of Node, and tells a port that cannot be had from a connection that failed later. */
import type { Server } from 'node:net';
import { TercetError } from '../../core/errors.ts';
import { errorCode } from '../tls/tls-errors.ts';

export interface ListenPlace {
  readonly host: string;
  readonly port: number;
  /** How the error begins: who cannot listen. */
  readonly who: string;
  /** Hears what fails once the server listens. */
  readonly later: (error: Error) => void;
}

/** @throws {TercetError} ERR_PEER_UNREACHABLE if the address cannot be listened on. */
export function listenOn(server: Server, { host, port, who, later }: ListenPlace): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      const what = `${who} listen on ${host}:${port} (${errorCode(error)})`;
      reject(new TercetError('ERR_PEER_UNREACHABLE', what, 'choose another port or address', { cause: error }));
    };
    server.once('error', failed);
    server.listen(port, host, () => {
      server.removeListener('error', failed);
      server.on('error', later);
      resolve();
    });
  });
}
