import { fileURLToPath } from 'node:url';

/** The program that a child process runs: this command line, compiled. Layers below are told it, and know no path. */
export const ENTRY = fileURLToPath(new URL('./main.js', import.meta.url));
