import type { Graph } from '../../../ir/graph.js';
import { FLOAT_LANE, type Lane } from '../../../ir/lane.js';
import { sizedForOneSample } from '../../../ir/one-sample.js';
import { weightsOf } from '../../../ir/weights.js';
import { laneCoverage, type LaneCoverage, type Share } from '../../../quant/placement/coverage.js';
import { labelsOf } from '../../../quant/placement/lane-islands.js';
import type { Evidence, LaneEvidence } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { percent, short } from '../../wording.js';

/** Shares of the multiply-accumulates that compute with integers, below which something is missing. */
const FEW = 0.5;
const MOST = 0.9;
/** Bytes of the file over those of the float one, from which nothing was gained; 8-bit files have a quarter and overhead. */
const NO_SMALLER = 0.9;
/** Below it, overhead of the format says more than weights do. */
const TELLING_BYTES = 2 ** 16;
const NODES_NAMED = 3;

export const partial = rule({
  id: 'q.partial',
  title: 'Less is quantized than the file seems to say',
  severity: 'warning',
  needs: [],
  oneOf: ['lane', 'reference'],
  text: {
    what: 'Operators and multiply-accumulates that compute with integers, islands that stay in float, weights that are integers while activations are float (dynamic range, weights only), and the size of the file beside that of the reference. A candidate that is a float model through and through is told, too.',
    why: 'Converters skip what they cannot quantize without a word: names that match nothing, shapes that are not known, unsupported operators. Accuracy then looks perfect, and on the device nothing is faster, or the file is refused by hardware that knows integers only.',
    instead:
      'Infer shapes first (quant_pre_process), name nodes as the graph has them, and for integer-only hardware give the converter a representative dataset and allow integer operators only.',
    see: [
      'https://ai.google.dev/edge/litert/models/post_training_quantization',
      'https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html',
      'w.opset-per-channel',
      'rt.dynamic-conv',
    ],
  },
  formerly: ['cov.partial'],
  limits: [
    { quantity: 'multiply-accumulates computed with integers', unit: 'share', warning: FEW, worse: 'lower' },
  ],
  check,
});

function check(evidence: Evidence): Diagnosed[] {
  const { graph, lane = FLOAT_LANE, scheme } = evidence;
  // What a scheme leaves in float was chosen, and is reported.
  if (scheme !== undefined) return [];
  if (isFloatLane(lane)) return wholeFloat(evidence);
  const coverage = laneCoverage(sizedForOneSample(graph), lane);
  const found = lessThanSeems(evidence, coverage);
  return found.length > 0 ? found : noSmaller({ ...evidence, lane });
}

function isFloatLane({ tensors, uses, dynamic, hybrid }: Lane): boolean {
  return tensors.size + uses.size + (dynamic?.size ?? 0) + (hybrid?.size ?? 0) === 0;
}

/** A conversion to another format or float type can be compared, too; of the same kind, somebody took the wrong file. */
function wholeFloat({ graph, reference, edges }: Evidence): Diagnosed[] {
  if (reference === undefined) return [];
  const { ops } = laneCoverage(graph, FLOAT_LANE).total;
  const isSameKind =
    graph.format === reference.graph.format && floatType(graph) === floatType(reference.graph);
  // Two float networks that were run side by side are a comparison of its own kind.
  const isOdd = isSameKind && isFloatLane(reference.lane) && edges === undefined;
  return [
    {
      rule: 'q.partial',
      severity: isOdd ? 'warning' : 'note',
      subject: {},
      message:
        `the candidate is a float model: none of its ${ops} operators has a quantizer, ` +
        'and what is compared says nothing of quantization',
      args: { opsQuantized: 0, ops },
    },
  ];
}

function floatType(graph: Graph): string {
  return [...new Set(weightsOf(graph).map(({ data }) => data.dtype))].sort().join();
}

