/** A Node thread of the proofs' kernels: its entry, and what starts it. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../../../core/errors.ts';
import type { FoldedTable } from '../proof-types.ts';
import { kernelFailure } from './failure.ts';
import type { ServicePort, WorkerPort } from './messages.ts';
import { linkProofs } from './node-native.ts';
import { startThread } from './node-thread.ts';
import type { ProofReply, ProofRequest } from './proof-messages.ts';
import { WasmProofKernels } from './proof.ts';

/** Tells such a thread from any other that imports this file. */
const ROLE = 'tercet-proofs';

/** What starts a thread for `ThreadedProofKernels`. */
export function nodeProofThread(): WorkerPort {
  return startThread(import.meta.url, ROLE);
}

/** Serves the kernels on a port, one operation after the other. */
function serveProofs(port: ServicePort): void {
  const tables = new Map<number, FoldedTable>();
  let kernels: WasmProofKernels | undefined;
  let last = 0;
  const answered = async (request: ProofRequest): Promise<unknown> => {
    if (request.kind === 'start') {
      kernels = new WasmProofKernels(linkProofs(request.module));
      return undefined;
    }
    const { op } = request;
    const args = request.args.map((value) => {
      if (!isDistant(value)) return value;
      const table = tables.get(value.distant);
      if (op === 'freeTable') tables.delete(value.distant);
      invariant(table !== undefined || op === 'freeTable', 'a table of these kernels, which is not freed');
      return table;
    });
    if (op === 'freeTable' && args[0] === undefined) return undefined;
    invariant(kernels !== undefined, 'a thread of the proofs that was not started');
    const value = await (kernels[op] as (...values: unknown[]) => unknown).apply(kernels, args);
    if (op !== 'loadTable') return value;
    tables.set(++last, value as FoldedTable);
    return last;
  };
  let turn: Promise<void> = Promise.resolve();
  port.onMessage((message) => {
    const request = message as ProofRequest;
    turn = turn.then(async () => {
      let reply: ProofReply;
      try {
        reply = { id: request.id, value: await answered(request) };
      } catch (error) {
        const { code, message: what, hint } = kernelFailure(error);
        reply = { id: request.id, error: { code, what, hint } };
      }
      port.postMessage(reply, 'value' in reply ? buffersOf(reply.value) : []);
    });
  });
}

function isDistant(value: unknown): value is { readonly distant: number } {
  return typeof value === 'object' && value !== null && 'distant' in value;
}

/** Of a vector, or of words. */
function buffersOf(value: unknown): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) return [value.buffer as ArrayBuffer];
  return typeof value === 'object' && value !== null && 'data' in value ? buffersOf(value.data) : [];
}

if (!isMainThread && workerData === ROLE && parentPort !== null) {
  const port = parentPort;
  serveProofs({
    postMessage: (message, transfer) => port.postMessage(message, transfer),
    onMessage: (handler) => port.on('message', handler),
  });
}
