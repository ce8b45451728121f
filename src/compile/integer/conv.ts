/**
 * Convolutions as the builtin kernels compute them on x86: CONV_2D by ruy (tensorflow/lite/kernels/conv.cc), grouped ones by the
 * portable reference; DEPTHWISE_CONV_2D and TRANSPOSE_CONV by loops whose last step rescales 8 channels (or 16 elements) at a
 * time in vector registers and the rest in portable code; all with 16-bit activations and 64-bit biases by the reference.
 */
import { elementCount } from '../../ir/elements.js';
import { intAttr, tensorOf, type TensorId } from '../../ir/graph.js';
import type { Value } from '../model-writer.js';
import { centeredCodes, withoutPoints } from './constant-codes.js';
import type { Spread } from './doubles.js';
import type { IntegerKernel } from './kernel.js';
import { doubleProduct, factorsOf, linearCall, rescaled, singleProduct, type LinearCall } from './linear.js';
import { convolved } from './products.js';
import { PORTABLE, VECTOR, type Rounding } from './requantize.js';

/** Channels that the vector code of DEPTHWISE_CONV_2D and TRANSPOSE_CONV rescales at a time. */
const CHANNELS = 8;
/** Elements that the vector code of TRANSPOSE_CONV on uint8 rescales at a time. */
const ELEMENTS = 16;

/** `axis` of the weights has the output channels. */
function convolution(
  linear: LinearCall,
  axis: number,
  rounding: Rounding,
): ReadonlyMap<TensorId, Value> | undefined {
  const { call, x, weightTensor, input } = linear;
  const weights = linear.weights.dtype === 'uint8' ? linear.weights : withoutPoints(linear.weights);
  const codes = call.constantCodes(weightTensor);
  if (codes === undefined || weights.granularity.kind === 'per-block') return undefined;
  const spatial = Array<number>(codes.dims.length - 2).fill(1);
  const product = input.dtype === 'uint8' ? singleProduct : doubleProduct;
  const factors = factorsOf(linear, axis, spatial, product);
  return rescaled(linear, convolved(linear, x, centeredCodes(codes, weights), axis), factors, rounding);
}

const conv2d: IntegerKernel = (call) => {
  const linear = linearCall(call);
  if (linear === undefined) return undefined;
  const isGrouped = (intAttr(call.main, 'group') ?? 1) !== 1;
  const in32Bits = isGrouped ? PORTABLE : VECTOR;
  const isWide = linear.input.dtype === 'int16' && linear.biasType !== 'int32';
  return convolution(linear, 0, isWide ? { kind: 'fixed64' } : in32Bits);
};

const depthwiseConv2d: IntegerKernel = (call) => {
  const linear = linearCall(call);
  if (linear === undefined) return undefined;
  switch (linear.input.dtype) {
    case 'int16':
      return convolution(linear, 0, { kind: 'fixed64' });
    case 'uint8':
      return convolution(linear, 0, PORTABLE);
    default:
      return convolution(linear, 0, byChannels(linear, 0));
  }
};

const transposeConv: IntegerKernel = (call) => {
  const linear = linearCall(call);
  if (linear === undefined) return undefined;
  if (linear.input.dtype === 'uint8') return convolution(linear, 1, byElements(linear));
  const isWide = linear.input.dtype === 'int16' && linear.biasType !== 'int32';
  return convolution(linear, 1, isWide ? { kind: 'fixed64' } : byChannels(linear, 1));
};

/** The last channels, where they are no multiple of 8, are left to portable code. */
function byChannels({ call, weightTensor }: LinearCall, axis: number): Rounding {
  const dims = tensorOf(call.graph, weightTensor).data?.dims ?? [];
  const channels = dims[axis] ?? 0;
  const vector = channels - (channels % CHANNELS);
  const values = Array.from({ length: channels }, (_, channel) => (channel < vector ? 0 : 1));
  return { kind: 'fixed', portable: { values, dims: [channels, ...dims.slice(2).map(() => 1)] } };
}

/** The last elements of the whole tensor, channels last, where they are no multiple of 16. */
function byElements({ call, outputTensor }: LinearCall): Rounding {
  const dims = tensorOf(call.graph, outputTensor).shape?.filter((dim) => typeof dim === 'number') ?? [];
  const [batch, channels, ...spatial] = dims;
  const count = dims.length < 4 ? 0 : elementCount(dims);
  const left = count % ELEMENTS;
  if (left === 0 || batch === undefined || channels === undefined) return VECTOR;
  const pixels = elementCount(spatial);
  const values = new Array<number>(count).fill(0);
  for (let i = count - left; i < count; i++) {
    const [image, within] = [Math.floor(i / (pixels * channels)), i % (pixels * channels)];
    const [pixel, channel] = [Math.floor(within / channels), within % channels];
    values[(image * channels + channel) * pixels + pixel] = 1;
  }
  const portable: Spread = { values, dims };
  return { kind: 'fixed', portable };
}

export const CONV_KERNELS: Readonly<Record<string, IntegerKernel>> = {
  CONV_2D: conv2d,
  DEPTHWISE_CONV_2D: depthwiseConv2d,
  TRANSPOSE_CONV: transposeConv,
};