function lessThanSeems(evidence: Evidence, coverage: LaneCoverage): Diagnosed[] {
  const { graph } = evidence;
  // Without products there is nothing that integers would make faster.
  if (coverage.total.macs + coverage.total.weights === 0) return [];
  const { total, quantized, hybrid, weightsOnly, islands, isCounted } = coverage;
  const [share, floatWithWeights] = [
    shareOf(quantized, coverage),
    shareOf(sum(hybrid, weightsOnly), coverage),
  ];
  const ratio = sizeRatio(evidence);
  const size = ratio === undefined ? '' : `; the file is ${short(ratio)} times as large as the reference`;
  const args = {
    opsQuantized: quantized.ops,
    ops: total.ops,
    macsQuantized: quantized.macs,
    macs: total.macs,
    islands: islands.length,
    ...(ratio === undefined ? {} : { sizeRatio: ratio }),
  };
  if (share + floatWithWeights >= FEW && floatWithWeights >= FEW) {
    const isMade = weightsOnly.ops > hybrid.ops;
    const how = isMade
      ? 'the weights are made float again to compute, so only the file is smaller'
      : 'activations are made integers while it runs, and integer-only hardware cannot run it';
    return [
      {
        rule: 'q.partial',
        severity: 'note',
        subject: {},
        message:
          `only the weights are quantized (${isMade ? 'weights only' : 'dynamic range'}): activations are float, ` +
          `${quantized.ops} of ${total.ops} operators compute with integers throughout; ${how}${size}`,
        args: { ...args, hybrid: hybrid.ops, weightsOnly: weightsOnly.ops },
      },
    ];
  }
  if (share >= MOST) return [];
  const [largest] = [...islands].sort((a, b) => b.macs - a.macs || b.nodes.length - a.nodes.length);
  const labels = largest === undefined ? [] : labelsOf(graph, largest.nodes);
  const named = labels.slice(0, NODES_NAMED).join(', ') + (labels.length > NODES_NAMED ? ', ...' : '');
  const island =
    largest === undefined
      ? ''
      : `; ${islands.length === 1 ? 'in float is' : `largest of ${islands.length} float islands:`} ${named} (${largest.reason})`;
  const compute = `${percent(share)} of the ${isCounted && total.macs > 0 ? 'multiply-accumulates' : 'weights'} and `;
  return [
    {
      rule: 'q.partial',
      severity: share < FEW ? 'warning' : 'note',
      subject: labels[0] === undefined || share < FEW ? {} : { node: labels[0] },
      message: `${compute}${quantized.ops} of ${total.ops} operators compute with integers${besides(coverage)}${island}${size}`,
      args,
      ...(share < FEW
        ? remedy(evidence, {
            title: 'let the converter see all shapes and integer operators',
            onnx: 'quant_pre_process(model, prepared) before quantize_static; nodes_to_quantize and op_types_to_quantize as the graph has them',
            tflite:
              'converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8], with a representative_dataset',
          })
        : {}),
    },
  ];
}

function besides({ hybrid, weightsOnly }: LaneCoverage): string {
  const others = [
    ...(hybrid.ops > 0 ? [`${hybrid.ops} with integers made while they run`] : []),
    ...(weightsOnly.ops > 0 ? [`${weightsOnly.ops} with integer weights alone`] : []),
  ];
  return others.length === 0 ? '' : ` (and ${others.join(', ')})`;
}

/** Of the multiply-accumulates; where extents are open and they cannot be counted, of the weights. */
function shareOf(part: Share, { total, isCounted }: LaneCoverage): number {
  return isCounted && total.macs > 0 ? part.macs / total.macs : part.weights / total.weights;
}

function sum(a: Share, b: Share): Share {
  return { ops: a.ops + b.ops, weights: a.weights + b.weights, macs: a.macs + b.macs };
}

function sizeRatio({ file, reference }: Evidence): number | undefined {
  const whole = reference?.file?.bytes;
  if (file === undefined || whole === undefined || whole < TELLING_BYTES) return undefined;
  return file.bytes / whole;
}

/** All computes with integers, and the weights are stored as floats that are quantized whenever the model is loaded. */
function noSmaller(evidence: LaneEvidence): Diagnosed[] {
  const { graph, lane } = evidence;
  const weights = weightsOf(graph).filter(({ tensor }) => lane.tensors.has(tensor));
  const stored = weights.filter(({ tensor }) => lane.codes?.has(tensor) === true).length;
  const ratio = sizeRatio(evidence);
  if (weights.length === 0 || stored >= weights.length / 2) return [];
  if (ratio !== undefined && ratio < NO_SMALLER) return [];
  const size = ratio === undefined ? '' : `, and the file is ${short(ratio)} times as large as the reference`;
  return [
    {
      rule: 'q.partial',
      severity: 'note',
      subject: {},
      message: `${weights.length - stored} of ${weights.length} quantized weights are stored as floats behind QuantizeLinear${size}`,
      args: {
        floatWeights: weights.length - stored,
        weights: weights.length,
        ...(ratio === undefined ? {} : { sizeRatio: ratio }),
      },
    },
  ];
}
