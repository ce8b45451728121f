/** Schemes that quantize less than another one, or more finely: what a network is tried with to see which part costs what. */
import type { Graph } from '../ir/graph.js';
import type { Scheme, TensorScheme } from '../quant/scheme.js';

/** A bias is added at the scales of what is multiplied: where one of them is float, so is the bias. */
const FLOAT_BIAS = { bias: 'float' } as const;

export function weightsOnly(scheme: Scheme): Scheme {
  return { ...scheme, ...FLOAT_BIAS, activations: 'float' };
}

export function activationsOnly(scheme: Scheme): Scheme {
  return { ...scheme, ...FLOAT_BIAS, weights: 'float' };
}

/** int16 is symmetric in every target. */
export function sixteenBits(scheme: TensorScheme): TensorScheme {
  return { ...scheme, dtype: 'int16', symmetric: true, narrowRange: true };
}

/** Types as the file calls them: Conv, ConvTranspose, DEPTHWISE_CONV_2D. */
export function convolutionTypes(graph: Graph): string[] {
  return [...new Set(graph.nodes.map(({ origin }) => origin.op))].filter(isConvolution);
}

export function isConvolution(type: string): boolean {
  return /conv/i.test(type);
}
