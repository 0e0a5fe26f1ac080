// The party's end of `bench/links.mjs`: a gateway that answers measurements. Arguments: HOST PORT ORIGIN
// UP_BYTES DOWN_BYTES [CERT KEY].
import { readFileSync } from 'node:fs';
import { answerLink } from '../dist/bench/link.js';
import { startGateway } from '../dist/net/gateway/gateway-node.js';
import { createIdentity } from '../dist/net/identity/identity.js';
import { nodeAnswerer } from '../dist/net/webrtc/node.js';

const [host, port, origin, upBytes, downBytes, cert, key] = process.argv.slice(2);
const identity = await createIdentity();
const gateway = await startGateway({
  party: 1,
  identity,
  host,
  port: Number(port),
  ...(cert === undefined ? {} : { tls: { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') } }),
  origins: [origin],
  describe: () => ({ version: 'bench', models: [], device: 'none' }),
  health: () => ({ ok: true }),
  admit: () => undefined,
  answerer: nodeAnswerer(),
  onOwner: ({ channel }) => {
    answerLink(channel, { upBytes: Number(upBytes), downBytes: Number(downBytes) }).catch((error) =>
      console.error(error.message),
    );
  },
});
console.log(`measures at ${gateway.url} with ${identity.publicKey}`);
