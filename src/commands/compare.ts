/** `qdbg compare`: a reference network beside a candidate that should compute the same, run on the same data. */
import { applySuppressions } from '../diff/gate/suppressions.js';
import { comparedConstants } from '../diff/compared-constants.js';
import { jumpsOf } from '../diff/jumps.js';
import { suspectsOf } from '../diff/suspects.js';
import { constantMeasurements } from '../diff/weight-measurements.js';
import type { Evidence } from '../doctor/evidence.js';
import { diagnose } from '../doctor/index.js';
import { tensorOf } from '../ir/graph.js';
import { loadModel } from '../loader/index.js';
import { planOfLane } from '../quant/placement/lane-plan.js';
import { withAccuracy } from '../report/accuracy-verdict.js';
import { coverageOf, jumpRows, tensorRows } from '../report/assemble.js';
import type { CompareReport, LadderRung } from '../report/compare-report.js';
import { comparedRows, constantRows, reportedAlignment } from '../report/compare-rows.js';
import { compareVerdict } from '../report/compare-verdict.js';
import { withFix } from '../report/fix-text.js';
import { reportedFindings, reportedRules } from '../report/findings.js';
import { graphRows } from '../report/graph-rows.js';
import { Places } from '../report/places.js';
import { SCHEMA_VERSION } from '../report/report.js';
import { readActual, runActual } from '../run/actual/index.js';
import { runOriginal } from '../run/original/index.js';
import type { NotRun, OtherRun } from '../run/other-run.js';
import { studied } from '../run/data/study-builder.js';
import { OutputWatch } from '../run/output-study.js';
import { runtimeVersion } from '../run/runtime.js';
import { withExtents, type Watch } from '../run/samples.js';
import { VERSION } from '../version.js';
import { evaluatedPair, requireAccuracyOfPair } from './accuracy/of-pair.js';
import type { AccuracyRequest } from './accuracy/request.js';
import { listedTensors, namedTensors } from './channel-lists.js';
import { dataOf, type SourcesRequest } from './compare-data.js';
import { countedPair } from './compare-histograms.js';
import { commonEdges, measurePair, rectifiedEarly } from './compare-measure.js';
import { fileOf, reportedData, reportedModel } from './describe.js';
import { laneScheme } from './file-lane.js';
import { changeable, changedLane } from './fixes/changed-lane.js';
import { withMeasuredFixes } from './fixes/measured-fixes.js';
import type { GateRequest } from './gate-request.js';
import { judged, storedBaseline } from './judge.js';
import { evaluationOf, saturationOf, studyOf } from './studies.js';
import { networkPair, requireAligned } from './network-pair.js';

export interface CompareRequest extends SourcesRequest {
  readonly reference: string;
  readonly candidate: string;
  /** Share of the candidate's compute operators that must be found in the reference. */
  readonly minAligned: number;
  /** Globs of nodes or tensors whose channels the report lists; the worst tensors' always are. */
  readonly channels: readonly string[];
  /** Also run the candidate's file itself in ONNX Runtime. */
  readonly runtime: boolean;
  /** Folder with tensors dumped from a device. */
  readonly actual?: string;
  /** Samples that layers are measured on; one in 8, and 8 at least, when absent. */
  readonly detail?: number;
  /** Samples that accuracy is evaluated on; those of `sources` when empty. */
  readonly eval: readonly string[];
  readonly accuracy: AccuracyRequest;
  readonly gate: GateRequest;
  readonly threads: number;
  readonly timestamp: boolean;
}

