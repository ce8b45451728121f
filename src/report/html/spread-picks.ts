/** Positions of `kept` of `count` things, evenly spread, the first and the last among them; ascending. */
function evenlySpread(count: number, kept: number): number[] {
  if (kept >= count) return Array.from({ length: count }, (_, i) => i);
  if (kept <= 1) return count > 0 && kept === 1 ? [0] : [];
  return Array.from({ length: kept }, (_, i) => Math.round((i * (count - 1)) / (kept - 1)));
}

/**
 * The same with positions that must not be missing: as many of them as half of what is kept, in their order.
 *
 * @param wanted most wanted first
 */
export function spreadWith(count: number, kept: number, wanted: readonly number[]): number[] {
  if (kept >= count) return evenlySpread(count, kept);
  const picks = new Set(wanted.filter((at) => at >= 0 && at < count).slice(0, Math.ceil(kept / 2)));
  for (const at of evenlySpread(count, kept - picks.size)) picks.add(at);
  return [...picks].sort((a, b) => a - b);
}
