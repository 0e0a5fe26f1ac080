/** The library of the processor in tests: what `npm run build:native -- --aside` leaves, or what parties take. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { builtLibrary } from '../../src/compute/kernels/wasm/node-worker.ts';
import type { NativeLibrary } from '../../src/compute/kernels/wasm/link.ts';
import { otherTls } from '../../src/net/native/native-socket.ts';
import { loadTls } from '../../src/net/native/native-tls.ts';
import type { OtherTls } from '../../src/net/tls/other-tls.ts';

const aside = fileURLToPath(new URL('../../native/target/release/libtercet_native.so', import.meta.url));

export const library: NativeLibrary | undefined = existsSync(aside) ? { library: aside } : builtLibrary();

/** Who has the TLS of the two ends of a link; undefined is Node. */
export interface Ends {
  readonly name: string;
  readonly connector: OtherTls | undefined;
  readonly listener: OtherTls | undefined;
}

/** Node's TLS at both ends and, where the library was built, every other pair. */
export function tlsEnds(): readonly Ends[] {
  const node: Ends = { name: 'Node to Node', connector: undefined, listener: undefined };
  if (library === undefined) return [node];
  const native = otherTls(loadTls(library.library));
  return [
    node,
    { name: 'Rust to Node', connector: native, listener: undefined },
    { name: 'Node to Rust', connector: undefined, listener: native },
    { name: 'Rust to Rust', connector: native, listener: native },
  ];
}
