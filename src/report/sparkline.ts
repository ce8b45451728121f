/** A row of numbers as a row of bars, one character each. */

/** A bar of each eighth of the height. */
const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
export const BAR_LEVELS = BARS.length;

/** @param levels 0 (lowest) .. 7; nothing is drawn where there is none */
export function sparkline(levels: readonly (number | undefined)[]): string {
  return levels
    .map((level) =>
      level === undefined ? ' ' : BARS[Math.min(Math.max(Math.trunc(level), 0), BAR_LEVELS - 1)],
    )
    .join('');
}

/** How numbers in order share the characters of a line: several have one, or each has several. */
export interface Buckets {
  /** Numbers that one character stands for. */
  readonly per: number;
  /** Characters that one number takes; 1 where `per` is more. */
  readonly repeat: number;
  readonly width: number;
}

const WIDEST_BAR = 4;

/** @param room characters, 1 at least */
export function bucketsOf(many: number, room: number): Buckets {
  if (many === 0) return { per: 1, repeat: 1, width: 0 };
  const per = Math.ceil(many / room);
  const repeat = per > 1 ? 1 : Math.max(1, Math.min(WIDEST_BAR, Math.floor(room / many)));
  return { per, repeat, width: Math.ceil(many / per) * repeat };
}

/** First character of the number at `index`. */
export function bucketOf(index: number, { per, repeat }: Buckets): number {
  return Math.floor(index / per) * repeat;
}

/** The least of each bucket: what is bad is not hidden by what stands beside it. */
export function leastOf(values: readonly (number | undefined)[], buckets: Buckets): (number | undefined)[] {
  const least = new Array<number | undefined>(buckets.width).fill(undefined);
  for (const [index, value] of values.entries()) {
    const first = bucketOf(index, buckets);
    const before = least[first];
    if (value !== undefined && (before === undefined || value < before))
      least.fill(value, first, first + buckets.repeat);
  }
  return least;
}
