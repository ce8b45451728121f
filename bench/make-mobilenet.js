/** A network with the structure of MobileNetV2 1.0 at 224x224 (arXiv:1801.04381, table 2) and generated weights, in both formats. */
import { OnnxModel } from './onnx-model.js';
import { normal, uniform } from './random.js';
import { TfliteModel } from './tflite-model.js';

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
const CLASSES = 1000;

/**
 * The network in the words of both formats.
 * @param {object} target writes one of them
 * @param {number} depth blocks of every stage, as a factor
 */
function write(target, depth = 1) {
  const gaussian = normal(uniform(1));

  function conv(name, x, inputs, outputs, { kernel, stride = 1, group = 1, relu6 = true }) {
    const perChannel = (inputs / group) * kernel * kernel;
    const weight = new Float32Array(outputs * perChannel);
    for (let channel = 0; channel < outputs; channel++) {
      // He's initialization, with the spread between channels that trained networks have after folding.
      const deviation = (Math.sqrt(2 / perChannel) * Math.exp(0.5 * gaussian())) / 1.1;
      for (let i = 0; i < perChannel; i++) weight[channel * perChannel + i] = deviation * gaussian();
    }
    const bias = Float32Array.from({ length: outputs }, () => 0.1 * gaussian());
    return target.conv({ name, x, inputs, outputs, kernel, stride, group, relu6, weight, bias });
  }

  let x = conv('stem', target.input, 3, 32, { kernel: 3, stride: 2 });
  let channels = 32;
  STAGES.forEach(([factor, outputs, blocks, firstStride], stage) => {
    const repeats = Math.ceil(blocks * depth);
    for (let repeat = 0; repeat < repeats; repeat++) {
      const block = `stage${stage + 1}/block${repeat + 1}`;
      const stride = repeat === 0 ? firstStride : 1;
      const wide = channels * factor;
      const expanded = factor === 1 ? x : conv(`${block}/expand`, x, channels, wide, { kernel: 1 });
      const filtered = conv(`${block}/depthwise`, expanded, wide, wide, { kernel: 3, stride, group: wide });
      const y = conv(`${block}/project`, filtered, wide, outputs, { kernel: 1, relu6: false });
      x = stride === 1 && channels === outputs ? target.add(`${block}/add`, x, y) : y;
      channels = outputs;
    }
  });
  x = conv('head/conv', x, channels, 1280, { kernel: 1 });
  const weight = Float32Array.from({ length: CLASSES * 1280 }, () => 0.03 * gaussian());
  return target.head(x, 1280, weight, new Float32Array(CLASSES));
}

/**
 * @param {number} depth blocks of every stage, as a factor
 * @returns {Uint8Array} model file: `input` [1,3,224,224] -> `output` [1,1000]
 */
export function makeMobilenet(depth = 1) {
  const model = new OnnxModel();
  const limits = [
    model.constant('relu6.min', [], new Float32Array([0])),
    model.constant('relu6.max', [], new Float32Array([6])),
  ];
  return write(
    {
      input: 'input',
      conv({ name, x, inputs, outputs, kernel, stride, group, relu6, weight, bias }) {
        const parameters = [
          model.constant(`${name}.weight`, [outputs, inputs / group, kernel, kernel], weight),
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
      },
      add: (name, a, b) => model.node('Add', name, [a, b]),
      head(x, features, weight, bias) {
        const pooled = model.node('GlobalAveragePool', 'head/pool', [x]);
        const flat = model.node('Flatten', 'head/flatten', [pooled], { axis: 1 });
        const parameters = [
          model.constant('head/classifier.weight', [CLASSES, features], weight),
          model.constant('head/classifier.bias', [CLASSES], bias),
        ];
        model.node('Gemm', 'head/classifier', [flat, ...parameters], { transB: 1 }, 'output');
        return model.encode('mobilenet', ['input', [1, 3, 224, 224]], ['output', [1, CLASSES]]);
      },
    },
    depth,
  );
}

const SAME = 0;
const RELU6 = 3;

/**
 * The same, but that TFLite's SAME padding lies to the right and below where a convolution has stride 2.
 *
 * @returns {Uint8Array} model file: `input` [1,224,224,3] -> `output` [1,1000]
 */
export function makeMobilenetTflite() {
  const model = new TfliteModel();
  const input = model.tensor('input', [1, 224, 224, 3]);
  /** Height (and width) and channels of each tensor. */
  const extents = new Map([[input, [224, 3]]]);
  return write({
    input,
    conv({ name, x, inputs, outputs, kernel, stride, group, relu6, weight, bias }) {
      const size = Math.ceil(extents.get(x)[0] / stride);
      const y = model.tensor(name, [1, size, size, outputs]);
      extents.set(y, [size, outputs]);
      const taps = kernel * kernel;
      const isDepthwise = group > 1;
      const moved = channelsLast(weight, outputs, inputs / group, taps, isDepthwise);
      const dims = isDepthwise ? [1, kernel, kernel, outputs] : [outputs, kernel, kernel, inputs];
      const parameters = [
        model.constant(`${name}.weight`, dims, moved),
        model.constant(`${name}.bias`, [outputs], bias),
      ];
      const options = { padding: SAME, stride, fused: relu6 ? RELU6 : 0, dilation: 1, multiplier: 1 };
      model.operator(isDepthwise ? 'DEPTHWISE_CONV_2D' : 'CONV_2D', [x, ...parameters], y, options);
      return y;
    },
    add(name, a, b) {
      const [size, channels] = extents.get(a);
      const y = model.tensor(name, [1, size, size, channels]);
      extents.set(y, [size, channels]);
      model.operator('ADD', [a, b], y);
      return y;
    },
    head(x, features, weight, bias) {
      const axes = model.constant('head/pool.axes', [2], Int32Array.of(1, 2));
      const pooled = model.tensor('head/pool', [1, features]);
      model.operator('MEAN', [x, axes], pooled);
      const parameters = [
        model.constant('head/classifier.weight', [CLASSES, features], weight),
        model.constant('head/classifier.bias', [CLASSES], bias),
      ];
      const output = model.tensor('output', [1, CLASSES]);
      model.operator('FULLY_CONNECTED', [pooled, ...parameters], output);
      return model.encode(input, output);
    },
  });
}

/** [outputs, inputs, taps] -> [outputs, taps, inputs], or [taps, outputs] of a depthwise weight. */
function channelsLast(weight, outputs, inputs, taps, isDepthwise) {
  const moved = new Float32Array(weight.length);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let t = 0; t < taps; t++) {
        const to = isDepthwise ? t * outputs + o : (o * taps + t) * inputs + i;
        moved[to] = weight[(o * inputs + i) * taps + t];
      }
    }
  }
  return moved;
}
