/**
 * A WebGPU device for tests: the machine's GPU if Dawn finds one, else SwiftShader. Which of them is found out by
 * scripts/probe-webgpu.mjs, in a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { env, execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { type NodeDevice, openNodeDevice } from '../../src/compute/kernels/webgpu/node-device.ts';

let probed = false;

/** @throws {TercetError} ERR_DEVICE_UNAVAILABLE where there is neither. */
export async function openTestDevice(): Promise<NodeDevice> {
  if (!probed) {
    probed = true;
    const { status, stdout } = spawnSync(
      execPath,
      [fileURLToPath(new URL('../../scripts/probe-webgpu.mjs', import.meta.url))],
      { encoding: 'utf8' },
    );
    const { icd } = (status === 0 ? JSON.parse(stdout) : {}) as { readonly icd?: string };
    // Before Dawn is loaded here: the Vulkan loader reads it then.
    if (icd !== undefined) env['VK_ICD_FILENAMES'] = icd;
  }
  return openNodeDevice();
}
