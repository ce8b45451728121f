/** From marks to quantizers: schemes, roles, and whose range or parameters each one has. */
import type { Graph, TensorId, Use } from '../../ir/graph.js';
import { tensorOf } from '../../ir/graph.js';
import { isOutput } from '../../ir/operators.js';
import type { Scheme, TensorScheme } from '../scheme.js';
import type { BiasMark, Mark, Marks, Source } from './marks.js';
import { outputOfFused } from './marks.js';
import type { PlannedQuantizer, QuantizerRole, RangeSource } from './plan.js';
import { shareParameters } from './same-scale.js';

/** int32 at s_in * s_w: range and zero point follow from that. */
const BIAS_SCHEME: TensorScheme = {
  dtype: 'int32',
  symmetric: true,
  narrowRange: false,
  granularity: 'per-tensor',
  observer: { kind: 'minmax' },
};

/**
 * Quantizers for everything that is marked, biases last. Some may refer to tensors that the scheme keeps in floating
 * point; `settle` takes care of those.
 */
export function quantizersOf(graph: Graph, scheme: Scheme, marks: Marks): PlannedQuantizer[] {
  const nodes = marks.sameScale.map(({ node, operands, results }) => ({
    node,
    operands,
    results: results.map((result) => outputOfFused(marks, result)),
  }));
  const shared = shareParameters(graph, marks.edges, nodes);
  const edges = new Map(
    [...marks.edges].map(([tensor, mark]) => {
      const source = shared.edges.get(tensor);
      return [tensor, source === undefined ? mark : { ...mark, source }] as const;
    }),
  );
  const quantizers: PlannedQuantizer[] = [];
  const add = (tensor: TensorId, mark: Mark, use?: Use): void => {
    const wanted = mark.kind === 'weight' ? scheme.weights : scheme.activations;
    if (wanted === 'float') return;
    quantizers.push({
      tensor,
      ...(use === undefined ? {} : { use }),
      role: roleOf(graph, tensor),
      scheme: { ...wanted, granularity: mark.axis === undefined ? 'per-tensor' : 'per-axis' },
      ...(mark.axis === undefined ? {} : { axis: mark.axis }),
      range: rangeOf(edges, marks.ranges, tensor, mark.source),
    });
  };
  for (const [tensor, mark] of edges) add(tensor, mark);
  for (const { tensor, use, source } of [...marks.uses.values(), ...shared.uses.values()]) {
    add(tensor, { kind: 'activation', source }, use);
  }
  return scheme.bias === 'float' ? quantizers : [...quantizers, ...biasesOf(graph, marks.biases, edges)];
}

/**
 * Drops quantizers of biases whose input or weight is not quantized, and gives those that shared the parameters of a
 * tensor that is not quantized the range of that tensor.
 *
 * @param ranges of tensors whose range is not simply the one observed at themselves
 */
export function settle(
  quantizers: readonly PlannedQuantizer[],
  ranges: ReadonlyMap<TensorId, RangeSource>,
): PlannedQuantizer[] {
  const edges = new Map(quantizers.filter(({ use }) => use === undefined).map((one) => [one.tensor, one]));
  const reads = new Set(quantizers.map(({ tensor, use }) => `${tensor} ${use?.node ?? ''}`));
  const isRead = (tensor: TensorId, node: number): boolean =>
    reads.has(`${tensor} `) || reads.has(`${tensor} ${node}`);
  return quantizers.flatMap((quantizer) => {
    const { range } = quantizer;
    if (range.kind === 'bias') {
      return isRead(range.input, range.node) && isRead(range.weight, range.node) ? [quantizer] : [];
    }
    if (range.kind !== 'same-as' || edges.has(range.tensor)) return [quantizer];
    return [{ ...quantizer, range: ownRange(ranges, range.tensor) }];
  });
}

function ownRange(ranges: ReadonlyMap<TensorId, RangeSource>, tensor: TensorId): RangeSource {
  return ranges.get(tensor) ?? { kind: 'observed', tensor };
}

/** Follows shared parameters to the tensor that has its own, or to prescribed ones. */
function rangeOf(
  edges: ReadonlyMap<TensorId, Mark>,
  ranges: ReadonlyMap<TensorId, RangeSource>,
  tensor: TensorId,
  source: Source,
): RangeSource {
  let leader = tensor;
  let next: Source | undefined = source;
  while (next?.kind === 'as') {
    leader = next.tensor;
    next = edges.get(leader)?.source;
  }
  if (next?.kind === 'fixed') return { kind: 'fixed', scale: next.scale, zeroPoint: next.zeroPoint };
  return source.kind === 'own' ? ownRange(ranges, tensor) : { kind: 'same-as', tensor: leader };
}

function roleOf(graph: Graph, tensor: TensorId): QuantizerRole {
  if (tensorOf(graph, tensor).data !== undefined) return 'weight';
  if (graph.inputs.includes(tensor)) return 'input';
  return isOutput(graph, tensor) ? 'output' : 'activation';
}

function biasesOf(
  graph: Graph,
  biases: readonly BiasMark[],
  edges: ReadonlyMap<TensorId, Mark>,
): PlannedQuantizer[] {
  const seen = new Set<TensorId>();
  return biases.flatMap(({ tensor, use, node, input, weight, factor }) => {
    const isFirst = !seen.has(tensor);
    seen.add(tensor);
    // A constant that some node reads as an activation has its quantizer already, and the bias reads that.
    if (isFirst && edges.has(tensor)) return [];
    const channels = channelsOf(graph, weight, edges.get(weight)?.axis);
    const axis = channels === undefined ? undefined : biasAxis(graph, tensor, channels);
    if (channels !== undefined && axis === undefined) return [];
    return [
      {
        tensor,
        // Nodes that add the same constant have a scale each.
        ...(isFirst ? {} : { use }),
        role: 'bias',
        scheme: { ...BIAS_SCHEME, granularity: axis === undefined ? 'per-tensor' : 'per-axis' },
        ...(axis === undefined ? {} : { axis }),
        range: { kind: 'bias', node, input, weight, factor },
      },
    ];
  });
}

function channelsOf(graph: Graph, weight: TensorId, axis: number | undefined): number | undefined {
  return axis === undefined ? undefined : tensorOf(graph, weight).data?.dims[axis];
}

/** Dimension of the bias that has one element per channel; a bias that is broadcast over the channels has none. */
export function biasAxis(graph: Graph, bias: TensorId, channels: number): number | undefined {
  const dims = tensorOf(graph, bias).data?.dims ?? [];
  const axis = dims.lastIndexOf(channels);
  return axis < 0 ? undefined : axis;
}
