/** All fixes that there is a reason to try. */
import type { FixGround, LaneFix } from './lane-fix.js';
import { asymmetricFixes } from './asymmetric.js';
import { biasCorrectionFixes } from './bias-correction.js';
import { clippingFixes } from './clipping.js';
import { equalizationFixes } from './equalization.js';
import { int16Fixes } from './int16.js';
import { observerFixes } from './observer.js';
import { perAxisFixes } from './per-axis.js';
import { roundingFixes } from './rounding.js';
import { splitConcatFixes } from './split-concat.js';

/** Finds fixes of one kind, those that promise most first. */
export type FixMaker = (ground: FixGround) => LaneFix[] | Promise<LaneFix[]>;

const MAKERS: readonly FixMaker[] = [
  perAxisFixes,
  observerFixes,
  clippingFixes,
  asymmetricFixes,
  equalizationFixes,
  biasCorrectionFixes,
  roundingFixes,
  splitConcatFixes,
  int16Fixes,
];

/** Each is a network of its own to run. */
const MOST_FIXES = 40;

export interface ProposedFixes {
  readonly fixes: readonly LaneFix[];
  /** Too many to try: they are for the report's list of what was not measured. */
  readonly left: readonly LaneFix[];
}

/** Of each maker the first, of each the second, and so on, as many as are allowed; in the order of the makers, every id once. */
export async function proposedFixes(
  ground: FixGround,
  {
    makers = MAKERS,
    most = MOST_FIXES,
  }: { readonly makers?: readonly FixMaker[]; readonly most?: number } = {},
): Promise<ProposedFixes> {
  const found: (readonly LaneFix[])[] = [];
  // One after the other: some take passes over the samples.
  for (const maker of makers) found.push(await maker(ground));
  const byTurns = Array.from({ length: Math.max(0, ...found.map(({ length }) => length)) }, (_, rank) =>
    found.flatMap((fixes) => fixes[rank] ?? []),
  ).flat();
  const chosen = new Set(byTurns.slice(0, most));
  const all = found.flat();
  return {
    fixes: withOwnIds(all.filter((fix) => chosen.has(fix))),
    left: all.filter((fix) => !chosen.has(fix)),
  };
}

/** Tensors of a file may have the same name. */
function withOwnIds(fixes: readonly LaneFix[]): LaneFix[] {
  const times = new Map<string, number>();
  return fixes.map((fix) => {
    const time = (times.get(fix.id) ?? 0) + 1;
    times.set(fix.id, time);
    return time === 1 ? fix : { ...fix, id: `${fix.id} #${time}` };
  });
}
