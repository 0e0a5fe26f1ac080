/** Spans for whoever registered an OpenTelemetry SDK in this process before it began; else nothing is even loaded. */
import type { Spans } from './spans.ts';

/** Where every copy of `@opentelemetry/api` in a process keeps what was registered. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1');

/** What makes spans, where somebody takes them. */
export async function openSpans(): Promise<Spans | undefined> {
  const registered = (globalThis as { readonly [REGISTERED]?: { readonly trace?: unknown } })[REGISTERED];
  if (registered?.trace === undefined) return undefined;
  const { Spans } = await import('./spans.ts');
  return new Spans();
}
