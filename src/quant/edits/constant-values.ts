/** Constants with other elements, as lanes have them. */
import type { ConstantData, Graph, TensorId } from '../../ir/graph.js';
import type { Lane } from '../../ir/lane.js';

/** What constants stand for whose elements were moved to make up for quantization. */
const meant = new WeakMap<ConstantData, ConstantData>();

/** A float32 constant of the same dims. */
export function withValues({ dims }: ConstantData, values: Float32Array): ConstantData {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { dtype: 'float32', dims, byteLength: bytes.byteLength, bytes: () => bytes };
}

/** The constant with elements that are no longer exact, so that the quantized network is closer to the exact one. */
export function compensating(data: ConstantData, values: Float32Array): ConstantData {
  const made = withValues(data, values);
  meant.set(made, exactOf(data));
  return made;
}

/** The constant without what makes up for quantization; itself where nothing does. */
export function exactOf(data: ConstantData): ConstantData {
  return meant.get(data) ?? data;
}

/**
 * What the lane quantizes, in float: the graph with the constants that the lane has in their place, but those exact. The same
 * function as the graph, with other values between its layers where they were equalized.
 */
export function exactGraph(graph: Graph, { values }: Lane): Graph {
  if (values === undefined || values.size === 0) return graph;
  const dataOf = (id: TensorId): ConstantData | undefined => {
    const data = values.get(id);
    return data === undefined ? undefined : exactOf(data);
  };
  const tensors = graph.tensors.map((tensor) => {
    const data = dataOf(tensor.id);
    return data === undefined || data === tensor.data ? tensor : { ...tensor, data };
  });
  return { ...graph, tensors };
}
