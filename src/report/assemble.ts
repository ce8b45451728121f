/** Measurements -> the parts of the Report, in the user's names. */
import type { EdgeMeasurement } from '../diff/edge-measurements.js';
import type { Jump } from '../diff/jumps.js';
import type { ConstantMeasurement } from '../diff/weight-measurements.js';
import {
  nodeLabel,
  nodeOf,
  tensorOf,
  type Graph,
  type NodeId,
  type Tensor,
  type TensorId,
} from '../ir/graph.js';
import type { QuantParams } from '../ir/lane.js';
import { macsOf } from '../ir/macs.js';
import { isMain, isOutput } from '../ir/operators.js';
import { fileAxis, fileShape } from '../ir/file-axes.js';
import { bulkView, histogramView } from '../quant/histogram-view.js';
import type { Histogram } from '../quant/histogram.js';
import type { QuantPlan } from '../quant/placement/plan.js';
import { groupBy } from './group.js';
import type { Places } from './places.js';
import { reportedWeight } from './weight-row.js';
import type {
  Report,
  ReportedChannel,
  ReportedJump,
  ReportedQuant,
  ReportedTensor,
  ReportedWeight,
  TensorRole,
} from './report.js';

export function reportedQuant(params: QuantParams, tensor: Tensor): ReportedQuant {
  const { dtype, scale, zeroPoint, granularity, qmin, qmax, source } = params;
  return {
    dtype,
    scale: [...scale],
    zeroPoint: [...zeroPoint],
    ...(granularity.kind === 'per-tensor' ? {} : { axis: fileAxis(tensor, granularity.axis) }),
    ...(granularity.kind === 'per-block' ? { blockSize: granularity.blockSize } : {}),
    qmin,
    qmax,
    source,
  };
}

export function roleOf(graph: Graph, tensor: TensorId): TensorRole {
  if (graph.inputs.includes(tensor)) return 'input';
  return isOutput(graph, tensor) ? 'output' : 'activation';
}

export interface TensorRowOptions {
  /** Edges that get their channels listed without being asked for. */
  readonly listed: ReadonlySet<TensorId>;
  /** Those whose channels the user asked for. */
  readonly asked: ReadonlySet<TensorId>;
  /** What other observers would give. */
  readonly forecasts: (measurement: EdgeMeasurement) => Pick<ReportedTensor, 'forecast' | 'alternatives'>;
  /** Values of an edge, where they were counted. */
  readonly histogram: (tensor: TensorId) => Histogram | undefined;
}

/** Rows of activations and quantized constants in graph order; `order` counts them. */
export function tensorRows(
  graph: Graph,
  places: Places,
  edges: readonly EdgeMeasurement[],
  constants: readonly ConstantMeasurement[],
  options: TensorRowOptions,
): ReportedTensor[] {
  const rows = [
    ...edges.map((measurement) => ({
      place: places.of(measurement.edge.tensor),
      row: edgeRow(graph, measurement, options),
      // A graph input comes before the node that reads it, a constant beside it, an output after it.
      rank: measurement.edge.producer === undefined ? 0 : 2,
    })),
    ...constants.map((measurement) => ({
      place: places.of(measurement.tensor, measurement.node),
      row: constantRow(graph, measurement),
      rank: 1,
    })),
  ];
  return rows
    .sort((a, b) => a.place.order - b.place.order || a.rank - b.rank)
    .map(({ place, row }, order) => ({ ...row, node: place.node, op: place.op, order }));
}

type Row = Omit<ReportedTensor, 'node' | 'op' | 'order'>;

