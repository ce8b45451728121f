/**
 * Sliding windows as TFLite's kernels place them (tensorflow/lite/kernels/padding.h). 'SAME' pads until ceil(extent / stride)
 * windows fit, the odd element behind; 'VALID' never pads.
 */
import { FUSED_LIMITS } from './activation-limits.js';
import {
  Unlowerable,
  type Attrs,
  type AttrValue,
  type Inputs,
  type Layout,
  type Lowering,
} from './lowering.js';

/** One spatial axis of a convolution or pool, in elements. */
export interface Window {
  readonly extent: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
}

/** Far beyond any picture; larger ones come from broken files, and runtimes loop over them. */
const MAX_SPAN = 1 << 16;

/** @throws Unlowerable when the tensor has another rank. */
export function dims4(lowering: Lowering, slot: number): readonly [number, number, number, number] {
  const [a, b, c, d, ...rest] = lowering.shape(slot);
  if (a === undefined || b === undefined || c === undefined || d === undefined || rest.length > 0) {
    throw new Unlowerable(`input ${slot} has rank ${lowering.shape(slot).length}, not 4`);
  }
  return [a, b, c, d];
}

/** @throws Unlowerable when the tensor has another rank. */
export function dims5(lowering: Lowering, slot: number): readonly [number, number, number, number, number] {
  const [a, b, c, d, e, ...rest] = lowering.shape(slot);
  const given = a !== undefined && b !== undefined && c !== undefined && d !== undefined;
  if (!given || e === undefined || rest.length > 0) {
    throw new Unlowerable(`input ${slot} has rank ${lowering.shape(slot).length}, not 5`);
  }
  return [a, b, c, d, e];
}

/**
 * That the output is what the file says it is, for operators that a wrong number in the file makes huge.
 *
 * @throws Unlowerable when it is not; whatever reads it relies on the file.
 */
export function checkOutput(lowering: Lowering, dims: readonly number[]): void {
  const declared = lowering.outputShape();
  if (declared.join() === dims.join()) return;
  throw new Unlowerable(`its output is [${dims.join(', ')}], and [${declared.join(', ')}] in the file`);
}

/** Elements from the first to the last that one window sees. */
export function spanOf({ kernel, dilation }: Window): number {
  return (kernel - 1) * dilation + 1;
}

/** Number of windows along the axis. @throws Unlowerable when there is none. */
export function windowCount(padding: string, window: Window): number {
  const { extent, kernel, stride, dilation } = window;
  for (const [what, value] of Object.entries({ extent, kernel, stride, dilation })) {
    if (!Number.isInteger(value) || value < 1) throw new Unlowerable(`a window has ${what} ${value}`);
  }
  const span = spanOf(window);
  if (span > MAX_SPAN) throw new Unlowerable(`a window spans ${span} elements, more than ${MAX_SPAN}`);
  if (padding !== 'SAME' && padding !== 'VALID') throw new Unlowerable(`padding '${padding}'`);
  const count = Math.floor(((padding === 'SAME' ? extent : extent - span + 1) + stride - 1) / stride);
  if (count < 1) throw new Unlowerable(`a window spans ${span} elements, the input has ${extent}`);
  return count;
}

/** Elements that are added before and after the axis. */
export function paddingOf(padding: string, window: Window): readonly [before: number, after: number] {
  const { extent, stride } = window;
  const total = Math.max(0, (windowCount(padding, window) - 1) * stride + spanOf(window) - extent);
  const before = Math.floor(total / 2);
  return [before, total - before];
}

/** `kernel_shape`, `strides` and `pads` of an ONNX convolution or pool; `dilations` where there are any. */
export function windowAttrs(padding: string, windows: readonly Window[]): Record<string, AttrValue> {
  const pads = windows.map((window) => paddingOf(padding, window));
  const dilations = windows.map((window) => window.dilation);
  return {
    kernel_shape: windows.map((window) => window.kernel),
    strides: windows.map((window) => window.stride),
    ...(dilations.some((dilation) => dilation !== 1) && { dilations }),
    pads: [...pads.map(([before]) => before), ...pads.map(([, after]) => after)],
  };
}

/**
 * Writes output 0 with the fused activation. The kernels of convolutions and pools know only activations that are a range of
 * values (CalculateActivationRange in tensorflow/lite/kernels/kernel_util.h) and compute any other as none.
 */
export function writeInRange(
  lowering: Lowering,
  layout: Layout,
  op: string,
  inputs: Inputs,
  attrs?: Attrs,
): void {
  const activation = String(lowering.option('fusedActivationFunction'));
  const isKnown = activation === 'NONE' || Object.hasOwn(FUSED_LIMITS, activation);
  if (isKnown) lowering.writeActivated(0, layout, op, inputs, attrs);
  else lowering.write(0, layout, op, inputs, attrs);
}
