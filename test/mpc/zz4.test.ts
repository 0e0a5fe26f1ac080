import { it, expect } from 'vitest';
import { wordsFrom, zeros } from '../../src/compute/ring.ts';
import { ReferenceKernels } from '../../src/compute/kernels/reference/index.ts';
import { createWasmKernels } from '../../src/compute/kernels/wasm/pool.ts';
import { loadNodeModule } from '../../src/compute/kernels/wasm/node-worker.ts';
it('kernels', async () => {
  const w = await createWasmKernels({ module: await loadNodeModule(), threads: 0 }); const r = new ReferenceKernels();
  const s = { key: new Uint8Array(32).fill(3), nonce: new Uint8Array(12).fill(5) };
  const cmp = async (name: string, f: (k: any) => Promise<any>) => { const a = await f(w), b = await f(r); const x = a.data ?? a, y = b.data ?? b; let bad = -1; for (let i = 0; i < y.length; i++) if (x[i] !== y[i]) { bad = i; break; } console.log(name, x.length === y.length && bad < 0 ? 'ok' : `BAD at ${bad}: ${x[bad]} vs ${y[bad]}`); };
  const N = 37; const rw = (k: number, n = N, f = 0) => r.draw({ key: new Uint8Array(32).fill(k + f), nonce: s.nonce }, k, n);
  for (const k of [1, 8, 16, 24, 32, 40, 48, 64]) await cmp('draw' + k, (x) => x.draw(s, k, N, 3));
  const a25 = await rw(25), g = await rw(1), l4 = await rw(4), a6 = await rw(6), a8 = await rw(8), a9 = await rw(9), a17 = await rw(17), a21 = await rw(21), v64 = await rw(64), v64b = await rw(64, N, 7);
  await cmp('exp', (x) => x.selectionTable({ kind: 'exp', s1: 17, a: a25, gate: g }, 64, s, 3, N));
  await cmp('expbasis', (x) => x.expBasis(a25, 17, 64));
  for (const [k, b, a] of [[1, 6, a6], [8, 8, a8], [16, 9, a9], [1, 9, a9]] as const) { const n = 1 << b; const T = wordsFrom(Array.from({ length: n * n }, (_, i) => (i * 7919) % 65536), k); await cmp(`rows${k}/${n}`, (x) => x.selectionTable({ kind: 'rows', table: T, n, row: a }, k, s, 2, N)); const r0 = await rw(k); await cmp('deal', (x) => x.dealSelection({ index: a }, n, k, s, r0)); const t = await r.selectionTable({ kind: 'rows', table: T, n, row: a }, k, s, 0, N); await cmp('eval', (x) => x.evaluateSelection({ index: a }, n, k, t, r0, 0, N)); }
  for (const k of [8, 16, 24, 32, 40]) { const T = wordsFrom([0, 1, 0, 0], k); const m = await rw(1); const r0 = await rw(k); await cmp(`widen${k}`, (x) => x.selectionTable({ kind: 'rows', table: T, n: 2, row: m }, k, s, 0, N)); await cmp('deal', (x) => x.dealSelection({ index: g }, 2, k, s, r0)); const t = await r.selectionTable({ kind: 'rows', table: T, n: 2, row: m }, k, s, 0, N); await cmp('eval', (x) => x.evaluateSelection({ index: m }, 2, k, t, r0, 0, N)); }
  const C32 = { segments: 32, t: 12, s1: 12, s2: 12, guard: 2, coefficients: BigInt64Array.from({ length: 128 }, (_, i) => BigInt(((i * 7919) % 100000) - 50000)) };
  const C64 = { segments: 128, t: 14, s1: 22, s2: 14, guard: 0, coefficients: BigInt64Array.from({ length: 512 }, (_, i) => BigInt(((i * 7919) % 100000) - 50000) * 31459n) };
  for (const [c, a, k] of [[C32, a17, 32], [C64, a21, 64]] as const) { await cmp('cubic', (x) => x.selectionTable({ kind: 'cubic', cubic: c, a }, k, s, 1, N)); await cmp('phi', (x) => x.cubicBasis(a, c.t, c.s2, k)); const idx = await r.shiftRight(a, c.t, a.k - c.t); const ch = { index: idx, basis: await r.cubicBasis(a, c.t, c.s2, k) }; const r0 = await rw(k); await cmp('deal', (x) => x.dealSelection(ch, c.segments, k, s, r0)); const t = await r.selectionTable({ kind: 'cubic', cubic: c, a }, k, s, 0, N); await cmp('eval', (x) => x.evaluateSelection(ch, c.segments, k, t, r0, 0, N)); }
  await cmp('choose', (x) => x.selectionTable({ kind: 'choose', pick: Uint8Array.of(255, 0, 1, 0), bits: [g, g], values: [v64, v64b] }, 64, s, 3, N));
  const cb = { index: await rw(2), basis: await r.chooseBasis([v64, v64b]) }; await cmp('cbasis', (x) => x.chooseBasis([v64, v64b])); await cmp('deal', (x) => x.dealSelection(cb, 4, 64, s, v64));
  await cmp('choose', (x) => x.selectionTable({ kind: 'choose', pick: Uint8Array.of(255, 0), bits: [g], values: [a17] }, 32, s, 3, N));
  const M = Int32Array.from({ length: 37 * 50 }, (_, i) => Math.imul(i, 0x9e3779b1)); for (const e of [M, BigUint64Array.from(M, (z) => BigInt.asUintN(64, BigInt(z) * 77777777777n))]) await cmp('matrix', async (x) => x.matmulMatrix(v64, await x.loadMatrix(e, 37, 50)));
  for (const k of [25, 32, 48, 64]) for (const transposed of [false, true]) { const x1 = await rw(k, 2 * 3 * 5), y1 = await rw(k, 2 * 5 * 7, 1); await cmp('matmul' + k + transposed, (x) => x.matmul(x1, y1, { batch: 2, m: 3, inner: 5, n: 7, transposed })); }
  for (const k of [1, 8, 17, 24, 32, 48, 64]) { const x1 = await rw(k, 30), y1 = await rw(k, 30, 1), row = await rw(k, 10, 2); for (const op of ['add', 'sub', 'mul'] as const) await cmp(op + k, (x) => x[op](x1, y1)); await cmp('addRow', (x) => x.addRow(x1, row)); await cmp('mulRow', (x) => x.mulRow(x1, row)); await cmp('sumRows', (x) => x.sumRows(x1, 10)); await cmp('repeat', (x) => x.repeat(x1, 3)); await cmp('scale', (x) => x.scale(x1, -123456789012345n)); await cmp('offset', (x) => x.offset(x1, -5n)); await cmp('cast', (x) => x.cast(x1, 64)); await cmp('cast', (x) => x.cast(x1, 7)); await cmp('gather', (x) => x.gather(x1, Uint32Array.of(3, 2, 9))); await cmp('pack', (x) => x.pack(x1)); if (k > 8) await cmp('shr', (x) => x.shiftRight(x1, 7, k - 7)); }
  expect(1).toBe(1);
});
