/**
 * Kernels one by one: WASM, and WebGPU where there is a device, at real sizes, and their speed as a multiple of the
 * reference's at a size that the reference can do.
 */
import { ReferenceKernels } from '../compute/kernels/reference/kernels.ts';
import { type WebGpuKernels, createWebGpuKernels } from '../compute/kernels/webgpu/kernels.ts';
import { openNodeDevice } from '../compute/kernels/webgpu/node-device.ts';
import type { PiecewisePolynomial, RingKernels, SelectionTable, Stream } from '../compute/kernels/types.ts';
import { cosineExponents } from '../compute/kernels/cosine-sum.ts';
import { type TableLayout, tableBytes, tableLayout } from '../compute/kernels/table-layout.ts';
import { type Vector, wordsFrom } from '../compute/ring.ts';
import { asTercetError } from '../core/errors.ts';
import { GELU_RING } from '../mpc/secure/activation.ts';
import { GELU_COSINES } from '../mpc/secure/cosines.ts';
import { wasmKernels } from '../node/kernels.ts';
import { type SuiteContext, medianMs } from './rows.ts';

const STREAM: Stream = { key: new Uint8Array(32).fill(7), nonce: new Uint8Array(12) };
const OTHER: Stream = { key: new Uint8Array(32).fill(9), nonce: new Uint8Array(12) };

/** A measured operation: `units` of work for a size, and a call for given kernels. */
interface Case {
  readonly name: string;
  readonly unit: string;
  readonly size: number;
  /** Smaller size for the reference. */
  readonly referenceSize: number;
  units(size: number): number;
  prepare(kernels: RingKernels, size: number): Promise<() => Promise<unknown>>;
}

const CUBIC: PiecewisePolynomial = {
  segments: 32,
  degree: 3,
  t: 12,
  s1: 12,
  s2: 12,
  guard: 2,
  coefficients: BigInt64Array.from({ length: 128 }, (_, i) => BigInt(((i * 7919) % 20001) - 10000)),
};

const POLYNOMIAL = tableLayout(32, 32, 4);

/** GeLU of a model whose bound is wide: a gated sum of cosines, words of many widths. */
const COSINES = GELU_COSINES.gelu;
const GELU = tableLayout(
  2,
  GELU_RING.wide,
  cosineExponents(COSINES).map((v) => GELU_RING.wide - v),
);
/** Bits of the argument that the sum sees. */
const READ = GELU_RING.wide - COSINES.shift;
/** Bits of a packed word that is no whole number of bytes. */
const ODD = 37;

function draw(kernels: RingKernels, k: number, count: number, stream = STREAM): Promise<Vector> {
  return kernels.draw(stream, k, count);
}

function tableCase(
  name: string,
  layout: TableLayout,
  make: (kernels: RingKernels, n: number) => Promise<SelectionTable>,
): Case {
  return {
    name,
    unit: 'bytes',
    size: 1 << 14,
    referenceSize: 64,
    units: (n) => tableBytes(layout, n),
    prepare: async (kernels, n) => {
      const table = await make(kernels, n);
      return () => kernels.selectionTable(table, layout, STREAM, 0, n);
    },
  };
}

