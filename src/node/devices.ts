/** Devices that a user may ask for. Apart from the kernels: a command that refuses its flags loads none. */
import { existsSync, readdirSync } from 'node:fs';

export const DEVICES = ['auto', 'wasm', 'native', 'webgpu'] as const;
export type Device = (typeof DEVICES)[number];

/** Whether a search for a graphics device is worth its time: on Linux one has a file, elsewhere there is always one. */
export function mayHaveGpu(): boolean {
  if (process.platform !== 'linux') return true;
  return (
    existsSync('/dev/nvidiactl') ||
    (existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('renderD')))
  );
}
