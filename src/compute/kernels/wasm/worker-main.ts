/** The worker's side: one instance that answers requests in order. Knows neither Node nor a browser. */
import { letGo } from '../../../core/let-go.ts';
import type { WasmOptions } from './dispatch.ts';
import { kernelFailure } from './failure.ts';
import { KernelInstance } from './instance.ts';
import type { Link } from './memory.ts';
import type { Reply, Request, Result, ServicePort } from './messages.ts';
import { buffersOf } from './workers.ts';

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
    // What was handed over is read: tables, and what matrices were copied from.
    if (request.kind === 'call')
      for (const buffer of buffersOf(request.args)) if (buffer.byteLength > 0) letGo(new Uint8Array(buffer));
    if (request.kind === 'collect') port.collect?.();
  });
}
