/** Reads the JSON reports of vitest and Playwright into one kind of count. */
import { readFileSync } from 'node:fs';

/**
 * A runner that left no report, or that failed without naming a failed test,
 * counts as one failure: an empty run must never look like a green one.
 *
 * @param {string} file
 * @param {number} code the runner's exit code
 * @param {(report: any) => Counts} read
 * @returns {Counts}
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
 */
export function readCounts(file, code, read) {
  const counts = readReport(file, read);
  if (counts === null) return { passed: 0, failed: 1, skipped: 0 };
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** @param {any} report @returns {Counts} */
export function vitestCounts(report) {
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** A test that passed on a second try is no pass. @param {any} report @returns {Counts} */
export function playwrightCounts(report) {
  const { expected, unexpected, flaky, skipped } = report.stats;
  return { passed: expected, failed: unexpected + flaky, skipped };
}

function readReport(file, read) {
  try {
    const counts = read(JSON.parse(readFileSync(file, 'utf8')));
    return Object.values(counts).every(Number.isInteger) ? counts : null;
  } catch {
    return null;
  }
}
