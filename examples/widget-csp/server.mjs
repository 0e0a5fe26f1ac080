// A newspaper's own server, with a policy that allows one script and one frame of the widget's server and no more.
//   TERCET=https://tercet.example/ node server.mjs
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

const tercet = new URL(process.env.TERCET ?? 'http://127.0.0.1:8420/');
const { script, integrity } = await (await fetch(new URL('widget.json', tercet))).json();

const POLICY = [
  "default-src 'none'",
  `script-src 'self' ${tercet.origin}`,
  `frame-src ${tercet.origin}`,
  "style-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');
const TYPES = { html: 'text/html', css: 'text/css', js: 'text/javascript' };
const FILES = new Map(['index.html', 'style.css', 'page.js'].map((name) => [`/${name}`, name]));
FILES.set('/', 'index.html');

const server = createServer(async ({ url }, response) => {
  const name = FILES.get(url);
  if (name === undefined) return response.writeHead(404).end();
  const text = await readFile(new URL(`public/${name}`, import.meta.url), 'utf8');
  const page = text.replace('{{script}}', new URL(script, tercet).href).replace('{{integrity}}', integrity);
  response.writeHead(200, { 'content-type': TYPES[name.split('.')[1]], 'content-security-policy': POLICY }).end(page);
});
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () =>
  console.log(`The Daily Stranger is at http://localhost:${server.address().port}/`),
);
