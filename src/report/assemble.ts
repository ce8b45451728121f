/** Measurements -> the parts of the Report, in the user's names. */
import type { EdgeMeasurement } from '../diff/edge-measurements.js';
import type { Jump } from '../diff/jumps.js';
import type { ConstantMeasurement } from '../diff/weight-measurements.js';
import { nodeLabel, nodeOf, tensorOf, topologyOf, type Graph, type NodeId, type TensorId } from '../ir/graph.js';
import type { QuantParams } from '../ir/lane.js';
import { macsOf } from '../ir/macs.js';
import type { QuantPlan } from '../quant/placement/plan.js';
import type {
  Report,
  ReportedChannel,
  ReportedJump,
  ReportedQuant,
  ReportedTensor,
  ReportedWeight,
  TensorRole,
} from './report.js';

export function reportedQuant(params: QuantParams): ReportedQuant {
  const { dtype, scale, zeroPoint, granularity, qmin, qmax, source } = params;
  return {
    dtype,
    scale: [...scale],
    zeroPoint: [...zeroPoint],
    ...(granularity.kind === 'per-axis' ? { axis: granularity.axis } : {}),
    qmin,
    qmax,
    source,
  };
}

/** Where a tensor stands: the node that writes it, or for what no node writes the one that reads it. */
interface Place {
  readonly node: string;
  readonly op: string;
  readonly order: number;
}

function placeOf(graph: Graph, tensor: TensorId, reader?: NodeId): Place {
  const { producer, uses } = topologyOf(graph);
  const id = producer[tensor] ?? reader ?? uses[tensor]?.[0]?.node;
  if (id === undefined) return { node: '', op: '', order: -1 };
  const node = nodeOf(graph, id);
  return { node: nodeLabel(node), op: node.op, order: id };
}

function roleOf(graph: Graph, tensor: TensorId): TensorRole {
  if (graph.inputs.includes(tensor)) return 'input';
  return graph.outputs.includes(tensor) ? 'output' : 'activation';
}

export interface TensorRowOptions {
  /** Which edges get their channels listed. */
  readonly withChannels: (measurement: EdgeMeasurement) => boolean;
  /** Self SQNR under other observers, dB by name. */
  readonly forecast: (measurement: EdgeMeasurement) => Readonly<Record<string, number>> | undefined;
}

/** Rows of activations and quantized constants in graph order; `order` counts them. */
export function tensorRows(
  graph: Graph,
  edges: readonly EdgeMeasurement[],
  constants: readonly ConstantMeasurement[],
  options: TensorRowOptions,
): ReportedTensor[] {
  const rows = [
    ...edges.map((measurement) => ({
      place: placeOf(graph, measurement.edge.tensor),
      row: edgeRow(graph, measurement, options),
      // A graph input comes before the node that reads it, a constant beside it, an output after it.
      rank: measurement.edge.producer === undefined ? 0 : 2,
    })),
    ...constants.map((measurement) => ({
      place: placeOf(graph, measurement.tensor, measurement.node),
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
  const { edge, quant, range, levels, lostShare, errors, channels } = measurement;
  const { name, shape } = tensorOf(graph, edge.tensor);
  const [self, local, cumulative] = [errors.get('self'), errors.get('local'), errors.get('cumulative')];
  const forecast = options.forecast(measurement);
  const listed = channels.length > 0 && edge.channelAxis !== undefined && options.withChannels(measurement);
  return {
    tensor: name,
    role: roleOf(graph, edge.tensor),
    shape: shape ?? [],
    ...(quant === undefined ? {} : { quant: reportedQuant(quant) }),
    range,
    ...(levels === undefined ? {} : { levels }),
    ...(lostShare === undefined ? {} : { lostShare }),
    ...(self === undefined ? {} : { self }),
    ...(local === undefined ? {} : { local }),
    ...(cumulative === undefined ? {} : { cumulative }),
    ...(forecast === undefined ? {} : { forecast }),
    ...(listed ? { channels: { axis: edge.channelAxis, values: channels.map(reportedChannel) } } : {}),
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
  const { name, data } = tensorOf(graph, tensor);
  return {
    tensor: name,
    role,
    shape: data?.dims ?? [],
    quant: reportedQuant(quant),
    ...(self === undefined ? {} : { self }),
  };
}

export function weightRows(graph: Graph, constants: readonly ConstantMeasurement[]): ReportedWeight[] {
  return constants.flatMap(({ tensor, node, axis, spread }): ReportedWeight[] => {
    if (spread === undefined || axis === undefined) return [];
    const { stats, sqnr } = spread;
    return [
      {
        tensor: tensorOf(graph, tensor).name,
        node: placeOf(graph, tensor, node).node,
        axis,
        channels: stats.channels.map((channel) => channel ?? {}),
        outlierChannels: stats.outlierChannels,
        fence: stats.fence,
        ...(sqnr.perTensorDb === undefined ? {} : { perTensorSqnrDb: sqnr.perTensorDb }),
        ...(sqnr.perAxisDb === undefined ? {} : { perAxisSqnrDb: sqnr.perAxisDb }),
        deadChannels: sqnr.deadChannels,
        perTensorLevels: sqnr.levels,
      },
    ];
  });
}

export function jumpRows(graph: Graph, jumps: readonly Jump[]): ReportedJump[] {
  return jumps.map(({ tensor, from, fromDb, toDb }) => {
    const { node, op } = placeOf(graph, tensor);
    return { tensor: tensorOf(graph, tensor).name, node, op, fromDb, toDb, from: tensorOf(graph, from).name };
  });
}

/** Operators and multiply-accumulates that the plan computes with integers; float ones grouped by reason. */
export function coverageOf(graph: Graph, plan: QuantPlan): Report['coverage'] {
  const quantized = new Set(plan.quantizedNodes);
  const macs = (nodes: Iterable<NodeId>): number =>
    [...nodes].reduce((sum, id) => sum + (macsOf(graph, nodeOf(graph, id)) ?? 0), 0);
  const byReason = new Map<string, string[]>();
  for (const { node, reason } of plan.floatNodes) {
    const nodes = byReason.get(reason) ?? [];
    byReason.set(reason, nodes);
    nodes.push(nodeLabel(nodeOf(graph, node)));
  }
  const float = plan.floatNodes.map(({ node }) => node);
  return {
    ops: { quantized: quantized.size, total: quantized.size + float.length },
    macs: { quantized: macs(quantized), total: macs(quantized) + macs(float) },
    islands: [...byReason].map(([reason, nodes]) => ({ nodes, reason })),
  };
}
