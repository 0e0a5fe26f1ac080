/** The worker's side: one instance that answers requests in order. Knows neither Node nor a browser. */
import { kernelFailure } from './failure.ts';
import { KernelInstance } from './instance.ts';
import type { Reply, Request, Result, ServicePort } from './messages.ts';

function buffers(value: Result): ArrayBuffer[] {
  if (value === undefined) return [];
  if (!ArrayBuffer.isView(value) && !('data' in value)) return value.map(({ data }) => data.buffer as ArrayBuffer);
  return [('data' in value ? value.data : value).buffer as ArrayBuffer];
}

/** Serves the kernels on a port, for as long as it delivers messages. */
export function serveKernels(port: ServicePort): void {
  let instance: KernelInstance | undefined;
  port.onMessage((message) => {
    const request = message as Request;
    let reply: Reply;
    let transfer: ArrayBuffer[] = [];
    try {
      let value: Result;
      if (request.kind === 'start') {
        instance = new KernelInstance(request.module);
        // While the model is being loaded: nobody waits for the answer to a start.
        instance.warmUp();
      } else {
        const operation = instance?.[request.op] as (...args: readonly unknown[]) => Result;
        value = operation.apply(instance, request.args as unknown[]);
      }
      transfer = buffers(value);
      reply = { id: request.id, value };
    } catch (error) {
      const { code, message: what, hint } = kernelFailure(error);
      reply = { id: request.id, error: { code, what, hint } };
    }
    port.postMessage(reply, transfer);
    // What the matrix was copied from is garbage now, and larger than all else that this thread ever holds.
    if (request.kind === 'call' && request.op === 'loadMatrix') port.collect?.();
  });
}
