/** The document for people: one page without scripts, which loads nothing. */
import { createHash } from 'node:crypto';
import { OPERATIONS, type Operation } from './operations.ts';
import { TRUST } from './openapi.ts';
import { STATUSES } from './problem.ts';
import { z } from 'zod';

const STYLE = [
  'body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f;background:#fff}',
  'table{border-collapse:collapse;width:100%}',
  'td,th{border:1px solid #8a8a94;padding:.3rem .5rem;text-align:left;vertical-align:top}',
  'code,pre{font:14px/1.4 ui-monospace,monospace}pre{overflow:auto;background:#f1f1f4;padding:.8rem}',
  '.trust{border-left:.4rem solid #a4300d;padding-left:.8rem;font-weight:600}',
  '@media(prefers-color-scheme:dark){body{color:#ececf1;background:#17171b}pre{background:#26262c}a{color:#9db8ff}}',
].join('\n');

/** What a browser may do with the page: nothing but show it. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

function fields({ request }: Operation): string {
  const rows = Object.entries(request.shape).map(([name, type]) => {
    const optional = type instanceof z.ZodOptional;
    const meta = (optional ? (type.unwrap() as z.ZodType) : (type as z.ZodType)).meta();
    const [expects, description] = [String(meta?.['expects'] ?? ''), String(meta?.description ?? '')];
    const label = `<code>${name}</code>${optional ? '' : ' (needed)'}`;
    return `<tr><td>${label}</td><td>${escaped(expects)}</td><td>${escaped(description)}</td></tr>`;
  });
  return `<table><tr><th>field</th><th>value</th><th></th></tr>${rows.join('')}</table>`;
}

const CURL = `curl -X POST http://localhost:8080/api/v1/inference \\
  -H "Content-Type: application/json" \\
  -d '{"text": "The capital of France is [MASK].", "model": "bert-base-uncased", "security_level": 128, "top_k": 5}'`;

/** @param models names that are served; none where only callers with a key may know */
export function documentPage(models: readonly string[]): string {
  const list = models.map((model) => `<code>${escaped(model)}</code>`).join(', ');
  const operations = OPERATIONS.map(
    (operation) =>
      `<h2 id="${operation.name}">POST /api/v1/${operation.name}</h2>` +
      `<p>${escaped(operation.summary)}</p>${fields(operation)}`,
  );
  const codes = STATUSES.map(
    ([code, status, detail]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${escaped(detail)}</td></tr>`,
  );
  return [
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Tercet gateway</title>',
    `<meta name="viewport" content="width=device-width"><style>${STYLE}</style>`,
    `<p class="trust">${escaped(TRUST)}</p><h1>Tercet gateway</h1>`,
    '<p>The same for programs: <a href="/openapi.json">openapi.json</a>.',
    `${models.length === 0 ? '' : `Models here: ${list}.`}</p>`,
    '<h2>POST /api/v1/inference</h2>',
    '<p>Whatever the model’s own task is; its fields are those of that task below.</p>',
    `<pre>${escaped(CURL)}</pre>`,
    ...operations,
    '<h2>GET /api/v1/models</h2><p>The models that are served.</p>',
    '<h2>Errors</h2><p>They are <code>application/problem+json</code> with <code>code</code>, <code>detail</code>,',
    '<code>hint</code> and <code>request_id</code>. Codes that are not here are failures of a party (502) or of this',
    'server (500).</p>',
    `<table><tr><th>code</th><th>status</th><th></th></tr>${codes.join('')}</table></html>`,
  ].join('\n');
}
