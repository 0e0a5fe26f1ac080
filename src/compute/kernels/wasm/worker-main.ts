/** The worker's side: one instance that answers requests in order. Knows neither Node nor a browser. */
import { isShared } from '../../ring.ts';
import type { WasmOptions } from './dispatch.ts';
import { kernelFailure } from './failure.ts';
import { KernelInstance } from './instance.ts';
import type { Link } from './link.ts';
import type { Reply, Request, Result, ServicePort } from './messages.ts';

/** Bytes that matrices leave behind before they are collected: a collection costs as much as to copy 10 MB. */
const COLLECT_BYTES = 32 * 2 ** 20;

/** What a matrix leaves behind when it is loaded from a copy: all its entries. From shared memory, nothing. */
function garbageOf({ op, args }: Extract<Request, { kind: 'call' }>): number {
  if (op !== 'loadMatrix' && op !== 'loadPanels') return 0;
  const entries = args[1] as ArrayBufferView;
  return isShared(entries) ? 0 : entries.byteLength;
}

function buffers(value: Result): ArrayBuffer[] {
  if (value === undefined) return [];
  if (!ArrayBuffer.isView(value) && !('data' in value)) return value.map(({ data }) => data.buffer as ArrayBuffer);
  return [('data' in value ? value.data : value).buffer as ArrayBuffer];
}

/** One operation. A result that belongs into shared memory is written there, and nothing is to be sent back. */
function call(instance: KernelInstance, { op, args, into }: Extract<Request, { kind: 'call' }>): Result {
  const operation = instance[op] as (...args: readonly unknown[]) => Result;
  if (into === undefined) return operation.apply(instance, args as unknown[]);
  instance.within({ take: () => into }, () => operation.apply(instance, args as unknown[]));
  return undefined;
}

/**
 * Serves the kernels on a port, for as long as it delivers messages.
 * @param party what a compute party's kernels do besides
 * @param link makes instances, where there is more than WebAssembly
 */
export function serveKernels(port: ServicePort, party?: WasmOptions['party'], link?: Link): void {
  let instance: KernelInstance | undefined;
  let garbage = 0;
  port.onMessage((message) => {
    const request = message as Request;
    let reply: Reply;
    let transfer: ArrayBuffer[] = [];
    try {
      let value: Result;
      if (request.kind === 'start') {
        instance = new KernelInstance(link?.(request.module) ?? (request.module as WebAssembly.Module), party);
        // While the model is being loaded: nobody waits for the answer to a start.
        instance.warmUp();
      } else if (request.kind === 'call') {
        value = call(instance as KernelInstance, request);
      }
      transfer = buffers(value);
      reply = { id: request.id, value };
    } catch (error) {
      const { code, message: what, hint } = kernelFailure(error);
      reply = { id: request.id, error: { code, what, hint } };
    }
    port.postMessage(reply, transfer);
    // What matrices were copied from is garbage now, and larger than all else that this thread ever holds.
    if (request.kind === 'call') garbage += garbageOf(request);
    if (garbage >= COLLECT_BYTES || request.kind === 'collect') {
      garbage = 0;
      port.collect?.();
    }
  });
}
