/** What a lane that came with a file quantizes, told as a plan. */
import { OPAQUE_DOMAIN, tensorOf, type Graph, type Node, type TensorId } from '../../ir/graph.js';
import { QRANGE, type Lane, type QuantParams } from '../../ir/lane.js';
import { isOutput, operatorsOf, sourceOf } from '../../ir/operators.js';
import type { TensorScheme } from '../scheme.js';
import { EdgeFacts } from './edge-facts.js';
import type { FloatNode, PlannedQuantizer, QuantizerRole, QuantPlan } from './plan.js';

/** They stand where integers begin and end, and compute nothing. */
const CONVERSIONS: ReadonlySet<string> = new Set(['QUANTIZE', 'DEQUANTIZE']);

/** An operator computes with integers when all its floating-point edges have quantizers. */
export function planOfLane(graph: Graph, lane: Lane): QuantPlan {
  const facts = new EdgeFacts(graph);
  const inner = graph.inner ?? new Set<TensorId>();
  const quantizedNodes: QuantPlan['quantizedNodes'][number][] = [];
  const floatNodes: FloatNode[] = [];
  for (const { main, nodes } of operatorsOf(graph)) {
    if (main.domain === OPAQUE_DOMAIN || CONVERSIONS.has(main.origin.op)) continue;
    const edges = nodes
      .flatMap(({ inputs, outputs }) => [...inputs, ...outputs])
      .map((id) => (id === null ? null : sourceOf(graph, id)))
      .filter((id): id is TensorId => facts.isQuantizable(id) && !inner.has(id));
    if (edges.length === 0) continue;
    const open = edges.find((id) => !lane.tensors.has(id));
    if (open === undefined) quantizedNodes.push(main.id);
    else floatNodes.push({ node: main.id, reason: hybridReason(lane, main) ?? reasonOf(nodes, open) });
  }
  return {
    placement: 'file',
    quantizers: quantizersOf(graph, lane, inner),
    quantizedNodes,
    floatNodes,
    fusedAway: [...inner],
    biasLimit: Infinity,
  };
}

/** A hybrid kernel multiplies integers, made of a float activation while it runs. */
function hybridReason({ hybrid, tensors }: Lane, { id, inputs }: Node): string | undefined {
  if (hybrid?.has(id) !== true) return undefined;
  const codes = inputs.map((input) => (input === null ? undefined : tensors.get(input)));
  return `hybrid: ${codes.find((params) => params !== undefined)?.dtype ?? 'integer'} weights, float activations`;
}

function reasonOf(nodes: readonly Node[], open: TensorId): string {
  return nodes.some(({ outputs }) => outputs.includes(open)) ? 'it writes floats' : 'it reads floats';
}

function quantizersOf(graph: Graph, lane: Lane, inner: ReadonlySet<TensorId>): PlannedQuantizer[] {
  return [...lane.tensors].flatMap(([tensor, params]): PlannedQuantizer[] =>
    inner.has(tensor)
      ? []
      : [
          {
            tensor,
            role: roleOf(graph, tensor, params),
            scheme: schemeOf(params),
            ...(params.granularity.kind === 'per-axis' ? { axis: params.granularity.axis } : {}),
            range: { kind: 'fixed', scale: params.scale[0] ?? 0, zeroPoint: params.zeroPoint[0] ?? 0 },
          },
        ],
  );
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
