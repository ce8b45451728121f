/** `qdbg analyze`: load, calibrate, simulate beside float, measure, explain. */
import type { Change } from '../doctor/finding.js';
import { UsageError } from '../errors.js';
import { bindInputs } from '../ir/bind-inputs.js';
import type { Graph, TensorId } from '../ir/graph.js';
import { inferShapes } from '../ir/infer/index.js';
import { loadModel, type LoadedModel } from '../loader/index.js';
import type { SchemeOverrides } from '../quant/presets.js';
import type { Scheme } from '../quant/scheme.js';
import type { Selection } from '../quant/select.js';
import { Places } from '../report/places.js';
import { SCHEMA_VERSION, type Report } from '../report/report.js';
import { runtimeVersion } from '../run/runtime.js';
import type { Watch } from '../run/samples.js';
import { requireSupported } from '../run/unsupported.js';
import { VERSION } from '../version.js';
import { ladderOf, type Rung } from './accuracy/ladder.js';
import type { AccuracyRequest } from './accuracy/request.js';
import { explained } from './analyze-explained.js';
import { openedSamples, ran, type Prepared, type Ran } from './analyze-run.js';
import { passesOf } from './calibrated.js';
import { namedTensors } from './channel-lists.js';
import type { DataRequest } from './data-request.js';
import { fileOf, reportedModel } from './describe.js';
import { fileSimulation, laneScheme } from './file-lane.js';
import { changedScheme } from './fixes/changed-scheme.js';
import { MOST_FIX_SAMPLES, withMeasuredFixes } from './fixes/measured-fixes.js';
import type { GateRequest } from './gate-request.js';
import { judged, storedBaseline } from './judge.js';
import { requireSomething } from './preconditions.js';
import { extentsOf } from './sample-extents.js';
import { defaultScheme } from './scheme-request.js';
import type { Shard } from './shards/window.js';
import { planSimulation } from './simulation.js';
import { evaluationOf } from './studies.js';

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
  /** Measure a part of the samples only; `qdbg report` puts the parts together. */
  readonly shard?: Shard;
}

export async function analyze(asked: AnalyzeRequest, watch: Watch): Promise<Report> {
  const { shard } = asked;
  const baseline = shard === undefined ? await storedBaseline(asked.gate) : undefined;
  const loaded = await loadModel(asked.model, { shapes: asked.data.shapes });
  const request = withData(loaded, asked);
  const { calib, evaluation } = await openedSamples(loaded, request);
  const extents = await extentsOf(calib, '--calib');
  const prepared = await prepare(loaded, request, extents, requireSupported);
  const looked = await ran(prepared, { calib, evaluation, extents }, watch, shard);
  const runtime = await runtimeVersion();
  const report = await reported(prepared, looked, runtime);
  if (looked.window === undefined) return judgedAnalysis(report, request, baseline);
  const { shardReport } = await import('./shards/shard-report.js');
  return shardReport(prepared, { ...looked, window: looked.window }, extents, report);
}

export function judgedAnalysis(
  report: Report,
  { gate, accuracy }: AnalyzeRequest,
  baseline: Awaited<ReturnType<typeof storedBaseline>>,
): Promise<Report> {
  return judged(report, gate, baseline, accuracy.metrics.length > 0);
}

/** @throws UsageError without data that are needed, or with a scheme that cannot be used */
function withData({ lane }: LoadedModel, asked: AnalyzeRequest): AnalyzeRequest {
  if (lane === undefined) return withCalibration(asked);
  const request = withSamples(asked);
  requireNoScheme(request);
  return request;
}

/**
 * What is decided before anything is run.
 *
 * @param extents of the inputs that the samples feed
 * @param supported says that the runtime has all operators, or throws
 * @throws UsageError when there is nothing to quantize or to measure
 */
