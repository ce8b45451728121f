/** What a file that is quantized already gives to measure: its own lane instead of a simulated one. */
import { edgesOf } from '../compile/edges.js';
import { tensorOf, topologyOf, type Graph } from '../ir/graph.js';
import type { Lane, QuantParams } from '../ir/lane.js';
import { weightsOf } from '../ir/weights.js';
import { isSymmetric, planOfLane } from '../quant/placement/lane-plan.js';
import type { Simulation } from './simulation.js';

/** `graph` has all shapes that can be known. The reference is the file's own network with its quantizers taken out. */
export function fileSimulation(graph: Graph, lane: Lane): Simulation {
  const plan = planOfLane(graph, lane);
  const fusedAway = new Set(plan.fusedAway);
  const { edges, unmeasured } = edgesOf(graph, fusedAway);
  return {
    graph,
    scheme: 'file',
    plan,
    fusedAway,
    edges,
    observed: edges,
    observers: new Map(),
    notMeasured: unmeasured.map(({ tensor, reason }) => ({ subject: tensorOf(graph, tensor).name, reason })),
  };
}

/** The kinds of quantizers in the file, in the form of a scheme: what most of each role have. */
export function laneScheme(graph: Graph, lane: Lane): Readonly<Record<string, unknown>> {
  const { uses } = topologyOf(graph);
  const used = [...lane.tensors].filter(
    ([id]) => graph.inner?.has(id) !== true && (uses[id] ?? []).length > 0,
  );
  const isWeight = new Set(weightsOf(graph).map(({ tensor }) => tensor));
  const stored = used.filter(([id]) => tensorOf(graph, id).data !== undefined);
  // Of operators with channels where there are any: other constants, such as an operand of Add, have the scheme of an activation.
  const kernels = stored.filter(([id, params]) => isWeight.has(id) || isBias(params));
  const constants = (kernels.length > 0 ? kernels : stored).map(([, params]) => params);
  const activations = used
    .filter(([id]) => tensorOf(graph, id).data === undefined)
    .map(([, params]) => params);
  return {
    name: 'file',
    weights: mostCommon(constants.filter((params) => !isBias(params))),
    activations: mostCommon(activations),
    bias: constants.find(isBias)?.dtype ?? (activations.length > 0 ? 'none' : 'float'),
  };
}

function isBias({ dtype }: QuantParams): boolean {
  return dtype === 'int32' || dtype === 'int64';
}

interface QuantizerKind {
  readonly dtype: QuantParams['dtype'];
  readonly symmetric: boolean;
  readonly granularity: QuantParams['granularity']['kind'];
}

function mostCommon(params: readonly QuantParams[]): QuantizerKind | 'float' {
  const counted = new Map<string, { kind: QuantizerKind; count: number }>();
  for (const { dtype, zeroPoint, granularity } of params) {
    const kind = { dtype, symmetric: isSymmetric(dtype, zeroPoint), granularity: granularity.kind };
    const key = Object.values(kind).join();
    counted.set(key, { kind, count: (counted.get(key)?.count ?? 0) + 1 });
  }
  const [most] = [...counted.values()].sort((a, b) => b.count - a.count);
  return most?.kind ?? 'float';
}
