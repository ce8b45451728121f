/** What the rules of several operators need to say of the operands and nodes they emit. */
import { toInts } from '../../../ir/elements.js';
import type { ConstantData } from '../../../ir/graph.js';
import { QRANGE, type QuantParams } from '../../../ir/lane.js';
import type { PlainAttr } from '../attribute.js';
import { Unfoldable, type Emitted, type Folding, type Operand } from './folding.js';

/** Attributes of the file's operator that the emitted one has too. */
export function attrsWithout(
  { node }: Folding,
  ...without: readonly string[]
): ReadonlyMap<string, PlainAttr> {
  return new Map([...node.attrs].filter(([name]) => !without.includes(name)));
}

export function int(value: number): PlainAttr {
  return { type: 'int', value: BigInt(value) };
}

export function ints(values: readonly number[]): PlainAttr {
  return { type: 'ints', value: values.map(BigInt) };
}

/** A constant of axes, as operators take them as input. */
export function int64Data(values: readonly number[]): ConstantData {
  const elements = BigInt64Array.from(values, BigInt);
  return {
    dtype: 'int64',
    dims: [values.length],
    byteLength: elements.byteLength,
    bytes: () => new Uint8Array(elements.buffer),
  };
}

/**
 * Parameters of a bias that is added to the int32 sums of a product: zero point 0, and the scale of the sums, one for each output
 * channel where the weight has so.
 *
 * @param axis of the bias, along which its output channels lie
 * @param factor by which the product is multiplied before the bias is added
 */
export function biasParams(x: QuantParams, w: QuantParams, axis: number, factor = 1): QuantParams {
  const [qmin, qmax] = QRANGE.int32;
  return {
    dtype: 'int32',
    qmin,
    qmax,
    granularity: w.granularity.kind === 'per-axis' ? { kind: 'per-axis', axis } : { kind: 'per-tensor' },
    scale: w.scale.map((scale) => factor * scale * (x.scale[0] ?? 0)),
    zeroPoint: new Int32Array(w.scale.length),
    source: 'derived',
  };
}

/**
 * Emits an operator on [N, C, spatial...] where the file has one on [N, spatial..., C]: between two Transpose nodes.
 *
 * @param node with the tensor as its first input and one output
 * @param rank of that tensor
 */
export function emitChannelsLast(folding: Folding, node: Emitted, rank: number | undefined): void {
  const [input = null, ...others] = node.inputs;
  const [output = ''] = node.outputs;
  if (rank === undefined || rank < 3) {
    throw new Unfoldable(
      `it has the channels last, in a tensor of ${rank ?? 'an unknown number of'} dimensions; 3 or more are wanted`,
    );
  }
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  const [batch = 0, ...rest] = axes;
  const transpose = (from: Operand | null, to: string, perm: readonly number[]): void =>
    folding.emit({
      op: 'Transpose',
      inputs: [from],
      attrs: new Map([['perm', ints(perm)]]),
      outputs: [to],
      part: 'step',
    });
  const [moved, made] = [folding.fresh(`${output}_input`), folding.fresh(`${output}_channels_first`)];
  transpose(input, moved, [batch, rank - 1, ...rest.slice(0, -1)]);
  folding.emit({ ...node, inputs: [{ name: moved }, ...others], outputs: [made] });
  transpose({ name: made }, output, [batch, ...rest.slice(1), 1]);
}

/**
 * Refuses scales that differ along more than one axis: no annotation has such.
 *
 * @param fromEnd the axis along which they may, counted from the last one; 0 is the last
 * @throws Unfoldable
 */
export function requireAlong(folding: Folding, scaleSlot: number, fromEnd: number): void {
  const dims = folding.constant(scaleSlot)?.dims ?? [];
  const along = dims.length === 1 ? 0 : dims.length - 1 - fromEnd;
  if (dims.every((dim, axis) => axis === along || dim === 1)) return;
  throw new Unfoldable(
    `its scales ${JSON.stringify(folding.node.inputs[scaleSlot])} have dims ${dims.join('x')}; one for each ${fromEnd === 0 ? 'column' : 'row'} is wanted`,
  );
}

/**
 * Elements of a constant of integers, such as zero points.
 *
 * @throws Unfoldable for another type
 */
export function integersOf(data: ConstantData, what: string): number[] {
  if (/^u?int\d+$/.test(data.dtype)) return toInts(data);
  throw new Unfoldable(`its ${what} have type ${data.dtype}; integers are wanted`);
}

/** Zero points of a constant, or 0 where the file has none. */
export function zeroPointsOf(data: ConstantData | undefined): number[] {
  return data === undefined ? [0] : integersOf(data, 'zero points');
}
