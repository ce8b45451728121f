import type { TensorId } from '../../ir/graph.js';
import type { FoundEdge } from './edges.js';
import type { Matching } from './matching.js';

/** Values of tensors of both networks in float on the same samples, one sample behind the other. */
export interface Activations {
  readonly reference: ReadonlyMap<TensorId, Float32Array>;
  readonly candidate: ReadonlyMap<TensorId, Float32Array>;
}

export function completed(_matching: Matching, edges: readonly FoundEdge[], _activations: Activations): FoundEdge[] {
  return [...edges];
}
