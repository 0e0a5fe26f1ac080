/** Kernels of a Node process, by the device that the user asked for. */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { type WasmKernels, createWasmKernels } from '../compute/kernels/wasm/kernels.ts';
import type { Fold } from '../compute/fold.ts';
import { WasmFold } from '../compute/kernels/wasm/fold.ts';
import {
  builtLibrary,
  loadNodeFoldModule,
  loadNodeProofModule,
  nodeBackend,
} from '../compute/kernels/wasm/node-worker.ts';
import type { NativeLibrary } from '../compute/kernels/wasm/link.ts';
import { copyShared, linkProofs } from '../compute/kernels/wasm/node-native.ts';
import type { RingKernels } from '../compute/kernels/types.ts';
import { collectNow } from '../core/collect-node.ts';
import { TercetError, asTercetError } from '../core/errors.ts';
import type { Proving } from '../session/proving.ts';
import { type Device, mayHaveGpu } from './devices.ts';

export interface NodeKernels {
  readonly kernels: RingKernels;
  /** Device and its limits, for people. */
  readonly summary: string;
  /** Why `auto` did not take a graphics device. */
  readonly fallback: string | undefined;
  /** Of a graphics device: where proofs are made beside it, and why, for people. */
  readonly proves?: string | undefined;
  close(): Promise<void>;
}

/**
 * @param threads workers beside the main thread, which is kept for the links.
 * @throws {TercetError} ERR_DEVICE_UNAVAILABLE for a device that was asked for by name and is not there; `auto` takes
 * native kernels then, or WebAssembly.
 */
export async function nodeKernels(device: Device, threads: number): Promise<NodeKernels> {
  if (device === 'wasm') return wasm(threads, undefined);
  if (device === 'native') return openNative(builtLibrary(), threads);
  if (device === 'auto' && !mayHaveGpu()) return processor(threads, 'no graphics device was found', builtLibrary());
  try {
    return await webGpu(device === 'auto');
  } catch (error) {
    if (device === 'webgpu') throw error;
    return processor(threads, asTercetError(error).message, builtLibrary());
  }
}

/** The device of kernels that were opened, by which their party proves. */
export function deviceOf({ name }: RingKernels): Device {
  return name === 'webgpu' || name === 'native' ? name : 'wasm';
}

/** WebAssembly kernels: also what the plaintext comparison and the model owner's tools use. */
export async function wasmKernels(threads: number): Promise<WasmKernels> {
  return createWasmKernels(await nodeBackend(threads));
}

/**
 * What a party of this process proves with. Loaded by whoever serves or asks for proofs.
 * @param device that the party was told to take. One that is asked for by name proves too; `auto` does not take one,
 * because it was measured on no graphics hardware yet
 * @param library the kernels as a library of this processor, which `native` proves with
 * @throws {TercetError} ERR_DEVICE_UNAVAILABLE for `native` where none was built, and where it does not load
 */
export async function nodeProving(device: Device = 'wasm', library = builtLibrary()): Promise<Proving> {
  const [{ provingWith }, { symmetric }, { WasmProofKernels }, { ThreadedProofKernels }, { nodeProofThread }] =
    await Promise.all([
      import('../session/proved-session.ts'),
      import('../session/symmetric.ts'),
      import('../compute/kernels/wasm/proof.ts'),
      import('../compute/kernels/wasm/proof-thread.ts'),
      import('../compute/kernels/wasm/proof-worker.ts'),
    ]);
  const module = device === 'native' ? built(library) : await loadNodeProofModule();
  const open = () => new WasmProofKernels(linkProofs(module));
  const near = device === 'native' ? await loaded(open) : open();
  const kernels = new ThreadedProofKernels(near, module, nodeProofThread, { copyShared });
  if (device !== 'webgpu') return provingWith({ kernels, symmetric, collect: collectNow });
  const { besideDevice } = await import('../compute/kernels/webgpu/proof-engine.ts');
  return provingWith({ kernels, symmetric, collect: collectNow, ...besideDevice(kernels, () => wasmKernels(0)) });
}

/** What weights are folded and encoded by, in the calling thread. */
export async function wasmFold(): Promise<Fold> {
  return new WasmFold(await loadNodeFoldModule());
}

/**
 * The kernels as a library of this processor.
 * @throws {TercetError} ERR_DEVICE_UNAVAILABLE where none was built, and where it does not load
 */
