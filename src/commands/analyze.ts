/** `qdbg analyze`: load, calibrate, simulate beside float, measure, explain. */
import { edgesOf, type Edge, type Unmeasured } from '../compile/edges.js';
import { quantizerOf } from '../compile/measurement-program.js';
import { edgeMeasurements, forecastSqnr, type EdgeMeasurement } from '../diff/edge-measurements.js';
import { endsOf } from '../diff/ends.js';
import { jumpsOf } from '../diff/jumps.js';
import { limitsOf } from '../diff/weight-error.js';
import { constantMeasurements } from '../diff/weight-measurements.js';
import { diagnose } from '../doctor/index.js';
import { UsageError } from '../errors.js';
import { bindInputs } from '../ir/bind-inputs.js';
import { tensorOf, type Graph, type TensorId } from '../ir/graph.js';
import { inferShapes } from '../ir/infer/index.js';
import type { Lane } from '../ir/lane.js';
import { loadModel } from '../loader/index.js';
import { paramsFromRange } from '../quant/affine.js';
import { buildLane } from '../quant/lane.js';
import { observe } from '../quant/observers/index.js';
import { observedTensors, type QuantPlan } from '../quant/placement/plan.js';
import { planQuantization } from '../quant/placement/planner.js';
import { withoutObserving } from '../quant/placement/restrict.js';
import type { ObserverSpec, Scheme, TensorScheme } from '../quant/scheme.js';
import { matchesGlob, type Selection } from '../quant/select.js';
import { coverageOf, jumpRows, Places, tensorRows, weightRows } from '../report/assemble.js';
import { SCHEMA_VERSION, type Report, type ReportedData } from '../report/report.js';
import { verdictOf } from '../report/verdict.js';
import { calibrate, type Calibration, type EdgeStatistics } from '../run/calibrate.js';
import { openDataset } from '../run/data/index.js';
import type { Dataset } from '../run/data/dataset.js';
import { measure } from '../run/measure.js';
import { runtimeVersion } from '../run/runtime.js';
import type { Watch } from '../run/samples.js';
import { VERSION } from '../version.js';
import { inputSpecs, reportedData, reportedModel } from './describe.js';
import type { DataRequest } from './data-request.js';

export interface AnalyzeRequest {
  readonly model: string;
  readonly calib: readonly string[];
  /** Measured on instead of the calibration data when not empty. */
  readonly eval: readonly string[];
  readonly data: DataRequest;
  readonly scheme: Scheme;
  readonly selection: Selection;
  /** Globs of nodes or tensors whose channels the report lists; the worst tensors' always are. */
  readonly channels: readonly string[];
  readonly threads: number;
  readonly timestamp: boolean;
}

/** Tensors with the lowest local SQNR whose channels are always reported. */
const WORST_WITH_CHANNELS = 10;

/** Alternatives that the histogram forecasts for every observed tensor. */
const ALTERNATIVES: Readonly<Record<string, ObserverSpec>> = {
  minmax: { kind: 'minmax' },
  'percentile 99.99': { kind: 'percentile', percentile: 99.99 },
  'percentile 99.9': { kind: 'percentile', percentile: 99.9 },
  entropy: { kind: 'entropy' },
  mse: { kind: 'mse' },
};

