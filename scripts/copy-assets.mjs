// Files that the TypeScript compiler does not carry from src to dist.
import { copyFileSync } from 'node:fs';

copyFileSync(new URL('../src/compute/kernels/wasm/tercet.wasm', import.meta.url), new URL('../dist/compute/kernels/wasm/tercet.wasm', import.meta.url));
