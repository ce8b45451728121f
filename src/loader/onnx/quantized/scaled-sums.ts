/**
 * What brings the int32 sums of MatMulInteger and ConvInteger back to floats: a Cast, and Mul by the scales of what was multiplied,
 * in any order of operands and in one Mul or several.
 */
import { toFloat32, toInts } from '../../../ir/elements.js';
import type { ConstantData } from '../../../ir/graph.js';
import { ONNX_DATA_TYPE } from '../../../ir/onnx-data-type.js';
import { draftLabel, type DraftNode } from '../draft.js';
import { Unfoldable, type Folding } from './folding.js';

interface ScaledSums {
  /** The value that is the product of what the codes stand for. */
  readonly output: string;
  /** Nodes from the sums to that value, and those that only multiply the scales. */
  readonly nodes: readonly DraftNode[];
  /** The constants among the factors; dims as they are multiplied. */
  readonly constants: readonly Factor[];
}

export interface Factor {
  readonly data: ConstantData;
  readonly dims: readonly number[];
}

interface Factors {
  /** Scales that are computed while the network runs. */
  readonly names: readonly string[];
  readonly constants: readonly Factor[];
  readonly nodes: readonly DraftNode[];
}

/** Products of scales within products of scales. */
const DEPTH_LIMIT = 4;

/**
 * Follows the sums to the first value that all of the scales were multiplied into.
 *
 * @param scales computed scales, each as often as it has to be a factor
 * @param needsConstant whether one of the factors has to be constant: the scale of constant codes
 * @throws Unfoldable
 */
export function scaledSums(folding: Folding, scales: readonly string[], needsConstant: boolean): ScaledSums {
  const sums = folding.node.outputs[0] ?? '';
  const cast = folding.onlyReaderOf(sums);
  const to = cast?.attrs.get('to');
  if (cast?.op !== 'Cast' || cast.domain !== '' || to?.type !== 'int') {
    throw new Unfoldable('its int32 sums go elsewhere than to one Cast');
  }
  if (Number(to.value) !== ONNX_DATA_TYPE.float32) {
    throw new Unfoldable('its int32 sums are cast to another type than float32');
  }
  const nodes = [cast];
  const constants: Factor[] = [];
  const missing = [...scales];
  let output = cast.outputs[0] ?? '';
  while (missing.length > 0 || (needsConstant && constants.length === 0)) {
    const multiplied = factorOf(folding, output, missing);
    if (multiplied === undefined) break;
    for (const name of multiplied.names) missing.splice(missing.indexOf(name), 1);
    constants.push(...multiplied.constants);
    nodes.push(...multiplied.nodes);
    output = multiplied.output;
  }
  if (missing.length > 0) {
    throw new Unfoldable(
      `its sums are not multiplied by ${JSON.stringify(missing[0])}, the scale of its input`,
    );
  }
  if (needsConstant && constants.length === 0) {
    throw new Unfoldable('its sums are not multiplied by a constant scale of its weight');
  }
  return { output, nodes, constants };
}

/** The Mul that alone reads the value, and its other operand in factors. */
function factorOf(
  folding: Folding,
  value: string,
  missing: readonly string[],
): (Factors & { readonly output: string }) | undefined {
  const mul = folding.onlyReaderOf(value);
  if (mul === undefined || !isMul(mul)) return undefined;
  const [a = '', b = ''] = mul.inputs;
  const factors = a === b ? undefined : factorsOf(folding, a === value ? b : a, missing, DEPTH_LIMIT);
  if (factors === undefined) return undefined;
  return { ...factors, nodes: [...factors.nodes, mul], output: mul.outputs[0] ?? '' };
}

/** A value as product of scales that are looked for and constants; undefined when it is something else. */
function factorsOf(
  folding: Folding,
  name: string,
  missing: readonly string[],
  depth: number,
): Factors | undefined {
  if (missing.includes(name)) return { names: [name], constants: [], nodes: [] };
  const constant = constantFactor(folding, name);
  if (constant !== undefined) return { names: [], constants: [constant.factor], nodes: constant.nodes };
  const mul = folding.producerOf(name);
  if (mul === undefined || !isMul(mul) || depth === 0) return undefined;
  const [a = '', b = ''] = mul.inputs;
  const left = factorsOf(folding, a, missing, depth - 1);
  if (left === undefined) return undefined;
  const rest = [...missing];
  for (const found of left.names) rest.splice(rest.indexOf(found), 1);
  const right = factorsOf(folding, b, rest, depth - 1);
  if (right === undefined) return undefined;
  return {
    names: [...left.names, ...right.names],
    constants: [...left.constants, ...right.constants],
    nodes: [...left.nodes, ...right.nodes, mul],
  };
}

function isMul({ op, domain }: DraftNode): boolean {
  return op === 'Mul' && domain === '';
}

/** A constant, or one that a Reshape gives other dims to broadcast by. */
function constantFactor(
  folding: Folding,
  name: string,
): { factor: Factor; nodes: readonly DraftNode[] } | undefined {
  const data = folding.constantOf(name);
  if (data !== undefined) {
    return data.dtype === 'float32' ? { factor: { data, dims: data.dims }, nodes: [] } : undefined;
  }
  const reshape = folding.producerOf(name);
  if (reshape?.op !== 'Reshape' || reshape.domain !== '') return undefined;
  const [source = '', target = ''] = reshape.inputs;
  const reshaped = folding.constantOf(source);
  const wanted = folding.constantOf(target);
  if (reshaped?.dtype !== 'float32' || wanted?.dtype !== 'int64') return undefined;
  const count = reshaped.dims.reduce((product, dim) => product * dim, 1);
  // Scales lie along one axis: whatever is not 1 has all of them.
  const dims = toInts(wanted).map((dim) => (dim === 1 ? 1 : count));
  if (dims.filter((dim) => dim !== 1).length > 1) return undefined;
  return { factor: { data: reshaped, dims }, nodes: [reshape] };
}

/**
 * Product of the factors: one number, or one for each index of an axis of the sums.
 *
 * @param fromEnd that axis, counted from the last one; undefined where only one number is allowed
 * @throws Unfoldable when they differ along another axis
 */
export function scaleAlong(
  { node }: Folding,
  factors: readonly Factor[],
  fromEnd: number | undefined,
): Float32Array {
  let scale = Float32Array.of(1);
  for (const { data, dims } of factors) {
    const along = fromEnd === undefined ? -1 : dims.length - 1 - fromEnd;
    const values = toFloat32(data);
    const fits = dims.every((dim, axis) => axis === along || dim === 1);
    if (!fits || (values.length > 1 && scale.length > 1 && values.length !== scale.length)) {
      throw new Unfoldable(
        `${draftLabel(node)} has sums that are multiplied by a constant of dims ${dims.join('x')}; one number${fromEnd === undefined ? '' : ' or one for each output channel'} is wanted`,
      );
    }
    const [one, many] = values.length > scale.length ? [scale, values] : [values, scale];
    scale = many.map((value, i) => value * (one[one.length === 1 ? 0 : i] ?? 1));
  }
  return scale;
}
