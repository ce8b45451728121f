/** `qdbg analyze`: load, calibrate, simulate beside float, measure, explain. */
import { ERROR_KINDS } from '../compile/measurement-program.js';
import { endsOf } from '../diff/ends.js';
import { UsageError } from '../errors.js';
import { bindInputs } from '../ir/bind-inputs.js';
import type { Graph } from '../ir/graph.js';
import { inferShapes } from '../ir/infer/index.js';
import { loadModel, type LoadedModel } from '../loader/index.js';
import type { SchemeOverrides } from '../quant/presets.js';
import type { Scheme } from '../quant/scheme.js';
import type { Selection } from '../quant/select.js';
import { Places } from '../report/places.js';
import { SCHEMA_VERSION, type Report } from '../report/report.js';
import { calibrate } from '../run/calibrate.js';
import { studied } from '../run/data/study-builder.js';
import { measure } from '../run/measure.js';
import { OutputWatch } from '../run/output-study.js';
import { runtimeVersion } from '../run/runtime.js';
import { withExtents, type Watch } from '../run/samples.js';
import { requireSupported } from '../run/unsupported.js';
import { VERSION } from '../version.js';
import type { EvaluatedData } from './accuracy/evaluated.js';
import { ladderOf, type Rung } from './accuracy/ladder.js';
import { evaluatedLanes, requireAccuracyOf } from './accuracy/of-lanes.js';
import type { AccuracyRequest } from './accuracy/request.js';
import { namedTensors } from './channel-lists.js';
import type { DataRequest } from './data-request.js';
import { fileOf, reportedData, reportedModel } from './describe.js';
import type { GateRequest } from './gate-request.js';
import { judged, storedBaseline } from './judge.js';
import { extentsOf } from './sample-extents.js';
import { evaluationOf, saturationOf, studyOf } from './studies.js';
import { explained } from './analyze-explained.js';
import { changedScheme } from './fixes/changed-scheme.js';
import { withMeasuredFixes } from './fixes/measured-fixes.js';
import { calibrated, passesOf } from './calibrated.js';
import { openedData } from './opened-data.js';
import { requireSomething } from './preconditions.js';
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

export async function analyze(asked: AnalyzeRequest, watch: Watch): Promise<Report> {
  const baseline = await storedBaseline(asked.gate);
  const loaded = await loadModel(asked.model, { shapes: asked.data.shapes });
  const request = loaded.lane === undefined ? withCalibration(asked) : withSamples(asked);
  if (loaded.lane !== undefined) requireNoScheme(request);
  const calib = await openedData(loaded, '--calib', request.calib, request.data);
  const evaluation =
    request.eval.length === 0 ? undefined : await openedData(loaded, '--eval', request.eval, request.data);

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
  const named = namedTensors(graph, places, simulation.edges, request.channels);

  const rungs = request.ladder ? laddersOf(loaded, graph, scheme, request) : [];
  await requireAccuracyOf(graph, { dataset: evaluation ?? calib, extents }, request);
  const passes = passesOf(scheme, request.threads);
  const { edges, fusedAway } = simulation;
  const observed = observedBy([simulation, ...rungs.map((rung) => rung.simulation)]);
  const layout = graph.format === 'tflite' ? 'nhwc' : 'nchw';
  const calibSamples = studied(withExtents(calib, extents), calib, { flag: '--calib', layout });
  const calibration = await calibrated(graph, observed, calibSamples, passes, watch);
  const lane = loaded.lane ?? calibratedLane(simulation, calibration);

  const samples =
    evaluation === undefined
      ? calibSamples
      : studied(withExtents(evaluation, extents), evaluation, { flag: '--eval', layout });
  const seen = evaluation === undefined ? calibration : await calibrate(graph, edges, samples, passes, watch);
  const options = {
    threads: request.threads,
    kinds: ERROR_KINDS,
    clipping: clippingEdges(simulation, lane, seen),
    gains: gainsOf(simulation, seen),
  };
  const ends = endsOf(graph, new Set(edges.map(({ tensor }) => tensor)));
  const outputs = new OutputWatch({ graph, lane, edges, ends }, { threads: request.threads });
  const sums = await measure(graph, lane, edges, fusedAway, outputs.beside(samples), options, watch).finally(
    () => outputs.close(),
  );
  const measured = evaluation ?? calib;
  const title = loaded.lane === undefined ? `${scheme.name}, simulated` : "the file's integers";
  const [flag, sources] =
    evaluation === undefined ? (['--calib', request.calib] as const) : (['--eval', request.eval] as const);
  const data: EvaluatedData = {
    dataset: measured,
    extents,
    flags: request.data.preprocessing,
    open: (preprocessing, count) =>
      openedData(loaded, flag, sources, { ...request.data, preprocessing, samples: count }),
  };
  const network = { graph, lane, title, rungs, calibration, isFile: loaded.lane !== undefined };
  const part = await evaluatedLanes(request, network, data, watch);
  const isSmoke = measured.kind === 'random';
  const { findings, verdict, notMeasured, ...rest } = await explained(
    { simulation, lane, seen, sums, ends },
    { places, asked: named },
    {
      isSmoke,
      part,
      gate: request.gate,
      studies: {
        file: fileOf(loaded),
        ...studyOf('calib', await calibSamples.study()),
        ...(evaluation === undefined ? {} : studyOf('data', await samples.study())),
        // Random data say nothing about what the network answers.
        ...(isSmoke ? {} : { outputs: await outputs.result() }),
        ...(await saturationOf(graph, lane, simulation.scheme, samples, {
          threads: request.threads,
          watch: () => undefined,
        })),
        ...evaluationOf(part.evidence, request.gate),
      },
      withFixes: (diagnosed, endEdges) =>
        withMeasuredFixes(
          diagnosed,
          {
            graph,
            lane,
            ends: endEdges,
            changed: (change) =>
              change.kind === 'scheme'
                ? changedScheme(simulation, calibration, request.selection, change)
                : undefined,
          },
          async (most) =>
            withExtents(await data.open(request.data.preprocessing, Math.min(most, samples.count)), extents),
          { threads: request.threads },
        ),
    },
  );
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