function edgeRow(graph: Graph, measurement: EdgeMeasurement, options: TensorRowOptions): Row {
  const { edge, quant, range, levels, lost, errors, channels } = measurement;
  const { name } = tensorOf(graph, edge.tensor);
  const [self, local, cumulative] = [errors.get('self'), errors.get('local'), errors.get('cumulative')];
  const histogram = options.histogram(edge.tensor);
  const asked = options.asked.has(edge.tensor);
  const listed = channels.length > 0 && (asked || options.listed.has(edge.tensor));
  return {
    tensor: name,
    role: roleOf(graph, edge.tensor),
    shape: fileShape(tensorOf(graph, edge.tensor)) ?? [],
    ...(quant === undefined ? {} : { quant: reportedQuant(quant, tensorOf(graph, edge.tensor)) }),
    range,
    ...(levels === undefined ? {} : { levels }),
    ...(lost === undefined ? {} : { lostShare: lost.lost / lost.values }),
    ...(self === undefined ? {} : { self }),
    ...(local === undefined ? {} : { local }),
    ...(cumulative === undefined ? {} : { cumulative }),
    ...options.forecasts(measurement),
    ...(histogram === undefined ? {} : reportedHistogram(histogram)),
    ...(listed && edge.channelAxis !== undefined
      ? {
          channels: {
            axis: fileAxis(tensorOf(graph, edge.tensor), edge.channelAxis),
            ...(asked ? { asked } : {}),
            values: channels.map(reportedChannel),
          },
        }
      : {}),
  };
}

function reportedHistogram(histogram: Histogram): Pick<ReportedTensor, 'histogram' | 'bulk'> {
  const whole = histogramView(histogram);
  const bulk = bulkView(histogram);
  return {
    ...(whole === undefined ? {} : { histogram: whole }),
    ...(bulk === undefined ? {} : { bulk }),
  };
}

function reportedChannel({ min, max, sqnrDb }: EdgeMeasurement['channels'][number]): ReportedChannel {
  const self = sqnrDb.get('self');
  const local = sqnrDb.get('local');
  const cumulative = sqnrDb.get('cumulative');
  return {
    min,
    max,
    ...(self === undefined ? {} : { selfSqnrDb: self }),
    ...(local === undefined ? {} : { localSqnrDb: local }),
    ...(cumulative === undefined ? {} : { cumulativeSqnrDb: cumulative }),
  };
}

function constantRow(graph: Graph, { tensor, role, quant, self }: ConstantMeasurement): Row {
  const { name } = tensorOf(graph, tensor);
  return {
    tensor: name,
    role,
    shape: fileShape(tensorOf(graph, tensor)) ?? [],
    quant: reportedQuant(quant, tensorOf(graph, tensor)),
    ...(self === undefined ? {} : { self }),
  };
}

export function weightRows(
  graph: Graph,
  places: Places,
  constants: readonly ConstantMeasurement[],
): ReportedWeight[] {
  return constants.flatMap(({ tensor, node, axis, spread }): ReportedWeight[] => {
    if (spread === undefined || axis === undefined) return [];
    const weight = tensorOf(graph, tensor);
    const place = { tensor: weight.name, node: places.of(tensor, node).node, axis: fileAxis(weight, axis) };
    return [reportedWeight(place, spread.stats, spread.sqnr)];
  });
}

export function jumpRows(graph: Graph, places: Places, jumps: readonly Jump[]): ReportedJump[] {
  return jumps.map(({ tensor, from, ...db }) => {
    const { node, op } = places.of(tensor);
    return { tensor: tensorOf(graph, tensor).name, node, op, ...db, from: tensorOf(graph, from).name };
  });
}

/** Operators and multiply-accumulates that the plan computes with integers; float ones grouped by reason. */
export function coverageOf(graph: Graph, plan: QuantPlan): Report['coverage'] {
  const stands = (id: NodeId): boolean => isMain(nodeOf(graph, id));
  const quantized = new Set(plan.quantizedNodes.filter(stands));
  const macs = (nodes: Iterable<NodeId>): number =>
    [...nodes].reduce((sum, id) => sum + (macsOf(graph, nodeOf(graph, id)) ?? 0), 0);
  const floatNodes = plan.floatNodes.filter(({ node }) => stands(node));
  const byReason = groupBy(floatNodes, ({ reason }) => reason);
  const float = floatNodes.map(({ node }) => node);
  return {
    ops: { quantized: quantized.size, total: quantized.size + float.length },
    macs: { quantized: macs(quantized), total: macs(quantized) + macs(float) },
    islands: [...byReason].map(([reason, nodes]) => ({
      nodes: nodes.map(({ node }) => nodeLabel(nodeOf(graph, node))),
      reason,
    })),
  };
}
