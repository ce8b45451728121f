/**
 * Which operators of a file have hybrid kernels: float activations, weights as stored codes. The interpreter chooses by the types of
 * the tensors alone; weights that a DEQUANTIZE has made float are float to it. What it refuses is left to float.
 *
 * Source: Prepare and Eval of tflite/kernels/{conv,depthwise_conv,transpose_conv,fully_connected,batch_matmul,embedding_lookup}.cc in
 * google-ai-edge/LiteRT.
 */
import type { HybridInput } from '../../ir/lane.js';
import type { TfliteOperator, TfliteSubgraph, TfliteTensor, TfliteType } from './model.js';

interface HybridCall {
  readonly options: TfliteOperator['options'];
  readonly input: TfliteTensor;
  readonly weight: TfliteTensor;
  /** True where a float bias is given, which some kernels cannot do without. */
  readonly hasBias: boolean;
}

interface HybridRule {
  readonly slots: readonly [input: number, weight: number, bias: number];
  readonly weights: ReadonlySet<TfliteType>;
  readonly choose: (call: HybridCall) => HybridInput | undefined;
}

/** Scales of the weights, one for each index of dimension `axis`, where the kernel reads them. */
function isPerAxis({ quantization, shape }: TfliteTensor, axis: number): boolean {
  const count = quantization?.scale.length;
  return count === shape[axis] && count === shape[quantization?.quantizedDimension ?? -1];
}

function isPerTensor({ quantization }: TfliteTensor): boolean {
  return quantization?.scale.length === 1;
}

/** One scale for all filters is symmetric, also where the file repeats it; groups are known to the other kernel only. */
function conv2d({ input, weight, hasBias }: HybridCall): HybridInput | undefined {
  if (!hasBias) return undefined;
  const scales = weight.quantization?.scale ?? [];
  const isGrouped = input.shape[3] !== weight.shape[3];
  const isOneScale = weight.type === 'UINT8' || scales.every((scale) => scale === scales[0]);
  if (isOneScale && !isGrouped) return 'symmetric';
  return weight.type !== 'UINT8' && isPerAxis(weight, 0) ? 'asymmetric' : undefined;
}

function depthwiseConv2d({ weight, hasBias }: HybridCall): HybridInput | undefined {
  return hasBias && isPerAxis(weight, 3) ? 'asymmetric' : undefined;
}

function transposeConv({ weight }: HybridCall): HybridInput | undefined {
  return isPerTensor(weight) || isPerAxis(weight, 0) ? 'asymmetric' : undefined;
}

/** The block of 4-bit weights that one step of the packed kernel takes: filters, and elements of each. */
const PACKED_UNITS = 4;
const PACKED_DEPTH = 32;

function fullyConnected({ options, weight }: HybridCall): HybridInput | undefined {
  const [units = 0, depth = 0] = weight.shape;
  const { zeroPoint = [], blockwise } = weight.quantization ?? {};
  const isPacked =
    weight.type === 'INT4' && units >= PACKED_UNITS && depth >= PACKED_DEPTH && depth % 2 === 0;
  if (blockwise !== undefined) return isPacked ? 'asymmetric' : undefined;
  const isSubByte = weight.type === 'INT4' || weight.type === 'INT2';
  if (isSubByte && zeroPoint.some((point) => point !== 0)) return undefined;
  if (!isPerTensor(weight) && !isPerAxis(weight, 0)) return undefined;
  return isPacked ? 'packed' : askedFor(options);
}

function batchMatMul({ options, weight }: HybridCall): HybridInput | undefined {
  const columns = weight.shape.length - (options['adjY'] === true ? 2 : 1);
  return isPerTensor(weight) || isPerAxis(weight, columns) ? askedFor(options) : undefined;
}

function askedFor(options: TfliteOperator['options']): HybridInput {
  return options['asymmetricQuantizeInputs'] === true ? 'asymmetric' : 'symmetric';
}

const RULES: Readonly<Record<string, HybridRule>> = {
  CONV_2D: { slots: [0, 1, 2], weights: new Set(['INT8', 'UINT8', 'INT4']), choose: conv2d },
  DEPTHWISE_CONV_2D: { slots: [0, 1, 2], weights: new Set(['INT8']), choose: depthwiseConv2d },
  TRANSPOSE_CONV: { slots: [2, 1, 3], weights: new Set(['INT8']), choose: transposeConv },
  FULLY_CONNECTED: {
    slots: [0, 1, 2],
    weights: new Set(['INT8', 'UINT8', 'INT4', 'INT2']),
    choose: fullyConnected,
  },
  BATCH_MATMUL: { slots: [0, 1, -1], weights: new Set(['INT8']), choose: batchMatMul },
};

/** Undefined where the interpreter computes the operator in another way, or not at all. */
export function hybridInput(
  { op, custom, inputs, options }: TfliteOperator,
  tensors: readonly TfliteTensor[],
): HybridInput | undefined {
  const rule = custom ? undefined : RULES[op];
  if (rule === undefined) return undefined;
  const [input, weight, bias] = rule.slots.map((slot) => tensors[inputs[slot] ?? -1]);
  const isHybrid =
    input?.type === 'FLOAT32' &&
    !input.shape.includes(0) &&
    weight?.data !== undefined &&
    weight.quantization !== undefined &&
    rule.weights.has(weight.type) &&
    (bias === undefined || bias.type === 'FLOAT32');
  return isHybrid ? rule.choose({ options, input, weight, hasBias: bias !== undefined }) : undefined;
}

/** Kernels that read tables of type UINT8 as signed bytes beside floats, and where they find the table. */
const SIGNED_TABLES: ReadonlySet<string> = new Set(['CONV_2D', 'FULLY_CONNECTED', 'EMBEDDING_LOOKUP']);
const TABLE_SLOT = 1;

/**
 * Constants of type UINT8 whose bytes are signed: early converters stored the codes of hybrid kernels so, around zero point 0, and
 * the kernels still read them so.
 */
export function signedBytes({ operators, tensors }: TfliteSubgraph): ReadonlySet<number> {
  const signed = new Set<number>();
  const unsigned = new Set<number>();
  for (const { op, custom, inputs, outputs } of operators) {
    const isFloat = tensors[outputs[0] ?? -1]?.type === 'FLOAT32';
    const reads = !custom && isFloat && SIGNED_TABLES.has(op) ? TABLE_SLOT : -1;
    inputs.forEach((index, slot) => {
      const tensor = tensors[index];
      if (tensor?.type !== 'UINT8' || tensor.data === undefined || tensor.quantization === undefined) return;
      const isAroundZero = tensor.quantization.zeroPoint.every((point) => point === 0);
      (slot === reads && isAroundZero ? signed : unsigned).add(index);
    });
  }
  return new Set([...signed].filter((index) => !unsigned.has(index)));
}