export async function compare(request: CompareRequest, watch: Watch): Promise<CompareReport> {
  const baseline = await storedBaseline(request.gate);
  const candidate = await loadModel(request.candidate);
  // Quantized weights stay apart from a BatchNormalization behind them: the reference's then have to, too.
  const foldBatchNorm = !candidate.graph.nodes.some(({ op }) => op === 'BatchNormalization');
  const reference = await loadModel(request.reference, { shapes: request.data.shapes, foldBatchNorm });
  const { dataset, extents } = await dataOf(reference, candidate, request);
  const samples = studied(withExtents(dataset, extents), dataset, {
    flag: '--data',
    layout: reference.format === 'tflite' ? 'nhwc' : 'nchw',
  });
  const { threads } = request;
  const pair = await networkPair({ reference, candidate }, extents, samples, { threads });
  requireAligned(pair, request.minAligned);
  const { graph, lane } = pair.candidate;

  const labelled =
    request.eval.length === 0
      ? undefined
      : (await dataOf(reference, candidate, { ...request, sources: request.eval }, '--eval')).dataset;
  await requireAccuracyOfPair(pair, { dataset: labelled ?? dataset, extents }, request);
  const actual =
    request.actual === undefined ? undefined : await readActual(request.actual, pair.candidate, dataset.ids);
  const plan = planOfLane(graph, lane);
  const fusedAway = new Set([...plan.fusedAway, ...rectifiedEarly(graph, lane)]);
  const common = commonEdges(pair, fusedAway);
  const { edges, notMeasured } = common;
  const places = new Places(graph, plan);
  const asked = namedTensors(graph, places, edges, request.channels);
  const { detail } = request;
  const outputs = new OutputWatch({ graph, lane, edges, ends: common.ends, other: pair.other }, { threads });
  const measured = await measurePair(
    pair,
    common,
    fusedAway,
    outputs.beside(samples),
    { threads, detail },
    watch,
  ).finally(() => outputs.close());
  const { measurements, ladder } = measured;
  const counted = await countedPair(pair, measured, { dataset, extents }, { threads }, watch);
  const options = { threads, other: pair.other, watch };
  const original = request.runtime
    ? await runOriginal(candidate, pair.candidate, samples, options)
    : undefined;
  const dumped = actual === undefined ? undefined : await runActual(actual, pair.candidate, samples, options);
  const constants = constantMeasurements(graph, lane, plan.quantizers);
  const compared = comparedConstants({ candidate: graph, lane, alignment: pair.alignment });
  const jumps = jumpsOf(graph, measurements);
  const suspects = suspectsOf(graph, measurements);
  const part = await evaluatedPair(
    pair,
    {
      dataset: labelled ?? dataset,
      extents,
      flags: request.data.preprocessing,
      open: async (preprocessing, count) => {
        const sources = labelled === undefined ? request.sources : request.eval;
        const data = { ...request.data, preprocessing, samples: count };
        return (await dataOf(reference, candidate, { sources, data })).dataset;
      },
    },
    { ...request, accuracy: { ...request.accuracy, tellsAgreement: labelled !== undefined } },
    watch,
  );
  const diagnosis = diagnose({
    graph,
    lane,
    edges: measurements,
    constants,
    jumps,
    reference: { ...pair.reference, file: fileOf(reference) },
    alignment: pair.alignment,
    compared,
    suspects,
    ...studyOf('data', await samples.study()),
    // Random data say nothing about what the network answers.
    ...(dataset.kind === 'random' ? {} : { outputs: await outputs.result() }),
    ...(await saturationOf(graph, lane, 'file', samples, { ...options, watch: () => undefined })),
    ...evaluationOf(part.evidence, request.gate),
    file: fileOf(candidate),
    ...outputDb(measured.ends),
    ...otherEvidence(original, dumped),
  });
  const fixed = await withMeasuredFixes(
    diagnosis.findings,
    {
      graph,
      lane: changeable(lane),
      ends: edges.filter(({ tensor }) => common.ends.has(tensor)),
      other: pair.other,
      changed: (change) => (change.kind === 'lane' ? changedLane(pair, measurements, change) : undefined),
    },
    async (most) => {
      const few = { ...request, data: { ...request.data, samples: Math.min(most, dataset.count) } };
      return withExtents((await dataOf(reference, candidate, few)).dataset, extents);
    },
    { threads },
  );
  const { kept: findings, suppressed } = applySuppressions(
    reportedFindings(fixed),
    request.gate.suppressions,
    request.gate.today,
  );
  const rows = tensorRows(graph, places, counted.measurements, constants, {
    listed: listedTensors(graph, measurements),
    asked,
    ...counted,
  });
  const reportedJumps = jumpRows(graph, places, jumps);
  const tensors = comparedRows(pair.reference.graph, graph, pair.alignment, rows);
  const report: CompareReport = {
    schemaVersion: SCHEMA_VERSION,
    tool: { name: 'qdbg', version: VERSION, runtime: await runtimeVersion() },
    command: 'compare',
    ...(request.timestamp ? { createdAt: new Date().toISOString() } : {}),
    models: [
      await reportedModel(reference, pair.reference.graph, 'reference'),
      await reportedModel(candidate, graph, 'candidate'),
    ],
    data: {
      data: await reportedData(dataset, labelled === undefined ? part.assumed : []),
      ...(labelled === undefined ? {} : { eval: await reportedData(labelled, part.assumed) }),
    },
    scheme: laneScheme(graph, lane),
    coverage: coverageOf(graph, plan),
    graph: graphRows(graph, places, plan),
    alignment: reportedAlignment(pair.reference.graph, graph, lane, pair.alignment, {
      matched: edges.length,
      total: edges.length + notMeasured.length,
    }),
    tensors,
    histogramSamples: counted.samples,
    constants: constantRows(pair.reference.graph, graph, compared),
    outputs: measured.ends,
    ladder: [...ladder, ...runtimeRung(original, dataset.count)],
    findings,
    rules: reportedRules(diagnosis),
    ...(suppressed.length === 0 ? {} : { suppressed }),
    ...part.fields,
    verdict: withAccuracy(
      withFix(
        compareVerdict({ outputs: measured.ends, ladder, tensors, findings, jumps: reportedJumps }),
        findings,
      ),
      part.fields,
      part.broken,
    ),
    jumps: reportedJumps,
    notMeasured: [
      ...notMeasured.map(({ tensor, reason }) => ({ subject: tensorOf(graph, tensor).name, reason })),
      ...part.notMeasured,
    ],
    ...reportedRuns(original, dumped),
  };
  return judged(report, request.gate, baseline, request.accuracy.metrics.length > 0);
}

