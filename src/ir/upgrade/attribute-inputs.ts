/** Attributes that became inputs. */
import { NotUpgradable, type Call, type Family, type Operand, type Rule } from './call.js';

/** A list of integers that became the second input; absent or empty, it is absent there. */
function secondInput(attribute: string): Rule {
  return (call) => {
    const values = call.ints(attribute);
    if (values === undefined) return;
    const edits = { attrs: { [attribute]: undefined } };
    // An empty list of axes is none: all axes.
    call.replace(values.length === 0 ? edits : { ...edits, inputs: [call.required(0), call.listed(values)] });
  };
}

const AXES = secondInput('axes');

function requiredInts(call: Call, name: string): readonly bigint[] {
  const values = call.ints(name);
  if (values === undefined) throw new NotUpgradable(`its attribute ${name} is missing`);
  return values;
}

/** Opset 9: https://onnx.ai/onnx/operators/onnx__Upsample.html */
const upsample: Rule = (call) => {
  const scales = call.floats('scales');
  if (scales === undefined) throw new NotUpgradable('its attribute scales is missing');
  call.replace({ inputs: [call.required(0), call.reals(scales)], attrs: { scales: undefined } });
};

/** Opset 10. Without axes the old form starts at the first one, the new form means all: they are written out. */
const slice: Rule = (call) => {
  const starts = requiredInts(call, 'starts');
  const ends = requiredInts(call, 'ends');
  const axes = call.ints('axes') ?? starts.map((_, axis) => axis);
  call.replace({
    inputs: [call.required(0), call.listed(starts), call.listed(ends), call.listed(axes)],
    attrs: { starts: undefined, ends: undefined, axes: undefined },
  });
};

/** Opset 10. */
const topK: Rule = (call) => {
  const k = call.int('k');
  if (k === undefined) throw new NotUpgradable('its attribute k is missing');
  call.replace({ inputs: [call.required(0), call.listed([k])], attrs: { k: undefined } });
};

/** Opset 11. */
const clip: Rule = (call) => {
  const x = call.required(0);
  const bound = (name: string): Operand | null => {
    const value = call.float(name);
    return value === undefined ? null : call.real(value, call.knownDtypeOf(x));
  };
  const [min, max] = [bound('min'), bound('max')];
  const inputs = max !== null ? [x, min, max] : min !== null ? [x, min] : [x];
  call.replace({ inputs, attrs: { min: undefined, max: undefined } });
};

/** Opset 11. */
const pad: Rule = (call) => {
  const x = call.required(0);
  const value = call.float('value') ?? 0;
  const pads = call.listed(requiredInts(call, 'pads'));
  const inputs = Object.is(value, 0) ? [x, pads] : [x, pads, call.real(value, call.knownDtypeOf(x))];
  call.replace({ inputs, attrs: { pads: undefined, value: undefined } });
};

/** Opset 18: without sizes it must say into how many parts, and no longer that they are equal. */
const partCount: Rule = (call) => {
  if (call.input(1) !== null) return;
  call.replace({ inputs: [call.required(0)], attrs: { num_outputs: call.outputs.length } });
};

/** Opset 20: the axis, of which the default is another one too. */
const dft: Rule = (call) => {
  const axis = call.integer(call.int('axis') ?? 1);
  call.replace({ inputs: [call.required(0), call.input(1), axis], attrs: { axis: undefined } });
};

export const INPUTS_9 = { Upsample: upsample } as const satisfies Family;
export const INPUTS_10 = { Slice: slice, TopK: topK } as const satisfies Family;
export const INPUTS_11 = { Clip: clip, Pad: pad } as const satisfies Family;
export const INPUTS_13 = {
  ReduceSum: AXES,
  Split: secondInput('split'),
  Squeeze: AXES,
  Unsqueeze: AXES,
} as const satisfies Family;
export const INPUTS_18 = {
  ReduceL1: AXES,
  ReduceL2: AXES,
  ReduceLogSum: AXES,
  ReduceLogSumExp: AXES,
  ReduceMax: AXES,
  ReduceMean: AXES,
  ReduceMin: AXES,
  ReduceProd: AXES,
  ReduceSumSquare: AXES,
  Split: partCount,
} as const satisfies Family;
export const INPUTS_20 = { DFT: dft } as const satisfies Family;
