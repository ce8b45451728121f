/** The document of a sweep, from all that it has found. */
import { tensorOf } from '../../ir/graph.js';
import type { Scheme } from '../../quant/scheme.js';
import { coverageOf } from '../../report/assemble.js';
import { graphRows } from '../../report/graph-rows.js';
import { Places } from '../../report/places.js';
import { SCHEMA_VERSION } from '../../report/report.js';
import type { SweepReport } from '../../report/sweep-report.js';
import { sweptTensorRows } from '../../report/sweep-tensors.js';
import { sweepVerdict } from '../../report/sweep-verdict.js';
import { runtimeVersion } from '../../run/runtime.js';
import { VERSION } from '../../version.js';
import type { AccuracyPart } from '../accuracy/evaluated.js';
import { reportedData, reportedModel } from '../describe.js';
import { effectOf, type EffectBasis } from './effects.js';
import type { MeasuredFixes } from './fixes/measured.js';
import type { Prepared } from './prepared.js';
import type { SweepRequest } from './request.js';
import type { Searched } from './search/search.js';
import type { SweptGround } from './swept-ground.js';
import type { TrialOutcome } from './trials/trial.js';
import { toldMetric } from './whole-networks.js';

export interface Results {
  readonly accuracy: AccuracyPart;
  readonly basis: EffectBasis;
  readonly float: TrialOutcome;
  readonly swept: Pick<SweepReport, 'layers' | 'groups'>;
  readonly experiments: SweepReport['experiments'];
  readonly notMeasured: SweepReport['notMeasured'];
  readonly fixes?: MeasuredFixes;
  readonly search?: Searched;
  readonly decision: SweepReport['decision'];
  readonly exports: SweepReport['exports'];
}

export async function assembled(
  request: SweepRequest,
  { loaded, calib, evaluation, simulated, layers, ends: endEdges }: Prepared,
  { trials: { samples } }: SweptGround,
  results: Results,
): Promise<SweepReport> {
  const { graph, plan, notMeasured } = simulated.simulation;
  const scheme: Scheme = simulated.simulation.scheme;
  const { accuracy, basis, swept } = results;
  const metric = toldMetric(accuracy);
  const places = new Places(graph, plan);
  const parts = {
    basis: {
      samples: samples.count,
      outputs: endEdges.map(({ tensor }) => tensorOf(graph, tensor).name),
      ...(metric === undefined ? {} : { metric }),
    },
    float: effectOf(results.float),
    quantized: effectOf(basis.quantized),
    layers: swept.layers,
    fixes: results.fixes?.fixes ?? [],
    ...(results.search === undefined ? {} : { search: results.search.report }),
  };
  return {
    schemaVersion: SCHEMA_VERSION,
    tool: { name: 'qdbg', version: VERSION, runtime: await runtimeVersion() },
    command: 'sweep',
    ...(request.timestamp ? { createdAt: new Date().toISOString() } : {}),
    models: [await reportedModel(loaded, graph, 'model')],
    data: {
      calib: await reportedData(calib, evaluation === undefined ? accuracy.assumed : []),
      ...(evaluation === undefined ? {} : { eval: await reportedData(evaluation, accuracy.assumed) }),
    },
    scheme: { ...scheme, ...request.selection },
    coverage: coverageOf(graph, plan),
    graph: graphRows(graph, places, plan),
    ...parts,
    groups: swept.groups,
    tensors: sweptTensorRows(graph, places, simulated.lane, layers, swept.layers),
    experiments: results.experiments,
    ...(results.fixes?.together === undefined ? {} : { together: results.fixes.together }),
    ...(results.decision === undefined ? {} : { decision: results.decision }),
    exports: results.exports,
    verdict: sweepVerdict({
      ...parts,
      ...(results.decision === undefined ? {} : { decision: results.decision }),
    }),
    ...(accuracy.fields.accuracy === undefined ? {} : { accuracy: accuracy.fields.accuracy }),
    notMeasured: [...notMeasured, ...accuracy.notMeasured, ...results.notMeasured],
  };
}
