import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/strippedSources.ts'],
    setupFiles: [
      'test/support/stateOfTests.ts',
      'test/support/nixOfTests.ts',
      'test/support/threadsOfTests.ts',
    ],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // as bin/nar-scan says to Node: threads with WebAssembly come and go in these tests
    execArgv: ['--no-memory-protection-keys'],
    maxWorkers: 2,
  },
});
