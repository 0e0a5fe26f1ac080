// `npm run api`: writes docs/api/tercet.api.md. With --check it compares, and fails where they differ.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { openProject, report } from './public-api.mjs';

const FILE = new URL('../docs/api/tercet.api.md', import.meta.url);
const text = report(openProject());
if (process.argv.includes('--check')) {
  let kept = '';
  try {
    kept = readFileSync(FILE, 'utf8');
  } catch {
    // There is none yet.
  }
  if (kept !== text) {
    console.error('docs/api/tercet.api.md is not what src/sdk exports: run npm run api, and look at the difference');
    process.exit(1);
  }
} else {
  mkdirSync(new URL('.', FILE), { recursive: true });
  writeFileSync(FILE, text);
}
