/** `qdbg inspect`: what is in model files. Nothing is run, and every weight is looked at once. */
import { diagnose } from '../doctor/index.js';
import { UsageError } from '../errors.js';
import { elementCount, Scratch, toFloat32 } from '../ir/elements.js';
import { isFloat, nodeLabel, nodeOf, tensorOf, type Graph, type TensorId } from '../ir/graph.js';
import { inferShapes } from '../ir/infer/index.js';
import type { Lane } from '../ir/lane.js';
import { oneSample, sizedForOneSample } from '../ir/one-sample.js';
import { weightsOf, type Weight } from '../ir/weights.js';
import { loadModel, type LoadedModel } from '../loader/index.js';
import { scanConstant, type ConstantScan } from '../quant/constant-scan.js';
import { planOfLane, useOf } from '../quant/placement/lane-plan.js';
import { INT8_WEIGHTS } from '../quant/presets.js';
import { weightSqnr, weightStats, type WeightSqnr } from '../quant/weights.js';
import { inspectedCoverage } from '../report/inspect-coverage.js';
import {
  constantsOf,
  layersOf,
  macsTotal,
  nodeMacs,
  notComputedOf,
  opCountsOf,
  portsOf,
} from '../report/inspect-model.js';
import { graphRows } from '../report/graph-rows.js';
import { originOf } from '../report/inspect-origin.js';
import { tensorsOf } from '../report/inspect-tensors.js';
import { inputContract, outputContract } from '../report/port-contract.js';
import { reportedFindings } from '../report/findings.js';
import { FORECAST_ROWS } from '../report/inspect-forecast.js';
import { weightRangesOf } from '../report/inspect-ranges.js';
import type { InspectedModel, InspectedQuantization, InspectReport } from '../report/inspect-report.js';
import {
  forecastOf,
  inspectedWeight,
  nodeRow,
  nonFiniteOf,
  poorestWeights,
  weightRow,
  type InspectedWeight,
} from '../report/inspect-weights.js';
import { Places } from '../report/places.js';
import type { ReportedGraph } from '../report/report-graph.js';
import { SCHEMA_VERSION, type ReportedWeight } from '../report/report.js';
import { VERSION } from '../version.js';
import { describedModel } from './describe.js';
import { laneScheme } from './file-lane.js';
import { namedWeight } from './named-weight.js';

export interface InspectRequest {
  readonly models: readonly string[];
  /** Extents of inputs by name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Node, weight or glob of the layer to look at closely; of a single model. */
  readonly node?: string;
  /** Layers of the forecast whose SQNR is measured, worst first: it takes several passes over a weight. */
  readonly top?: number;
  readonly timestamp: boolean;
  /** A document is wanted, which has what takes longer too: hashes of the files, quartiles and SQNR of all weights. */
  readonly complete: boolean;
}

/**
 * @throws UsageError for a file or name that is not there, LoadError and UnsupportedError for a file that cannot be read
 */
export async function inspect(request: InspectRequest): Promise<InspectReport> {
  if (request.node !== undefined && request.models.length > 1) {
    throw new UsageError(`--node looks at one model; ${request.models.length} are given`, {
      hint: `qdbg inspect ${request.models[0] ?? 'MODEL'} --node ${request.node}`,
    });
  }
  const looked: Look[] = [];
  for (const path of request.models) looked.push(await look(path, request));
  const [first] = looked;
  const closely = first === undefined || looked.length > 1 ? {} : close(first, request);
  return {
    schemaVersion: SCHEMA_VERSION,
    tool: { name: 'qdbg', version: VERSION },
    command: 'inspect',
    ...(request.timestamp ? { createdAt: new Date().toISOString() } : {}),
    models: looked.map(({ model }) => model),
    ...(looked.length > 1 ? { weightRanges: weightRangesOf(looked.map(({ weights }) => weights)) } : {}),
    ...closely,
  };
}

/** A model and its weights, which stay where they are. */
export interface Look {
  readonly graph: Graph;
  readonly model: InspectedModel;
  readonly weights: readonly InspectedWeight[];
}

async function look(path: string, request: InspectRequest): Promise<Look> {
  return lookAt(await loadModel(path, { shapes: request.shapes }), request);
}

