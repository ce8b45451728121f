/** `qdbg doctor`: the rules alone. Without data only files are read; with data, the networks are run as `analyze` and `compare` do. */
import { applySuppressions } from '../diff/gate/suppressions.js';
import { diagnose } from '../doctor/index.js';
import { loadModel, type LoadedModel } from '../loader/index.js';
import type { CompareReport } from '../report/compare-report.js';
import type { DoctorReport } from '../report/doctor-report.js';
import { fileVerdict, measuredVerdict } from '../report/doctor-verdict.js';
import { reportedFindings, reportedRules } from '../report/findings.js';
import { SCHEMA_VERSION, type Report } from '../report/report.js';
import type { Watch } from '../run/samples.js';
import { VERSION } from '../version.js';
import type { AnalyzeRequest } from './analyze.js';
import type { CompareRequest } from './compare.js';
import { reportedModel } from './describe.js';
import { fileEvidence, pairEvidence } from './file-evidence.js';
import type { GateRequest } from './gate-request.js';
import { lookAt } from './inspect.js';
import { judgedFindings } from './judge.js';

export interface FilesRequest {
  readonly model: string;
  readonly reference?: string;
  /** Share of the compute operators of the model that must be found in the reference. */
  readonly minAligned: number;
  /** Extents of inputs by name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly gate: GateRequest;
  readonly timestamp: boolean;
}

export type DoctorRequest =
  | { readonly run: 'nothing'; readonly request: FilesRequest }
  | { readonly run: 'analyze'; readonly request: AnalyzeRequest }
  | { readonly run: 'compare'; readonly request: CompareRequest };

export async function doctor(asked: DoctorRequest, watch: Watch): Promise<DoctorReport> {
  switch (asked.run) {
    case 'nothing':
      return ofFiles(asked.request);
    case 'analyze': {
      const { analyze } = await import('./analyze.js');
      const report = await analyze(asked.request, watch);
      const loaded = await loadModel(asked.request.model, { shapes: asked.request.data.shapes });
      return measured(report, loaded, loaded.lane === undefined ? 'simulation' : 'own integers');
    }
    case 'compare': {
      const { compare } = await import('./compare.js');
      const report = await compare(asked.request, watch);
      return measured(report, await loadModel(asked.request.candidate), 'comparison');
    }
  }
}

async function ofFiles({
  model,
  reference,
  minAligned,
  shapes,
  gate,
  timestamp,
}: FilesRequest): Promise<DoctorReport> {
  const loaded = await loadModel(model, { shapes });
  const other = reference === undefined ? undefined : await loadModel(reference, { shapes });
  const evidence = other === undefined ? fileEvidence(loaded) : pairEvidence(other, loaded, minAligned);
  const diagnosis = diagnose(evidence);
  const { kept: findings, suppressed } = applySuppressions(
    reportedFindings(diagnosis.findings),
    gate.suppressions,
    gate.today,
  );
  const rules = reportedRules(diagnosis);
  const basis = other === undefined ? 'file' : 'files';
  const roles = other === undefined ? ('model' as const) : ('candidate' as const);
  const report: DoctorReport = {
    schemaVersion: SCHEMA_VERSION,
    tool: { name: 'qdbg', version: VERSION },
    command: 'doctor',
    ...(timestamp ? { createdAt: new Date().toISOString() } : {}),
    basis,
    models: [
      ...(other === undefined ? [] : [await reportedModel(other, other.graph, 'reference')]),
      await reportedModel(loaded, evidence.graph, roles),
    ],
    data: {},
    inspected: await inspectedOf(loaded),
    tensors: [],
    findings,
    rules,
    ...(suppressed.length === 0 ? {} : { suppressed }),
    verdict: fileVerdict(basis, findings, rules, evidence.scheme?.name),
    notMeasured: [],
  };
  return judgedFindings(report, gate);
}

async function measured(
  report: Report | CompareReport,
  loaded: LoadedModel,
  basis: DoctorReport['basis'],
): Promise<DoctorReport> {
  const { schemaVersion, tool, createdAt, models, data, scheme, graph, histogramSamples, tensors } = report;
  const { findings, rules, verdict } = report;
  const {
    accuracy,
    agreement,
    otherMetrics,
    pictures,
    gate,
    suppressed,
    drift,
    preprocessings,
    notMeasured,
  } = report;
  return {
    schemaVersion,
    tool,
    command: 'doctor',
    ...(createdAt === undefined ? {} : { createdAt }),
    basis,
    models,
    data,
    inspected: await inspectedOf(loaded),
    scheme,
    ...(graph === undefined ? {} : { graph }),
    ...(histogramSamples === undefined ? {} : { histogramSamples }),
    tensors,
    findings,
    rules,
    verdict: measuredVerdict(verdict, findings, rules),
    notMeasured,
    ...(accuracy === undefined ? {} : { accuracy }),
    ...(agreement === undefined ? {} : { agreement }),
    ...(otherMetrics === undefined ? {} : { otherMetrics }),
    ...(pictures === undefined ? {} : { pictures }),
    ...(gate === undefined ? {} : { gate }),
    ...(suppressed === undefined ? {} : { suppressed }),
    ...(drift === undefined ? {} : { drift }),
    ...(preprocessings === undefined ? {} : { preprocessings }),
  };
}

async function inspectedOf(loaded: LoadedModel): Promise<DoctorReport['inspected']> {
  const {
    model: { inputs, outputs, quantization, impliedActivations },
  } = await lookAt(loaded, { complete: false });
  return {
    inputs,
    outputs,
    ...(quantization === undefined ? {} : { quantization }),
    ...(impliedActivations === undefined ? {} : { impliedActivations }),
  };
}
