/** The other compute party, as far as a link goes. */
import type { Credentials } from '../../src/net/tls/credentials.ts';
import type { SessionChannel } from '../../src/net/wire/channel.ts';
import { connectTls } from '../../src/net/tls/connect.ts';

export function connectAsPeer(port: number, credentials: Credentials, session: Uint8Array): Promise<SessionChannel> {
  return connectTls({ self: 2, peer: 1, host: '127.0.0.1', port, credentials, session });
}