export async function analyze(request: AnalyzeRequest, watch: Watch): Promise<Report> {
  const loaded = await loadModel(request.model, { shapes: request.data.shapes });
  const calib = await openDataset({
    sources: request.calib,
    inputs: inputSpecs(loaded.graph),
    ...request.data,
    metadata: loaded.graph.metadata,
  });
  const evaluation =
    request.eval.length === 0
      ? undefined
      : await openDataset({
          sources: request.eval,
          inputs: inputSpecs(loaded.graph),
          ...request.data,
          metadata: loaded.graph.metadata,
        });
  const graph = inferShapes(bindInputs(loaded.graph, await extentsOf(calib)));
  const wanted = planQuantization(graph, request.scheme, request.selection);
  const fusedAway = new Set(wanted.fusedAway);
  const { edges, unmeasured } = edgesOf(graph, fusedAway);
  const { plan, dropped } = withoutObserving(wanted, unobservable(graph, wanted));
  requireNamed(graph, edges, request.channels);
  const observed = observedEdges(graph, plan, edges);

  const passes = { threads: request.threads, histograms: true, momentum: momentumOf(request.scheme) };
  const calibration = await calibrate(graph, observed, calib, passes, watch);
  const lane = buildLane(graph, plan, rangesFrom(graph, plan, calibration), request.scheme.name);

  const measuredOn = evaluation ?? calib;
  const statistics =
    evaluation === undefined ? calibration : await calibrate(graph, edges, evaluation, passes, watch);
  const sums = await measure(
    graph,
    lane,
    edges,
    fusedAway,
    measuredOn,
    {
      threads: request.threads,
      kinds: ['self', 'local', 'cumulative'],
      clipping: clippingEdges(graph, lane, edges, statistics),
    },
    watch,
  );

  const measurements = edgeMeasurements(graph, lane, sums, statistics.edges);
  const constants = constantMeasurements(graph, lane, plan.quantizers);
  const jumps = jumpsOf(graph, measurements);
  const findings = diagnose({ graph, edges: measurements, constants, jumps });
  const places = new Places(graph, plan);
  const worst = worstLocal(measurements);
  const tensors = tensorRows(graph, places, measurements, constants, {
    withChannels: (measurement) =>
      worst.has(measurement.edge.tensor) || isNamed(graph, measurement.edge, request.channels),
    forecast: (measurement) => forecasts(graph, plan, measurement, statistics),
  });
  const ends = new Set(
    [...endsOf(graph, new Set(edges.map(({ tensor }) => tensor)))].map((id) => tensorOf(graph, id).name),
  );
  const reportedJumps = jumpRows(graph, places, jumps);
  const [model, calibData, evalData] = await Promise.all([
    reportedModel(loaded, graph, 'model'),
    reportedData(calib),
    evaluation === undefined ? undefined : reportedData(evaluation),
  ]);
  return {
    schemaVersion: SCHEMA_VERSION,
    tool: { name: 'qdbg', version: VERSION, runtime: await runtimeVersion() },
    command: 'analyze',
    ...(request.timestamp ? { createdAt: new Date().toISOString() } : {}),
    models: [model],
    data: dataOf(calibData, evalData),
    scheme: { ...request.scheme, ...request.selection },
    coverage: coverageOf(graph, plan),
    tensors,
    weights: weightRows(graph, places, constants),
    findings,
    verdict: verdictOf(tensors, ends, findings, reportedJumps),
    jumps: reportedJumps,
    notMeasured: notMeasured(graph, unmeasured, dropped),
  };
}

function notMeasured(
  graph: Graph,
  unmeasured: readonly Unmeasured[],
  dropped: readonly TensorId[],
): Report['notMeasured'] {
  const kept = new Set(dropped);
  return unmeasured.map(({ tensor, reason }) => ({
    subject: tensorOf(graph, tensor).name,
    reason: kept.has(tensor) ? `${reason}; kept in float` : reason,
  }));
}

function dataOf(calib: ReportedData, evaluation: ReportedData | undefined): Report['data'] {
  return evaluation === undefined ? { calib } : { calib, eval: evaluation };
}

/** Extents of the inputs in the first sample; the passes compile the network for them. */
async function extentsOf(dataset: Dataset): Promise<ReadonlyMap<string, readonly number[]>> {
  for await (const { feeds } of dataset.samples()) {
    return new Map([...feeds].map(([name, feed]) => [name, feed.dims]));
  }
  throw new UsageError(`${dataset.path} holds no sample that can be read`, {
    hint: '--calib with at least one sample',
  });
}

/** Tensors whose range the plan asks for although calibration cannot follow them: their shape changes with the data. */
function unobservable(graph: Graph, plan: QuantPlan): ReadonlySet<TensorId> {
  const followed = new Set(edgesOf(graph, new Set()).edges.map(({ tensor }) => tensor));
  return new Set([...observedTensors(graph, plan).keys()].filter((tensor) => !followed.has(tensor)));
}

