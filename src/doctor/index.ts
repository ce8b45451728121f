/** All rules, in the order their findings are told. */
import type { Evidence } from './evidence.js';
import { worstFirst, type Finding } from './finding.js';
import { clipped } from './rules/act/clipped.js';
import { nonFinite } from './rules/act/non-finite.js';
import { outlierRange } from './rules/act/outlier-range.js';
import { perTensorSpread } from './rules/w/per-tensor-spread.js';

const RULES: readonly ((evidence: Evidence) => Finding[])[] = [
  nonFinite,
  perTensorSpread,
  clipped,
  outlierRange,
];

export function diagnose(evidence: Evidence): Finding[] {
  return worstFirst(RULES.flatMap((rule) => rule(evidence)));
}
