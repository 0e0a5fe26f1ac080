/** A session description like Chromium's, with a certificate of the test's choice. */
export function description(print: number): string {
  const lines = [
    'v=0',
    'o=- 1 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'a=msid-semantic: WMS',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  ];
  const attributes = [
    'c=IN IP4 0.0.0.0',
    'a=ice-ufrag:abcd',
    'a=ice-pwd:abcdefghijklmnopqrstuv',
    `a=fingerprint:sha-256 ${fingerprint(print)}`,
    'a=setup:actpass',
    'a=mid:0',
    'a=sctp-port:5000',
  ];
  return [...lines, ...attributes, 'a=max-message-size:262144', ''].join('\r\n');
}

export function fingerprint(print: number): string {
  return Array.from({ length: 32 }, () => print.toString(16).padStart(2, '0').toUpperCase()).join(':');
}
