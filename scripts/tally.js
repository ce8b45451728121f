/**
 * Prints `N passed, N failed[, N skipped]` from vitest's JSON report, alone on the last line.
 * Exits 1 when a test failed, a test file could not be loaded, or no test ran.
 *
 * usage: node scripts/tally.js REPORT.json
 */
import { existsSync, readFileSync } from 'node:fs';

const [path] = process.argv.slice(2);
const report = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : { testResults: [] };

let passed = 0;
let failed = 0;
let skipped = 0;
for (const file of report.testResults) {
  const count = (status) => file.assertionResults.filter((test) => test.status === status).length;
  const failures = count('failed');
  passed += count('passed');
  skipped += count('skipped') + count('pending') + count('todo');
  // A file that does not load holds no test, and must not pass for it.
  failed += file.status === 'failed' ? Math.max(1, failures) : failures;
}

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
