/** Runs in the page of chromium.test.ts: opens the page's own device and answers calls of kernels. */
import { type WebGpuKernels, createWebGpuKernels, requestDevice } from '../../src/compute/kernels/webgpu/kernels.ts';
import type { Matrix } from '../../src/compute/kernels/types.ts';
import { asTercetError } from '../../src/core/errors.ts';
import { onHost } from '../support/host-kernels.ts';
import { type Answer, type MatrixReference, decode, encode } from './remote.ts';

declare global {
  interface Window {
    openKernels(): Promise<string>;
    callKernels(method: string, args: string): Promise<string>;
  }
}

let kernels: WebGpuKernels | undefined;
const matrices: Matrix[] = [];

function isReference(value: unknown): value is MatrixReference {
  return typeof value === 'object' && value !== null && 'reference' in value;
}

window.openKernels = async () => {
  const opened = await requestDevice(navigator.gpu);
  kernels = await createWebGpuKernels(opened);
  return JSON.stringify(kernels.describe());
};

window.callKernels = async (method, args) => {
  let answer: Answer;
  try {
    if (kernels === undefined) throw new Error('no kernels');
    const given = (decode(JSON.parse(args)) as unknown[]).map((value) =>
      isReference(value) ? matrices[value.reference] : value,
    );
    const call = Reflect.get(onHost(kernels), method) as (...operands: unknown[]) => Promise<unknown>;
    const value = await call(...given);
    if (method === 'loadMatrix') {
      const { rows, cols, entries } = value as Matrix;
      const reference: MatrixReference = { rows, cols, entries, reference: matrices.push(value as Matrix) - 1 };
      answer = { value: reference };
    } else answer = { value };
  } catch (error) {
    const { code, message, hint } = asTercetError(error);
    answer = { error: { code, message, hint } };
  }
  return JSON.stringify(encode(answer));
};
