/** A gateway and data owners that reach it from this process. */
import { WebSocket } from 'ws';
import { TercetError } from '../../src/core/errors.ts';
import { toHex } from '../../src/core/bytes.ts';
import {
  type Gateway,
  type GatewayOptions,
  type OwnerArrival,
  startGateway,
} from '../../src/net/gateway/gateway-node.ts';
import { type PartyIdentity, createIdentity } from '../../src/net/identity/identity.ts';
import { type OwnerLink, type OwnerLinkOptions, openOwnerLink } from '../../src/net/gateway/owner-link.ts';
import { nodeAnswerer, nodeOfferer } from '../../src/net/webrtc/node.ts';
import type { WebSocketConstructor } from '../../src/net/websocket/link.ts';
import { SESSION } from './helpers.ts';

export const MODEL = '1a'.repeat(32);
export const REQUEST_CODE = '2b'.repeat(32);
export const ORIGIN = 'https://page.example';
export const NodeWebSocket = WebSocket as unknown as WebSocketConstructor;

export interface TestGateway {
  readonly gateway: Gateway;
  readonly identity: PartyIdentity;
  readonly refused: TercetError[];
  /** The next owner that comes. */
  arrival(): Promise<OwnerArrival>;
}

const running: Gateway[] = [];

export async function testGateway(options: Partial<GatewayOptions> = {}): Promise<TestGateway> {
  const refused: TercetError[] = [];
  const arrived: OwnerArrival[] = [];
  const waiting: ((arrival: OwnerArrival) => void)[] = [];
  const identity = options.identity ?? (await createIdentity());
  const gateway = await startGateway({
    party: 1,
    identity,
    origins: [ORIGIN],
    describe: () => ({ version: '0.0.0', models: [{ id: 'tiny', weights: { open: MODEL } }], device: 'wasm' }),
    health: () => ({ ok: true }),
    admit: ({ modelHash, requestCode }) => {
      if (toHex(modelHash) !== MODEL)
        throw new TercetError('ERR_MODEL_HASH', 'this party does not serve that model', 'ask for another');
      if (toHex(requestCode) !== REQUEST_CODE)
        throw new TercetError('ERR_PEER_MISMATCH', 'other parameters', 'use the same version');
    },
    onOwner: (arrival) => {
      const next = waiting.shift();
      if (next === undefined) arrived.push(arrival);
      else next(arrival);
    },
    onRefused: (error) => refused.push(error),
    answerer: nodeAnswerer(),
    ...options,
  });
  running.push(gateway);
  const arrival = (): Promise<OwnerArrival> => {
    const here = arrived.shift();
    return here !== undefined ? Promise.resolve(here) : new Promise((resolve) => waiting.push(resolve));
  };
  return { gateway, identity, refused, arrival };
}

export async function closeGateways(): Promise<void> {
  for (const gateway of running.splice(0)) await gateway.close();
}

export function owner(
  { gateway, identity }: Pick<TestGateway, 'gateway' | 'identity'>,
  options: Partial<OwnerLinkOptions> = {},
): Promise<OwnerLink> {
  return openOwnerLink({
    party: 1,
    address: { url: gateway.url, identity: identity.publicKey },
    session: SESSION,
    modelHash: MODEL,
    requestCode: REQUEST_CODE,
    offerer: nodeOfferer(),
    WebSocket: NodeWebSocket,
    timeoutMs: 10_000,
    ...options,
  });
}
