/**
 * Arguments of ONNX Runtime's `quantize_static` (onnxruntime 1.31, quantization/quantize.py, tensor_quant_overrides.py and
 * qdq_quantizer.py): the nodes to leave in float, and the parameters of every other tensor as overrides, so that what
 * calibration finds decides nothing any more.
 */
import { UsageError } from '../../../errors.js';
import { fileAxis } from '../../../ir/file-axes.js';
import type { Node } from '../../../ir/graph.js';
import type { QDType, QuantParams } from '../../../ir/lane.js';
import { bitsOf } from '../../../quant/affine.js';
import { guardedNodes } from '../../../quant/requantized.js';
import type { Scheme, TensorScheme } from '../../../quant/scheme.js';
import type { Decision, Exported } from './decision.js';
import { floatLayers, listed, lostValues, nodeNames, sharedNodeNames } from './decided-layers.js';
import { foldedNodes, nameFolded, quantizedEdges, type QuantizedEdge } from './edge-quantizers.js';
import { placedOtherwise } from './onnxruntime-placement.js';

/** Names of onnxruntime.quantization.QuantType. */
type QuantTypeName = 'QInt8' | 'QUInt8' | 'QInt16' | 'QUInt16' | 'QInt4' | 'QUInt4';

const QUANT_TYPES: Readonly<Partial<Record<QDType, QuantTypeName>>> = {
  int8: 'QInt8',
  uint8: 'QUInt8',
  int16: 'QInt16',
  uint16: 'QUInt16',
  int4: 'QInt4',
  uint4: 'QUInt4',
};

/** One entry of a list in TensorQuantOverrides: the tensor's, or of a per-axis constant one for each index. */
export interface TensorOverride {
  readonly quant_type?: QuantTypeName;
  readonly axis?: number;
  readonly scale: number;
  readonly zero_point: number;
  /** What some readers get the tensor converted to. */
  readonly convert?: {
    readonly quant_type: QuantTypeName;
    readonly scale: number;
    readonly zero_point: number;
    /** Names of nodes. */
    readonly recv_nodes: readonly string[];
  };
}

/** The document, plain JSON. */
export interface QuantizeStaticArguments {
  /** How to pass it on: enumerations and arrays are no JSON. `model`, `quantized` and `reader` are the user's. */
  readonly python: readonly string[];
  readonly nodes_to_exclude: readonly string[];
  readonly quant_format: 'QDQ';
  readonly activation_type: QuantTypeName;
  readonly weight_type: QuantTypeName;
  readonly per_channel: boolean;
  readonly reduce_range: false;
  readonly calibrate_method: 'MinMax' | 'Entropy' | 'Percentile';
  readonly extra_options: {
    readonly ActivationSymmetric: boolean;
    readonly WeightSymmetric: boolean;
    readonly QuantizeBias: boolean;
    readonly CalibPercentile?: number;
    /** The lane's weights are already as wide as their biases want. */
    readonly QDQDisableWeightAdjustForInt32Bias?: true;
    readonly TensorQuantOverrides: Readonly<Record<string, readonly TensorOverride[]>>;
  };
}

const TOOL = 'quantize_static';

const PYTHON = [
  'import json, numpy',
  'from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static',
  '',
  'def decode(entry):',
  '    if "quant_type" in entry: entry["quant_type"] = QuantType[entry["quant_type"]]',
  '    if "scale" in entry: entry["scale"] = numpy.array(entry["scale"], numpy.float32)',
  '    if "zero_point" in entry: entry["zero_point"] = numpy.array(entry["zero_point"], numpy.int32)',
  '    if "recv_nodes" in entry: entry["recv_nodes"] = set(entry["recv_nodes"])',
  '    if "convert" in entry: decode(entry["convert"])',
  '',
  'arguments = json.load(open(FILE, encoding="utf-8"))',
  'del arguments["python"]',
  'for entries in arguments["extra_options"]["TensorQuantOverrides"].values():',
  '    for entry in entries: decode(entry)',
  'arguments["quant_format"] = QuantFormat[arguments["quant_format"]]',
  'arguments["calibrate_method"] = CalibrationMethod[arguments["calibrate_method"]]',
  'arguments["activation_type"] = QuantType[arguments["activation_type"]]',
  'arguments["weight_type"] = QuantType[arguments["weight_type"]]',
  'quantize_static(model, quantized, reader, **arguments)',
];

