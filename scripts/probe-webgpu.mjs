// Looks for a WebGPU adapter for Dawn in Node: the machine's GPU, else SwiftShader (the Vulkan driver in software
// that Chromium brings along). Prints one line of JSON: { "adapter": name, "icd": value for VK_ICD_FILENAMES, if it
// must be set } or { "reason": why there is none }. Exit code 0 or 1. A process of its own: a driver that does not
// work may take the process with it, and the Vulkan loader reads the environment once.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LIBRARIES = [
  '/usr/lib/chromium/libvk_swiftshader.so',
  '/usr/lib/chromium-browser/libvk_swiftshader.so',
  '/opt/google/chrome/libvk_swiftshader.so',
];

/** The adapter that Dawn finds with this environment, or why there is none. */
async function look() {
  try {
    const { create } = await import('webgpu');
    const gpu = create([]);
    const adapter = await gpu.requestAdapter();
    return adapter === null
      ? { reason: 'Dawn finds no adapter' }
      : { adapter: adapter.info.description || adapter.info.vendor };
  } catch (error) {
    return { reason: `the package "webgpu" does not load (${error.code ?? error.message})` };
  }
}

/** A driver description that names the library by its absolute path. */
function description() {
  const library = LIBRARIES.find((path) => existsSync(path));
  if (library === undefined) return undefined;
  const path = join(mkdtempSync(join(tmpdir(), 'tercet-icd-')), 'swiftshader.json');
  writeFileSync(
    path,
    JSON.stringify({ file_format_version: '1.0.0', ICD: { library_path: library, api_version: '1.1.0' } }),
  );
  return path;
}

const here = await look();
let found = here;
if (here.adapter === undefined && process.env.VK_ICD_FILENAMES === undefined) {
  const icd = description();
  if (icd === undefined)
    found = { reason: `${here.reason}, and SwiftShader is not installed (apt-get install chromium libvulkan1)` };
  else {
    const again = spawnSync(process.execPath, [fileURLToPath(import.meta.url)], {
      encoding: 'utf8',
      env: { ...process.env, VK_ICD_FILENAMES: icd },
    });
    found =
      again.status === 0 ? { ...JSON.parse(again.stdout), icd } : { reason: `${here.reason}, nor with SwiftShader` };
  }
}
// Dawn would keep the process alive.
process.stdout.write(`${JSON.stringify(found)}\n`, () => process.exit(found.adapter === undefined ? 1 : 0));
