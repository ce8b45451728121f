import type { AnyReport } from './any-report.js';

/** The report itself. Deterministic: keys in the order of the document, no time unless asked for. */
export function renderJson(report: AnyReport): string {
  return `${JSON.stringify(report, refuseNonFinite, 1)}\n`;
}

/** JSON has no NaN and no Infinity; JSON.stringify would turn them into null silently. */
function refuseNonFinite(key: string, value: unknown): unknown {
  // A scale is no metric: what a broken file has there is told as it is.
  if (key === 'scale' && Array.isArray(value)) {
    return value.map((step: unknown) => (Number.isFinite(step) ? step : String(step)));
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new RangeError(`${key} is ${value}: a metric without a value must be absent`);
  }
  return value;
}