/** @returns what is in the model, without its hash unless all is asked for */
export async function lookAt(
  loaded: LoadedModel,
  { complete, top = FORECAST_ROWS }: Pick<InspectRequest, 'complete' | 'top'>,
): Promise<Look> {
  const graph = inferShapes(loaded.graph);
  const found = weightsOf(graph);
  const scans = scansOf(graph, found);
  const weights = found.flatMap((weight) => {
    const scan = scans.get(weight.tensor);
    return scan === undefined ? [] : [inspectedWeight(graph, weight, scan)];
  });
  const poorest = poorestWeights(weights);
  // What int8 would cost weights that are integers already is no question on a terminal.
  const measured = complete ? poorest : loaded.lane === undefined ? poorest.slice(0, top) : [];
  const sqnr = new Map(measured.map(({ weight }) => [weight.tensor, sqnrOf(weight)]));
  // Multiply-accumulates are counted for one sample where only the batch is open.
  const counted = oneSample(loaded.graph);
  const sized = counted.size === 0 ? graph : sizedForOneSample(loaded.graph);
  const macs = nodeMacs(sized);
  const model: InspectedModel = {
    ...describedModel(loaded, graph, 'model'),
    ...(complete ? { sha256: await loaded.sha256() } : {}),
    ...(graph.format === 'onnx' ? { irVersion: graph.irVersion } : {}),
    ...(graph.producer === '' ? {} : { producer: graph.producer }),
    domains: Object.fromEntries([...graph.opsets].filter(([domain]) => domain !== '')),
    metadata: Object.fromEntries(graph.metadata),
    inputs: portsOf(graph, loaded.lane, graph.inputs, inputContract),
    outputs: portsOf(graph, loaded.lane, graph.outputs, outputContract),
    macs: macsTotal(macs, counted),
    absorbed: graph.nodes.flatMap(({ origin }) => origin.absorbed ?? []),
    opCounts: opCountsOf(graph),
    layers: layersOf(graph, macs, weights),
    ...(complete ? { graph: inspectedGraph(sized, loaded.lane) } : {}),
    forecast: forecastOf(weights, sqnr),
    nonFinite: nonFiniteOf(graph, weights, scans),
    notComputed: notComputedOf(graph),
    ...(loaded.lane === undefined ? {} : { quantization: quantizationOf(sized, loaded.lane, complete) }),
  };
  return { graph, model, weights };
}

/** Without quantizers nothing is fused and nothing is said of what stays in float. */
function inspectedGraph(graph: Graph, lane: Lane | undefined): ReportedGraph {
  const plan =
    lane === undefined
      ? { fusedAway: [...(graph.inner ?? [])], quantizedNodes: [], floatNodes: [] }
      : planOfLane(graph, lane);
  return graphRows(graph, new Places(graph, plan), plan);
}

function quantizationOf(graph: Graph, lane: Lane, complete: boolean): InspectedQuantization {
  const plan = planOfLane(graph, lane);
  return {
    scheme: laneScheme(graph, lane),
    coverage: inspectedCoverage(graph, lane, plan),
    origin: originOf(graph, lane),
    tensors: tensorsOf(graph, lane, plan, complete),
    dynamic: dynamicOf(graph, lane),
    unfolded: (lane.unfolded ?? []).map(({ node, reason }) => ({
      node: nodeLabel(nodeOf(graph, node)),
      reason,
    })),
    findings: reportedFindings(diagnose({ graph, lane }).findings),
  };
}

function dynamicOf(graph: Graph, lane: Lane): InspectedQuantization['dynamic'] {
  return [...(lane.dynamic?.keys() ?? [])].flatMap((key) => {
    const { node, slot } = useOf(key);
    const reader = nodeOf(graph, node);
    const tensor = reader.inputs[slot];
    return tensor === null || tensor === undefined
      ? []
      : [{ tensor: tensorOf(graph, tensor).name, node: nodeLabel(reader) }];
  });
}

/** Of all float constants that nodes read, in order of first use. */
function scansOf(graph: Graph, weights: readonly Weight[]): Map<TensorId, ConstantScan> {
  const axes = new Map(weights.map(({ tensor, axis }) => [tensor, axis]));
  const scans = new Map<TensorId, ConstantScan>();
  const scratch = new Scratch();
  for (const node of graph.nodes) {
    for (const id of constantsOf(graph, node)) {
      const { data, dtype } = tensorOf(graph, id);
      if (data !== undefined && isFloat(dtype) && !scans.has(id))
        scans.set(id, scanConstant(data, axes.get(id), scratch));
    }
  }
  return scans;
}

function close(
  { graph, weights }: Look,
  { node, complete }: InspectRequest,
): Pick<InspectReport, 'node' | 'weights'> {
  if (node === undefined) {
    return complete ? { weights: weights.filter(({ scan }) => scan.absmax.length > 0).map(rowOf) } : {};
  }
  const { tensor } = namedWeight(
    graph,
    weights.map(({ weight }) => weight),
    node,
  );
  const named = weights.find(({ weight }) => weight.tensor === tensor) as InspectedWeight;
  if (elementCount(named.weight.data.dims) === 0) {
    throw new UsageError(
      `weight ${named.name} has no elements: its shape is ${named.weight.data.dims.join('x')}`,
    );
  }
  return { node: nodeRow(named), weights: [rowOf(named)] };
}

function rowOf(inspected: InspectedWeight): ReportedWeight {
  const { data, axis } = inspected.weight;
  return weightRow(inspected, weightStats(toFloat32(data), data.dims, axis), sqnrOf(inspected.weight));
}

/** What symmetric int8 costs the weight. */
function sqnrOf({ data, axis }: Weight): WeightSqnr {
  return weightSqnr(toFloat32(data), data.dims, axis, INT8_WEIGHTS);
}
