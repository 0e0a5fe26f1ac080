/** Who has the TLS of a party's links: the library of the processor where the party computes by it, or Node. */
import { builtLibrary } from '../compute/kernels/wasm/node-worker.ts';
import type { NativeLibrary } from '../compute/kernels/wasm/link.ts';
import { asTercetError } from '../core/errors.ts';
import { otherTls } from '../net/native/native-socket.ts';
import { loadTls } from '../net/native/native-tls.ts';
import type { OtherTls } from '../net/tls/other-tls.ts';
import { type Device, mayHaveGpu } from './devices.ts';

export interface LinkTls {
  /** Undefined: Node's. */
  readonly tls: OtherTls | undefined;
  /** For people; undefined where nobody could have expected another. */
  readonly summary: string | undefined;
  /** When its links have closed, or after two seconds. */
  close(): Promise<void>;
}

const nothing = async (): Promise<void> => undefined;

/** Node's where the library lacks it, and says why. Known before the device is open: links come first. */
export function linkTls(device: Device, library: NativeLibrary | undefined = builtLibrary()): LinkTls {
  const native = device === 'native' || (device === 'auto' && !mayHaveGpu());
  if (!native || library === undefined) return { tls: undefined, summary: undefined, close: nothing };
  try {
    const tls = loadTls(library.library);
    return { tls: otherTls(tls), summary: 'TLS in a thread of Rust', close: () => tls.close() };
  } catch (error) {
    return { tls: undefined, summary: `TLS of Node, for ${asTercetError(error).message}`, close: nothing };
  }
}
