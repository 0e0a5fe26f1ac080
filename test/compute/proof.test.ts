/** The WebAssembly kernels of the proofs, and arithmetic modulo a prime that is drawn at run time. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { isPrime, montgomery, power, primeAmong, residue } from '../../src/compute/field.ts';
import { difference, digitAt, digitSteps, groupSize, indexGroup, stepped } from '../../src/compute/index-group.ts';
import type { ProofKernels } from '../../src/compute/kernels/proof-types.ts';
import { tableLayout } from '../../src/compute/kernels/table-layout.ts';
import { loadNodeProofModule } from '../../src/compute/kernels/wasm/node-worker.ts';
import { ThreadedProofKernels } from '../../src/compute/kernels/wasm/proof-thread.ts';
import { nodeProofThread } from '../../src/compute/kernels/wasm/proof-worker.ts';
import { WasmProofKernels } from '../../src/compute/kernels/wasm/proof.ts';
import type { ProofRequest } from '../../src/compute/kernels/wasm/proof-messages.ts';
import { type Words, bytesOf, isShared, viewWords, wordsFrom } from '../../src/compute/ring.ts';
import { failure, thrown } from '../failure.ts';
import { Random } from './kernels.suite.ts';
import { proofConformance } from './proof.suite.ts';

const module = await loadNodeProofModule();

proofConformance('wasm', async () => new WasmProofKernels(module));

proofConformance(
  'wasm, in a thread',
  async () => new ThreadedProofKernels(new WasmProofKernels(module), module, nodeProofThread, { leastBytes: 0 }),
);

describe('the kernels beside a thread', () => {
  const q = 2n ** 61n - 1n;
  const words = (count: number) => BigUint64Array.from({ length: count }, (_, i) => BigInt(i) ** 3n % q);

  /** A server that answers whoever asks for its health, and the longest that one waited while `work` ran. */
  async function longestWait(work: () => Promise<void>): Promise<number> {
    const server = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    let [running, longest] = [true, 0];
    const asking = (async () => {
      for (; running; await new Promise((resolve) => setTimeout(resolve, 5))) {
        const asked = performance.now();
        await (await fetch(address)).text();
        longest = Math.max(longest, performance.now() - asked);
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 50));
    longest = 0;
    try {
      await work();
    } finally {
      running = false;
      await asking;
      server.closeAllConnections();
      server.close();
    }
    return longest;
  }

  it('leave the event loop free for others, whether what is done is long or short', { retry: 5 }, async () => {
    const [long, short] = [words(1 << 21), words(64)];
    const kernels = new ThreadedProofKernels(new WasmProofKernels(module), module, nodeProofThread);
    try {
      expect(await kernels.tailFold(long, words(8), q)).toHaveLength(1 << 18);
      const waited = await longestWait(async () => {
        for (let i = 0; i < 4; i++) await kernels.tailFold(long, words(8), q);
        for (const start = performance.now(); performance.now() - start < 1000; )
          await kernels.weights(short, words(48), q);
      });
      expect(waited).toBeLessThan(200);
    } finally {
      await kernels.close();
    }
  });

  it('is what the turns are for: promises alone leave nobody a turn', async () => {
    const kernels = new WasmProofKernels(module);
    const asked = performance.now();
    const turn = new Promise<number>((resolve) => setTimeout(() => resolve(performance.now() - asked), 5));
    while (performance.now() - asked < 600) await kernels.weights(words(64), words(48), q);
    expect(await turn).toBeGreaterThan(200);
  });

  it('leave no operand in the memory that both threads see', async () => {
    const seen: ArrayBufferView[] = [];
    let answer: ((message: unknown) => void) | undefined;
    const kernels = new ThreadedProofKernels(new WasmProofKernels(module), module, () => ({
      postMessage: (message) => {
        const request = message as ProofRequest;
        if (request.kind === 'call') seen.push(request.args[0] as BigUint64Array);
      },
      onMessage: (handler) => {
        answer = handler;
      },
      onError: () => undefined,
      terminate: () => undefined,
    }));
    const operands = [1, 2, 3, 4].map((n) => words((1 << 15) + n).fill(BigInt(n)));
    const digests = operands.map((x) => kernels.weights(x, words(8), q));
    await new Promise(setImmediate);
    expect(seen).toEqual(operands);
    // A fourth that is on its way is handed over.
    expect(seen.map(isShared)).toEqual([true, true, true, false]);
    const left = () => seen.slice(0, 3).map((view) => (view as BigUint64Array).some((word) => word !== 0n));
    for (const [i, digest] of digests.entries()) {
      answer?.({ id: i + 1, value: words(1) });
      await digest;
      // Those of others may still be read.
      expect(left()).toEqual([i < 0, i < 1, i < 2]);
    }
    // One that is longer than there is room for is handed over.
    const long = kernels.weights(words(1 << 20), words(8), q);
    await new Promise(setImmediate);
    expect(isShared(seen[4])).toBe(false);
    answer?.({ id: 5, value: words(1) });
    await long;
    await kernels.close();
  });

  it('cut what is long into parts, and give what a whole gives', async () => {
    const near = new WasmProofKernels(module);
    const kernels = new ThreadedProofKernels(near, module, nodeProofThread);
    const n = 3 * 200_001;
    const [f, group] = [words(n), indexGroup(6)];
    const narrow = { k: 20, data: Uint32Array.from({ length: n }, (_, i) => (i * 7919) & 0xfffff) };
    const at = { k: 6, data: narrow.data.map((word) => word & 63) };
    const [terms, folds] = [
      [
        { base: 0, factor: narrow },
        { base: 0, factor: undefined },
      ],
      [words(8), words(8)],
    ];
    const table = words(64);
    const [step] = digitSteps(group);
    const hashOf = (value: BigUint64Array | Words | bigint) =>
      typeof value === 'bigint'
        ? value
        : createHash('sha256')
            .update(bytesOf('data' in value ? value : { k: 64, data: value }))
            .digest('hex');
    const rows = { k: 64 as const, signed: Int32Array.from({ length: 3 * n }, (_, i) => (i % 2001) - 1000) };
    const all = async (of: ProofKernels) => [
      await of.columns(rows, 3, words(3), 48),
      await of.columns({ k: 64, data: f }, 3, words(3), 48),
      await of.terms([f], terms, q),
      await of.termsDot([f], terms, 5, n + 3, folds, q),
      await of.digitWeights(f, 1, at, [step], [words(8)], narrow, q),
      await of.digitWeights(f, 3, viewWords(at, 0, n / 3), [step], [words(8)], undefined, q),
      await of.tailRound(f, f, q),
      await of.tailFold(f, words(8), q),
      await of.tailDot(f, 3, folds, q),
      await of.lookupRound(f, await of.loadTable(table, group), step, at, at, q),
    ];
    try {
      expect((await all(kernels)).map(hashOf)).toEqual((await all(near)).map(hashOf));
    } finally {
      await kernels.close();
    }
  });

  it('fail when their thread ends, and stay so', async () => {
    let end: ((error: unknown) => void) | undefined;
    const kernels = new ThreadedProofKernels(new WasmProofKernels(module), module, () => ({
      postMessage: () => undefined,
      onMessage: () => undefined,
      onError: (handler) => {
        end = handler;
      },
      terminate: () => undefined,
    }));
    const answer = kernels.tailFold(words(1 << 16), words(8), q);
    end?.(new Error('exit code 1'));
    await failure('ERR_KERNEL', answer);
    await failure('ERR_KERNEL', kernels.tailFold(words(1 << 16), words(8), q));
    await kernels.close();
  });
});

