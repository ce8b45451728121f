/** `qdbg analyze`: load, calibrate, simulate beside float, measure, explain. */
import { ERROR_KINDS } from '../compile/measurement-program.js';
import { applySuppressions } from '../diff/gate/suppressions.js';
import { edgeMeasurements } from '../diff/edge-measurements.js';
import { endsOf } from '../diff/ends.js';
import { jumpsOf } from '../diff/jumps.js';
import { constantMeasurements } from '../diff/weight-measurements.js';
import { diagnose } from '../doctor/index.js';
import { UnsupportedError, UsageError } from '../errors.js';
import { bindInputs } from '../ir/bind-inputs.js';
import { tensorOf, type Graph, type TensorId } from '../ir/graph.js';
import { inferShapes } from '../ir/infer/index.js';
import type { Lane } from '../ir/lane.js';
import { loadModel, type LoadedModel } from '../loader/index.js';
import type { SchemeOverrides } from '../quant/presets.js';
import type { Scheme } from '../quant/scheme.js';
import type { Selection } from '../quant/select.js';
import { withAccuracy } from '../report/accuracy-verdict.js';
import { coverageOf, jumpRows, tensorRows, weightRows } from '../report/assemble.js';
import { Places } from '../report/places.js';
import { reportedFindings, reportedRules } from '../report/findings.js';
import { SCHEMA_VERSION, type Report } from '../report/report.js';
import { verdictOf } from '../report/verdict.js';
import { calibrate, type Calibration } from '../run/calibrate.js';
import type { Dataset } from '../run/data/dataset.js';
import { openDataset } from '../run/data/index.js';
import { measure, type EdgeSums } from '../run/measure.js';
import { runtimeVersion } from '../run/runtime.js';
import { withExtents, type Watch } from '../run/samples.js';
import { requireSupported } from '../run/unsupported.js';
import { VERSION } from '../version.js';
import type { AccuracyPart, EvaluatedData } from './accuracy/evaluated.js';
import { ladderOf, type Rung } from './accuracy/ladder.js';
import { evaluatedLanes, requireAccuracyOf } from './accuracy/of-lanes.js';
import type { AccuracyRequest } from './accuracy/request.js';
import { namedTensors, worstTensors } from './channel-lists.js';
import type { DataRequest } from './data-request.js';
import { reportedData, reportedModel } from './describe.js';
import type { GateRequest } from './gate-request.js';
import { judged, storedBaseline } from './judge.js';
import { extentsOf } from './sample-extents.js';
import { forecastsOf } from './forecasts.js';
import { inputSpecs, requireSomething, requireVaried } from './preconditions.js';
import { fileSimulation, laneScheme } from './file-lane.js';
import { defaultScheme } from './scheme-request.js';
import { calibratedLane, clippingEdges, gainsOf, planSimulation, type Simulation } from './simulation.js';

export interface AnalyzeRequest {
  readonly model: string;
  readonly calib: readonly string[];
  /** Measured on instead of the calibration data when not empty. */
  readonly eval: readonly string[];
  readonly data: DataRequest;
  /** Of the toolchain of the model's format when absent; not for a model that is quantized already. */
  readonly scheme?: Scheme;
  /** Changes to that default. */
  readonly schemeOverrides?: SchemeOverrides;
  readonly selection: Selection;
  /** Globs of nodes or tensors whose channels the report lists; the worst tensors' always are. */
  readonly channels: readonly string[];
  readonly accuracy: AccuracyRequest;
  readonly gate: GateRequest;
  /** Also evaluate the network quantized in parts and with 16 bits. */
  readonly ladder: boolean;
  readonly threads: number;
  readonly timestamp: boolean;
}

/** Of the moving average that is kept beside every range when the scheme asks for none. */
const DEFAULT_MOMENTUM = 0.99;

