// Sums up vitest's JSON reports: `N passed, N failed, N skipped`. With
// --skipped, prints the number of skipped tests alone.
import { readFileSync } from "node:fs";

const args = process.argv.slice(2);
const skippedAlone = args[0] === "--skipped";
const sum = { passed: 0, failed: 0, skipped: 0 };
let unreadable = 0;

for (const file of skippedAlone ? args.slice(1) : args) {
  try {
    const report = JSON.parse(readFileSync(file, "utf8"));
    sum.passed += report.numPassedTests;
    sum.failed += report.numFailedTests;
    sum.skipped += report.numPendingTests + report.numTodoTests;
    // A file that does not load, or whose hook fails, is a failure without a failed test.
    sum.failed += report.testResults.filter(
      ({ status, assertionResults }) =>
        status === "failed" && !assertionResults.some((test) => test.status === "failed"),
    ).length;
  } catch (error) {
    console.error(`no report: ${error.message}`);
    unreadable++;
  }
}

if (skippedAlone) console.log(sum.skipped);
else console.log(`${sum.passed} passed, ${sum.failed + unreadable} failed, ${sum.skipped} skipped`);
process.exitCode = unreadable > 0 || (!skippedAlone && sum.failed > 0) ? 1 : 0;
