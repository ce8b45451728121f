/** Upsample and Resize. https://onnx.ai/onnx/operators/onnx__Resize.html */
import { NotUpgradable, type Call, type Family, type Operand, type Rule } from './call.js';

/** Opset 10: Upsample is Resize by its other name. */
const renamed: Rule = (call) => {
  call.replace({ op: 'Resize' });
};

/**
 * Opset 11 lets the node say where output points lie between input points, and has another default. Before, they lie at
 * x_resized / scale. 'nearest' is the point below where an axis grows and the one above where it shrinks: the specification
 * leaves that open, ONNX Runtime and the node tests of opset 10 do it so (onnxruntime/core/providers/cpu/tensor/upsamplebase.h,
 * ResizeNearestMode::SIMPLE). One node has one rule for all axes, so that mixed scales take two nodes; axes are independent.
 */
const coordinates: Rule = (call) => {
  const x = call.required(0);
  const scales = call.required(1);
  const mode = call.string('mode') ?? 'nearest';
  if (mode !== 'nearest') {
    call.replace(resized(call, x, scales, {}));
    return;
  }
  const known = call.numbers(scales);
  if (known?.every((scale) => scale >= 1) === true) {
    call.replace(resized(call, x, scales, { nearest_mode: 'floor' }));
  } else if (known?.every((scale) => scale <= 1) === true) {
    call.replace(resized(call, x, scales, { nearest_mode: 'ceil' }));
  } else {
    const one = call.reals([1]);
    const type = { dtype: 'float32' } as const;
    const shrinking = known
      ? call.reals(known.map((scale) => Math.min(scale, 1)))
      : call.step('Min', [scales, one], {}, type);
    const growing = known
      ? call.reals(known.map((scale) => Math.max(scale, 1)))
      : call.step('Max', [scales, one], {}, type);
    const down = resized(call, x, shrinking, { nearest_mode: 'ceil' });
    const small = call.step('Resize', down.inputs, { mode, ...down.attrs }, { dtype: call.dtypeOf(x) });
    call.replace(resized(call, small, growing, { nearest_mode: 'floor' }));
  }
};

interface Resized {
  readonly inputs: readonly Operand[];
  readonly attrs: Readonly<Record<string, string>>;
}

/** Opset 11 wants regions of interest, though only one transformation reads them: none. */
function resized(call: Call, x: Operand, scales: Operand, attrs: Readonly<Record<string, string>>): Resized {
  return {
    inputs: [x, call.reals([]), scales],
    attrs: { coordinate_transformation_mode: 'asymmetric', ...attrs },
  };
}

/** `nearest_mode` with half_pixel that picks the points which one with tf_half_pixel_for_nn picks, half a point further on. */
const HALF_POINT_BACK: Readonly<Record<string, string>> = {
  floor: 'round_prefer_ceil',
  round_prefer_floor: 'ceil',
};

/** Opset 13: scales are omitted where sizes are given, and tf_half_pixel_for_nn, x = (x_resized + 0.5) / scale, is gone. */
const eitherScalesOrSizes: Rule = (call) => {
  const [x, roi, scales, sizes] = [call.required(0), call.input(1), call.input(2), call.input(3)];
  const inputs = sizes === null ? call.inputs : [x, roi, null, sizes];
  if (call.string('coordinate_transformation_mode') !== 'tf_half_pixel_for_nn') {
    if (sizes !== null && scales !== null) call.replace({ inputs });
    return;
  }
  const nearest = call.string('nearest_mode') ?? 'round_prefer_floor';
  const mode = call.string('mode') ?? 'nearest';
  const same = mode === 'nearest' ? HALF_POINT_BACK[nearest] : undefined;
  if (same === undefined) {
    const met = mode === 'nearest' ? `nearest_mode ${nearest}` : `mode ${mode}`;
    throw new NotUpgradable(`opset 13 has no tf_half_pixel_for_nn, nor what it does with ${met}`);
  }
  call.replace({ inputs, attrs: { coordinate_transformation_mode: 'half_pixel', nearest_mode: same } });
};

export const RESIZE_10 = { Upsample: renamed } as const satisfies Family;
export const RESIZE_11 = { Resize: coordinates } as const satisfies Family;
export const RESIZE_13 = { Resize: eitherScalesOrSizes } as const satisfies Family;
