/** Scripts that run in the page before its own: they watch what leaves it, below the SDK. */
import type { Page } from '@playwright/test';

/** One WebRTC connection of the page. */
export interface Connection {
  /** Bytes given to its data channels. */
  readonly sent: number;
  readonly closed: boolean;
}

interface Watched {
  readonly connections: { sent: number; closed: boolean }[];
  readonly violations: string[];
}

declare global {
  interface Window {
    tercetWatched?: Watched;
  }
}

/** What is in the way of a direct link: a browser without WebRTC, or a network that lets no UDP through. */
export type Blocked = 'webrtc' | 'udp';

export async function watchWire(page: Page, blocked: Blocked | undefined): Promise<void> {
  await page.addInitScript((missing: string | undefined) => {
    const watched: Watched = { connections: [], violations: [] };
    window.tercetWatched = watched;
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
      watched.violations.push(`${violatedDirective} ${blockedURI}`);
    });
    const Real = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Real {
      readonly #seen = { sent: 0, closed: false };

      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        watched.connections.push(this.#seen);
      }

      override createDataChannel(label: string, options?: RTCDataChannelInit): RTCDataChannel {
        const channel = super.createDataChannel(label, options);
        const send = channel.send.bind(channel) as (data: ArrayBuffer | ArrayBufferView | string) => void;
        channel.send = (data: unknown) => {
          this.#seen.sent +=
            typeof data === 'string' ? data.length : (data as ArrayBuffer | ArrayBufferView).byteLength;
          send(data as ArrayBuffer);
        };
        return channel;
      }

      override setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
        // What a firewall makes of it: the answer arrives, and no address in it is ever reached.
        return super.setRemoteDescription(
          missing === 'udp'
            ? { ...description, sdp: description.sdp?.replaceAll(/a=candidate:.*\r\n/g, '') ?? '' }
            : description,
        );
      }

      override close(): void {
        this.#seen.closed = true;
        super.close();
      }
    };
    if (missing === 'webrtc') Reflect.deleteProperty(window, 'RTCPeerConnection');
  }, blocked);
}

export async function connections(page: Page): Promise<readonly Connection[]> {
  return page.evaluate(() => (window.tercetWatched?.connections ?? []).map(({ sent, closed }) => ({ sent, closed })));
}

export async function violations(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => window.tercetWatched?.violations ?? []);
}