/** @throws UsageError where quantize_static cannot do what the scheme says, whatever the search decides */
export function checkOnnxRuntime({ graph, scheme }: Pick<Decision, 'graph' | 'scheme'>): void {
  if (graph.format !== 'onnx') {
    throw new UsageError(`--export ort is for ONNX models; this one is ${graph.format}`, {
      hint: '--export tflite=FILE or --export ai-edge=FILE',
    });
  }
  schemesOf(scheme);
}

/** @throws UsageError as `checkOnnxRuntime` */
export function exportOnnxRuntime(decision: Decision): Exported {
  checkOnnxRuntime(decision);
  const { graph, scheme, lane } = decision;
  const { weights, activations } = schemesOf(scheme);
  const excluded = floatLayers(decision);
  const { names, nameless } = nodeNames(graph, excluded);
  const lost = [...lostValues(decision, TOOL)];
  const overrides = new Map<string, readonly TensorOverride[]>();
  const unnamed: string[] = [];
  for (const edge of quantizedEdges(graph, lane)) {
    const name = nameFolded(edge);
    const entries = name === undefined || name === '' ? undefined : overrideOf(edge, lost);
    if (name === undefined || name === '') unnamed.push(edge.tensor.name);
    else if (entries !== undefined) overrides.set(name, entries);
  }
  lost.push(
    ...nameless.map(
      (node) =>
        `${node} stays in float: it has no name of its own, and nodes_to_exclude goes by name; name it in the model first`,
    ),
    ...sharedNodeNames(graph, excluded, names).map(
      (name) => `'${name}' is the name of a quantized node, too: nodes_to_exclude leaves both in float`,
    ),
  );
  if (unnamed.length > 0) lost.push(`parameters of ${listed(unnamed)}: no name that ${TOOL} would know`);
  lost.push(...foldedNodes(graph));
  lost.push(...placedOtherwise(decision));
  const content: QuantizeStaticArguments = {
    python: PYTHON,
    nodes_to_exclude: names,
    quant_format: 'QDQ',
    activation_type: quantType(activations.dtype),
    weight_type: quantType(weights.dtype),
    per_channel: weights.granularity === 'per-axis',
    reduce_range: false,
    calibrate_method: calibrateMethod(activations),
    extra_options: {
      ActivationSymmetric: activations.symmetric,
      WeightSymmetric: weights.symmetric,
      QuantizeBias: scheme.bias !== 'float',
      ...(activations.observer.kind === 'percentile'
        ? { CalibPercentile: activations.observer.percentile }
        : {}),
      ...(unnamed.length === 0 ? { QDQDisableWeightAdjustForInt32Bias: true as const } : {}),
      TensorQuantOverrides: Object.fromEntries(overrides),
    },
  };
  return {
    content: `${JSON.stringify(content, null, 2)}\n`,
    note:
      "arguments of onnxruntime.quantization.quantize_static; the lines under 'python' pass them on" +
      (guardedNodes(graph, lane).length === 0 ? '' : `; ${KEEP_FLOAT}`),
    lost,
  };
}

/** The runtime would undo it: see `qdbg explain rt.float-requantized`. */
const KEEP_FLOAT =
  "run the result with InferenceSession(FILE, disabled_optimizers=['WeightBiasQuantization']): by default ONNX Runtime gives float layers between quantized ones int8 weights again";

function schemesOf({ weights, activations, name }: Scheme): {
  weights: TensorScheme;
  activations: TensorScheme;
} {
  if (weights === 'float' || activations === 'float') {
    const what = weights === 'float' ? 'weights' : 'activations';
    throw new UsageError(`quantize_static has no float ${what}, which scheme ${name} has here`, {
      hint: '--export qdq=FILE',
    });
  }
  for (const { dtype } of [weights, activations]) quantType(dtype);
  return { weights, activations };
}

function quantType(dtype: QDType): QuantTypeName {
  const known = QUANT_TYPES[dtype];
  if (known !== undefined) return known;
  throw new UsageError(
    `quantize_static has no ${dtype}; it has ${Object.keys(QUANT_TYPES).sort().join(', ')}`,
    { hint: '--export qdq=FILE' },
  );
}

