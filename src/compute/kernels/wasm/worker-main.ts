/** The worker's side: one instance that answers requests in order. Knows neither Node nor a browser. */
import { TercetError } from '../../../core/errors.ts';
import { KernelInstance } from './instance.ts';
import type { Reply, Request, Result, ServicePort } from './messages.ts';

function buffers(value: Result): ArrayBuffer[] {
  if (value === undefined) return [];
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
      if ('module' in request) {
        instance = new KernelInstance(request.module);
      } else {
        const operation = instance?.[request.op] as (...args: readonly unknown[]) => Result;
        value = operation.apply(instance, request.args as unknown[]);
      }
      transfer = buffers(value);
      reply = { id: request.id, value };
    } catch (error) {
      // Of a trap only the name: a message of the engine is not ours to vouch for.
      const {
        code,
        message: what,
        hint,
      } = error instanceof TercetError
        ? error
        : new TercetError('ERR_KERNEL', `a kernel failed: ${error instanceof Error ? error.name : 'failure'}`, 'start the backend again');
      reply = { id: request.id, error: { code, what, hint } };
    }
    port.postMessage(reply, transfer);
  });
}
