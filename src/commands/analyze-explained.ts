/** What the sums of an analysis mean: rows, causes, verdict. */
import type { Edge } from '../compile/edges.js';
import { edgeMeasurements } from '../diff/edge-measurements.js';
import { applySuppressions } from '../diff/gate/suppressions.js';
import { jumpsOf } from '../diff/jumps.js';
import { constantMeasurements } from '../diff/weight-measurements.js';
import type { Evidence } from '../doctor/evidence.js';
import type { Diagnosed } from '../doctor/finding.js';
import { diagnose } from '../doctor/index.js';
import { tensorOf, type TensorId } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import { withAccuracy } from '../report/accuracy-verdict.js';
import { coverageOf, jumpRows, tensorRows, weightRows } from '../report/assemble.js';
import { withFix } from '../report/fix-text.js';
import { reportedFindings, reportedRules } from '../report/findings.js';
import { graphRows } from '../report/graph-rows.js';
import type { Places } from '../report/places.js';
import type { Report } from '../report/report.js';
import { verdictOf } from '../report/verdict.js';
import type { Calibration } from '../run/calibrate.js';
import type { EdgeSums } from '../run/measure.js';
import type { AccuracyPart } from './accuracy/evaluated.js';
import { listedTensors } from './channel-lists.js';
import { forecastsOf } from './forecasts.js';
import type { GateRequest } from './gate-request.js';
import type { Simulation } from './simulation.js';

export interface MeasuredSimulation {
  readonly simulation: Simulation;
  readonly lane: Lane;
  /** Of the samples that were measured. */
  readonly seen: Calibration;
  readonly sums: readonly EdgeSums[];
  /** Tensors to judge by: the outputs, or the last ones that are measured. */
  readonly ends: ReadonlySet<TensorId>;
}

export interface Explaining {
  /** The data are random: they say nothing about the ranges of a finished file. */
  readonly isSmoke: boolean;
  readonly part: AccuracyPart;
  readonly gate: GateRequest;
  /** What else is known of data and outputs. */
  readonly studies: Partial<Evidence>;
  /** The findings, with what their fixes give at these tensors. */
  readonly withFixes: (
    findings: readonly Diagnosed[],
    ends: readonly Edge[],
  ) => Promise<readonly Diagnosed[]>;
}

export async function explained(
  { simulation, lane, seen, sums, ends }: MeasuredSimulation,
  { places, asked }: { readonly places: Places; readonly asked: ReadonlySet<TensorId> },
  { isSmoke, part, gate, studies, withFixes }: Explaining,
): Promise<
  Pick<
    Report,
    | 'coverage'
    | 'graph'
    | 'tensors'
    | 'weights'
    | 'findings'
    | 'rules'
    | 'suppressed'
    | 'verdict'
    | 'jumps'
    | 'notMeasured'
  >
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
    ...studies,
  });
  // Random data say nothing about the ranges of a finished file.
  const told = diagnosis.findings.filter(
    ({ rule }) => simulation.scheme !== 'file' || !isSmoke || !rule.startsWith('act.'),
  );
  const fixed = await withFixes(
    told,
    edges.filter(({ tensor }) => ends.has(tensor)),
  );
  const { kept: findings, suppressed } = applySuppressions(
    reportedFindings(fixed),
    gate.suppressions,
    gate.today,
  );
  const tensors = tensorRows(graph, places, measurements, constants, {
    listed: listedTensors(graph, measurements),
    asked,
    forecasts: (measurement) => forecastsOf(simulation, measurement, seen),
    histogram: (tensor) => seen.edges.get(tensor)?.histogram,
  });
  const reportedJumps = jumpRows(graph, places, jumps);
  return {
    coverage: coverageOf(graph, plan),
    graph: graphRows(graph, places, plan),
    tensors,
    weights: weightRows(graph, places, constants),
    findings,
    rules: reportedRules(diagnosis),
    ...(suppressed.length === 0 ? {} : { suppressed }),
    verdict: withAccuracy(
      withFix(
        verdictOf(
          tensors,
          new Set([...ends].map((id) => tensorOf(graph, id).name)),
          findings,
          reportedJumps,
          simulation.scheme === 'file' ? 'own weights' : 'float',
        ),
        findings,
      ),
      part.fields,
      part.broken,
    ),
    jumps: reportedJumps,
    notMeasured,
  };
}
