/** A network with the structure of MobileNetV2 1.0 at 224x224 (arXiv:1801.04381, table 2) and generated weights. */
import { OnnxModel } from './onnx-model.js';
import { normal, uniform } from './random.js';

/** Expansion factor, output channels, repeats, stride of the first. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

/** @returns {Uint8Array} model file: `input` [1,3,224,224] -> `output` [1,1000] */
export function makeMobilenet() {
  const model = new OnnxModel();
  const gaussian = normal(uniform(1));
  const limits = [
    model.constant('relu6.min', [], new Float32Array([0])),
    model.constant('relu6.max', [], new Float32Array([6])),
  ];

  function conv(name, x, inputs, outputs, { kernel, stride = 1, group = 1, relu6 = true }) {
    const dims = [outputs, inputs / group, kernel, kernel];
    const perChannel = (dims[1] ?? 1) * kernel * kernel;
    const weight = new Float32Array(outputs * perChannel);
    for (let channel = 0; channel < outputs; channel++) {
      // He's initialization, with the spread between channels that trained networks have after folding.
      const deviation = (Math.sqrt(2 / perChannel) * Math.exp(0.5 * gaussian())) / 1.1;
      for (let i = 0; i < perChannel; i++) weight[channel * perChannel + i] = deviation * gaussian();
    }
    const bias = Float32Array.from({ length: outputs }, () => 0.1 * gaussian());
    const parameters = [
      model.constant(`${name}.weight`, dims, weight),
      model.constant(`${name}.bias`, [outputs], bias),
    ];
    const pad = (kernel - 1) / 2;
    const y = model.node('Conv', name, [x, ...parameters], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      group,
    });
    return relu6 ? model.node('Clip', `${name}_relu6`, [y, ...limits]) : y;
  }

  let x = conv('stem', 'input', 3, 32, { kernel: 3, stride: 2 });
  let channels = 32;
  STAGES.forEach(([factor, outputs, repeats, firstStride], stage) => {
    for (let repeat = 0; repeat < repeats; repeat++) {
      const block = `stage${stage + 1}/block${repeat + 1}`;
      const stride = repeat === 0 ? firstStride : 1;
      const wide = channels * factor;
      const expanded = factor === 1 ? x : conv(`${block}/expand`, x, channels, wide, { kernel: 1 });
      const filtered = conv(`${block}/depthwise`, expanded, wide, wide, { kernel: 3, stride, group: wide });
      const y = conv(`${block}/project`, filtered, wide, outputs, { kernel: 1, relu6: false });
      x = stride === 1 && channels === outputs ? model.node('Add', `${block}/add`, [x, y]) : y;
      channels = outputs;
    }
  });
  x = conv('head/conv', x, channels, 1280, { kernel: 1 });
  x = model.node('GlobalAveragePool', 'head/pool', [x]);
  x = model.node('Flatten', 'head/flatten', [x], { axis: 1 });
  const weight = Float32Array.from({ length: 1000 * 1280 }, () => 0.03 * gaussian());
  const parameters = [
    model.constant('head/classifier.weight', [1000, 1280], weight),
    model.constant('head/classifier.bias', [1000], new Float32Array(1000)),
  ];
  model.node('Gemm', 'head/classifier', [x, ...parameters], { transB: 1 }, 'output');
  return model.encode('mobilenet', ['input', [1, 3, 224, 224]], ['output', [1, 1000]]);
}
