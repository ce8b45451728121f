/** All rules, in the order their findings are told. */
import { measuredInputs } from '../diff/measured-inputs.js';
import { tensorOf, topologyOf, type TensorId } from '../ir/graph.js';
import type { ComparisonEvidence, Evidence, LaneEvidence } from './evidence.js';
import { worstFirst, type Finding } from './finding.js';
import { clipped } from './rules/act/clipped.js';
import { nonFinite, nonFiniteCandidate } from './rules/act/non-finite.js';
import { subjectOf, writersOf } from './subject.js';
import { shiftedRange } from './rules/act/shifted-range.js';
import { wideRange } from './rules/act/wide-range.js';
import { graphChanged } from './rules/base/graph-changed.js';
import { preproc } from './rules/io/preproc.js';
import { outputOrder } from './rules/io/output-order.js';
import { differs } from './rules/op/differs.js';
import { saturation } from './rules/cpu/u8s8-saturation.js';
import { mismatch } from './rules/rt/mismatch.js';
import { inputScale } from './rules/w/input-scale.js';
import { areOthers, notSameModel } from './rules/w/not-same-model.js';
import { outlierRange } from './rules/act/outlier-range.js';
import { readBack } from './rules/act/read-back.js';
import { degenerate } from './rules/q/degenerate.js';
import { axis } from './rules/w/axis.js';
import { perTensorSpread } from './rules/w/per-tensor-spread.js';
import { biasOverflow } from './rules/w/bias-overflow.js';
import { concatSharedScale } from './rules/act/concat-shared-scale.js';
import { spec } from './rules/w/spec.js';

const RULES: readonly ((evidence: Evidence) => Finding[])[] = [
  nonFinite,
  perTensorSpread,
  clipped,
  concatSharedScale,
  outlierRange,
];

const LANE_RULES: readonly ((evidence: LaneEvidence) => Finding[])[] = [
  degenerate,
  axis,
  readBack,
  spec,
  biasOverflow,
];

export function diagnose(evidence: Evidence): Finding[] {
  return worstFirst([...LANE_RULES, ...RULES].flatMap((rule) => rule(evidence)));
}

/** What the parameters alone say. */
export function diagnoseLane(evidence: LaneEvidence): Finding[] {
  return worstFirst(LANE_RULES.flatMap((rule) => rule(evidence)));
}

/** One scale for all channels of a weight is a cause where the layer is broken by itself. */
function spreadOfBroken(evidence: ComparisonEvidence): Finding[] {
  const { graph, suspects } = evidence;
  const broken = new Set(
    suspects.flatMap(({ tensor, kind, db, lostIn }) => [
      ...(kind === 'operator' && db < SPREAD_DB ? [subjectOf(graph, tensor).node] : []),
      ...(lostIn === undefined ? [] : [subjectOf(graph, lostIn.tensor).node]),
    ]),
  );
  // Weights that were trained to live with their scale are no cause.
  return areOthers(evidence)
    ? []
    : perTensorSpread(evidence).filter(({ subject }) => broken.has(subject.node));
}

const SPREAD_DB = 15;

const COMPARISON_RULES: readonly ((evidence: ComparisonEvidence) => Finding[])[] = [
  preproc,
  clipped,
  concatSharedScale,
  spreadOfBroken,
  wideRange,
  shiftedRange,
  notSameModel,
  graphChanged,
  outputOrder,
  mismatch,
  saturation,
  nonFiniteCandidate,
];

/** What a candidate beside its reference shows: of one severity, what is said of the worst suspect comes first. */
export function diagnoseComparison(evidence: ComparisonEvidence): Finding[] {
  const { graph, suspects } = evidence;
  const misread = inputScale(evidence);
  const excused = new Set(misread.map(({ bias }) => bias));
  const told = [
    ...misread.map(({ finding }) => finding),
    ...[...LANE_RULES, ...COMPARISON_RULES]
      .flatMap((rule) => rule(evidence))
      .filter(({ subject: { tensor = '' } }) => !excused.has(tensor)),
  ];
  const measured = new Set(evidence.edges.map(({ edge }) => edge.tensor));
  const ranks = new Map<string, number>();
  suspects.forEach(({ tensor }, rank) => {
    const names = [tensorOf(graph, tensor).name, ...writersOf(graph, tensor, measured)];
    for (const name of names) if (!ranks.has(name)) ranks.set(name, rank);
  });
  // What is said of the whole model comes before what is said of a place.
  const rankOf = ({ subject: { tensor, node } }: Finding): number =>
    tensor === undefined && node === undefined
      ? -1
      : Math.min(ranks.get(tensor ?? '') ?? suspects.length, ranks.get(node ?? '') ?? suspects.length);
  const broken = new Map(
    suspects.filter(({ db }) => db < BROKEN_DB).map(({ tensor }) => [tensorOf(graph, tensor).name, tensor]),
  );
  const all = [...told, ...differs(evidence, told)].map((finding) => earned(finding, broken));
  const ranked = worstFirst(
    all
      .map((finding) => ({ finding, rank: rankOf(finding) }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ finding }) => finding),
  );
  return upstreamFirst(evidence, ranked, measured);
}

/** Local or self SQNR, dB, of a broken tensor. */
const BROKEN_DB = 10;

/** What might be harmless elsewhere is an error where the tensor is broken by itself. */
function earned(finding: Finding, broken: ReadonlyMap<string, unknown>): Finding {
  const isCause =
    finding.severity === 'warning' &&
    finding.rule !== 'io.output-order' &&
    broken.has(finding.subject.tensor ?? '');
  return isCause ? { ...finding, severity: 'error' } : finding;
}

/**
 * Damage done to a tensor shows at what reads it, too, and sometimes more: of two errors of which one is on what the other reads, that
 * one is told first.
 */
function upstreamFirst(
  { graph }: ComparisonEvidence,
  findings: readonly Finding[],
  measured: ReadonlySet<TensorId>,
): Finding[] {
  const { producer } = topologyOf(graph);
  const byName = new Map([...measured].map((tensor) => [tensorOf(graph, tensor).name, tensor]));
  const order = [...findings];
  // Each step goes up by one layer, and no layer twice.
  const visited = new Set<Finding>();
  for (
    let [first] = order;
    first !== undefined && first.severity === 'error' && !visited.has(first);
    [first] = order
  ) {
    visited.add(first);
    const tensor = byName.get(first.subject.tensor ?? '');
    const writer = tensor === undefined ? undefined : producer[tensor];
    const read = writer === undefined ? [] : measuredInputs(graph, writer, measured);
    const names = new Set(read.map((id) => tensorOf(graph, id).name));
    const at = order.findIndex(
      ({ severity, subject }) => severity === 'error' && names.has(subject.tensor ?? ''),
    );
    if (at > 0) order.unshift(...order.splice(at, 1));
  }
  return order;
}
