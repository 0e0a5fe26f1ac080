/** What a run cost, as the channels counted it and each party reported it. Public: sizes, times, devices. */
import { printable } from '../core/bytes.ts';
import type { Channel } from '../net/wire/types.ts';
import type { Fields, Json } from './control.ts';

export interface PartyReport {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly peakMemoryBytes: number;
  readonly device: string;
  /** Milliseconds that the party spent on proofs, waiting for others included; of a run that is proved. */
  readonly provingMs?: number | undefined;
  /** Payload bytes sent to each peer and phase, for the cost table: `1` → { "select-12": … }. */
  readonly links: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Bytes are wire bytes: payload and frame headers, without TLS. */
export function reportOf(
  channels: ReadonlyMap<number, Channel>,
  peakMemoryBytes: number,
  device: string,
  provingMs?: number,
): PartyReport {
  let sentBytes = 0;
  let receivedBytes = 0;
  const links: Record<string, Record<string, number>> = {};
  for (const [peer, channel] of channels) {
    sentBytes += channel.stats.sentWireBytes;
    receivedBytes += channel.stats.receivedWireBytes;
    links[peer] = { ...channel.stats.sentByTag };
  }
  const proving = provingMs === undefined ? undefined : Math.round(provingMs);
  return { sentBytes, receivedBytes, peakMemoryBytes, device, provingMs: proving, links };
}

export function reportToJson(report: PartyReport): Json {
  return { ...report };
}

export function reportFromJson(fields: Fields): PartyReport {
  const max = Number.MAX_SAFE_INTEGER;
  const links: Record<string, Record<string, number>> = {};
  const all = fields.object('links');
  for (const peer of ['0', '1', '2']) {
    if (!all.has(peer)) continue;
    const byTag = all.object(peer);
    links[peer] = Object.fromEntries(byTag.keys(200).map((tag) => [printable(tag, 60), byTag.integer(tag, max)]));
  }
  return {
    sentBytes: fields.integer('sentBytes', max),
    receivedBytes: fields.integer('receivedBytes', max),
    peakMemoryBytes: fields.integer('peakMemoryBytes', max),
    device: printable(fields.string('device'), 60),
    provingMs: fields.has('provingMs') ? fields.integer('provingMs', max) : undefined,
    links,
  };
}
