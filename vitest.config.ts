import { defineConfig } from 'vitest/config';

/** Lanes: `unit` needs nothing but Node; `cli` runs the compiled command line with real processes, one file at a time. */
// biome-ignore lint/style/noDefaultExport: vitest reads a default export
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/cli/**'], testTimeout: 60_000, pool: 'forks' } },
      { test: { name: 'cli', include: ['test/cli/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000, pool: 'forks', fileParallelism: false } },
    ],
  },
});