function calibrateMethod({ observer }: TensorScheme): QuantizeStaticArguments['calibrate_method'] {
  if (observer.kind === 'entropy') return 'Entropy';
  return observer.kind === 'percentile' ? 'Percentile' : 'MinMax';
}

function overrideOf(edge: QuantizedEdge, lost: string[]): readonly TensorOverride[] | undefined {
  const { tensor, isConstant } = edge;
  const distinct = edge.readings.flatMap(({ params, readers }) =>
    params === undefined ? [] : [{ params, readers }],
  );
  const [first] = distinct;
  const only = distinct.length === 0 ? edge.own : distinct.length === 1 ? first?.params : undefined;
  if (edge.readings.length > distinct.length && edge.own === undefined) {
    lost.push(
      `'${tensor.name}' is read in float by some nodes and quantized by others: ${TOOL} quantizes it for all`,
    );
  }
  if (only !== undefined) return entriesOf(edge, only, lost);
  if (isConstant || distinct.length !== 2) {
    lost.push(
      `'${tensor.name}' has ${distinct.length} different quantizers, one for each reader: ${TOOL} knows ${isConstant ? 'one' : 'two'}`,
    );
    return edge.own === undefined ? undefined : entriesOf(edge, edge.own, lost);
  }
  return convertedEntries(edge, distinct, lost);
}

/**
 * `quantize_static` converts what is already quantized: codes of the first type are read, and quantized again. So the finer
 * quantizer comes first, and those that want the coarser one get the values converted.
 */
function convertedEntries(
  edge: QuantizedEdge,
  readings: readonly { readonly params: QuantParams; readonly readers: readonly Node[] }[],
  lost: string[],
): readonly TensorOverride[] | undefined {
  const { tensor, own, isOutput } = edge;
  const byWidth = [...readings].sort((a, b) => bitsOf(b.params.dtype) - bitsOf(a.params.dtype));
  // A network's output is written with the first of the two.
  const original = (isOutput ? byWidth.find(({ params }) => params === own) : undefined) ?? byWidth[0];
  const converted = byWidth.find((reading) => reading !== original);
  if (original === undefined || converted === undefined) return undefined;
  const [from, to] = [entriesOf(edge, original.params, lost), entriesOf(edge, converted.params, lost)];
  const [entry, target] = [from?.[0], to?.[0]];
  if (entry === undefined || target?.quant_type === undefined) return undefined;
  const names = converted.readers.map(({ origin }) => origin.name);
  const isNamed = names.every((name) => name !== '');
  if (target.quant_type === entry.quant_type || !isNamed) {
    lost.push(
      `'${tensor.name}' has two quantizers ${isNamed ? `of type ${target.quant_type}` : 'and readers without a name'}: ${TOOL} gets the first only`,
    );
    return from;
  }
  if (bitsOf(original.params.dtype) < bitsOf(converted.params.dtype)) {
    lost.push(
      `'${tensor.name}' is an output: ${TOOL} makes ${original.params.dtype} of it before ${converted.params.dtype}`,
    );
  }
  const { scale, zero_point, quant_type } = target;
  return [{ ...entry, convert: { quant_type, scale, zero_point, recv_nodes: names } }];
}

function entriesOf(
  { tensor }: QuantizedEdge,
  { dtype, granularity, scale, zeroPoint }: QuantParams,
  lost: string[],
): readonly TensorOverride[] | undefined {
  const quant_type = QUANT_TYPES[dtype];
  if (quant_type === undefined || granularity.kind === 'per-block') {
    lost.push(`'${tensor.name}' is ${dtype} ${granularity.kind}: TensorQuantOverrides cannot say that`);
    return undefined;
  }
  const entries = Array.from(scale, (value, i) => ({ scale: value, zero_point: zeroPoint[i] ?? 0 }));
  const [first, ...others] = entries;
  if (first === undefined) return undefined;
  if (granularity.kind === 'per-tensor') return [{ quant_type, ...first }];
  return [{ quant_type, axis: fileAxis(tensor, granularity.axis), ...first }, ...others];
}