describe('primes', () => {
  it('are told from other numbers as trial division does', () => {
    for (let n = 0; n < 700; n++) {
      const divisors = Array.from({ length: n }, (_, d) => d + 1).filter((d) => n % d === 0);
      expect(isPrime(BigInt(n)), `${n}`).toBe(divisors.length === 2);
    }
    // Strong pseudoprimes to the first bases, and Carmichael numbers.
    for (const n of [3215031751n, 3825123056546413051n, 561n, 41041n, 825265n]) expect(isPrime(n)).toBe(false);
    for (const n of [2n ** 61n - 1n, 18446744073709551557n, 2n ** 60n + 33n]) expect(isPrime(n)).toBe(true);
  });

  it('are the first among candidates, of 61 bits', () => {
    const random = new Random(3);
    for (let i = 0; i < 10; i++) {
      const words = Array.from({ length: 2000 }, () => random.word());
      const q = primeAmong(words) ?? 0n;
      expect(q >= 2n ** 60n && q < 2n ** 61n && isPrime(q)).toBe(true);
      const at = words.findIndex((word) => (BigInt.asUintN(60, word) | (1n << 60n) | 1n) === q);
      expect(words.slice(0, at).some((word) => isPrime(BigInt.asUintN(60, word) | (1n << 60n) | 1n))).toBe(false);
    }
    expect(primeAmong([0n])).toBeUndefined();
  });

  it('have constants for Montgomery, and residues of negative numbers', () => {
    for (const q of [5n, 61n, 2n ** 61n - 1n]) {
      const { inverse, square } = montgomery(q);
      expect([BigInt.asUintN(64, inverse * q + 1n), square]).toEqual([0n, power(2n, 128n, q)]);
    }
    expect([residue(-1n, 7n), residue(-14n, 7n), residue(15n, 7n)]).toEqual([6n, 0n, 1n]);
    thrown('ERR_INTERNAL', () => montgomery(8n));
  });
});

