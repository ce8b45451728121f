/** Spatial extents of operators that slide a window: convolutions and pools. */
import type { Dim, Node, Shape } from '../graph.js';
import { intsAttr, stringAttr } from '../graph.js';
import { toDim } from './dims.js';

export interface Window {
  /** Extent along each spatial axis; null = unknown. */
  readonly kernel: Shape;
  /** Rounds the number of positions up (pools). */
  readonly ceil?: boolean;
}

/** Attributes of one spatial axis, defaults filled in. */
interface Steps {
  readonly stride: number;
  readonly dilation: number;
  readonly padBegin: number;
  readonly padEnd: number;
  readonly auto: 'explicit' | 'same' | 'valid';
}

function stepsOf(node: Node, axis: number, rank: number): Steps {
  const pads = intsAttr(node, 'pads');
  const mode = stringAttr(node, 'auto_pad');
  const auto =
    mode === 'VALID' ? 'valid' : mode === 'SAME_UPPER' || mode === 'SAME_LOWER' ? 'same' : 'explicit';
  return {
    stride: intsAttr(node, 'strides')?.[axis] ?? 1,
    dilation: intsAttr(node, 'dilations')?.[axis] ?? 1,
    padBegin: auto === 'explicit' ? (pads?.[axis] ?? 0) : 0,
    padEnd: auto === 'explicit' ? (pads?.[axis + rank] ?? 0) : 0,
    auto,
  };
}

/** Spatial extents after Conv or a pool over `spatial`. https://onnx.ai/onnx/operators/onnx__Conv.html */
export function slide(node: Node, spatial: Shape, window: Window): Shape {
  return spatial.map((extent, axis) => {
    const steps = stepsOf(node, axis, spatial.length);
    return positions(extent, window.kernel[axis] ?? null, steps, window.ceil === true);
  });
}

function positions(extent: Dim, kernel: Dim, steps: Steps, ceil: boolean): Dim {
  const { stride, dilation, padBegin, padEnd, auto } = steps;
  if (!(stride > 0)) return null;
  if (auto === 'same') {
    // ONNX Runtime does not dilate the kernel here (pools) or refuses (Conv): its extents are not those of the specification.
    if (dilation !== 1) return null;
    if (stride === 1) return extent;
    return typeof extent === 'number' ? toDim(Math.ceil(extent / stride)) : null;
  }
  if (typeof kernel !== 'number') return null;
  const reach = (kernel - 1) * dilation + 1;
  if (stride === 1 && padBegin + padEnd === reach - 1) return extent;
  if (typeof extent !== 'number') return null;
  const room = extent + padBegin + padEnd - reach;
  if (!ceil) return toDim(Math.floor(room / stride) + 1);
  const count = Math.ceil(room / stride) + 1;
  // A window that would start in the padding at the end is left out.
  return toDim((count - 1) * stride >= extent + padBegin ? count - 1 : count);
}

/** Spatial extents after ConvTranspose. https://onnx.ai/onnx/operators/onnx__ConvTranspose.html */
export function slideBack(node: Node, spatial: Shape, kernel: Shape): Shape {
  const wanted = intsAttr(node, 'output_shape');
  if (wanted !== undefined && wanted.length >= spatial.length) {
    // Some exporters list the batch and channel extents too; the spatial ones are last.
    return wanted.slice(wanted.length - spatial.length).map(toDim);
  }
  const padding = intsAttr(node, 'output_padding');
  return spatial.map((extent, axis) => {
    const { stride, dilation, padBegin, padEnd, auto } = stepsOf(node, axis, spatial.length);
    const size = kernel[axis] ?? null;
    if (typeof size !== 'number') return null;
    const rest = (size - 1) * dilation + 1 - padBegin - padEnd + (padding?.[axis] ?? 0);
    if (stride === 1 && (rest === 1 || auto === 'same')) return extent;
    if (typeof extent !== 'number') return null;
    const full = stride * (extent - 1) + rest;
    // "Same" pads down to extent · stride; a kernel shorter than the stride does not reach it, and pads never grow a tensor.
    return toDim(auto === 'same' ? Math.min(extent * stride, full) : full);
  });
}

/** MaxUnpool: MaxPool backwards, without dilation. */
export function unpool(node: Node, spatial: Shape): Shape {
  const kernel = intsAttr(node, 'kernel_shape') ?? [];
  return spatial.map((extent, axis) => {
    const { stride, padBegin, padEnd } = stepsOf(node, axis, spatial.length);
    const size = kernel[axis];
    if (typeof extent !== 'number' || size === undefined) return null;
    return toDim((extent - 1) * stride - padBegin - padEnd + size);
  });
}
