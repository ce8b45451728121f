/** What was seen in the constants of a graph -> the parts of an InspectReport that are about weights. */
import { nodeLabel, tensorOf, type Graph, type Node, type TensorId } from '../ir/graph.js';
import { reportedWeight } from './weight-row.js';
import type { Weight } from '../ir/weights.js';
import type { ConstantScan } from '../quant/constant-scan.js';
import { FEW_LEVELS, weightSpread, type WeightSpread } from '../quant/weight-spread.js';
import type { WeightSqnr, WeightStats } from '../quant/weights.js';
import { constantsOf, opName } from './inspect-model.js';
import type { ForecastLayer, InspectedNode, NonFiniteConstant, WeightForecast } from './inspect-report.js';
import type { ReportedWeight } from './report.js';

/** A weight and what was seen in it. */
export interface InspectedWeight {
  readonly name: string;
  readonly weight: Weight;
  readonly scan: ConstantScan;
  readonly spread: WeightSpread;
}

export function inspectedWeight(graph: Graph, weight: Weight, scan: ConstantScan): InspectedWeight {
  return { name: tensorOf(graph, weight.tensor).name, weight, scan, spread: weightSpread(scan.absmax) };
}

/** Each group convolves one input channel: the weight is [M, 1, kernel...]. */
function isDepthwise({ node, data }: Weight): boolean {
  const group = node.attrs.get('group');
  return node.op === 'Conv' && data.dims[1] === 1 && group?.type === 'int' && group.value > 1n;
}

/**
 * Weights that one int8 scale would leave channels of with few levels: unusable ones first, then those with the largest
 * share of such channels. One weak channel among hundreds is common and harmless.
 */
export function poorestWeights(weights: readonly InspectedWeight[]): InspectedWeight[] {
  const lostShare = ({ scan, spread }: InspectedWeight): number =>
    spread.fewLevelChannels.length / scan.absmax.length;
  return weights
    .filter(({ spread }) => spread.fewLevelChannels.length > 0)
    .sort((a, b) => Number(isUnusable(b)) - Number(isUnusable(a)) || lostShare(b) - lostShare(a));
}

function isUnusable({ weight, spread }: InspectedWeight): boolean {
  return spread.isLost && isDepthwise(weight);
}

/** @param sqnr of the weights that it was measured of */
export function forecastOf(
  weights: readonly InspectedWeight[],
  sqnr: ReadonlyMap<TensorId, WeightSqnr>,
): WeightForecast {
  const layers = poorestWeights(weights).map((entry): ForecastLayer => {
    const { name, weight, scan, spread } = entry;
    const measured = sqnr.get(weight.tensor);
    return {
      node: nodeLabel(weight.node),
      op: opName(weight.node),
      depthwise: isDepthwise(weight),
      tensor: name,
      channels: scan.absmax.length,
      fewLevelChannels: spread.fewLevelChannels,
      fewestLevels: spread.fewestLevels ?? 0,
      unusable: isUnusable(entry),
      ...(measured?.perTensorDb === undefined ? {} : { perTensorSqnrDb: measured.perTensorDb }),
      ...(measured?.perAxisDb === undefined ? {} : { perAxisSqnrDb: measured.perAxisDb }),
    };
  });
  return { weights: weights.length, fewLevels: FEW_LEVELS, layers };
}

/** @param scans of all float constants that nodes read */
export function nonFiniteOf(
  graph: Graph,
  weights: readonly InspectedWeight[],
  scans: ReadonlyMap<TensorId, ConstantScan>,
): NonFiniteConstant[] {
  if ([...scans.values()].every(({ nonFinite }) => nonFinite === 0)) return [];
  const isWeight = new Set(weights.map(({ weight }) => weight.tensor));
  const readers = firstReaders(graph);
  return [...scans].flatMap(([tensor, { nonFinite, nonFiniteChannels }]): NonFiniteConstant[] => {
    if (nonFinite === 0) return [];
    const reader = readers.get(tensor);
    const place = {
      tensor: tensorOf(graph, tensor).name,
      node: reader === undefined ? '' : nodeLabel(reader),
    };
    return isWeight.has(tensor)
      ? [{ ...place, role: 'weight', count: nonFinite, channels: nonFiniteChannels }]
      : [{ ...place, role: 'constant', count: nonFinite }];
  });
}

function firstReaders(graph: Graph): Map<TensorId, Node> {
  const readers = new Map<TensorId, Node>();
  for (const node of graph.nodes) {
    for (const id of constantsOf(graph, node)) if (!readers.has(id)) readers.set(id, node);
  }
  return readers;
}

export function weightRow(
  { name, weight }: InspectedWeight,
  stats: WeightStats,
  sqnr: WeightSqnr,
): ReportedWeight {
  return reportedWeight({ tensor: name, node: nodeLabel(weight.node), axis: weight.axis }, stats, sqnr);
}

export function nodeRow({ name, weight, scan }: InspectedWeight): InspectedNode {
  return {
    node: nodeLabel(weight.node),
    op: opName(weight.node),
    depthwise: isDepthwise(weight),
    weight: name,
    dtype: weight.data.dtype,
    shape: weight.data.dims,
    nonFinite: scan.nonFinite,
    nonFiniteChannels: scan.nonFiniteChannels,
  };
}
