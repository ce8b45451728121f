/** Activation functions that are ranges of values: those that the file has, and those that only the range of its integers stands for. */
import type { FileTensor } from '../file-tensors.js';

export type Limits = readonly [lowest: number, highest: number];

/** Of fused activation functions; kernels that clamp take all others for none. */
export const FUSED_LIMITS: Readonly<Record<string, Limits>> = {
  RELU: [0, Infinity],
  RELU6: [0, 6],
  RELU_N1_TO_1: [-1, 1],
};

/** Operators whose results go below zero unless an activation function stops them. */
const SIGNED: ReadonlySet<string> = new Set([
  ...['CONV_2D', 'CONV_3D', 'DEPTHWISE_CONV_2D', 'FULLY_CONNECTED', 'TRANSPOSE_CONV'],
  ...['ADD', 'SUB', 'MUL'],
]);

/** How far the end of a range may be from 6, as a share of it, to be that of RELU6: ranges are nudged so that zero is a code. */
const TOLERANCE = 0.01;

/**
 * Limits of the float function when the representable range starts at exactly zero: that of RELU, or of RELU6 when it ends at 6. The
 * upper limit is the last code's value, not 6 itself, so that codes are clamped where they were.
 *
 * TOCO (TensorFlow 1) writes quantization-aware trained networks so: fused activation NONE, output 0 to 6.
 */
export function impliedLimits(op: string, { params }: FileTensor): Limits | undefined {
  if (params?.granularity.kind !== 'per-tensor' || !SIGNED.has(op)) return undefined;
  const [scale = 0] = params.scale;
  const [zeroPoint] = params.zeroPoint;
  if (zeroPoint !== params.qmin || !(scale > 0)) return undefined;
  const highest = Math.fround((params.qmax - zeroPoint) * scale);
  return [0, Math.abs(highest / 6 - 1) <= TOLERANCE ? highest : Infinity];
}
