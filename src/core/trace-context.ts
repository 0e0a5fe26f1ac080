/**
 * A trace context as it travels (W3C Trace Context, Level 1, section 3.2): which trace and span something belongs to.
 * It names nothing else, and is as long as it may be.
 *
 * SECURITY: whoever sends one chooses it. It joins spans, and is no label, no key and no proof.
 */

/** A trace context, read. */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  readonly sampled: boolean;
}

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Undefined for anything that is none. */
export function traceContextOf(traceparent: unknown): TraceContext | undefined {
  const [, traceId, spanId, flags] = (typeof traceparent === 'string' && TRACEPARENT.exec(traceparent)) || [];
  return traceId === undefined ? undefined : { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function traceparentOf({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}
