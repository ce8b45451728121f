/** Quantization parameters of a TFLite file, kept as they are; what is wrong with them is noted, not repaired. */
import { elementCount, toFloat32, toInts } from '../../ir/elements.js';
import type { TensorId } from '../../ir/graph.js';
import { QRANGE, type Granularity, type LaneFault, type QDType, type QuantParams } from '../../ir/lane.js';
import { signedBytes } from './hybrid.js';
import type {
  TfliteOperator,
  TfliteQuantization,
  TfliteSubgraph,
  TfliteTensor,
  TfliteType,
} from './model.js';

const QUANTIZED: Partial<Record<TfliteType, QDType>> = {
  INT2: 'int2',
  INT4: 'int4',
  UINT4: 'uint4',
  INT8: 'int8',
  UINT8: 'uint8',
  INT16: 'int16',
  UINT16: 'uint16',
};

/** Biases: other constants of these types are indices and sizes, whatever parameters a converter left on them. */
const ACCUMULATED: Partial<Record<TfliteType, QDType>> = { INT32: 'int32', INT64: 'int64' };

/** Where kernels take the scales of per-axis weights from: input slot and dimension, whatever the file's quantizedDimension says. */
const WEIGHT_AXES: Readonly<Record<string, readonly [slot: number, axis: number]>> = {
  CONV_2D: [1, 0],
  CONV_3D: [1, 4],
  DEPTHWISE_CONV_2D: [1, 3],
  FULLY_CONNECTED: [1, 0],
  TRANSPOSE_CONV: [1, 0],
};

/** Slot of the bias of operators that add one in the accumulator. */
const BIAS_SLOTS: Readonly<Record<string, number>> = {
  CONV_2D: 2,
  CONV_3D: 2,
  DEPTHWISE_CONV_2D: 2,
  FULLY_CONNECTED: 2,
  TRANSPOSE_CONV: 3,
};

type Note = (kind: LaneFault['kind'], message: string) => void;

export interface FileQuantization {
  /** By tensor index, axes in the file's order; absent for tensors without codes. */
  readonly params: ReadonlyMap<number, QuantParams>;
  readonly faults: readonly LaneFault[];
}

/** Parameters of all tensors of a subgraph that hold codes, and of the tensors that FAKE_QUANT rounds. */
export function quantizationOf(subgraph: TfliteSubgraph): FileQuantization {
  const params = new Map<number, QuantParams>();
  const faults: LaneFault[] = [];
  const { weightAxis, biases } = kernelView(subgraph.operators);
  const signed = signedBytes(subgraph);
  for (const tensor of subgraph.tensors) {
    const { index, type, quantization } = tensor;
    const stored = signed.has(index) ? 'int8' : QUANTIZED[type];
    const dtype = stored ?? (biases.has(index) && tensor.data !== undefined ? ACCUMULATED[type] : undefined);
    if (dtype === undefined || quantization === undefined) continue;
    const note: Note = (kind, message) => void faults.push({ tensor: index as TensorId, kind, message });
    const found =
      quantization.blockwise === undefined
        ? scaledParams(tensor, dtype, quantization, weightAxis.get(index), note)
        : blockwiseParams(tensor, dtype, quantization.blockwise, subgraph, note);
    if (found !== undefined) params.set(index, found);
  }
  for (const { op, custom, inputs } of subgraph.operators) {
    const bias = custom ? -1 : (inputs[BIAS_SLOTS[op] ?? -1] ?? -1);
    const derived = subgraph.tensors[bias]?.data === undefined ? undefined : biasParams(op, inputs, params);
    const dtype = ACCUMULATED[subgraph.tensors[bias]?.type ?? 'FLOAT32'];
    if (dtype === undefined || derived === undefined || params.has(bias)) continue;
    params.set(bias, { ...limitsOf(dtype), ...derived });
  }
  for (const operator of subgraph.operators) {
    const output = operator.outputs[0];
    if (operator.op === 'FAKE_QUANT' && output !== undefined && output >= 0) {
      params.set(output, fakeQuantParams(operator));
    }
  }
  return { params, faults };
}

/** Of a bias that the file gives no scale: kernels add it to the accumulator, whose scale is s_in * s_w. */
function biasParams(
  op: string,
  inputs: readonly number[],
  params: ReadonlyMap<number, QuantParams>,
): Pick<QuantParams, 'granularity' | 'scale' | 'zeroPoint' | 'source'> | undefined {
  const [first, second, third] = inputs;
  const input = params.get((op === 'TRANSPOSE_CONV' ? third : first) ?? -1);
  const weight = params.get(second ?? -1);
  if (input === undefined || weight === undefined || weight.granularity.kind === 'per-block')
    return undefined;
  return {
    granularity:
      weight.granularity.kind === 'per-tensor' ? weight.granularity : { kind: 'per-axis', axis: 0 },
    scale: weight.scale.map((scale) => scale * (input.scale[0] ?? 0)),
    zeroPoint: new Int32Array(weight.scale.length),
    source: 'derived',
  };
}

function kernelView(operators: readonly TfliteOperator[]): {
  weightAxis: ReadonlyMap<number, number>;
  biases: ReadonlySet<number>;
} {
  const weightAxis = new Map<number, number>();
  const biases = new Set<number>();
  for (const { op, custom, inputs } of operators) {
    if (custom) continue;
    const [slot, axis] = WEIGHT_AXES[op] ?? [];
    const weight = slot === undefined ? undefined : inputs[slot];
    if (weight !== undefined && axis !== undefined) weightAxis.set(weight, axis);
    const bias = inputs[BIAS_SLOTS[op] ?? -1];
    if (bias !== undefined) biases.add(bias);
  }
  return { weightAxis, biases };
}

