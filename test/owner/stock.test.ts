/** Runs that are made ahead for whoever comes next, at real compute parties with links in memory. */
import { afterEach, describe, expect, it } from 'vitest';
import { WasmKernels } from '../../src/compute/kernels/wasm/kernels.ts';
import { PartyOperations } from '../../src/compute/kernels/wasm/party-operations.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import type { RunContext } from '../../src/owner/run-context.ts';
import { Runner } from '../../src/owner/runner.ts';
import { Stock, type StockOptions } from '../../src/owner/stock.ts';
import { planIds } from '../../src/owner/id-plan.ts';
import { memorySite } from '../sdk/memory-site.ts';
import { until } from '../net/helpers.ts';

const module = await loadNodeModule();
const site = await memorySite('filler', undefined, new WasmKernels({ party: PartyOperations, module, threads: 0 }));
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A runner with a stock, over the site's links. */
function stocked(options: StockOptions): { runner: Runner; stock: Stock; context: RunContext } {
  let stock: Stock | undefined;
  const context: RunContext = {
    environment: {
      now: () => performance.now(),
      random: (length) => crypto.getRandomValues(new Uint8Array(length)),
      peakMemory: () => 1,
      openLink: (request) => site.openLink(request),
    },
    config: site.config,
    terms: { model: site.hash, protocol: '3pc_semi_honest', weights: 'open', widening: undefined },
    credential: undefined,
    buckets: [8, 16],
    runMemory: 1e9,
    kernels: new WasmKernels({ party: PartyOperations, module, threads: 0 }),
    onProgress: () => undefined,
    notice: () => undefined,
  };
  const runner = new Runner(context, (own) => {
    stock = new Stock(own, options);
    return stock;
  });
  closing.push(() => runner.dispose());
  if (stock === undefined) throw new Error('no stock was made');
  return { runner, stock, context };
}

const plan = (tokens: number) => planIds(site.config, [Array.from({ length: tokens }, (_, i) => 4 + (i % 3))], {});

describe('a stock', () => {
  it('makes the first run of a shape with its text, and has one for the next, also for two at once', async () => {
    const { runner, stock } = stocked({ each: 2, shapes: 2 });
    const first = await runner.run(plan(5));
    expect(first.cost.preparedAhead).toBe(false);
    await until(() => stock.size === 2);
    const next = await Promise.all([runner.run(plan(5)), runner.run(plan(4))]);
    expect(next.map(({ cost }) => cost.preparedAhead)).toEqual([true, true]);
    // Two runs round with other randomness: the answers are near each other, never the same.
    expect(next[0].outputs[0]).toHaveLength(first.outputs[0].length);
    for (const [i, x] of first.outputs[0].entries()) expect(next[0].outputs[0][i]).toBeCloseTo(x, 1);
  });

  it('keeps so many shapes, and lets the one go that was asked for longest ago', async () => {
    const { runner, stock } = stocked({ each: 1, shapes: 1 });
    await runner.run(plan(5));
    await runner.run(plan(12));
    await until(() => stock.size === 1);
    expect((await runner.run(plan(12))).cost.preparedAhead).toBe(true);
    expect((await runner.run(plan(5))).cost.preparedAhead).toBe(false);
  });

  it('makes no more for a while when what it made ends, and none when it is closed', async () => {
    const { runner, stock } = stocked({ each: 1, shapes: 1, pauseMs: 60_000 });
    await runner.run(plan(5));
    await until(() => stock.size === 1);
    await until(() => site.ends.length >= 2);
    for (const owner of site.owners) owner.abort(new Error('the link broke') as never);
    await until(() => stock.size === 0);
    // A text is answered all the same.
    expect((await runner.run(plan(5))).cost.preparedAhead).toBe(false);
    expect(stock.size).toBe(0);
    await runner.dispose();
    expect(stock.size).toBe(0);
  });
});
