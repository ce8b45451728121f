/**
 * QuantizeLinear and DequantizeLinear, of ai.onnx and of com.microsoft: the annotation between a tensor and its readers.
 * https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html, https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html
 */
import { isFloat } from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import { dtypeName } from '../../../ir/onnx-data-type.js';
import type { DraftNode } from '../draft.js';
import { Unfoldable } from './folding.js';
import type { FoldState } from './fold-state.js';
import { dtypeOf, type NodeFolding } from './node-folding.js';

/** Of scales where no attribute says another one. */
const DEFAULT_AXIS = 1;

export type LinearRule = (folding: NodeFolding, state: FoldState) => void;

const quantizeLinear: LinearRule = (folding, state) => {
  const { node } = folding;
  const [x = ''] = node.inputs;
  const [codes = ''] = node.outputs;
  const source = state.known.get(x);
  const dtype = source?.kind === 'values' ? undefined : dtypeOf(state, x);
  if (dtype !== undefined && !isFloat(dtype)) throw new Unfoldable(`it quantizes '${x}', which is ${dtype}`);
  const precision = typeAttr(folding, 'precision');
  if (precision !== undefined && precision !== 'float32') throw new Unfoldable(`it divides in ${precision}`);
  const params = linearParams(folding, { output: 0 });
  // Only weights are simulated in blocks, from codes that the file has.
  if (params.granularity.kind === 'per-block') throw new Unfoldable(`it quantizes '${x}' in blocks`);
  const tensor = quantizedTensor(folding, state, params);
  folding.handsOnCodes(0, tensor, params);
  if (state.constants.has(tensor) || state.types.get(tensor)?.dtype !== undefined) return;
  state.set(state.types, tensor, {
    dtype: state.parameters.floatOf(params),
    shape: state.types.get(codes)?.shape,
  });
};

/** The tensor that the node quantizes: a quantizer behind another one has a tensor of its own between the two. */
function quantizedTensor({ node }: NodeFolding, state: FoldState, params: QuantParams): string {
  const [x = ''] = node.inputs;
  const source = state.known.get(x);
  if (source === undefined) return x;
  if (source.params === params && params.read === undefined) return source.tensor;
  return state.materializeValues(x, { ...source, origin: node.origin });
}

const dequantizeLinear: LinearRule = (folding, state) => {
  const { node } = folding;
  const [codes = ''] = node.inputs;
  const [values = ''] = node.outputs;
  const params = linearParams(folding, { input: 0 });
  const float = typeAttr(folding, 'output_dtype') ?? state.parameters.floatOf(params);
  if (!isFloat(float)) throw new Unfoldable(`it gives ${float}`);
  if (state.draft.constants.has(codes)) {
    const tensor = state.constantValues(codes, params, float);
    if (state.floatOf(tensor, params) !== float)
      throw new Unfoldable(`it gives ${float}, another DequantizeLinear does not`);
    state.set(state.known, values, { kind: 'values', tensor, params, origin: node.origin });
    state.note(tensor, 'values', values, params);
    return;
  }
  const { name: tensor, through } = folding.values(0, params);
  const own = state.floatOf(tensor, params);
  if (own !== float) throw new Unfoldable(`it gives ${float} where '${tensor}' is ${own}`);
  if (through === undefined || 'kind' in through) return;
  const { origin } = state.known.get(codes)?.writer ?? node;
  state.set(state.known, values, { kind: 'values', tensor, params: through, origin });
  state.note(tensor, 'values', values, through);
};

/** @throws Unfoldable */
export function linearParams(
  folding: NodeFolding,
  of: { readonly input: number } | { readonly output: number },
): QuantParams {
  const blockSize = folding.intAttr('block_size', 0);
  if (blockSize < 0) throw new Unfoldable(`its block_size is ${blockSize}`);
  const written = typeAttr(folding, 'output_dtype') ?? 'uint8';
  return folding.params(1, 2, of, folding.intAttr('axis', DEFAULT_AXIS), blockSize, written);
}

/** A type that an attribute names; undefined where it is absent or 0. */
function typeAttr(folding: NodeFolding, name: string): ReturnType<typeof dtypeName> {
  return dtypeName(folding.intAttr(name, 0));
}

const LINEAR: Readonly<Record<string, LinearRule>> = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
};

/** The rule of a QuantizeLinear or DequantizeLinear; undefined for every other operator. */
export function linearRuleOf({ op, domain }: DraftNode): LinearRule | undefined {
  return domain === '' || domain === 'com.microsoft' ? LINEAR[op] : undefined;
}
