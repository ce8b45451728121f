/** Observed against wanted. */

/** 91.2 - 90.8 is 0.4000000000000057: what is at the threshold passes, however its digits came about. */
const SLACK = 1e-9;

/** Whether `a` is more than `b`, beyond what rounding leaves. */
export function exceeds(a: number, b: number): boolean {
  return a - b > SLACK * Math.max(1, Math.abs(a), Math.abs(b));
}

/** Without the digits that only rounding has made; never -0. */
export function tidy(value: number): number {
  return Math.abs(value) < SLACK ? 0 : Number(value.toPrecision(10));
}

/** Of a difference: as `tidy`, and 0 where its two sides are equal but for rounding. */
export function difference(a: number, b: number): number {
  return exceeds(a, b) || exceeds(b, a) ? tidy(a - b) : 0;
}

/** 12345.6 -> "12,346" */
export function counted(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** "1 layer", "1,200 layers" */
export function several(many: number, one: string): string {
  return `${counted(many)} ${one}${many === 1 ? '' : 's'}`;
}

/** "+1.6", "-0.2", "0": two decimals, or two digits of what is smaller than 1. */
export function signed(value: number): string {
  const short = Number(Math.abs(value) < 1 ? value.toPrecision(2) : value.toFixed(2));
  return short > 0 ? `+${short}` : String(short + 0);
}
