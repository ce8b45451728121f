/** What is looked at beside measurements, because rules ask for it. */
import type { Evidence } from '../doctor/evidence.js';
import type { Graph } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import { saturableProducts } from '../quant/saturation/products.js';
import type { Scheme } from '../quant/scheme.js';
import type { DataStudy } from '../run/data/study.js';
import type { OtherRunOptions } from '../run/other-run.js';
import type { Samples } from '../run/samples.js';
import { studySaturation } from '../run/saturation.js';
import type { GateRequest } from './gate-request.js';

/** Products of 8-bit numbers that are looked at: a tenth of a second's worth. */
const PRODUCTS = 5e7;

/** Of what ONNX Runtime would run on its integer kernels; nothing of other networks. */
export async function saturationOf(
  graph: Graph,
  lane: Lane,
  scheme: Scheme | 'file',
  samples: Samples,
  options: OtherRunOptions,
): Promise<Pick<Evidence, 'saturation'>> {
  const isTarget = graph.format === 'onnx' && (scheme === 'file' || scheme.placement === 'ort');
  if (!isTarget || saturableProducts(graph, lane).length === 0) return {};
  return { saturation: await studySaturation(graph, lane, samples, { ...options, products: PRODUCTS }) };
}

/** Nothing where no pass went through all samples. */
export function studyOf(part: 'calib' | 'data', study: DataStudy | undefined): Partial<Evidence> {
  return study === undefined ? {} : { [part]: study };
}

/** What evaluating showed, with what the candidate may lose: where `--max-drop` says so. */
export function evaluationOf(
  evidence: Pick<Evidence, 'accuracy' | 'preprocessings' | 'evaluation'>,
  { thresholds: { maxDrop } }: GateRequest,
): Partial<Evidence> {
  const { accuracy, evaluation } = evidence;
  if (maxDrop === undefined || evaluation === undefined) return evidence;
  const relative = accuracy?.reference === undefined ? undefined : (maxDrop.value * accuracy.reference) / 100;
  const tolerance = maxDrop.unit === 'pt' ? maxDrop.value : relative;
  return tolerance === undefined ? evidence : { ...evidence, evaluation: { ...evaluation, tolerance } };
}
