/** What ONNX Runtime's quantizer did to a model, as the recipes in fixtures/ store it. */
import type { Graph, TensorId } from '../../src/ir/graph.js';
import { nodeOf, tensorOf } from '../../src/ir/graph.js';
import type { Lane, QuantParams } from '../../src/ir/lane.js';
import { useKey } from '../../src/ir/lane.js';
import type { Range } from '../../src/quant/observers/index.js';
import type { PlannedQuantizer, QuantPlan } from '../../src/quant/placement/plan.js';

export interface ReferenceQuantizer {
  readonly dtype: string;
  readonly axis?: number;
  /** Tensor whose scale constant is used. */
  readonly like?: string;
  readonly scale: readonly number[];
  /** All zero when absent. */
  readonly zeroPoint?: readonly number[];
}

export type ByName = Readonly<Record<string, ReferenceQuantizer>>;

/** Ranges by tensor name as the lookup that `buildLane` wants. */
export function rangesByName(
  graph: Graph,
  ranges: Readonly<Record<string, readonly number[]>>,
): (tensor: TensorId) => Range {
  return (tensor) => {
    const { name } = tensorOf(graph, tensor);
    const [rmin, rmax] = ranges[name] ?? [];
    if (rmin === undefined || rmax === undefined) throw new Error(`no range for '${name}'`);
    return { rmin, rmax };
  };
}

/** The lane's quantizers in the form of the reference: biases by the output of the node that adds them. */
export function asReference(
  graph: Graph,
  plan: QuantPlan,
  lane: Lane,
): { readonly tensors: ByName; readonly biases: ByName } {
  const tensors: Record<string, ReferenceQuantizer> = {};
  const biases: Record<string, ReferenceQuantizer> = {};
  for (const quantizer of plan.quantizers) {
    const { tensor, use, range } = quantizer;
    const params = use === undefined ? lane.tensors.get(tensor) : lane.uses.get(useKey(use.node, use.slot));
    if (params === undefined) throw new Error(`'${tensorOf(graph, tensor).name}' is not in the lane`);
    const entry = entryOf(graph, quantizer, params);
    if (range.kind === 'bias') biases[outputName(graph, plan, range.node)] = entry;
    else tensors[tensorOf(graph, tensor).name] = entry;
  }
  return { tensors, biases };
}

function entryOf(graph: Graph, { range }: PlannedQuantizer, params: QuantParams): ReferenceQuantizer {
  const { dtype, granularity } = params;
  const zeroPoint = Array.from(params.zeroPoint);
  return {
    dtype,
    ...(granularity.kind === 'per-axis' ? { axis: granularity.axis } : {}),
    ...(range.kind === 'same-as' ? { like: tensorOf(graph, range.tensor).name } : {}),
    scale: Array.from(params.scale),
    ...(zeroPoint.some((value) => value !== 0) ? { zeroPoint } : {}),
  };
}

/** Behind the functions that were fused into the node: the reference has them removed. */
function outputName(graph: Graph, plan: QuantPlan, node: PlannedQuantizer['tensor'] | number): string {
  const fused = new Set(plan.fusedAway);
  let output = nodeOf(graph, graph.nodes[node]!.id).outputs[0]!;
  while (fused.has(output)) {
    const reader = graph.nodes.find(({ inputs }) => inputs.includes(output));
    output = reader!.outputs[0]!;
  }
  return tensorOf(graph, output).name;
}

/** float32 values of numbers that were written with nine significant digits. */
export function asFloat32(reference: ByName): ByName {
  return Object.fromEntries(
    Object.entries(reference).map(([name, entry]) => [
      name,
      { ...entry, scale: entry.scale.map(Math.fround) },
    ]),
  );
}