describe('groups of indices', () => {
  it('subtract one part and combine the other, and every index is its digits', () => {
    const group = indexGroup(4, 2);
    for (let g = 0; g < groupSize(group); g++) {
      const back = digitSteps(group).reduce((sum, step) => stepped(group, step, sum, digitAt(step, g)), 0);
      expect(back).toBe(g);
      for (let h = 0; h < groupSize(group); h++) {
        const [high, low] = [((g >> 2) - (h >> 2)) & 15, (g ^ h) & 3];
        expect(difference(group, g, h)).toBe((high << 2) | low);
      }
    }
    thrown('ERR_INTERNAL', () => indexGroup(18, 3));
  });
});

describe('the instance', () => {
  it('holds nothing of an operation behind it', async () => {
    const original = WebAssembly.Instance;
    let memory: WebAssembly.Memory | undefined;
    WebAssembly.Instance = class extends original {
      constructor(given: WebAssembly.Module) {
        super(given);
        memory = this.exports.memory as WebAssembly.Memory;
      }
    };
    try {
      const kernels = new WasmProofKernels(module);
      const image = new Uint8Array(memory?.buffer ?? new ArrayBuffer(0)).slice();
      const random = new Random(8);
      const [q, layout] = [2n ** 61n - 1n, tableLayout(4, 8)];
      const x = BigUint64Array.from({ length: 20 }, () => random.word(48));
      const f = x.map((word) => word % q);
      const bytes = random.bytes(80);
      await kernels.draw(random.stream(), 64, 100);
      await kernels.digestEntries(bytes, layout, x, x.subarray(0, 4), 48);
      await kernels.tableClaims(
        await kernels.tableSums(bytes, layout, [], x, 48),
        ...([layout, x.subarray(0, 4), 48] as const),
      );
      await kernels.choiceClaims(bytes, layout, random.indices(20, 4), undefined, x, 48);
      await kernels.foldEntries(bytes, layout, f, f.subarray(0, 4), q);
      await kernels.tailRound(f, f, q);
      await kernels.tailDot(f, 3, [f.subarray(0, 8), f.subarray(0, 8)], q);
      const after = new Uint8Array(memory?.buffer ?? new ArrayBuffer(0));
      expect(image.length).toBeGreaterThan(0);
      expect(Buffer.compare(after.subarray(0, image.length), image)).toBe(0);
      expect(after.subarray(image.length).every((byte) => byte === 0)).toBe(true);
    } finally {
      WebAssembly.Instance = original;
    }
  });

  it('refuses a choice behind the last entry, and tables that are too short', async () => {
    const kernels = new WasmProofKernels(module);
    const [layout, x] = [tableLayout(4, 8), BigUint64Array.of(1n, 1n)];
    const choice = (c: number) => wordsFrom([0, c], 32);
    const bytes = new Uint8Array(8);
    await expect(kernels.choiceClaims(bytes, layout, choice(3), undefined, x, 1)).resolves.toEqual([0n]);
    await failure('ERR_INTERNAL', kernels.choiceClaims(bytes, layout, choice(4), undefined, x, 1));
    await failure('ERR_INTERNAL', kernels.choiceClaims(bytes.subarray(1), layout, choice(3), undefined, x, 1));
    await kernels.close();
    await failure('ERR_INTERNAL', kernels.choiceClaims(bytes, layout, choice(3), undefined, x, 1));
  });
});
