import { defineConfig } from 'vitest/config';

/**
 * Lanes: `unit` needs nothing but Node, and takes every core (Vitest alone leaves one idle, which is half of two);
 * `cli` runs the compiled command line with real processes, one file at a time, and by twos the commands that only
 * refuse; `gpu` needs a WebGPU adapter (a GPU, or SwiftShader in software) and runs one file at a time, because a
 * driver in software takes every core; `browser` needs Chromium.
 */
// biome-ignore lint/style/noDefaultExport: vitest reads a default export
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/cli/**', 'test/browser/**', 'test/gpu/**'], testTimeout: 60_000, pool: 'forks', maxWorkers: '100%' } },
      { test: { name: 'cli', include: ['test/cli/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000, pool: 'forks', fileParallelism: false, maxConcurrency: 2 } },
      { test: { name: 'gpu', include: ['test/gpu/**/*.test.ts'], testTimeout: 300_000, hookTimeout: 120_000, pool: 'forks', fileParallelism: false } },
      { test: { name: 'browser', include: ['test/browser/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 120_000, pool: 'forks', fileParallelism: false } },
    ],
  },
});
