/** Numbers of operators, and how they are written in the boxes of the drawing. */
import type { ErrorMeasurement } from '../../diff/measurement.js';
import type { Site } from './network.js';
import type { Scale } from './ramp.js';

export interface Reading {
  /** Infinity where two values are the same to the bit. */
  readonly value: number;
  /** At most ten characters. */
  readonly text: string;
}

export interface Measure {
  readonly key: string;
  readonly title: string;
  /** How to read it, in one sentence. */
  readonly hint: string;
  readonly scale: Scale;
  /** What is in the strongest colour, in a word: the worst when not given. */
  readonly extreme?: 'largest';
  /** By position of the site; undefined where there is none. */
  readonly readings: readonly (Reading | undefined)[];
}

/** A measure before its numbers are known. */
export interface MeasureRule {
  readonly key: string;
  readonly title: string;
  readonly hint: string;
  readonly extreme?: 'largest';
  readonly of: (site: Site) => Reading | undefined;
  /** @param values that there are, finite or not */
  readonly scale: (values: readonly number[]) => Scale;
}

export function decibelReading(
  measured: Pick<ErrorMeasurement, 'sqnrDb' | 'exact'> | undefined,
): Reading | undefined {
  if (measured?.exact === true) return { value: Infinity, text: 'exact' };
  const db = measured?.sqnrDb;
  return db === undefined ? undefined : { value: db, text: `${db.toFixed(1)} dB` };
}

/** Three significant digits; large ones as 12.3k, 4.56M, 7.89G. */
export function compact(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 1e-3 || size >= 1e15) return value.toExponential(1);
  const units = ['', 'k', 'M', 'G', 'T'];
  let power = 0;
  let rest = value;
  while (Math.abs(rest) >= 999.5 && power < units.length - 1) {
    rest /= 1000;
    power++;
  }
  return `${Number(rest.toPrecision(3))}${units[power] ?? ''}`;
}

/** Steps of a quantizer: "141", "2.5", "< 1". */
export function levelsReading(levels: number): Reading {
  return { value: levels, text: levels < 1 ? '< 1' : compact(levels) };
}

/** A share of a whole: "12.3 %", "0 %", "< 0.1 %". */
export function shareOfAll(share: number): string {
  if (share === 0) return '0 %';
  return share < 0.001 ? '< 0.1 %' : `${(share * 100).toFixed(1)} %`;
}
