/**
 * Tasks of a page, by the time that the thread itself ran: on a busy machine the clock finds long tasks that
 * are none. The page is asked by the debugger's protocol alone: a locator is a long task of its own.
 */
import type { CDPSession, Page } from '@playwright/test';

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

export interface Task {
  /** After the page came. */
  readonly atMs: number;
  readonly ms: number;
  /** Whether it drew a frame. */
  readonly frame: boolean;
}

/** What a person does, and what is asked of the page. */
export interface Hands {
  ask(expression: string): Promise<unknown>;
  write(text: string): Promise<void>;
  tap(id: string): Promise<void>;
}

/** What a frame does, and little else. */
const DRAWS = ['FireAnimationFrame', 'Layout', 'Paint'];

/** @param visit what happens at the page, from its address on. @returns tasks behind the one in which the page came. */
export async function tasksOf(
  page: Page,
  address: string,
  visit: (hands: Hands) => Promise<void>,
): Promise<readonly Task[]> {
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
  await visit(handsOf(client));
  await tracing.send('Tracing.end');
  await over;
  await Promise.all([tracing.detach(), client.detach()]);
  return behindTheCommit(events, address);
}

function handsOf(client: CDPSession): Hands {
  const ask = async (expression: string): Promise<unknown> => {
    const { result } = await client.send('Runtime.evaluate', { expression, returnByValue: true });
    return result.value as unknown;
  };
  return {
    ask,
    async write(text) {
      await ask(`document.getElementById('text').select()`);
      await client.send('Input.insertText', { text });
    },
    // A finger leaves nothing behind that hovers: with a mouse on it, a page is searched for what lies under it again
    // and again.
    async tap(id) {
      const [x, y] = (await ask(
        `(({ x, y, width, height }) => [x + width / 2, y + height / 2])(document.getElementById('${id}').getBoundingClientRect())`,
      )) as readonly [number, number];
      await client.send('Emulation.setTouchEmulationEnabled', { enabled: true, maxTouchPoints: 1 });
      await client.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x, y }] });
      await client.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    },
  };
}

function behindTheCommit(events: readonly TraceEvent[], address: string): Task[] {
  const commit = events.find(({ name, args }) => name === 'CommitLoad' && args?.data?.url === address);
  if (commit === undefined) throw new Error(`no trace of ${address}`);
  const mine = events.filter(({ ph, pid, tid }) => ph === 'X' && pid === commit.pid && tid === commit.tid);
  const drawings = mine.filter(({ name }) => DRAWS.includes(name));
  const tasks = mine
    .filter(({ name, ts }) => name.endsWith('RunTask') && ts > commit.ts)
    .map(({ ts, dur, tdur = dur }) => ({
      atMs: (ts - commit.ts) / 1e3,
      ms: tdur / 1e3,
      frame: drawings.some((event) => event.ts >= ts && event.ts < ts + dur),
    }));
  if (!tasks.some(({ frame }) => frame)) throw new Error('a page without frames');
  return tasks;
}
