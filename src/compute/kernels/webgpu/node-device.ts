/**
 * Dawn in Node: WebGPU by the optional package `webgpu`. Nothing else imports it.
 *
 * Dawn keeps the process alive while its entry object is referenced, and sometimes after (dawn-gpu/node-webgpu#18):
 * whoever opened a device ends with process.exit once its output is flushed. A crash of the driver ends the
 * process. Without a GPU, Dawn finds SwiftShader when VK_ICD_FILENAMES names its driver file.
 */
import { env } from 'node:process';
import { type OpenedDevice, requestDevice, unavailable } from './device.ts';

/** Its `close` also lets go of Dawn's entry object, with the last device. */
export type NodeDevice = OpenedDevice;

/** The entry object, kept here: it must outlive its devices, and one object must not be made per device. */
let gpu: GPU | undefined;
let open = 0;

async function entry(): Promise<GPU> {
  if (gpu !== undefined) return gpu;
  const { create } = await import('webgpu').catch((cause: unknown) => {
    throw unavailable(
      'the package "webgpu" is not installed',
      'run npm install webgpu, or use the device "wasm"',
      cause,
    );
  });
  gpu ??= create([]);
  return gpu;
}

/** @throws {TercetError} ERR_DEVICE_UNAVAILABLE when the package or a GPU is missing. */
export async function openNodeDevice(): Promise<NodeDevice> {
  const opened = await requestDevice(await entry()).catch((error: unknown) => {
    if (open === 0) gpu = undefined;
    throw env['VK_ICD_FILENAMES'] === undefined
      ? error
      : unavailable(
          'no GPU among the drivers of VK_ICD_FILENAMES',
          'correct VK_ICD_FILENAMES, or use the device "wasm"',
          error,
        );
  });
  open++;
  let closed = false;
  return {
    ...opened,
    close: () => {
      if (closed) return;
      closed = true;
      opened.close();
      open--;
      if (open === 0) gpu = undefined;
    },
  };
}