const CASES: readonly Case[] = [
  ...(['i32', 'u64'] as const).map(
    (entries): Case => ({
      name: `matmulMatrix 128×768×768 ${entries}`,
      unit: 'multiply-adds',
      size: 128,
      referenceSize: 1,
      units: (m) => m * 768 * 768,
      prepare: async (kernels, m) => {
        const words = await kernels.read(await draw(kernels, entries === 'i32' ? 32 : 64, 768 * 768, OTHER));
        const matrix = await kernels.loadMatrix(
          entries === 'i32' ? new Int32Array((words.data as Uint32Array).buffer) : (words.data as BigUint64Array),
          768,
          768,
        );
        const x = await draw(kernels, 64, m * 768);
        return () => kernels.matmulMatrix(x, matrix);
      },
    }),
  ),
  {
    name: 'matmul 12×(128×64×128)ᵀ in Z_2^48',
    unit: 'multiply-adds',
    size: 12,
    referenceSize: 1,
    units: (batch) => batch * 128 * 64 * 128,
    prepare: async (kernels, batch) => {
      const [x, y] = [await draw(kernels, 48, batch * 128 * 64), await draw(kernels, 48, batch * 128 * 64, OTHER)];
      return () => kernels.matmul(x, y, { batch, m: 128, inner: 64, n: 128, transposed: true });
    },
  },
  {
    name: 'draw Z_2^64 (ChaCha20)',
    unit: 'bytes',
    size: 1 << 20,
    referenceSize: 1 << 12,
    units: (n) => 8 * n,
    prepare: async (kernels, n) => () => kernels.draw(STREAM, 64, n),
  },
  {
    name: `pack Z_2^${ODD}`,
    unit: 'bytes',
    size: 1 << 20,
    referenceSize: 1 << 12,
    units: (n) => (ODD * n) / 8,
    prepare: async (kernels, n) => {
      const words = await draw(kernels, ODD, n);
      return () => kernels.pack(words);
    },
  },
  {
    name: `unpack Z_2^${ODD}`,
    unit: 'bytes',
    size: 1 << 20,
    referenceSize: 1 << 12,
    units: (n) => (ODD * n) / 8,
    prepare: async (kernels, n) => {
      const bytes = await kernels.pack(await draw(kernels, ODD, n));
      return () => kernels.unpack(bytes, ODD, n);
    },
  },
  tableCase('table polynomial, 32 segments, Z_2^32', POLYNOMIAL, async (kernels, n) => ({
    kind: 'polynomial',
    polynomial: CUBIC,
    a: await draw(kernels, 17, n),
  })),
  tableCase(`table cosine, Z_2^${GELU_RING.wide} (GeLU)`, GELU, async (kernels, n) => ({
    kind: 'cosine',
    sum: COSINES,
    a: await draw(kernels, READ, n),
    gate: await draw(kernels, 1, n),
  })),
  tableCase('table rows, 256 entries, Z_2^8 (maximum)', tableLayout(256, 8), async (kernels, n) => ({
    kind: 'rows',
    n: 256,
    stride: 1,
    table: wordsFrom(
      Array.from({ length: 511 }, (_, i) => i % 251),
      8,
    ),
    row: await draw(kernels, 8, n),
  })),
  tableCase('table exp, Z_2^42', tableLayout(16, 42), async (kernels, n) => ({
    kind: 'exp',
    s1: 17,
    width: 4,
    a: await draw(kernels, 25, n),
    gate: await draw(kernels, 1, n),
  })),
  tableCase('table exp, Z_2^64', tableLayout(16, 64), async (kernels, n) => ({
    kind: 'exp',
    s1: 17,
    width: 4,
    a: await draw(kernels, 25, n),
    gate: await draw(kernels, 1, n),
  })),
  {
    name: 'deal selection, 32 segments, Z_2^32 (P0)',
    unit: 'elements',
    size: 1 << 16,
    referenceSize: 64,
    units: (n) => n,
    prepare: async (kernels, n) => {
      const l = await draw(kernels, 17, n);
      const choice = { index: await kernels.shiftRight(l, 12, 5), basis: await kernels.powers(l, 12, 12, 3, 32) };
      const r0 = await draw(kernels, 32, n, OTHER);
      return () => kernels.dealSelection(choice, POLYNOMIAL, STREAM, r0);
    },
  },
  {
    name: `deal selection, cosine, Z_2^${GELU_RING.wide} (P0, GeLU)`,
    unit: 'elements',
    size: 1 << 16,
    referenceSize: 64,
    units: (n) => n,
    prepare: async (kernels, n) => {
      const index = await draw(kernels, 1, n);
      const choice = { index, basis: await kernels.cosineBasis(await draw(kernels, READ, n), COSINES, GELU_RING.wide) };
      const r0 = await draw(kernels, GELU_RING.wide, n, OTHER);
      return () => kernels.dealSelection(choice, GELU, STREAM, r0);
    },
  },
];

/** Kernels on the GPU of this machine, or undefined where there is none. */
async function gpuKernels(): Promise<{ readonly kernels: WebGpuKernels; readonly adapter: string } | undefined> {
  const opened = await openNodeDevice().catch((error: unknown) => {
    if (asTercetError(error).code === 'ERR_DEVICE_UNAVAILABLE') return undefined;
    throw error;
  });
  return opened === undefined ? undefined : { kernels: await createWebGpuKernels(opened), adapter: opened.adapter };
}

/**
 * Waits until a result is there: a device has only accepted the commands when a call resolves, so one word is read
 * back.
 */
async function completed(kernels: RingKernels, result: unknown): Promise<void> {
  if (kernels.name !== 'webgpu' || result instanceof Uint8Array) return;
  await kernels.read(await kernels.gather(result as Vector, Uint32Array.of(0)));
}

export async function benchKernels(context: SuiteContext): Promise<void> {
  const wasm = await wasmKernels(0);
  const gpu = await gpuKernels();
  const reference = new ReferenceKernels();
  try {
    for (const one of CASES) {
      context.note(one.name);
      const speed = async (kernels: RingKernels, size: number, runs: number) => {
        const body = await one.prepare(kernels, size);
        const ms = await medianMs(runs, async () => completed(kernels, await body()));
        kernels.sweep(() => []);
        return (one.units(size) / ms) * 1000;
      };
      const slow = await speed(reference, one.referenceSize, 1);
      const row = (fast: number, backend: object) =>
        context.row({
          suite: 'kernels',
          name: one.name,
          ...backend,
          unit: one.unit,
          perSecond: Math.round(fast),
          timesReference: Math.round(fast / slow),
        });
      row(await speed(wasm, one.size, 7), { backend: 'wasm', threads: 1 });
      if (gpu !== undefined) row(await speed(gpu.kernels, one.size, 7), { backend: 'webgpu', adapter: gpu.adapter });
    }
  } finally {
    await wasm.close();
    await gpu?.kernels.close();
  }
}
