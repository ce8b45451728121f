/** BatchNormalization, GroupNormalization and Dropout. */
import { ONNX_DATA_TYPE } from '../onnx-data-type.js';
import { NotUpgradable, type Family, type Operand, type Rule } from './call.js';

/**
 * Opset 9 of BatchNormalization has no `spatial`: with 0 every element of a sample has parameters of its own, which is the same as a
 * matrix of samples by elements in which every element is a channel. https://onnx.ai/onnx/operators/onnx__BatchNormalization.html
 */
const spatial: Rule = (call) => {
  const flag = call.int('spatial');
  if (flag === undefined) return;
  if (flag !== 0) {
    call.replace({ attrs: { spatial: undefined } });
    return;
  }
  if (call.outputs.some((output, slot) => slot > 0 && output !== null)) {
    throw new NotUpgradable('opset 9 has no training with spatial = 0');
  }
  const x = call.required(0);
  const dtype = call.dtypeOf(x);
  const matrix = { dtype, shape: [null, null] };
  const rows = call.step('Flatten', [x], { axis: 1 }, matrix);
  const every = call.listed([-1]);
  const parameters = [1, 2, 3, 4].map((slot) => {
    const parameter = call.required(slot);
    return call.step('Reshape', [parameter, every], {}, { dtype, shape: [null] });
  });
  const result = call.between(matrix);
  call.replace({
    inputs: [rows, ...parameters],
    outputs: [result.tensor],
    attrs: { spatial: undefined },
  });
  const extents = call.step('Shape', [{ tensor: x.tensor }], {}, { dtype: 'int64' });
  call.add('Reshape', [result, extents], {}, call.outputs);
};

/** Opset 14 of BatchNormalization: training is an attribute and no longer follows from the outputs, of which two are gone. */
const training: Rule = (call) => {
  if (!call.outputs.some((output, slot) => slot > 0 && output !== null)) return;
  const gone = [3, 4].filter((slot) => call.isRead(slot));
  if (gone.length > 0) throw new NotUpgradable(`opset 14 has no output ${gone.join(', ')} of it`);
  call.replace({ outputs: call.outputs.slice(0, 3), attrs: { training_mode: 1 } });
};

/** Opset 10 of Dropout: the mask is bool. */
const maskOfBool: Rule = (call) => {
  const [output = null, mask = null] = call.outputs;
  if (mask === null || !call.isRead(1)) return;
  const x = call.required(0);
  const kept = call.between({ dtype: 'bool', shape: call.shapeOf(x) });
  call.replace({ outputs: [output, kept.tensor] });
  call.add('Cast', [kept], { to: ONNX_DATA_TYPE[call.knownDtypeOf(x)] }, [mask]);
};

/** Opset 12 of Dropout: the ratio is an input, and matters in training alone, which takes another input to ask for. */
const ratio: Rule = (call) => {
  if (call.float('ratio') !== undefined) call.replace({ attrs: { ratio: undefined } });
};

/**
 * Opset 21 of GroupNormalization: scale and bias are of the channels and no longer of the groups.
 * https://onnx.ai/onnx/operators/onnx__GroupNormalization.html
 */
const ofChannels: Rule = (call) => {
  const x = call.required(0);
  const groups = call.int('num_groups');
  if (groups === undefined || groups < 1) throw new NotUpgradable('its attribute num_groups is missing');
  const dtype = call.dtypeOf(x);
  const channels = call.shapeOf(x)?.[1];
  const int64 = { dtype: 'int64', shape: [1] } as const;
  const perGroup =
    typeof channels === 'number'
      ? call.listed([Math.floor(channels / groups)])
      : call.step(
          'Div',
          [call.step('Shape', [{ tensor: x.tensor }], { start: 1, end: 2 }, int64), call.listed([groups])],
          {},
          int64,
        );
  const extents = call.step(
    'Concat',
    [call.listed([groups]), perGroup],
    { axis: 0 },
    { dtype: 'int64', shape: [2] },
  );
  const column = call.listed([groups, 1]);
  const every = call.listed([-1]);
  const spread = (parameter: Operand): Operand => {
    const one = call.step('Reshape', [parameter, column], {}, { dtype, shape: [groups, 1] });
    const all = call.step('Expand', [one, extents], {}, { dtype, shape: [groups, null] });
    return call.step('Reshape', [all, every], {}, { dtype, shape: [null] });
  };
  call.replace({ inputs: [x, spread(call.required(1)), spread(call.required(2))] });
};

export const NORMALIZATION_9 = { BatchNormalization: spatial } as const satisfies Family;
export const NORMALIZATION_10 = { Dropout: maskOfBool } as const satisfies Family;
export const NORMALIZATION_12 = { Dropout: ratio } as const satisfies Family;
export const NORMALIZATION_14 = { BatchNormalization: training } as const satisfies Family;
export const NORMALIZATION_21 = { GroupNormalization: ofChannels } as const satisfies Family;
