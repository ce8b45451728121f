/** A plain float network of about 100 MB, for the cost of reading a file: 41 3x3 convolutions and two dense layers. */
import { OnnxModel } from './onnx-model.js';
import { uniform } from './random.js';

const CONVOLUTIONS = 41;
const CHANNELS = 256;
const HIDDEN = 1024;
const CLASSES = 1000;

/** @returns {Uint8Array} model file: `input` [1,256,14,14] -> `output` [1,1000] */
export function makeLarge() {
  const model = new OnnxModel();
  const random = uniform(2);

  /** Weight [outputs, ...inputDims] uniform in +-sqrt(6 / fan in), and a bias. */
  function parameters(name, outputs, inputDims) {
    const fanIn = inputDims.reduce((product, dim) => product * dim, 1);
    const limit = Math.sqrt(6 / fanIn);
    const weight = new Float32Array(outputs * fanIn);
    for (let i = 0; i < weight.length; i++) weight[i] = limit * (2 * random() - 1);
    const bias = Float32Array.from({ length: outputs }, () => 0.1 * (random() - 0.5));
    return [
      model.constant(`${name}.weight`, [outputs, ...inputDims], weight),
      model.constant(`${name}.bias`, [outputs], bias),
    ];
  }

  let x = 'input';
  for (let i = 1; i <= CONVOLUTIONS; i++) {
    const inputs = [x, ...parameters(`conv${i}`, CHANNELS, [CHANNELS, 3, 3])];
    x = model.node('Conv', `conv${i}`, inputs, { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
    x = model.node('Relu', `conv${i}_relu`, [x]);
  }
  x = model.node('GlobalAveragePool', 'pool', [x]);
  x = model.node('Flatten', 'flatten', [x], { axis: 1 });
  x = model.node('Gemm', 'hidden', [x, ...parameters('hidden', HIDDEN, [CHANNELS])], { transB: 1 });
  x = model.node('Relu', 'hidden_relu', [x]);
  model.node(
    'Gemm',
    'classifier',
    [x, ...parameters('classifier', CLASSES, [HIDDEN])],
    { transB: 1 },
    'output',
  );
  return model.encode('large', ['input', [1, CHANNELS, 14, 14]], ['output', [1, CLASSES]]);
}