export async function analyze(request: AnalyzeRequest, watch: Watch): Promise<Report> {
  const baseline = await storedBaseline(request.gate);
  const loaded = await loadModel(request.model, { shapes: request.data.shapes });
  if (loaded.lane !== undefined) requireNoScheme(request);
  const calib = await open(loaded, '--calib', request.calib, request.data);
  const evaluation =
    request.eval.length === 0 ? undefined : await open(loaded, '--eval', request.eval, request.data);

  const extents = await extentsOf(calib, '--calib');
  const graph = inferShapes(bindInputs(loaded.graph, extents));
  const scheme = request.scheme ?? defaultScheme(loaded.format, request.schemeOverrides ?? {});
  const simulation =
    loaded.lane === undefined
      ? planSimulation(graph, scheme, request.selection)
      : fileSimulation(graph, loaded.lane);
  // Where every output is measured, the first session opened needs all operators; else some might never be missed.
  if (simulation.notMeasured.length > 0) await requireSupported(graph);
  requireSomething(simulation, request.selection);
  const places = new Places(graph, simulation.plan);
  const asked = namedTensors(graph, places, simulation.edges, request.channels);

  const rungs = request.ladder ? laddersOf(loaded, graph, scheme, request) : [];
  await requireAccuracyOf(graph, { dataset: evaluation ?? calib, extents }, request);
  const passes = { threads: request.threads, histograms: true, momentum: momentumOf(scheme) };
  const { edges, fusedAway } = simulation;
  const observed = observedBy([simulation, ...rungs.map((rung) => rung.simulation)]);
  const calibration = await calibrate(graph, observed, withExtents(calib, extents), passes, watch).catch(
    async (error: unknown) => {
      if (error instanceof UnsupportedError) await requireSupported(graph);
      throw error;
    },
  );
  requireVaried(graph, calibration);
  const lane = loaded.lane ?? calibratedLane(simulation, calibration);

  const samples = withExtents(evaluation ?? calib, extents);
  const seen = evaluation === undefined ? calibration : await calibrate(graph, edges, samples, passes, watch);
  const options = {
    threads: request.threads,
    kinds: ERROR_KINDS,
    clipping: clippingEdges(simulation, lane, seen),
    gains: gainsOf(simulation, seen),
  };
  const sums = await measure(graph, lane, edges, fusedAway, samples, options, watch);
  const measured = evaluation ?? calib;
  const title = loaded.lane === undefined ? `${scheme.name}, simulated` : "the file's integers";
  const [flag, sources] =
    evaluation === undefined ? (['--calib', request.calib] as const) : (['--eval', request.eval] as const);
  const data: EvaluatedData = {
    dataset: measured,
    extents,
    flags: request.data.preprocessing,
    open: (preprocessing, count) =>
      open(loaded, flag, sources, { ...request.data, preprocessing, samples: count }),
  };
  const network = { graph, lane, title, rungs, calibration, isFile: loaded.lane !== undefined };
  const part = await evaluatedLanes(request, network, data, watch);
  const isSmoke = measured.kind === 'random';
  const { findings, verdict, notMeasured, ...rest } = explained(simulation, places, lane, seen, sums, asked, {
    isSmoke,
    part,
    gate: request.gate,
  });
  const report: Report = {
    schemaVersion: SCHEMA_VERSION,
    tool: { name: 'qdbg', version: VERSION, runtime: await runtimeVersion() },
    command: 'analyze',
    ...(request.timestamp ? { createdAt: new Date().toISOString() } : {}),
    models: [await reportedModel(loaded, graph, 'model')],
    data: {
      calib: await reportedData(calib, evaluation === undefined ? part.assumed : []),
      ...(evaluation === undefined ? {} : { eval: await reportedData(evaluation, part.assumed) }),
    },
    scheme: loaded.lane === undefined ? { ...scheme, ...request.selection } : laneScheme(graph, loaded.lane),
    ...rest,
    ...part.fields,
    findings,
    verdict,
    notMeasured: [...notMeasured, ...part.notMeasured],
  };
  return judged(report, request.gate, baseline, request.accuracy.metrics.length > 0);
}

/** Edges that calibration follows for any of them, each once. */
function observedBy(simulations: readonly Simulation[]): Simulation['observed'] {
  const edges = simulations.flatMap(({ observed }) => observed);
  return [...new Map(edges.map((edge) => [edge.tensor, edge])).values()];
}

