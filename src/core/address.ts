/**
 * Which addresses carry trust: what comes from there is from there, and what is said there is heard by nobody else.
 * One rule for everything that pins, proves or opens something: the deployment document, its page's server,
 * parties, and a hub that is shown a token. SECURITY: test/core/address.test.ts.
 */

/** Whether a host name, as in a URL or as typed, can only mean this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * `https:`, or plain `http:` to this machine. False for what is no address, and for one that names a user: that is
 * read as the host too easily.
 */
export function carriesTrust(address: string | URL): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, username, password } = new URL(address);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}
