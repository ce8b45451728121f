import type { LaneEvidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { subjectOf } from '../../subject.js';
import { rule } from '../../rule.js';

export const axis = rule({
  id: 'w.axis',
  title: 'Per-axis parameters do not fit the dimension they lie along',
  severity: 'error',
  needs: ['lane'],
  text: {
    what: 'Scales per channel whose number or axis is not that of the output channels of the operator.',
    why: 'The right scale at the wrong channel multiplies every weight by a wrong factor. Runtimes differ in which axis they read.',
    instead:
      'Axis 0 for Conv, 1 for ConvTranspose in ONNX Runtime, the last for MatMul, 3 for a depthwise convolution in TFLite: export again with a version that knows.',
    see: [
      'https://ai.google.dev/edge/litert/models/quantization_spec',
      'https://github.com/microsoft/onnxruntime/pull/19996',
    ],
  },
  check,
});

/**
 * Per-axis parameters that do not fit the dimension they are said to lie along. Kernels of TFLite index scales by output channel and
 * never look at the axis that the file names; delegates, converters and other runtimes do.
 */
function check({ graph, lane }: LaneEvidence): Finding[] {
  return (lane.faults ?? []).map(({ tensor, kind, message }): Finding => ({
    rule: 'w.axis',
    severity: kind === 'axis' ? 'warning' : 'error',
    subject: subjectOf(graph, tensor),
    message,
    args: { kind },
  }));
}
