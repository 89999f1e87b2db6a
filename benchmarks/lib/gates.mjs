/** Figures that a benchmark promises: printed as a table at the end, and a failed one fails the process. */
const gates = [];

/**
 * @param {string} name What is promised.
 * @param {number} value What was measured.
 * @param {{ most?: number, least?: number, unit?: string }} limit
 */
export function gate(name, value, { most = Infinity, least = -Infinity, unit = '' }) {
  gates.push({
    name,
    value,
    limit: most === Infinity ? `>= ${least}${unit}` : `<= ${most}${unit}`,
    unit,
    kept: value <= most && value >= least,
  });
}

export function printGates() {
  console.log('Gates');
  for (const { name, value, limit, unit, kept } of gates) {
    console.log(`  ${kept ? 'kept  ' : 'MISSED'} ${name.padEnd(64)} ${value.toFixed(2)}${unit} (${limit})`);
  }
  console.log('');
  if (gates.some(({ kept }) => !kept)) process.exitCode = 1;
}
