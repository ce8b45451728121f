/** All rules, in the order their findings are told. */
import type { Evidence, LaneEvidence } from './evidence.js';
import { worstFirst, type Finding } from './finding.js';
import { clipped } from './rules/act/clipped.js';
import { nonFinite } from './rules/act/non-finite.js';
import { outlierRange } from './rules/act/outlier-range.js';
import { degenerate } from './rules/q/degenerate.js';
import { axis } from './rules/w/axis.js';
import { perTensorSpread } from './rules/w/per-tensor-spread.js';
import { spec } from './rules/w/spec.js';

const RULES: readonly ((evidence: Evidence) => Finding[])[] = [
  nonFinite,
  perTensorSpread,
  clipped,
  outlierRange,
];

const LANE_RULES: readonly ((evidence: LaneEvidence) => Finding[])[] = [degenerate, axis, spec];

export function diagnose(evidence: Evidence): Finding[] {
  return worstFirst([...LANE_RULES, ...RULES].flatMap((rule) => rule(evidence)));
}

/** What the parameters alone say. */
export function diagnoseLane(evidence: LaneEvidence): Finding[] {
  return worstFirst(LANE_RULES.flatMap((rule) => rule(evidence)));
}
