/** The quantizers of a lane by the tensors of the user's file, which is how other tools want to be told. */
import type { Graph, Node, Tensor, TensorId } from '../../../ir/graph.js';
import { hasSameCodes, useKey, type Lane, type QuantParams } from '../../../ir/lane.js';
import { isOutput, sourceOf } from '../../../ir/operators.js';
import { listed } from './decided-layers.js';

/** Operators that read a tensor with the same quantizer. */
export interface Reading {
  /** Undefined: in float. */
  readonly params: QuantParams | undefined;
  readonly readers: readonly Node[];
}

/** One tensor of the file that the lane quantizes, for some reader at least. */
export interface QuantizedEdge {
  readonly tensor: Tensor;
  readonly isConstant: boolean;
  readonly isOutput: boolean;
  /** What every reader gets that has no quantizer of its own. */
  readonly own: QuantParams | undefined;
  /** Different ways in which it is read, in the order of the readers; of a tensor that nothing reads, the one it is written in. */
  readonly readings: readonly Reading[];
}

/** In the order of the graph's tensors. Biases, which tools derive from the scales of input and weight, are left out. */
export function quantizedEdges(graph: Graph, lane: Lane): QuantizedEdge[] {
  const readings = new Map<TensorId, { params: QuantParams | undefined; readers: Node[] }[]>();
  for (const node of graph.nodes) {
    if (node.origin.part === 'layout') continue;
    node.inputs.forEach((input, slot) => {
      if (input === null) return;
      const tensor = sourceOf(graph, input);
      const params =
        lane.uses.get(useKey(node.id, slot)) ?? lane.tensors.get(input) ?? lane.tensors.get(tensor);
      const known = readings.get(tensor) ?? [];
      readings.set(tensor, known);
      const same = known.find((other) => isSame(other.params, params));
      if (same === undefined) known.push({ params, readers: [node] });
      else if (!same.readers.includes(node)) same.readers.push(node);
    });
  }
  return graph.tensors.flatMap((tensor): QuantizedEdge[] => {
    if (graph.inner?.has(tensor.id) === true) return [];
    const own = lane.tensors.get(tensor.id);
    const read = readings.get(tensor.id) ?? [{ params: own, readers: [] }];
    const all = [own, ...read.map(({ params }) => params)].filter((params) => params !== undefined);
    if (all.length === 0 || all.some(({ dtype }) => dtype === 'int32' || dtype === 'int64')) return [];
    return [
      {
        tensor,
        isConstant: tensor.data !== undefined,
        isOutput: isOutput(graph, tensor.id),
        own,
        readings: read,
      },
    ];
  });
}

function isSame(a: QuantParams | undefined, b: QuantParams | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return hasSameCodes(a, b) && JSON.stringify(a.granularity) === JSON.stringify(b.granularity);
}

/** The one quantizer of a tensor for tools that know no other; undefined where its readers want different ones. */
export function soleQuantizer({ own, readings, isOutput }: QuantizedEdge): QuantParams | undefined {
  const [first, ...others] = readings;
  if (first?.params === undefined || others.length > 0) return undefined;
  return isOutput && !isSame(own, first.params) ? undefined : first.params;
}

/**
 * Name of the tensor in the model that ONNX Runtime's quant_pre_process writes, where BatchNormalization is folded into the
 * operator before it as it is in the graph: the weights are then called after those that they were made from.
 *
 * @returns undefined where it has none that could be known
 */
export function nameFolded({ tensor, isConstant, readings }: QuantizedEdge): string | undefined {
  if (tensor.name === '') return undefined;
  const readers = isConstant ? readings.flatMap((reading) => reading.readers) : [];
  const folds = readers.map(({ origin }) => origin.absorbed?.length ?? 0);
  const [count = 0] = folds;
  if (folds.every((folded) => folded === 0)) return tensor.name;
  // A weight that others read as well is copied, and the copy's name is made up.
  return readers.length > 1 || tensor.name.endsWith('_folded')
    ? undefined
    : `${'ConvBnFusion_W_'.repeat(count)}${tensor.name}`;
}

/** A line about the model that the names are those of, where it is not the user's own. */
export function foldedNodes(graph: Graph): string[] {
  const folded = graph.nodes.flatMap(({ origin }) => origin.absorbed ?? []);
  if (folded.length === 0) return [];
  return [
    `${listed(folded)}: folded into the operator before it, which the tool does not do in the same way; the names are those of ` +
      'the model that onnxruntime.quantization.shape_inference.quant_pre_process writes',
  ];
}
