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

const MOST_LISTED = 5;

/** "channel 3", "channels 1, 2, 3", "12 channels (0, 1, 2, 3, 4, ...)". */
export function listed(what: string, indices: readonly number[]): string {
  if (indices.length === 1) return `${what} ${indices[0]}`;
  const shown = indices.slice(0, MOST_LISTED).join(', ');
  return indices.length <= MOST_LISTED ? `${what}s ${shown}` : `${indices.length} ${what}s (${shown}, ...)`;
}
