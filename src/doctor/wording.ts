/** 0.0123 -> "1.23 %"; what is not nothing never reads as 0. */
export function percent(share: number): string {
  if (share === 0) return '0';
  const points = 100 * share;
  return points < 0.01 ? '<0.01 %' : `${Number(points.toPrecision(points < 1 ? 1 : 3))} %`;
}

/** Four significant digits. */
export function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