function outputDb({ outputs }: LadderRung): { outputDb?: number } {
  const db = outputs.flatMap(({ sqnrDb }) => sqnrDb ?? []);
  return db.length === 0 ? {} : { outputDb: Math.min(...db) };
}

type Original = Awaited<ReturnType<typeof runOriginal>>;

/** Runs elsewhere, as rules look at them. */
function otherEvidence(
  original: Original | undefined,
  dumped: OtherRun | undefined,
): Pick<Evidence, 'runtime' | 'optimized' | 'processor' | 'actual'> {
  const runs = original === undefined || 'notRun' in original ? undefined : original;
  const done = (run: OtherRun | NotRun | undefined): OtherRun | undefined =>
    run === undefined || 'notRun' in run ? undefined : run;
  const runtime = done(runs?.unfused);
  const optimized = done(runs?.optimized);
  return {
    ...(runtime === undefined ? {} : { runtime }),
    ...(optimized === undefined ? {} : { optimized }),
    ...(runs === undefined ? {} : { processor: runs.processor }),
    ...(dumped === undefined ? {} : { actual: dumped }),
  };
}

function runtimeRung(original: Original | undefined, samples: number): LadderRung[] {
  if (original === undefined || 'notRun' in original || original.outputs.length === 0) return [];
  return [{ rung: 'runtime', samples, outputs: original.outputs }];
}

function reportedRuns(
  original: Original | undefined,
  actual: OtherRun | undefined,
): Pick<CompareReport, 'runtime' | 'optimized' | 'processor' | 'actual'> {
  return {
    ...(original === undefined
      ? {}
      : 'notRun' in original
        ? { runtime: original }
        : { runtime: original.unfused, optimized: original.optimized, processor: original.processor.text }),
    ...(actual === undefined ? {} : { actual }),
  };
}
