/** Fourier transforms and the windows for them. */
import type { Dim } from '../graph.js';
import { intAttr } from '../graph.js';
import { dtypeAttr } from './datatype.js';
import { axisOf, replaceAxis, toDim } from './dims.js';
import { asDims } from './elements.js';
import type { Family, Rule, Value } from './rule.js';
import { flag, hasInput, input, scalarOf } from './rule.js';

function extentOf(value: Value): Dim {
  return asDims(value.elements ?? [])[0] ?? null;
}

/** Frequencies of a transform of n real numbers. */
function oneSided(length: Dim): Dim {
  return typeof length === 'number' ? toDim(Math.floor(length / 2) + 1) : null;
}

const window: Rule = (call) => [
  { dtype: dtypeAttr(call.node, 'output_datatype') ?? 'float32', shape: [extentOf(input(call, 0))] },
];

/** Input and output end in 1 (real) or 2 (complex). The axis is an attribute before opset 20, then an input. */
const dft: Rule = (call) => {
  const { dtype, shape } = input(call, 0);
  const given =
    call.opset < 20 ? (intAttr(call.node, 'axis') ?? 1) : hasInput(call, 2) ? scalarOf(input(call, 2)) : -2;
  const axis = given === undefined ? undefined : axisOf(given, shape?.length ?? 0);
  if (shape === undefined || axis === undefined) return [{ dtype }];
  const half = flag(call.node, 'onesided');
  const back = flag(call.node, 'inverse');
  const length = hasInput(call, 1) ? extentOf(input(call, 1)) : half && back ? null : (shape[axis] ?? null);
  const extent = half && !back ? oneSided(length) : length;
  return [
    { dtype, shape: replaceAxis(replaceAxis(shape, axis, extent), shape.length - 1, half && back ? 1 : 2) },
  ];
};

/** Signal [batch, length, 1 or 2] to [batch, frames, frequencies, 2]. */
const stft: Rule = (call) => {
  const { dtype, shape } = input(call, 0);
  const step = extentOf(input(call, 1));
  const length = hasInput(call, 3) ? extentOf(input(call, 3)) : (input(call, 2).shape?.[0] ?? null);
  const samples = shape?.[1] ?? null;
  const fixed =
    typeof samples === 'number' && typeof length === 'number' && typeof step === 'number' && step > 0;
  const frames = fixed ? toDim(Math.floor((samples - length) / step) + 1) : null;
  const half = (intAttr(call.node, 'onesided') ?? 1) !== 0;
  return [{ dtype, shape: [shape?.[0] ?? null, frames, half ? oneSided(length) : length, 2] }];
};

const melWeightMatrix: Rule = (call) => [
  {
    dtype: dtypeAttr(call.node, 'output_datatype') ?? 'float32',
    shape: [oneSided(extentOf(input(call, 1))), extentOf(input(call, 0))],
  },
];

export const SIGNAL = {
  BlackmanWindow: window,
  HammingWindow: window,
  HannWindow: window,
  DFT: dft,
  STFT: stft,
  MelWeightMatrix: melWeightMatrix,
} as const satisfies Family;
