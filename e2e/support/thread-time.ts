/**
 * Frames of a page, by the time that the thread itself ran: on a busy machine the clock finds long tasks that
 * are none. The page is asked by the debugger's protocol alone: a locator is a long task of its own.
 */
import type { Page } from '@playwright/test';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds: when it began, by the clock; how long it took, by the clock and by the thread. */
  readonly ts: number;
  readonly dur: number;
  readonly tdur?: number;
  readonly args?: { readonly data?: { readonly url?: string } };
}

/** What a frame does, and little else. */
const DRAWS = ['FireAnimationFrame', 'Layout', 'Paint'];

interface Frame {
  /** After the page came. */
  readonly atMs: number;
  readonly ms: number;
}

/** @param visit what happens at the page, from its address on. @returns frames behind the task in which the page came. */
export async function framesOf(
  page: Page,
  address: string,
  visit: (ask: (expression: string) => Promise<unknown>) => Promise<void>,
): Promise<readonly Frame[]> {
  const browser = page.context().browser();
  if (browser === null) throw new Error('a page without a browser');
  const [tracing, client] = await Promise.all([browser.newBrowserCDPSession(), page.context().newCDPSession(page)]);
  const events: TraceEvent[] = [];
  tracing.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  const over = new Promise<void>((resolve) => tracing.once('Tracing.tracingComplete', () => resolve()));
  await tracing.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { recordMode: 'recordUntilFull', includedCategories: ['toplevel', 'devtools.timeline'] },
  });
  await client.send('Page.navigate', { url: address });
  await visit(async (expression) => {
    const { result } = await client.send('Runtime.evaluate', { expression, returnByValue: true });
    return result.value as unknown;
  });
  await tracing.send('Tracing.end');
  await over;
  await Promise.all([tracing.detach(), client.detach()]);
  return behindTheCommit(events, address);
}

function behindTheCommit(events: readonly TraceEvent[], address: string): Frame[] {
  const commit = events.find(({ name, args }) => name === 'CommitLoad' && args?.data?.url === address);
  if (commit === undefined) throw new Error(`no trace of ${address}`);
  const tasks = events.filter(
    ({ name, ph, pid, tid, ts }) =>
      name.endsWith('RunTask') && ph === 'X' && pid === commit.pid && tid === commit.tid && ts > commit.ts,
  );
  const drawings = events.filter(
    ({ name, pid, tid }) => DRAWS.includes(name) && pid === commit.pid && tid === commit.tid,
  );
  const frames = tasks.filter(({ ts, dur }) => drawings.some((event) => event.ts >= ts && event.ts < ts + dur));
  if (frames.length === 0) throw new Error('a page without frames');
  return frames.map(({ ts, dur, tdur = dur }) => ({ atMs: (ts - commit.ts) / 1e3, ms: tdur / 1e3 }));
}
