import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks', // the vm pools break onnxruntime's typed-array checks across realms
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