export async function prepare(
  loaded: LoadedModel,
  request: AnalyzeRequest,
  extents: ReadonlyMap<string, readonly number[]>,
  supported: (graph: Graph) => Promise<void>,
): Promise<PreparedAnalysis> {
  const graph = inferShapes(bindInputs(loaded.graph, extents));
  const scheme = request.scheme ?? defaultScheme(loaded.format, request.schemeOverrides ?? {});
  const simulation =
    loaded.lane === undefined
      ? planSimulation(graph, scheme, request.selection)
      : fileSimulation(graph, loaded.lane);
  // Where every output is measured, the first session opened needs all operators; else some might never be missed.
  if (simulation.notMeasured.length > 0) await supported(graph);
  requireSomething(simulation, request.selection);
  const places = new Places(graph, simulation.plan);
  return {
    loaded,
    request,
    graph,
    scheme,
    simulation,
    places,
    named: namedTensors(graph, places, simulation.edges, request.channels),
    rungs: request.ladder ? laddersOf(loaded, graph, scheme, request) : [],
    passes: passesOf(scheme, request.threads),
    title: loaded.lane === undefined ? `${scheme.name}, simulated` : "the file's integers",
  };
}

export interface PreparedAnalysis extends Prepared {
  readonly scheme: Scheme;
  readonly places: Places;
  /** Tensors whose channels the user asked for. */
  readonly named: ReadonlySet<TensorId>;
}

/** The document, not yet held against what was asked for. */
export async function reported(
  { loaded, request, graph, scheme, simulation, places, named }: PreparedAnalysis,
  { lane, calibration, seen, sums, ends, studies, part, isSmoke, ...looked }: Ran,
  runtime: string,
): Promise<Report> {
  let unmeasured: Report['notMeasured'] = [];
  const { findings, verdict, notMeasured, ...rest } = await explained(
    { simulation, lane, seen, sums, ends },
    { places, asked: named },
    {
      isSmoke,
      part,
      gate: request.gate,
      studies: { file: fileOf(loaded), ...studies, ...evaluationOf(part.evidence, request.gate) },
      withFixes: async (diagnosed, endEdges) => {
        const network = {
          graph,
          lane,
          ends: endEdges,
          changed: (change: Change) =>
            change.kind === 'scheme'
              ? changedScheme(simulation, calibration, request.selection, change)
              : undefined,
        };
        const samples = await looked.samples(MOST_FIX_SAMPLES);
        if (typeof samples !== 'string')
          return withMeasuredFixes(diagnosed, network, () => Promise.resolve(samples), request);
        unmeasured = [{ subject: 'what fixes would give', reason: samples }];
        return diagnosed;
      },
    },
  );
  return {
    schemaVersion: SCHEMA_VERSION,
    tool: { name: 'qdbg', version: VERSION, runtime },
    command: 'analyze',
    ...(request.timestamp ? { createdAt: new Date().toISOString() } : {}),
    models: [await reportedModel(loaded, graph, 'model')],
    data: looked.data,
    scheme: loaded.lane === undefined ? { ...scheme, ...request.selection } : laneScheme(graph, loaded.lane),
    ...rest,
    ...part.fields,
    findings,
    verdict,
    notMeasured: [...notMeasured, ...part.notMeasured, ...unmeasured],
  };
}

/** @throws UsageError without data that set the ranges */
function withCalibration(request: AnalyzeRequest): AnalyzeRequest {
  if (request.calib.length > 0) return request;
  throw new UsageError('analyze needs calibration data: nothing says which values the activations take', {
    hint: '--calib FOLDER_OF_IMAGES, or --calib random for a smoke test',
  });
}

/** A file that has its ranges is run on one set of samples. */
function withSamples(request: AnalyzeRequest): AnalyzeRequest {
  if (request.calib.length > 0) return request;
  if (request.eval.length > 0) return { ...request, calib: request.eval, eval: [] };
  throw new UsageError('analyze needs data to run the network on', {
    hint: '--eval FOLDER_OF_IMAGES, or --eval random for a smoke test',
  });
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
