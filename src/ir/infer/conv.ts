/** Convolutions, float and integer. Layout is [N, C, spatial...], weights [M, C/group, kernel...]. */
import type { DType, Node, Shape } from '../graph.js';
import { intAttr, intsAttr } from '../graph.js';
import { mulDims } from './dims.js';
import type { Family, Rule, Value } from './rule.js';
import { input, unknownDims } from './rule.js';
import { slide, slideBack } from './window.js';

/** [N, M, spatial...] after a convolution. */
export function convShape(node: Node, x: Value, weight: Value): Shape | undefined {
  const rank = x.shape?.length ?? weight.shape?.length;
  if (rank === undefined || rank < 2) return undefined;
  const spatial = x.shape?.slice(2) ?? unknownDims(rank - 2) ?? [];
  const kernel = intsAttr(node, 'kernel_shape') ?? weight.shape?.slice(2) ?? [];
  return [x.shape?.[0] ?? null, weight.shape?.[0] ?? null, ...slide(node, spatial, { kernel })];
}

/** Convolution with the weight at `slot`. */
export function conv(
  slot: number,
  dtype: (inputs: readonly (Value | undefined)[]) => DType | undefined,
): Rule {
  return (call) => [
    { dtype: dtype(call.inputs), shape: convShape(call.node, input(call, 0), input(call, slot)) },
  ];
}

/** Weight is [C, M/group, kernel...]. */
const convTranspose: Rule = (call) => {
  const [x, weight] = [input(call, 0), input(call, 1)];
  const rank = x.shape?.length ?? weight.shape?.length;
  if (rank === undefined || rank < 2) return [{ dtype: x.dtype }];
  const spatial = x.shape?.slice(2) ?? unknownDims(rank - 2) ?? [];
  const kernel = intsAttr(call.node, 'kernel_shape') ?? weight.shape?.slice(2) ?? [];
  const channels = mulDims(weight.shape?.[1] ?? null, intAttr(call.node, 'group') ?? 1);
  return [
    { dtype: x.dtype, shape: [x.shape?.[0] ?? null, channels, ...slideBack(call.node, spatial, kernel)] },
  ];
};

export const CONV = {
  Conv: conv(1, ([x]) => x?.dtype),
  DeformConv: conv(1, ([x]) => x?.dtype),
  ConvInteger: conv(1, () => 'int32'),
  QLinearConv: conv(3, (inputs) => inputs[7]?.dtype),
  ConvTranspose: convTranspose,
} as const satisfies Family;
