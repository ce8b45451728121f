import { nodeLabel, nodeOf, tensorOf, topologyOf, type TensorId } from '../../../ir/graph.js';
import { useKey, type QuantParams } from '../../../ir/lane.js';
import { sourceOf } from '../../../ir/operators.js';
import type { ConstantComparison } from '../../../diff/compared-constants.js';
import type { With } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { remedy } from '../../remedy.js';
import { subjectOf } from '../../subject.js';
import { short } from '../../wording.js';
import { uniformGain } from './not-same-model.js';

/** Relative; scales are products of float32 numbers. */
const TOLERANCE = 0.01;
/** SQNR, dB, above which a bias is the reference's. */
const SAME_DB = 20;
/** Local or self SQNR, dB, below which an activation is not as it should be. */
const DOUBTFUL_DB = 20;
/** A range so many times that of the values, or so small a part of it. */
const MISFIT = 3;

type ScaleEvidence = With<'lane' | 'edges' | 'compared' | 'suspects'>;

/**
 * A bias is added to products of input and weight codes and has their scale. Where it does not fit though it is the reference's, or
 * is off by one factor beside an input that is off too, the input's scale was changed after the bias was made.
 */
export function inputScale(evidence: ScaleEvidence): Diagnosed[] {
  const { graph, compared } = evidence;
  return compared.flatMap((bias): Diagnosed[] => {
    if (bias.role !== 'bias') return [];
    const [read, weight, added] = nodeOf(graph, bias.node).inputs;
    // Of a BatchNormalization behind the operator, it is in no accumulator.
    if (added !== bias.candidate) return [];
    if (read === undefined || read === null || weight === undefined || weight === null) return [];
    const input = sourceOf(graph, read);
    const quant = evidence.lane.uses.get(useKey(bias.node, 0)) ?? evidence.lane.tensors.get(input);
    const factor = quant === undefined ? undefined : changedBy(evidence, bias, input, quant, weight);
    if (quant === undefined || factor === undefined) return [];
    const name = tensorOf(graph, bias.candidate).name;
    const [scale = 0] = readScale(quant);
    return [
      {
        rule: 'w.spec',
        severity: 'error',
        subject: subjectOf(graph, firstSharing(evidence, input)),
        message:
          `its scale ${short(scale)} is ${short(factor)} times what the bias of ${nodeLabel(nodeOf(graph, bias.node))}, which reads it, ` +
          `was made for (${short(scale / factor)})`,
        args: { scale, factor, bias: name },
        ...remedy(evidence, {
          title: 'give it the scale that its reader was made for',
          onnx: `scale ${short(scale / factor)} for this tensor`,
          tflite: `scale ${short(scale / factor)} for this tensor`,
          change: { ranges: [firstSharing(evidence, input)] },
        }),
        explains: [name],
        yieldsTo: ['act.requantize-clip', 'io.preproc', 'io.int-input', 'base.graph-changed'],
      },
    ];
  });
}

function changedBy(
  evidence: ScaleEvidence,
  bias: ConstantComparison,
  input: TensorId,
  read: QuantParams,
  weight: TensorId,
): number | undefined {
  const [kernel, own] = [evidence.lane.tensors.get(weight), bias.quant];
  if (read.granularity.kind !== 'per-tensor' || kernel === undefined || own === undefined) return undefined;
  if (kernel.granularity.kind === 'per-block') return undefined;
  const ratios = Array.from(
    kernel.scale,
    (scale, i) => (scale * (readScale(read)[0] ?? 0)) / (own.scale[own.scale.length === 1 ? 0 : i] ?? 0),
  );
  const [ratio = 1] = ratios;
  if (
    !(ratio > 0 && Number.isFinite(ratio)) ||
    ratios.some((one) => !(Math.abs(one / ratio - 1) <= TOLERANCE))
  )
    return undefined;
  const isOff = Math.abs(ratio - 1) > TOLERANCE;
  if (isOff) return (bias.error?.sqnrDb ?? Infinity) > SAME_DB ? ratio : undefined;
  // Where the file has no scale for the bias, nothing but the input tells whose fault a factor is.
  const gain = own.source === 'derived' ? uniformGain(bias) : undefined;
  const isDoubted = read.read !== undefined || isDoubtful(evidence, input);
  return gain !== undefined && isDoubted ? gain : undefined;
}

function readScale({ read, scale }: QuantParams): Float32Array {
  return read?.scale ?? scale;
}

/** Up to the first of the tensors that codes are only moved through, which share their parameters. */
function firstSharing({ graph, lane }: ScaleEvidence, tensor: TensorId): TensorId {
  const { producer } = topologyOf(graph);
  const params = lane.tensors.get(tensor);
  let first = tensor;
  for (;;) {
    const writer = producer[first];
    const [read] = writer === undefined ? [] : nodeOf(graph, writer).inputs;
    const before = read === undefined || read === null ? undefined : sourceOf(graph, read);
    const own = before === undefined ? undefined : lane.tensors.get(before);
    const isShared =
      own?.scale.join() === params?.scale.join() && own?.zeroPoint.join() === params?.zeroPoint.join();
    if (before === undefined || own === undefined || !isShared) return first;
    first = before;
  }
}

/** Whether something else says too that the activation is not as it should be. */
function isDoubtful({ edges, suspects }: ScaleEvidence, tensor: TensorId): boolean {
  if (suspects.some((one) => one.tensor === tensor && one.db < DOUBTFUL_DB)) return true;
  const measurement = edges.find(({ edge }) => edge.tensor === tensor);
  if (measurement?.quant === undefined) return false;
  const {
    scale: [scale = 0],
    qmin,
    qmax,
  } = measurement.quant;
  const times = (scale * (qmax - qmin)) / (measurement.range.max - measurement.range.min);
  return times > MISFIT || times < 1 / MISFIT;
}
