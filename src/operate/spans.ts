/**
 * Spans of a service for OpenTelemetry: a request of a gateway, its run, and the session of each compute party, in one
 * trace. They have sizes, times and codes.
 *
 * SECURITY: no content, address, key or caller in a name or an attribute, and nothing that a stranger chose. A caller
 * of a gateway is linked to and never followed: its trace ends where the compute parties' begins. A run that was made
 * ahead of its text has a trace of its own, and the request that used it links to it. test/operate/spans.test.ts.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attributes,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import type { TercetError } from '../core/errors.ts';
import { traceContextOf, traceparentOf } from '../core/trace-context.ts';

/** How a request ended: of fixed lists, as the metrics have it. */
interface RequestEnd {
  readonly operation: string;
  readonly model: string;
  readonly protocol: string;
  readonly status: number;
  readonly code: string | undefined;
  readonly texts: number;
  readonly waitedMs: number;
}

/** What a run is made for. */
export interface RunSizes {
  readonly sequences: number;
  readonly tokens: number;
  readonly steps: number;
  /** Whether there is no text yet. */
  readonly ahead: boolean;
}

/** What a session is for. */
export interface SessionSizes {
  readonly party: 1 | 2;
  /** Of the models that are served. */
  readonly model: string;
  readonly protocol: string;
  readonly weights: string;
  readonly sequences: number;
  readonly tokens: number;
  readonly steps: number;
}

/** Phases of a span, at most: a generated text has four for every token. */
const MOST_PHASES = 64;

export class Spans {
  readonly #tracer = trace.getTracer('tercet');
  readonly #request = new AsyncLocalStorage<Span>();

  /** A request, in a trace of its own. @param traceparent as the caller sent it, or anything else */
  request(traceparent: unknown): RequestSpan {
    const caller = remote(traceparent);
    const links = caller === undefined ? [] : [{ context: caller }];
    const span = this.#start('tercet.request', { kind: SpanKind.SERVER, links }, undefined);
    return {
      within: (work) => this.#request.run(span, work),
      end({ operation, model, protocol, status, code, texts, waitedMs }) {
        span.setAttributes({
          ...{ 'tercet.operation': operation, 'tercet.model': model, 'http.response.status_code': status },
          ...{ 'tercet.protocol': protocol, 'tercet.texts': texts, 'tercet.waited_ms': Math.round(waitedMs) },
        });
        over(span, code);
      },
    };
  }

  /** A run of the data owner: of the request under way, or, where it is made ahead, of none. */
  run({ sequences, tokens, steps, ahead }: RunSizes): RunSpan {
    const attributes = named({ sequences, tokens, steps, ahead });
    const parent = ahead ? undefined : this.#request.getStore()?.spanContext();
    const span = this.#start('tercet.run', { kind: SpanKind.CLIENT, attributes }, parent);
    const own = span.spanContext();
    return {
      traceparent: traceparentOf({ ...own, sampled: (own.traceFlags & TraceFlags.SAMPLED) !== 0 }),
      used: () => {
        const request = this.#request.getStore();
        if (ahead) request?.addLink({ context: own });
      },
      ran: (cost) => void span.setAttributes(named(cost)),
      end: (error) => over(span, error?.code),
    };
  }

  /** A session of a compute party. @param traceparent the owner's, where it sent one */
  session({ party, model, protocol, weights, ...sizes }: SessionSizes, traceparent: string | undefined): SessionSpan {
    const attributes = named({ party, model, protocol, weights, ...sizes });
    const span = this.#start('tercet.session', { kind: SpanKind.SERVER, attributes }, remote(traceparent));
    let [phase, phases] = ['', 0];
    return {
      phase(name) {
        if (name === phase || phases >= MOST_PHASES) return;
        [phase, phases] = [name, phases + 1];
        span.addEvent(name);
      },
      end(outcome, bytes) {
        span.setAttributes(named(bytes));
        if (typeof outcome === 'string') span.setAttribute('tercet.outcome', outcome);
        over(span, typeof outcome === 'string' ? undefined : outcome.code);
      },
    };
  }

  #start(name: string, options: SpanOptions, parent: SpanContext | undefined): Span {
    const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
    return this.#tracer.startSpan(name, options, context);
  }
}

export interface RequestSpan {
  /** Runs that begin in `work` belong to it. */
  within<T>(work: () => T): T;
  end(how: RequestEnd): void;
}

export interface RunSpan {
  /** What goes to the compute parties. */
  readonly traceparent: string;
  /** The request under way uses it. */
  used(): void;
  ran(cost: { readonly rounds: number; readonly sentBytes: number; readonly prepareMs: number }): void;
  end(error?: TercetError): void;
}

export interface SessionSpan {
  phase(name: string): void;
  /** @param bytes of the owner's link */
  end(outcome: string | TercetError, bytes: { readonly sentBytes: number; readonly receivedBytes: number }): void;
}

function remote(traceparent: unknown): SpanContext | undefined {
  const found = traceContextOf(traceparent);
  if (found === undefined) return undefined;
  const { traceId, spanId, sampled } = found;
  return { traceId, spanId, isRemote: true, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE };
}

/** `sentBytes` becomes `tercet.sent_bytes`. */
function named(facts: Readonly<Record<string, string | number | boolean>>): Attributes {
  const name = (key: string) => `tercet.${key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
  return Object.fromEntries(Object.entries(facts).map(([key, value]) => [name(key), value]));
}

/** A code says what went wrong: the words of an error stay here. */
function over(span: Span, code: string | undefined): void {
  if (code !== undefined) {
    span.setAttribute('error.type', code);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}
