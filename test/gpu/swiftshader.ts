/** A WebGPU device for tests: the machine's GPU if Dawn finds one, else SwiftShader, the Vulkan driver in software that Chromium brings along. */
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { type NodeDevice, openNodeDevice } from '../../src/compute/kernels/webgpu/node-device.ts';
import { asTercetError } from '../../src/core/errors.ts';

const LIBRARIES = ['/usr/lib/chromium/libvk_swiftshader.so', '/usr/lib/chromium-browser/libvk_swiftshader.so', '/opt/google/chrome/libvk_swiftshader.so'];

/** Tells the Vulkan loader of this process about SwiftShader. False where it is not installed, or a driver was chosen already. */
function useSwiftShader(): boolean {
  const library = LIBRARIES.find((path) => existsSync(path));
  if (library === undefined || env['VK_ICD_FILENAMES'] !== undefined) return false;
  const description = join(mkdtempSync(join(tmpdir(), 'tercet-icd-')), 'swiftshader.json');
  writeFileSync(description, JSON.stringify({ file_format_version: '1.0.0', ICD: { library_path: library, api_version: '1.1.0' } }));
  env['VK_ICD_FILENAMES'] = description;
  return true;
}

/** @throws {TercetError} ERR_DEVICE_UNAVAILABLE where there is neither. */
export async function openTestDevice(): Promise<NodeDevice> {
  try {
    return await openNodeDevice();
  } catch (error) {
    if (asTercetError(error).code !== 'ERR_DEVICE_UNAVAILABLE' || !useSwiftShader()) throw error;
    return openNodeDevice();
  }
}
