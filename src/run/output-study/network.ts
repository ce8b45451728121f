/** A network whose outputs are looked at, and what they should be. */
import type { Edge } from '../../compile/edges.js';
import type { ReferenceNetwork } from '../../compile/reference.js';
import type { Graph, TensorId } from '../../ir/graph.js';
import type { Lane } from '../../ir/lane.js';

export interface StudiedNetwork {
  readonly graph: Graph;
  readonly lane: Lane;
  /** Activations that have something to be compared with, in graph order. */
  readonly edges: readonly Edge[];
  /** Of those, the outputs, or what is measured in their place. */
  readonly ends: ReadonlySet<TensorId>;
  /** What the outputs should be; the same network in float when absent. */
  readonly other?: ReferenceNetwork;
}
