/**
 * Options in the address of the page. It takes none: somebody who asks for a protocol there must not type a text in
 * the belief that it is in force. Parts of the page are named after a `#`, and that is all.
 */
export function asksForSomething(
  { search, hash }: Pick<Location, 'search' | 'hash'>,
  hasPart: (id: string) => boolean,
): boolean {
  return search.length > 1 || (hash.length > 1 && !hasPart(hash.slice(1)));
}
