/** Which connections count as one stranger's. */

/**
 * The part of an address that one stranger cannot choose freely: an IPv4 address as a whole, of an IPv6 address its
 * network (the first 64 bits).
 * @example addressGroup('::ffff:192.0.2.7') // '192.0.2.7'
 */
export function addressGroup(address: string | undefined): string {
  if (address === undefined || address === '') return 'unknown';
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address);
  if (mapped !== null) return mapped[1];
  if (!address.includes(':')) return address;
  const [head, tail] = address.split('%')[0].split('::');
  const words = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : 8 - words.length - behind.length;
  const all = [...words, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...behind];
  return `${all
    .slice(0, 4)
    .map((word) => word.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
