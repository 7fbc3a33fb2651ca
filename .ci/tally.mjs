// tally.mjs RESULTS TESTS_STATUS FAILED_CHECKS: the closing line of a run, from vitest's JSON results,
// the runner's exit status and the number of other checks that failed.
import { readFileSync } from 'node:fs';

const [resultsFile, testsStatus, failedChecks] = process.argv.slice(2);
let passed = 0;
let failed = 0;
try {
  const results = JSON.parse(readFileSync(resultsFile, 'utf8'));
  passed = results.numPassedTests;
  failed = results.numFailedTests;
  if (!Number.isInteger(passed) || !Number.isInteger(failed)) throw new Error('no counts in the results');
  // A file that could not be loaded, or whose hooks failed, may hold no failed test: it counts as one.
  for (const { status, assertionResults, name, message } of results.testResults) {
    if (status === 'failed' && !assertionResults.some((test) => test.status === 'failed')) {
      failed += 1;
      console.error(`test file failed: ${name}: ${message}`);
    }
  }
  if (results.numPendingTests > 0) console.error(`tests skipped: ${results.numPendingTests}`);
} catch (error) {
  console.error(`no test results: ${error.message}`);
  passed = 0;
  failed = 0;
}
if (failed === 0 && (testsStatus !== '0' || passed === 0)) {
  console.error(`check failed: tests (exit status ${testsStatus})`);
  failed = 1;
}
console.log(`${passed} passed, ${failed + Number(failedChecks)} failed`);
