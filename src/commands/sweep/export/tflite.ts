/**
 * The layers that TensorFlow Lite's converter is to leave in float: `denylisted_nodes` of
 * tf.lite.experimental.QuantizationDebugOptions (tensorflow 2.21, lite/tools/optimize/debugging/python/debugger.py), which the
 * quantizer compares with the tensor that an operator of the float model writes.
 */
import { UsageError } from '../../../errors.js';
import type { Decision, Exported } from './decision.js';
import {
  fileOperators,
  floatLayers,
  listed,
  lostFixes,
  sharedTensorNames,
  wideLayers,
  writtenTensors,
} from './decided-layers.js';

/** The document, plain JSON. */
export interface DenylistedNodes {
  /** How to pass it on: through the debugger, or to the quantizer itself with the float model alone. */
  readonly python: readonly string[];
  /** Names of tensors. */
  readonly denylisted_nodes: readonly string[];
}

const TOOL = 'the TensorFlow Lite converter';

const PYTHON = [
  'import json',
  'import tensorflow as tf',
  '',
  'nodes = json.load(open(FILE, encoding="utf-8"))["denylisted_nodes"]',
  '',
  '# With the network that the float model was made from. `converter` has optimizations and a representative_dataset.',
  'options = tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=nodes)',
  'debugger = tf.lite.experimental.QuantizationDebugger(',
  '    converter=converter, debug_dataset=converter.representative_dataset, debug_options=options)',
  'quantized = debugger.get_nondebug_quantized_model()',
  '',
  '# With the float model alone; what the converter itself calls.',
  'from tensorflow.lite.python import convert',
  'from tensorflow.lite.python.optimize import calibrator',
  'calibrated = calibrator.Calibrator(open(MODEL, "rb").read()).calibrate(representative_dataset)',
  'quantized = convert.mlir_quantize(calibrated, denylisted_nodes=nodes)',
];

/** @throws UsageError for models that the converter did not write */
export function checkTflite({ graph }: Pick<Decision, 'graph'>): void {
  if (graph.format === 'tflite') return;
  throw new UsageError(
    `--export tflite is for float .tflite models, whose tensors denylisted_nodes names; this one is ${graph.format}`,
    { hint: '--export ort=FILE or --export qdq=FILE' },
  );
}

/** @throws UsageError as `checkTflite` */
export function exportTflite(decision: Decision): Exported {
  checkTflite(decision);
  const { graph } = decision;
  const layers = floatLayers(decision);
  const operators = fileOperators(graph, layers);
  // The quantizer knows an operator by the first tensor that it writes.
  const names = operators
    .flatMap((operator) => writtenTensors(graph, operator).slice(0, 1))
    .map(({ name }) => name);
  const named = [...new Set(names.filter((name) => name !== ''))];
  const wide = wideLayers(decision).map(({ name }) => name);
  const content: DenylistedNodes = { python: PYTHON, denylisted_nodes: named };
  return {
    content: `${JSON.stringify(content, null, 2)}\n`,
    note: "denylisted_nodes for tf.lite.experimental.QuantizationDebugOptions; the lines under 'python' pass them on",
    lost: [
      ...(names.includes('')
        ? [`operators that write a tensor without a name: ${TOOL} cannot be told of them`]
        : []),
      ...sharedTensorNames(graph, operators, named).map(
        (name) => `'${name}' is written by a quantized operator, too: denylisted_nodes leaves both in float`,
      ),
      ...(wide.length > 0
        ? [`16 bits for ${listed(wide)}: ${TOOL} has 16-bit activations for a whole network only`]
        : []),
      ...lostFixes(decision, TOOL),
    ],
  };
}
