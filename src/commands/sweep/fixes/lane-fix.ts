/** Changes to a lane that might give back what it loses; each is measured by itself, and those that help together. */
import type { Lane } from '../../../ir/lane.js';
import type { TensorId } from '../../../ir/graph.js';
import type { Layer } from '../../../quant/layers.js';
import type { Samples } from '../../../run/samples.js';
import type { Edge } from '../../../compile/edges.js';
import type { Simulated } from '../part-lanes.js';

export type LaneFixKind =
  | 'observer'
  | 'clipping'
  | 'per-axis'
  | 'asymmetric'
  | 'int16'
  | 'split-concat'
  | 'equalization'
  | 'bias-correction'
  | 'rounding';

export interface LaneFix {
  /** `observer:percentile-99.9 conv3/out`; the same in every run. */
  readonly id: string;
  readonly kind: LaneFixKind;
  /** For the reader: "range of conv3/out from the 99.9th percentile: -3.1 to 4.2 instead of -3.1 to 88". */
  readonly title: string;
  /** Names of tensors or nodes, as in the user's file. */
  readonly places: readonly string[];
  /** What it costs where the network runs: layers in higher precision, bytes more. Absent: nothing. */
  readonly cost?: { readonly layers?: readonly Layer[]; readonly bytes?: number };
  /** What it changes, so that the user's tool can be told: see the exporters. */
  readonly tensors: readonly TensorId[];
  /** Pure; works on a lane to which other fixes were applied before. Gives back the lane itself where nothing is left to change. */
  apply(lane: Lane): Lane;
  /** The fix as it is for another lane, of those that are of the errors of the lane they were made for; undefined where it has none. */
  remade?(lane: Lane): Promise<LaneFix | undefined>;
}

/** What fixes are looked for in. */
export interface FixGround {
  readonly simulated: Simulated;
  readonly layers: readonly Layer[];
  /** Edges that are measured; the ends among them. */
  readonly edges: readonly Edge[];
  readonly ends: readonly Edge[];
  /** For fixes that need a pass of their own. */
  readonly samples: Samples;
  readonly threads: number;
}
