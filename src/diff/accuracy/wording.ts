/** Numbers of accuracy as people read them: no more digits than they are worth, and never fewer than the truth needs. */
import type { Accuracy, Interval } from './accuracy.js';

type Unit = Accuracy['unit'] | Accuracy['deltaUnit'];

/** Digits behind the point; undefined: with an exponent. */
type Decimals = number | undefined;

/** Beyond this, digits are rounding of the computation. */
const NOTHING = 1e-9;
const MOST_DECIMALS = 4;

/** "91.20 %", "0.01234". */
export function valueText(value: number, unit: Unit, decimals: Decimals = decimalsOf([value], unit)): string {
  return `${fixed(value, decimals)}${unit === '' ? '' : ` ${unit}`}`;
}

/** "-0.36 pt", "+0.0012", "0.00 pt". */
export function deltaText(delta: number, unit: Unit, decimals: Decimals = decimalsOf([delta], unit)): string {
  return `${signOf(delta, decimals)}${valueText(delta, unit, decimals)}`;
}

/** Values and their difference with as many digits that neither it nor what they miss to 0 or 100 % is rounded away. */
export function changeText(
  from: number,
  to: number,
  { unit, deltaUnit }: Pick<Accuracy, 'unit' | 'deltaUnit'>,
): string {
  const decimals = decimalsOf([from, to, to - from], unit);
  return `${valueText(from, unit, decimals)} -> ${valueText(to, unit, decimals)}, ${deltaText(to - from, deltaUnit, decimals)}`;
}

/** "89.3 to 92.8": of a value, in its unit. */
export function intervalText(interval: Interval, unit: Unit): string {
  const decimals = decimalsOfInterval(interval, unit);
  return interval.map((end) => fixed(end, decimals)).join(' to ');
}

/** "-0.9 to +0.2": of a difference, in its unit. An end beside 0 is never printed as 0. */
export function deltaIntervalText(interval: Interval, unit: Unit): string {
  const decimals = decimalsOfInterval(interval, unit);
  return interval.map((end) => `${signOf(end, decimals)}${fixed(end, decimals)}`).join(' to ');
}

/** "p 0.21", "p < 0.001": two digits, and a third where two would put it on the threshold of 0.05. */
export function pText(p: number): string {
  if (p < 0.001) return 'p < 0.001';
  const text = p.toPrecision(2);
  return `p ${text === '0.050' ? p.toPrecision(3) : text}`;
}

/** 1387 -> "1,400": rounded up to two digits. */
export function roundedUp(samples: number): string {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(samples)) - 1);
  return String(Math.ceil(samples / step) * step).replace(/\B(?=(\d{3})+$)/g, ',');
}

function signOf(value: number, decimals: Decimals): string {
  return value > 0 && !isZero(fixed(value, decimals)) ? '+' : '';
}

function fixed(value: number, decimals: Decimals): string {
  if (decimals === undefined) return value === 0 ? '0' : value.toExponential(2);
  const text = value.toFixed(decimals);
  return isZero(text) ? text.replace('-', '') : text;
}

function isZero(text: string): boolean {
  return Number(text) === 0;
}

function decimalsOf(values: readonly number[], unit: Unit): Decimals {
  return unit === '' ? significant(values, 4) : widened(values, unit, 2);
}

function decimalsOfInterval([low, high]: Interval, unit: Unit): Decimals {
  return unit === '' ? significant([low, high, high - low], 2) : widened([low, high, high - low], unit, 1);
}

/** Of numbers without a unit: so many digits of the largest, two of the smallest. */
function significant(values: readonly number[], digits: number): Decimals {
  const sizes = values.map(Math.abs).filter((size) => size >= Number.MIN_VALUE);
  if (sizes.length === 0) return 0;
  const largest = Math.max(...sizes);
  if (largest < 1e-4 || largest >= 1e7) return undefined;
  const base = digits - 1 - Math.floor(Math.log10(largest));
  const needed = 1 - Math.floor(Math.log10(Math.min(...sizes)));
  return Math.max(0, base, Math.min(needed, base + 3));
}

/** As many more than `least` that nothing but 0 reads as 0, and nothing but 100 % as 100 %. */
function widened(values: readonly number[], unit: Unit, least: number): number {
  const misread = (value: number, decimals: number): boolean => {
    const text = value.toFixed(decimals);
    if (Math.abs(value) > NOTHING && isZero(text)) return true;
    return unit === '%' && Number(text) === 100 && Math.abs(value - 100) > NOTHING;
  };
  let decimals = least;
  while (decimals < MOST_DECIMALS && values.some((value) => misread(value, decimals))) decimals++;
  return decimals;
}
