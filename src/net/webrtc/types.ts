/**
 * Setting up WebRTC, wherever the peer connections live: in a page for a worker, or in Node. Nothing here decides
 * whom to trust.
 */
import type { MessageLink } from '../chunks/link.ts';

/** A STUN or TURN server, as browsers describe it. Declared here, since programs in Node have no types of a browser. */
export interface IceServer {
  readonly urls: string | string[];
  readonly username?: string;
  readonly credential?: string;
}

interface RtcOfferOptions {
  /** How many associations, 1 to 4. */
  readonly associations: number;
  /** STUN and TURN servers; empty: nobody else is asked for anything. */
  readonly iceServers: readonly IceServer[];
}

export interface RtcOfferer {
  /** Gathers everything and offers. @throws {TercetError} ERR_LINK_BLOCKED where WebRTC is switched off */
  offer(options: RtcOfferOptions): Promise<RtcOffer>;
}

/** Offers under way. */
export interface RtcOffer {
  readonly descriptions: readonly string[];
  /** Applies the answers. Only after they have been verified. */
  accept(answers: readonly string[]): Promise<void>;
  /** The associations, once all are open. Rejects with ERR_LINK_BLOCKED if one fails. */
  opened(): Promise<readonly MessageLink[]>;
  /** Gives up: releases everything that `opened` has not handed out. */
  close(): void;
}

export interface RtcAnswerer {
  /** Answers every offer, everything gathered. The offers have been checked for form. */
  answer(offers: readonly string[]): Promise<RtcAnswer>;
}

export interface RtcAnswer {
  readonly descriptions: readonly string[];
  opened(): Promise<readonly MessageLink[]>;
  close(): void;
}

/**
 * The negotiated channel that carries the data: the same number on both sides, nothing said in band. 0 is
 * simple-peer's own, unused.
 */
export const DATA_CHANNEL = { label: 'tercet', id: 1 } as const;
