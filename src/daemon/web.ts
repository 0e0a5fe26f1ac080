/**
 * Browsers as data owners: the party's gateway (WebRTC and WebSocket, proved by its identity) in front of its
 * sessions.
 */
import type { RingKernels } from '../compute/kernels/types.ts';
import { fromHex, toHex } from '../core/bytes.ts';
import type { TercetError } from '../core/errors.ts';
import type { ProtocolId } from '../mpc/protocol/types.ts';
import { startGateway } from '../net/gateway/gateway-node.ts';
import type { PartyIdentity } from '../net/identity/identity.ts';
import { nodeAnswerer, releaseWebRtc } from '../net/webrtc/node.ts';
import type { ServedModel } from '../session/model.ts';
import { enrolments, sameRequest } from './owner-terms.ts';
import type { DealerDesk } from './dealer-desk.ts';
import type { Sessions } from './sessions.ts';
import { VERSION } from './version.ts';

export interface WebOptions {
  readonly identity: PartyIdentity;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** PEM. Any address but this machine's needs it. */
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
  /** Origins of pages that may use this party. */
  readonly origins: readonly string[];
  /** Address that WebRTC binds to, and its UDP ports, for firewalls. */
  readonly bindAddress?: string;
  readonly udpPorts?: readonly [number, number] | undefined;
  /** STUN and TURN servers of the party's own side; none by default. */
  readonly iceServers: readonly string[];
}

export interface WebAddress {
  readonly url: string;
  readonly identity: string;
}

export interface Behind {
  readonly models: readonly ServedModel[];
  readonly kernels: RingKernels;
  readonly sessions: Sessions;
  /** What owners may ask for. */
  readonly protocols: readonly ProtocolId[];
  /** Where dealers are expected. */
  readonly desk?: DealerDesk | undefined;
  readonly recvTimeoutMs: number;
  /** A connection or request of a stranger was refused. */
  onRefused(error: TercetError): void;
}

export async function serveBrowsers(
  id: 1 | 2,
  options: WebOptions,
  behind: Behind,
): Promise<{
  readonly address: WebAddress;
  renew(tls: { readonly key: string; readonly cert: string }): void;
  /** Proves another identity from now on. */
  identify(identity: PartyIdentity): void;
  close(): Promise<void>;
}> {
  const { models, kernels, sessions, protocols, desk } = behind;
  const gateway = await startGateway({
    party: id,
    identity: options.identity,
    host: options.host,
    port: options.port,
    tls: options.tls,
    origins: options.origins,
    describe: () => ({
      version: VERSION,
      device: kernels.name,
      protocols,
      models: models.map(({ name, hash, parameters }) => ({ id: name, weights: { [parameters.weights]: hash } })),
    }),
    health: () => ({ ok: sessions.load !== 'full', status: sessions.load, places: sessions.counts }),
    admit: ({ modelHash, requestCode }, remote) => sessions.admit(toHex(modelHash), toHex(requestCode), remote),
    enrolment: enrolments(models),
    dealerOf: desk === undefined ? undefined : (session, asked) => desk.dealerOf(session, asked),
    answerer: nodeAnswerer({
      bindAddress: options.bindAddress,
      ports: options.udpPorts,
      iceServers: options.iceServers,
    }),
    recvTimeoutMs: behind.recvTimeoutMs,
    onOwner: ({ channel, pairKey, session, remote, dealer, modelHash, requestCode }) => {
      if (dealer) {
        pairKey.fill(0);
        desk?.arrive(session, channel);
        return;
      }
      const checkRequest = sameRequest({ modelHash: fromHex(modelHash), requestCode: fromHex(requestCode) });
      sessions
        .serve({ channel, session, address: remote, known: false, pairKey: async () => pairKey, checkRequest })
        .catch(() => undefined);
    },
    onRefused: (error) => behind.onRefused(error),
  });
  return {
    address: { url: gateway.url, identity: options.identity.publicKey },
    renew: (tls) => gateway.renew(tls),
    identify: (identity) => gateway.identify(identity),
    async close() {
      await gateway.close();
      await releaseWebRtc();
    },
  };
}