function scaledParams(
  { shape, name }: TfliteTensor,
  dtype: QDType,
  { scale, zeroPoint, quantizedDimension }: TfliteQuantization,
  kernelAxis: number | undefined,
  note: Note,
): QuantParams | undefined {
  if (scale.length === 0) return undefined;
  if (zeroPoint.length !== scale.length) {
    note(
      'zero-point-count',
      `'${name}' has ${counted(scale.length, 'scale')} and ${counted(zeroPoint.length, 'zero point')}; as many are wanted`,
    );
  }
  const dims = shape.join('x');
  const wanted = shape[quantizedDimension];
  // What the interpreter itself checks when it reads a file (interpreter_builder.cc, ParseQuantization).
  const isRefused =
    shape.length > 0 && (wanted === undefined || (scale.length > 1 && wanted !== scale.length));
  const said = `'${name}' says that its ${counted(scale.length, 'scale')} lie${scale.length === 1 ? 's' : ''} along dimension ${quantizedDimension} of ${dims}`;
  let granularity: Granularity = { kind: 'per-tensor' };
  if (scale.length > 1) {
    const fits = (axis: number | undefined): boolean => axis !== undefined && shape[axis] === scale.length;
    // The kernels index scales by output channel and never look at quantizedDimension.
    const axis = fits(kernelAxis)
      ? kernelAxis
      : fits(quantizedDimension)
        ? quantizedDimension
        : shape.indexOf(scale.length);
    if (axis === undefined || axis < 0) {
      note(
        'scale-count',
        `'${name}' has ${scale.length} scales; none of its dimensions (${dims}) has that extent, and the first scale is taken for all`,
      );
    } else {
      if (axis !== quantizedDimension) {
        const kernel = `${said}; kernels apply them along dimension ${axis}`;
        if (isRefused) note('axis-extent', `${kernel}, and newer interpreters refuse the file`);
        else note('axis', kernel);
      }
      granularity = { kind: 'per-axis', axis };
    }
  } else if (isRefused) {
    note('axis-extent', `${said}; newer interpreters refuse the file`);
  }
  const count = granularity.kind === 'per-tensor' ? 1 : scale.length;
  return {
    ...limitsOf(dtype),
    granularity,
    scale: scale.slice(0, count),
    zeroPoint: pointsOf(zeroPoint, count),
    source: 'file',
  };
}

/** One for each scale; where the file has too few, the first stands in. Beyond 32 bits they stay beyond every type of codes. */
function pointsOf(stored: readonly number[], count: number): Int32Array {
  const [qmin, qmax] = QRANGE.int32;
  return Int32Array.from({ length: count }, (_, i) =>
    Math.min(qmax, Math.max(qmin, stored[i] ?? stored[0] ?? 0)),
  );
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function limitsOf(dtype: QDType): Pick<QuantParams, 'dtype' | 'qmin' | 'qmax'> {
  const [qmin, qmax] = QRANGE[dtype];
  return { dtype, qmin, qmax };
}

function blockwiseParams(
  { shape, name, data }: TfliteTensor,
  dtype: QDType,
  blockwise: NonNullable<TfliteQuantization['blockwise']>,
  { tensors }: TfliteSubgraph,
  note: Note,
): QuantParams | undefined {
  const scales = tensors[blockwise.scales]?.data;
  if (data === undefined || scales === undefined || blockwise.blockSize < 1) return undefined;
  const axis = shape.length - 1;
  const scale = Float32Array.from(toFloat32(scales));
  const blocks = elementCount(shape.slice(0, -1)) * Math.ceil((shape[axis] ?? 1) / blockwise.blockSize);
  if (scale.length !== blocks) {
    note(
      'scale-count',
      `'${name}' has ${scale.length} scales; ${shape.join('x')} in blocks of ${blockwise.blockSize} has ${blocks} blocks`,
    );
  }
  const points = tensors[blockwise.zeroPoints]?.data;
  const zeroPoint = points === undefined ? [] : toInts(points);
  return {
    ...limitsOf(dtype),
    granularity: { kind: 'per-block', axis, blockSize: blockwise.blockSize },
    scale,
    zeroPoint: pointsOf(zeroPoint, scale.length),
    source: 'file',
  };
}

/**
 * As the kernel nudges the range so that zero is a code, in float32 as it does:
 * tensorflow/lite/kernels/internal/quantization_util.cc, NudgeQuantizationRange.
 */
function fakeQuantParams({ options }: TfliteOperator): QuantParams {
  const number = (name: string): number => (typeof options[name] === 'number' ? options[name] : 0);
  const bits = Math.min(16, Math.max(2, number('numBits') || 8));
  const qmin = options['narrowRange'] === true ? 1 : 0;
  const qmax = 2 ** bits - 1;
  const { fround } = Math;
  const [min, max] = [fround(number('min')), fround(number('max'))];
  const scale = fround(fround(max - min) / (qmax - qmin));
  const fromMin = fround(qmin - fround(min / scale));
  const zeroPoint = Math.min(qmax, Math.max(qmin, Math.round(fromMin)));
  return {
    dtype: bits <= 8 ? 'uint8' : 'uint16',
    qmin,
    qmax,
    granularity: { kind: 'per-tensor' },
    scale: Float32Array.of(scale),
    zeroPoint: Int32Array.of(Number.isFinite(zeroPoint) ? zeroPoint : 0),
    source: 'file',
  };
}
