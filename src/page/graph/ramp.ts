/** Numbers as colours: nine steps from "nothing to see" to "look here", which graph.css has for each theme. */

export const STEPS = 9;

export interface Mark {
  /** 0..1 along the scale, 1 where to look. */
  readonly position: number;
  readonly text: string;
}

export interface Scale {
  /** Where a number lies, 0..1; beyond the ends, the end. */
  readonly position: (value: number) => number;
  /** Numbers beside the colours, from 0 to 1. */
  readonly marks: readonly Mark[];
  /** There are only the marked values. */
  readonly classes?: true;
}

/** @returns 0..8 */
export function stepOf(position: number): number {
  return Math.min(STEPS - 1, Math.max(0, Math.floor(position * STEPS)));
}

const clamped = (position: number): number => Math.min(1, Math.max(0, position));

/** Of SQNR: the same in every report, so that a colour means the same. Less is worse. */
export const SQNR_SCALE: Scale = {
  position: (db) => clamped((40 - db) / 40),
  marks: [
    { position: 0, text: '≥ 40 dB' },
    { position: 0.25, text: '30' },
    { position: 0.5, text: '20' },
    { position: 0.75, text: '10' },
    { position: 1, text: '≤ 0 dB' },
  ],
};

/** Of shares of values, 0..1: a tenth of a tenth of a percent is nothing, a tenth is much. */
export const SHARE_SCALE: Scale = {
  position: (share) => (share <= 0 ? 0 : clamped((Math.log10(share) + 4) / 3)),
  marks: [
    { position: 0, text: '≤ 0.01 %' },
    { position: 1 / 3, text: '0.1 %' },
    { position: 2 / 3, text: '1 %' },
    { position: 1, text: '≥ 10 %' },
  ],
};

/** Of steps that are left to values, of the 256 of 8 bits; with one and less, nothing is told apart. */
export const LEVELS_SCALE: Scale = {
  position: (levels) => (levels <= 1 ? 1 : clamped(1 - Math.log2(levels) / 8)),
  marks: [
    { position: 0, text: '256' },
    { position: 0.25, text: '64' },
    { position: 0.5, text: '16' },
    { position: 0.75, text: '4' },
    { position: 1, text: '≤ 1' },
  ],
};

/** From 0 (and what is below) to the largest of the values. */
export function linearScale(values: readonly number[], text: (value: number) => string): Scale {
  const largest = values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, value) : most), 0);
  if (largest === 0) return { position: () => 0, marks: [{ position: 0, text: text(0) }] };
  return {
    position: (value) => clamped(value / largest),
    marks: [0, 0.5, 1].map((position) => ({ position, text: text(position * largest) })),
  };
}

/** Between the extremes of the positive values, which may be many powers of ten apart. */
export function logScale(values: readonly number[], text: (value: number) => string): Scale {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  if (positive.length === 0) return { position: () => 0, marks: [] };
  const lo = positive.reduce((least, value) => Math.min(least, value));
  const hi = positive.reduce((most, value) => Math.max(most, value));
  if (lo === hi) return { position: () => 0, marks: [{ position: 0, text: text(hi) }] };
  const span = Math.log(hi / lo);
  return {
    position: (value) => (value <= lo ? 0 : clamped(Math.log(value / lo) / span)),
    marks: [
      { position: 0, text: text(lo) },
      { position: 0.5, text: text(lo * Math.exp(span / 2)) },
      { position: 1, text: text(hi) },
    ],
  };
}

/** Of few kinds, from the harmless to the worst. */
export function classScale(texts: readonly string[]): Scale {
  const last = Math.max(1, texts.length - 1);
  return {
    position: (value) => clamped(value / last),
    marks: texts.map((text, i) => ({ position: i / last, text })),
    classes: true,
  };
}