/** @throws UsageError for a file that has its quantizers already */
function laddersOf(
  { lane }: LoadedModel,
  graph: Graph,
  scheme: Scheme,
  { model, selection }: AnalyzeRequest,
): Rung[] {
  if (lane === undefined) return ladderOf(graph, scheme, selection);
  throw new UsageError(`--ladder: ${model} is quantized already, its parts cannot be chosen`, {
    hint: '--ladder with the float model',
  });
}

/** What the sums mean: rows, causes, verdict. */
function explained(
  simulation: Simulation,
  places: Places,
  lane: Lane,
  seen: Calibration,
  sums: readonly EdgeSums[],
  asked: ReadonlySet<TensorId>,
  {
    isSmoke,
    part,
    gate,
  }: { readonly isSmoke: boolean; readonly part: AccuracyPart; readonly gate: GateRequest },
): Pick<
  Report,
  | 'coverage'
  | 'tensors'
  | 'weights'
  | 'findings'
  | 'rules'
  | 'suppressed'
  | 'verdict'
  | 'jumps'
  | 'notMeasured'
> {
  const { graph, plan, edges, notMeasured } = simulation;
  const measurements = edgeMeasurements(graph, lane, sums, seen.edges);
  const constants = constantMeasurements(graph, lane, plan.quantizers);
  const jumps = jumpsOf(graph, measurements);
  const diagnosis = diagnose({
    graph,
    lane,
    ...(simulation.scheme === 'file' ? {} : { scheme: simulation.scheme }),
    edges: measurements,
    constants,
    jumps,
    statistics: seen.edges,
  });
  // Random data say nothing about the ranges of a finished file.
  const told = diagnosis.findings.filter(
    ({ rule }) => simulation.scheme !== 'file' || !isSmoke || !rule.startsWith('act.'),
  );
  const { kept: findings, suppressed } = applySuppressions(
    [...part.findings, ...reportedFindings(told)],
    gate.suppressions,
    gate.today,
  );
  const tensors = tensorRows(graph, places, measurements, constants, {
    worst: worstTensors(graph, measurements),
    asked,
    forecast: (measurement) => forecastsOf(simulation, measurement, seen),
  });
  const ends = endsOf(graph, new Set(edges.map(({ tensor }) => tensor)));
  const reportedJumps = jumpRows(graph, places, jumps);
  return {
    coverage: coverageOf(graph, plan),
    tensors,
    weights: weightRows(graph, places, constants),
    findings,
    rules: reportedRules(diagnosis),
    ...(suppressed.length === 0 ? {} : { suppressed }),
    verdict: withAccuracy(
      verdictOf(
        tensors,
        new Set([...ends].map((id) => tensorOf(graph, id).name)),
        findings,
        reportedJumps,
        simulation.scheme === 'file' ? 'own weights' : 'float',
      ),
      part.fields,
      part.broken,
    ),
    jumps: reportedJumps,
    notMeasured,
  };
}

function open(
  { graph, lane }: LoadedModel,
  flag: '--calib' | '--eval',
  sources: readonly string[],
  request: DataRequest,
): Promise<Dataset> {
  const inputs = inputSpecs(graph, lane);
  return openDataset({ sources, inputs, ...request, metadata: graph.metadata, flag });
}

/** @throws UsageError when a scheme is asked for that could not be used */
function requireNoScheme({ model, scheme, schemeOverrides = {}, selection }: AnalyzeRequest): void {
  const isAsked =
    scheme !== undefined ||
    Object.keys(schemeOverrides).length > 0 ||
    selection.only.length + selection.skip.length > 0;
  if (!isAsked) return;
  throw new UsageError(
    `${model} is quantized already: its own parameters are measured, no scheme can be chosen`,
    { hint: `qdbg analyze ${model} --calib DATA, or these flags with the float model` },
  );
}

function momentumOf({ activations }: Scheme): number {
  return activations !== 'float' && activations.observer.kind === 'moving-average'
    ? activations.observer.momentum
    : DEFAULT_MOMENTUM;
}
