/** What rules look at. */
import type { Alignment } from '../diff/alignment/alignment.js';
import type { ConstantComparison } from '../diff/compared-constants.js';
import type { Suspect } from '../diff/suspects.js';
import type { ConstantMeasurement } from '../diff/weight-measurements.js';
import type { EdgeMeasurement } from '../diff/edge-measurements.js';
import type { Jump } from '../diff/jumps.js';
import type { Graph } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import type { OtherRun } from '../run/other-run.js';

/** Known without running anything. */
export interface LaneEvidence {
  readonly graph: Graph;
  readonly lane: Lane;
}

export interface Evidence extends LaneEvidence {
  readonly edges: readonly EdgeMeasurement[];
  readonly constants: readonly ConstantMeasurement[];
  /** Largest first. */
  readonly jumps: readonly Jump[];
}

/** Of a candidate (`graph`, `lane`) measured against another network, the reference. */
export interface ComparisonEvidence extends Evidence {
  readonly reference: LaneEvidence;
  readonly alignment: Alignment;
  readonly compared: readonly ConstantComparison[];
  /** Worst first. */
  readonly suspects: readonly Suspect[];
  /** Lowest SQNR of an output, dB; absent where none was compared. */
  readonly outputDb?: number;
  /** The candidate's file in ONNX Runtime, operator by operator, and with all optimizations. */
  readonly runtime?: OtherRun;
  readonly optimized?: OtherRun;
  readonly processor?: { readonly text: string; readonly saturates?: boolean | undefined };
  /** Tensors dumped from a device. */
  readonly actual?: OtherRun;
}
