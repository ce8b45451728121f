import { tensorOf, type Graph, type TensorId } from './graph.js';
import type { Lane, QuantParams } from './lane.js';

/**
 * Parameters of a tensor that is integers in the user's file, such as a quantized input; undefined where the file has floats,
 * whatever quantizes them behind.
 */
export function storedParams(
  graph: Graph,
  lane: Lane | undefined,
  tensor: TensorId,
): QuantParams | undefined {
  const params = lane?.tensors.get(tensor);
  if (graph.format === 'tflite') return params;
  const isCodes = lane?.stored?.get(tensor)?.codes.includes(tensorOf(graph, tensor).name) === true;
  return isCodes ? params : undefined;
}
