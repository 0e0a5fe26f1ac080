// Empties dist/: a module that moved must not ship from where it was.
import { rmSync } from 'node:fs';

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