export async function openNative(library: NativeLibrary | undefined, threads: number): Promise<NodeKernels> {
  const backend = await nodeBackend(threads, built(library));
  const kernels = await loaded(() => createWasmKernels(backend));
  const lanes = process.arch === 'arm64' ? 'NEON' : 'AVX2';
  const summary = `native kernels (${lanes}), ${threads} worker threads`;
  return { kernels, summary, fallback: undefined, close: () => kernels.close() };
}

function built(library: NativeLibrary | undefined): NativeLibrary {
  if (library !== undefined) return library;
  throw new TercetError(
    'ERR_DEVICE_UNAVAILABLE',
    'no native kernels were built here',
    'run npm run build:native where cargo is, or use --device wasm',
  );
}

/** What opens a library, with the reason for a refusal. */
async function loaded<T>(open: () => T | Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (cause) {
    throw new TercetError(
      'ERR_DEVICE_UNAVAILABLE',
      'the native kernels that were built do not load here',
      'run npm run build:native on this machine, or use --device wasm',
      { cause },
    );
  }
}

/** What `auto` takes without a graphics device: the library where one was built, or WebAssembly, and why. */
export async function processor(
  threads: number,
  noGraphics: string,
  library: NativeLibrary | undefined,
): Promise<NodeKernels> {
  if (library === undefined) return wasm(threads, noGraphics);
  try {
    return { ...(await openNative(library, threads)), fallback: noGraphics };
  } catch (error) {
    return wasm(threads, `${noGraphics}, and ${asTercetError(error).message}`);
  }
}

async function wasm(threads: number, fallback: string | undefined): Promise<NodeKernels> {
  const kernels = await wasmKernels(threads);
  return { kernels, summary: `WebAssembly, ${threads} worker threads`, fallback, close: () => kernels.close() };
}

/** Longest time for a driver to start. */
const PROBE_MS = 30_000;

/**
 * Whether Dawn finds a device, found out in a process of its own: a driver that does not work may take its process
 * with it, and says so in lines of its own.
 */
async function dawnFindsDevice(): Promise<boolean> {
  let dawn: string;
  try {
    dawn = pathToFileURL(createRequire(import.meta.url).resolve('webgpu')).href;
  } catch {
    throw new TercetError(
      'ERR_DEVICE_UNAVAILABLE',
      'no WebGPU: the package "webgpu" is not installed',
      'run npm install webgpu, or use --device wasm',
    );
  }
  const look = `const { create } = await import(${JSON.stringify(dawn)}); process.exit((await create([]).requestAdapter()) === null ? 1 : 0);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', look], { stdio: 'ignore', timeout: PROBE_MS });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

/** Dawn is loaded here and nowhere else: a process that does not ask for it does not have it. */
async function webGpu(hardwareOnly: boolean): Promise<NodeKernels> {
  if (!(await dawnFindsDevice())) {
    throw new TercetError(
      'ERR_DEVICE_UNAVAILABLE',
      'no WebGPU: there is no graphics device that it could use',
      'use --device wasm, or --device auto',
    );
  }
  const [{ openNodeDevice }, { createWebGpuKernels }] = await Promise.all([
    import('../compute/kernels/webgpu/node-device.ts'),
    import('../compute/kernels/webgpu/kernels.ts'),
  ]);
  const opened = await openNodeDevice();
  if (hardwareOnly && opened.software) {
    opened.close();
    throw new TercetError(
      'ERR_DEVICE_UNAVAILABLE',
      `the only graphics device is software (${opened.adapter})`,
      'use --device webgpu to take it anyway',
    );
  }
  const kernels = await createWebGpuKernels(opened);
  const { maxStorageBufferBindingSize, maxBufferSize } = opened.device.limits;
  const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  const summary = `WebGPU, ${opened.adapter} (buffers to ${mebibytes(maxBufferSize)}, bindings to ${mebibytes(maxStorageBufferBindingSize)})`;
  const proves = opened.software
    ? 'proves in WebAssembly, for the device is a driver in software'
    : hardwareOnly
      ? 'proves in WebAssembly, for the device was not asked for by name'
      : 'proves there what is long, the rest in WebAssembly';
  return { kernels, summary, fallback: undefined, proves, close: () => kernels.close() };
}

/** Peak resident memory of this process in bytes. */
export function peakMemory(): number {
  return process.resourceUsage().maxRSS * 1024;
}