/** The measured edges, and those that only the ranges of quantizers need. */
function observedEdges(graph: Graph, plan: QuantPlan, edges: readonly Edge[]): Edge[] {
  const known = new Set(edges.map(({ tensor }) => tensor));
  const wanted = observedTensors(graph, plan);
  const all = edgesOf(graph, new Set()).edges;
  return all.filter(({ tensor }) => known.has(tensor) || wanted.has(tensor));
}

function momentumOf({ activations }: Scheme): number {
  return activations !== 'float' && activations.observer.kind === 'moving-average'
    ? activations.observer.momentum
    : 0.99;
}

function rangesFrom(
  graph: Graph,
  plan: QuantPlan,
  calibration: Calibration,
): (tensor: TensorId) => { rmin: number; rmax: number } {
  const schemes = observedTensors(graph, plan);
  return (tensor) => {
    const stats = calibration.edges.get(tensor);
    const scheme = schemes.get(tensor);
    if (stats === undefined || scheme === undefined)
      throw new RangeError(`tensor ${tensor} was not observed`);
    return observe(scheme.observer, stats, scheme);
  };
}

/** Edges whose values on the measured data reach outside what their quantizer represents. */
function clippingEdges(
  graph: Graph,
  lane: Lane,
  edges: readonly Edge[],
  statistics: Calibration,
): ReadonlySet<TensorId> {
  return new Set(
    edges.flatMap(({ tensor }) => {
      const params = quantizerOf(graph, lane, tensor);
      const stats = statistics.edges.get(tensor);
      if (params === undefined || stats === undefined) return [];
      const { low, high } = limitsOf(params);
      return stats.min < Math.max(...low) || stats.max > Math.min(...high) ? [tensor] : [];
    }),
  );
}

function worstLocal(measurements: readonly EdgeMeasurement[]): ReadonlySet<TensorId> {
  const ranked = measurements
    .filter(({ errors }) => errors.get('local')?.sqnrDb !== undefined)
    .sort((a, b) => (a.errors.get('local')?.sqnrDb ?? 0) - (b.errors.get('local')?.sqnrDb ?? 0));
  return new Set(ranked.slice(0, WORST_WITH_CHANNELS).map(({ edge }) => edge.tensor));
}

function isNamed(graph: Graph, edge: Edge, globs: readonly string[]): boolean {
  const names = [tensorOf(graph, edge.tensor).name];
  const node = edge.producer === undefined ? undefined : graph.nodes[edge.producer];
  if (node !== undefined) names.push(node.origin.name);
  return globs.some((glob) => names.some((name) => matchesGlob(glob, name)));
}

function requireNamed(graph: Graph, edges: readonly Edge[], globs: readonly string[]): void {
  const missed = globs.filter((glob) => !edges.some((edge) => isNamed(graph, edge, [glob])));
  if (missed.length > 0) {
    throw new UsageError(`--channels ${missed.join(' ')} matches no measured tensor or node`, {
      hint: 'qdbg inspect MODEL lists the names',
    });
  }
}

function forecasts(
  graph: Graph,
  plan: QuantPlan,
  { edge, quant }: EdgeMeasurement,
  statistics: Calibration,
): Readonly<Record<string, number>> | undefined {
  const stats: EdgeStatistics | undefined = statistics.edges.get(edge.tensor);
  const scheme: TensorScheme | undefined = observedTensors(graph, plan).get(edge.tensor);
  if (stats?.histogram === undefined || scheme === undefined || quant === undefined) return undefined;
  const entries = Object.entries(ALTERNATIVES).flatMap(([name, spec]): [string, number][] => {
    const { rmin, rmax } = observe(spec, stats, scheme);
    const db = forecastSqnr(
      stats,
      paramsFromRange([rmin], [rmax], scheme, { kind: 'per-tensor' }, 'observer'),
    );
    return db === undefined ? [] : [[name, db]];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
