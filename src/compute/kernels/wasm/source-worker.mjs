// Starts a thread from the TypeScript module that its first argument names, for tests: Node 20 cannot strip types
// itself, so the few modules are stripped with the transformer that the test runner brings (a development
// dependency), and loaded from data: URLs. Not part of the build.
import { readFileSync } from 'node:fs';
import { transformSync } from 'rolldown/utils';

const loaded = new Map();

/**
 * The data: URL of a module whose relative imports are data: URLs too. Equal text gives equal URLs, so a module
 * shared by two is one module.
 */
function load(url) {
  const known = loaded.get(url.href);
  if (known !== undefined) return known;
  const { code, errors } = transformSync(url.pathname, readFileSync(url, 'utf8'), { sourcemap: false });
  if (errors.length > 0) throw new Error(`cannot strip the types of ${url.pathname}`);
  const linked = code.replace(
    /(from|import)\s*(["'])(\.[^"']*)\2/g,
    (_, word, quote, path) => `${word} ${quote}${load(new URL(path, url))}${quote}`,
  );
  const data = `data:text/javascript;base64,${Buffer.from(linked).toString('base64')}`;
  loaded.set(url.href, data);
  return data;
}

await import(load(new URL(process.argv[2])));
