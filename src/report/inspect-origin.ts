/** What a quantized file shows of how it was made: only what stands in it. */
import type { Graph } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import { trainingTraces, weightScales, type WeightScales } from '../quant/training-traces.js';
import { plural } from './format.js';
import type { QuantizationOrigin } from './inspect-report.js';

export function originOf(graph: Graph, lane: Lane): QuantizationOrigin {
  const scales = weightScales(graph, lane);
  const { named, operators } = trainingTraces(graph);
  return {
    evidence: [
      ...producerEvidence(graph, lane),
      ...(operators === 0
        ? []
        : [`${plural(operators, 'FAKE_QUANT operator')} left in the graph: an unfinished conversion`]),
      ...(named === 0
        ? ['no trace of quantization-aware training: no tensor is named after fake quantization']
        : [
            `${plural(named, 'tensor')} named after fake quantization: the graph was trained or calibrated with it before the export`,
          ]),
      ...(scales === undefined ? [] : [scalesEvidence(scales)]),
    ],
    ...(scales === undefined ? {} : { weightScales: scales }),
  };
}

function producerEvidence({ producer, format, metadata }: Graph, lane: Lane): string[] {
  const types = new Set([...lane.tensors.values()].map(({ dtype }) => dtype));
  if (format === 'tflite' && /^TOCO/.test(producer)) {
    return types.has('uint8')
      ? [
          "TensorFlow 1's converter (TOCO) wrote uint8: it has no calibration of its own, so ranges come from fake quantization in the " +
            'training graph, or from --default_ranges',
        ]
      : ["TensorFlow 1's converter (TOCO)"];
  }
  if (format === 'tflite' && /^MLIR/.test(producer))
    return ["TensorFlow 2's converter (MLIR); it takes trained and calibrated ranges alike"];
  if (/^onnx\.quantize/.test(producer) || metadata.get('onnx.infer') === 'onnxruntime.quant') {
    return ["ONNX Runtime's quantizer, which works after training"];
  }
  return [];
}

function scalesEvidence({ minMax, total }: WeightScales): string {
  if (minMax === total) {
    return 'the scales of all weights are their extremes (min-max), as calibration and most training leave them';
  }
  const others = total - minMax;
  return (
    `the scales of ${others} of ${plural(total, 'weight')} are wider than the weights need: ranges that were trained or averaged ` +
    '(quantization-aware training), or widened for a bias'
  );
}
