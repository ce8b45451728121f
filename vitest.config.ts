import { defineConfig } from 'vitest/config';

export default defineConfig({
  // parity/ runs on the build. Its tests are about the sources, which the build may be older than.
  resolve: { alias: [{ find: /^\.\.\/dist\/(.+)\.js$/, replacement: `${import.meta.dirname}/src/$1.ts` }] },
  test: {
    include: ['test/**/*.test.ts'],
    // Vitest's own choice leaves one processor idle, which of two is half of them.
    maxWorkers: '100%',
    pool: 'forks', // the vm pools break onnxruntime's typed-array checks across realms
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
