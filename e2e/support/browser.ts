/** How Chromium is started for the specs. */
import { NO_CHROMIUM, findChromium } from '../../scripts/find-chromium.mjs';

/** Talks to nobody but the pages that are opened. */
export const ARGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
];

/** WebGPU on a machine without a graphics device: SwiftShader computes on the processor. */
export const SOFTWARE_WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

export function chromium(): string {
  const found = findChromium();
  if (found === undefined) throw new Error(NO_CHROMIUM);
  return found;
}
