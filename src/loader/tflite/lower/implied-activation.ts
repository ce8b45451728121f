/** Activation functions that a converter left out because the integer range behind them clamps as they do. */
import type { FileTensor } from '../file-tensors.js';

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
export function impliedLimits(
  op: string,
  { params }: FileTensor,
): readonly [lowest: 0, highest: number] | undefined {
  if (params?.granularity.kind !== 'per-tensor' || !SIGNED.has(op)) return undefined;
  const [scale = 0] = params.scale;
  const [zeroPoint] = params.zeroPoint;
  if (zeroPoint !== params.qmin || !(scale > 0)) return undefined;
  const highest = Math.fround((params.qmax - zeroPoint) * scale);
  return [0, Math.abs(highest / 6 - 1) <= TOLERANCE ? highest : Infinity];
}
