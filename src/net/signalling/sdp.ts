/**
 * What is read of a session description: how large it is, that it is one data channel section, and the one
 * certificate that it names.
 *
 * Security: two parsers may read one text differently, so anything unusual is refused: other line ends, other
 * characters, a second fingerprint, another hash.
 */
import { fromHex } from '../../core/bytes.ts';
import { TercetError } from '../../core/errors.ts';

export const MAX_SDP_BYTES = 16 * 1024;

const FINGERPRINT = /^a=fingerprint:sha-256 ([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){31})$/;

/**
 * The SHA-256 of the DTLS certificate that `sdp` of `who` names, 32 bytes.
 * @throws {TercetError} ERR_IDENTITY_FINGERPRINT unless there is exactly one, ERR_FRAME_FORMAT for a text that is
 * no description of one data channel section
 */
export function fingerprintOf(sdp: string, who: string): Uint8Array {
  const malformed = (what: string): TercetError =>
    new TercetError(
      'ERR_FRAME_FORMAT',
      `${who}: its session description ${what}`,
      'check that the address belongs to a Tercet party, and use a current browser',
    );
  if (sdp.length > MAX_SDP_BYTES) throw malformed('is too long');
  // Every line ends in CR LF or LF; a lone CR, a NUL or anything beyond ASCII is a trap for somebody.
  if (!/^(?:[\x20-\x7e]*\r?\n)+$/.test(sdp)) throw malformed('has characters or line ends that do not belong there');
  const lines = sdp.split(/\r?\n/);
  if (lines[0] !== 'v=0') throw malformed('does not begin like one');
  const media = lines.filter((line) => /^\s*m\s*=/i.test(line));
  if (media.length !== 1 || !/^m=application \d+ UDP\/DTLS\/SCTP webrtc-datachannel$/.test(media[0]))
    throw malformed('is not for one data channel');
  const prints = lines.filter((line) => /fingerprint/i.test(line));
  const match = prints.length === 1 ? FINGERPRINT.exec(prints[0]) : null;
  if (match === null) {
    const what = `${who}: its session description names no certificate, several, or one by another hash than SHA-256`;
    throw new TercetError(
      'ERR_IDENTITY_FINGERPRINT',
      what,
      'use a current browser; if you do, somebody changes what is sent: use another network',
    );
  }
  return fromHex(match[1].replaceAll(':', ''));
}
