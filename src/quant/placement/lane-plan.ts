/** What a lane that came with a file quantizes, told as a plan. */
import { nodeOf, tensorOf, type Graph, type NodeId, type TensorId, type Use } from '../../ir/graph.js';
import { QRANGE, type Lane, type QuantParams, type UseKey } from '../../ir/lane.js';
import { isOutput } from '../../ir/operators.js';
import type { TensorScheme } from '../scheme.js';
import { operatorForms } from './float-operators.js';
import type { PlannedQuantizer, QuantizerRole, QuantPlan } from './plan.js';

/** An operator computes with integers when all its floating-point edges have quantizers. */
export function planOfLane(graph: Graph, lane: Lane): QuantPlan {
  const inner = graph.inner ?? new Set<TensorId>();
  const forms = operatorForms(graph, lane);
  return {
    placement: 'file',
    quantizers: quantizersOf(graph, lane, inner),
    quantizedNodes: forms.flatMap(({ operator, cause }) => (cause === undefined ? [operator.main.id] : [])),
    floatNodes: forms.flatMap(({ operator, cause }) =>
      cause === undefined ? [] : [{ node: operator.main.id, reason: cause.text }],
    ),
    fusedAway: [...inner],
    biasLimit: Infinity,
  };
}

function quantizersOf(graph: Graph, lane: Lane, inner: ReadonlySet<TensorId>): PlannedQuantizer[] {
  const planned = (tensor: TensorId, params: QuantParams): PlannedQuantizer => ({
    tensor,
    role: roleOf(graph, tensor, params),
    scheme: schemeOf(params),
    ...(params.granularity.kind === 'per-axis' ? { axis: params.granularity.axis } : {}),
    range: { kind: 'fixed', scale: params.scale[0] ?? 0, zeroPoint: params.zeroPoint[0] ?? 0 },
  });
  return [
    ...[...lane.tensors].flatMap(([tensor, params]) => (inner.has(tensor) ? [] : [planned(tensor, params)])),
    ...[...lane.uses].flatMap(([key, params]) => {
      const use = useOf(key);
      const tensor = nodeOf(graph, use.node).inputs[use.slot];
      return tensor === null || tensor === undefined ? [] : [{ ...planned(tensor, params), use }];
    }),
  ];
}

/** The node and the slot that a key stands for. */
export function useOf(key: UseKey): Use {
  const [node, slot] = key.split(':').map(Number);
  return { node: node as NodeId, slot: slot as number };
}

function roleOf(graph: Graph, tensor: TensorId, { dtype }: QuantParams): QuantizerRole {
  if (tensorOf(graph, tensor).data !== undefined) {
    return dtype === 'int32' || dtype === 'int64' ? 'bias' : 'weight';
  }
  if (graph.inputs.includes(tensor)) return 'input';
  return isOutput(graph, tensor) ? 'output' : 'activation';
}

/** Unsigned codes lie around zero when it is the middle one. */
export function isSymmetric(dtype: QuantParams['dtype'], zeroPoint: QuantParams['zeroPoint']): boolean {
  const [qmin, qmax] = QRANGE[dtype];
  const middle = qmin === 0 ? (qmax + 1) / 2 : 0;
  return zeroPoint.every((point) => point === middle);
}

function schemeOf({ dtype, zeroPoint, granularity, qmin, qmax }: QuantParams): TensorScheme {
  return {
    dtype,
    symmetric: isSymmetric(dtype, zeroPoint),
    narrowRange: qmin === -qmax,
    granularity: granularity.kind === 'per-tensor' ? 'per-tensor' : 'per-axis',
    observer: { kind: 'minmax' },
  };
}
