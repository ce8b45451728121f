/** Numbers of metrics with their units. */
import type { Accuracy, Interval } from '../../diff/accuracy/accuracy.js';

type Unit = Accuracy['unit'] | Accuracy['deltaUnit'];

/** Behind the point: shares of percent and dB are known to two digits, bare numbers by their size. */
function text(value: number, unit: Unit): string {
  return unit === '' ? String(Number(value.toPrecision(4))) : value.toFixed(2);
}

export function valueText(value: number | undefined, unit: Unit): string {
  return value === undefined ? '–' : `${text(value, unit)}${unit === '' ? '' : ` ${unit}`}`;
}

export function deltaText(value: number | undefined, unit: Unit): string {
  return value === undefined ? '' : `${value > 0 ? '+' : ''}${valueText(value, unit)}`;
}

export function intervalText(interval: Interval | undefined, unit: Unit): string {
  return interval === undefined ? '' : `${text(interval[0], unit)} to ${text(interval[1], unit)}`;
}

export function pText(value: number | undefined): string {
  if (value === undefined) return '';
  return value < 0.001 ? '< 0.001' : value.toPrecision(2);
}
