/** The weights of a float graph: constants that are multiplied with activations. */
import {
  intAttr,
  isFloat,
  tensorOf,
  type ConstantData,
  type Graph,
  type Node,
  type TensorId,
} from './graph.js';

/** A constant operand of a convolution or matrix product. */
export interface Weight {
  readonly tensor: TensorId;
  readonly node: Node;
  readonly slot: number;
  readonly data: ConstantData;
  /** Dimension of the output channels. */
  readonly axis: number;
}

/**
 * Output-channel dimension of input `slot` of the node when it is a weight of the given rank, else undefined.
 * Conv [M, C/g, k...] 0, ConvTranspose [C, M/g, k...] 1, Gemm 1 or (transB) 0, MatMul the last of its second operand.
 */
export function weightAxis(node: Node, slot: number, rank: number): number | undefined {
  if (slot !== 1 || node.domain !== '') return undefined;
  switch (node.op) {
    case 'Conv':
      return 0;
    case 'ConvTranspose':
      return rank > 1 ? 1 : undefined;
    case 'Gemm':
      return (intAttr(node, 'transB') ?? 0) !== 0 ? 0 : 1;
    case 'MatMul':
      return rank > 1 ? rank - 1 : undefined;
    default:
      return undefined;
  }
}

/** All weights in graph order; one that several nodes share is listed once, with the first. */
export function weightsOf(graph: Graph): Weight[] {
  const seen = new Set<TensorId>();
  return graph.nodes.flatMap((node) =>
    node.inputs.flatMap((id, slot): Weight[] => {
      if (id === null || seen.has(id)) return [];
      const { data, dtype } = tensorOf(graph, id);
      const axis = data === undefined ? undefined : weightAxis(node, slot, data.dims.length);
      if (data === undefined || axis === undefined || axis >= data.dims.length || !isFloat(dtype)) return [];
      seen.add(id);
      return [{ tensor: id, node, slot, data, axis }];
    }),
  );
}
