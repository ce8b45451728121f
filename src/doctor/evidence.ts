/** What rules look at. */
import type { ConstantMeasurement } from '../diff/weight-measurements.js';
import type { EdgeMeasurement } from '../diff/edge-measurements.js';
import type { Jump } from '../diff/jumps.js';
import type { Graph } from '../ir/graph.js';

export interface Evidence {
  readonly graph: Graph;
  readonly edges: readonly EdgeMeasurement[];
  readonly constants: readonly ConstantMeasurement[];
  /** Largest first. */
  readonly jumps: readonly Jump[];
}
