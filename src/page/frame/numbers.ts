/** Numbers as readers read them. */

/** SQNR: "31.4 dB", "exact", or a dash. */
export function decibels(value: { readonly sqnrDb?: number; readonly exact?: true } | undefined): string {
  if (value?.exact === true) return 'exact';
  return value?.sqnrDb === undefined ? '–' : `${value.sqnrDb.toFixed(1)} dB`;
}

/** Four significant digits, without a tail of zeros. */
export function short(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const size = Math.abs(value);
  return size >= 1e6 || size < 1e-4 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

/** 0..1 as "12.5 %". */
export function percent(share: number): string {
  const value = share * 100;
  if (value === 0) return '0 %';
  return value < 0.01 ? '< 0.01 %' : `${value < 1 ? value.toFixed(2) : value.toFixed(1)} %`;
}

// Made once: toLocaleString makes one for every number.
const COUNTS = new Intl.NumberFormat('en-US');

export function count(value: number): string {
  return COUNTS.format(value);
}

/** "1 layer", "3 layers", "2 boxes". */
export function plural(value: number, noun: string, nouns = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : nouns}`;
}

export function signed(value: number, digits = 1): string {
  return `${value > 0 ? '+' : ''}${value.toFixed(digits)}`;
}
