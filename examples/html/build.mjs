// All that there is to build: the package's folder for browsers, beside the page.
import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const from = new URL('./dist/web', import.meta.resolve('tercet/package.json'));
cpSync(fileURLToPath(from), new URL('./public/tercet', import.meta.url), { recursive: true });
