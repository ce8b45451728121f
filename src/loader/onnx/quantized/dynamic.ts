/**
 * Products of integers whose activations get their scale and zero point from the values at hand, each time the network runs.
 *
 * x -> DynamicQuantizeLinear -> MatMulInteger or ConvInteger -> Cast -> Mul by the scales is one MatMul or Conv on x, read through
 * a quantizer of that kind, and on what the codes of the weight stand for.
 * https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html
 */
import { QRANGE, type QDType, type QuantParams } from '../../../ir/lane.js';
import type { DraftNode } from '../draft.js';
import {
  Unfoldable,
  type Emitted,
  type FoldRule,
  type FoldTable,
  type Folding,
  type Operand,
} from './folding.js';
import { attrsWithout, zeroPointsOf } from './operands.js';
import { scaleAlong, scaledSums, type Factor } from './scaled-sums.js';

/** Where an operand of a product has its codes and zero point, and where its own scales lie. */
interface Side {
  readonly slot: number;
  readonly zeroPointSlot: number;
  /** Of scales by output channel, counted from the last axis: of the sums, and of the operand. Undefined: only one is allowed. */
  readonly sumsFromEnd: number | undefined;
  readonly ownFromEnd: number | undefined;
}

type Source =
  | { readonly kind: 'dynamic'; readonly side: Side; readonly quantizer: DraftNode }
  | { readonly kind: 'constant'; readonly side: Side }
  | { readonly kind: 'static'; readonly side: Side; readonly params: QuantParams };

/** Rows of the first operand and columns of the second. */
const matMulInteger: FoldRule = (folding) => {
  foldProduct(folding, 'MatMul', [
    { slot: 0, zeroPointSlot: 2, sumsFromEnd: 1, ownFromEnd: 1 },
    { slot: 1, zeroPointSlot: 3, sumsFromEnd: 0, ownFromEnd: 0 },
  ]);
};

/** Weight [M, C/group, kernel...] to [N, M, spatial...]. */
const convInteger: FoldRule = (folding) => {
  const rank = folding.rank(1);
  foldProduct(folding, 'Conv', [
    { slot: 0, zeroPointSlot: 2, sumsFromEnd: undefined, ownFromEnd: undefined },
    {
      slot: 1,
      zeroPointSlot: 3,
      sumsFromEnd: rank === undefined ? undefined : rank - 2,
      ownFromEnd: rank === undefined ? undefined : rank - 1,
    },
  ]);
};

function foldProduct(folding: Folding, op: string, sides: readonly [Side, Side]): void {
  const sources = sides.map((side) => sourceOf(folding, side));
  const quantizers = sources.flatMap((source) => (source.kind === 'dynamic' ? [source.quantizer] : []));
  const scales = quantizers.map(({ outputs }) => outputs[1] ?? '');
  const constants = sources.filter(({ kind }) => kind === 'constant').length;
  if (constants > 1)
    throw new Unfoldable('both of its operands are constants, which have one scale together');
  // Scales of codes that the file writes with constant parameters are constant factors too.
  const needsConstant = scales.length < sources.length;
  const sums = scaledSums(folding, scales, needsConstant);
  const known = sources.map((source) => (source.kind === 'static' ? (source.params.scale[0] ?? 1) : 1));
  const product = known.reduce((scale, factor) => Math.fround(scale * factor), 1);
  if (constants === 0) requireFactor(folding, sums.constants, product);
  const inputs = sources.map((source) => {
    if (source.kind === 'dynamic') return throughDynamic(folding, source.quantizer.inputs[0] ?? '');
    if (source.kind === 'static') {
      return folding.values(source.side.slot, readOf(folding, source.side, source.params));
    }
    const scale = scaleAlong(folding, sums.constants, source.side.sumsFromEnd);
    return folding.values(
      source.side.slot,
      constantParams(
        folding,
        source.side,
        scale.map((value) => value / product),
      ),
    );
  });
  for (const node of [...quantizers, ...sums.nodes]) folding.absorb(node);
  folding.emit({ op, inputs, attrs: attrsWithout(folding), outputs: [sums.output] });
}

function sourceOf(folding: Folding, side: Side): Source {
  const name = folding.node.inputs[side.slot] ?? '';
  const quantizer = dynamicQuantizer(folding, side.slot);
  if (quantizer !== undefined) {
    if (quantizer.outputs[2] !== folding.node.inputs[side.zeroPointSlot]) {
      throw new Unfoldable(
        `it reads ${JSON.stringify(name)} with another zero point than it is written with`,
      );
    }
    return { kind: 'dynamic', side, quantizer };
  }
  if (folding.constant(side.slot) !== undefined) return { kind: 'constant', side };
  const codes = folding.codes(side.slot);
  if (codes === undefined) {
    throw new Unfoldable(`it reads ${JSON.stringify(name)}, codes that no quantizer of the file writes`);
  }
  if (codes.params.granularity.kind !== 'per-tensor') {
    throw new Unfoldable(`it reads ${JSON.stringify(name)}, which has several scales; one is wanted`);
  }
  return { kind: 'static', side, params: codes.params };
}

/** The DynamicQuantizeLinear that writes the codes of an input. */
function dynamicQuantizer(folding: Folding, slot: number): DraftNode | undefined {
  const name = folding.node.inputs[slot] ?? '';
  const node = folding.producerOf(name);
  if (node?.op !== 'DynamicQuantizeLinear' || node.domain !== '') return undefined;
  return node.outputs[0] === name ? node : undefined;
}

/** A float value read through a quantizer whose parameters come from it. */
function throughDynamic(folding: Folding, name: string): Operand {
  const { name: read, through } = folding.realOf(name);
  if (through === undefined) return { name: read, through: { kind: 'dynamic-quantize-linear' } };
  // Two quantizers behind each other need a tensor between them.
  const between = folding.fresh(name);
  folding.emit({ op: 'Identity', inputs: [{ name: read, through }], outputs: [between], part: 'step' });
  return { name: between, through: { kind: 'dynamic-quantize-linear' } };
}

/** The writer's parameters with the zero point that this reader has. */
function readOf(folding: Folding, { zeroPointSlot }: Side, params: QuantParams): QuantParams {
  const zeroPoint = Int32Array.from(zeroPointsOf(folding.constant(zeroPointSlot)));
  if ((folding.has(zeroPointSlot) && folding.constant(zeroPointSlot) === undefined) || zeroPoint.length > 1) {
    throw new Unfoldable('its zero points are not one constant');
  }
  return { ...params, zeroPoint };
}

/** The constant factor where no weight takes it in: it has to be what the scales of the operands make. */
function requireFactor(folding: Folding, factors: readonly Factor[], wanted: number): void {
  const [found = 1] = scaleAlong(folding, factors, undefined);
  if (Math.abs(found - wanted) <= 1e-6 * Math.abs(wanted)) return;
  throw new Unfoldable(
    `its sums are multiplied by ${found}; ${wanted}, the scales of its operands, is wanted`,
  );
}

/** Parameters of a constant operand: its zero points are inputs, its scale a factor of the sums. */
function constantParams(folding: Folding, side: Side, scale: Float32Array): QuantParams {
  const data = folding.constant(side.slot);
  const dtype = data?.dtype;
  if (dtype !== 'int8' && dtype !== 'uint8') {
    throw new Unfoldable(`its weight has type ${dtype ?? 'unknown'}; int8 or uint8 is wanted`);
  }
  if (folding.has(side.zeroPointSlot) && folding.constant(side.zeroPointSlot) === undefined) {
    throw new Unfoldable('the zero point of its weight is not a constant');
  }
  const points = zeroPointsOf(folding.constant(side.zeroPointSlot));
  const count = Math.max(points.length, scale.length);
  const rank = data?.dims.length ?? 0;
  const axis = rank - 1 - (side.ownFromEnd ?? rank);
  const extent = data?.dims[axis] ?? 1;
  const fits = [points.length, scale.length].every((length) => length === 1 || length === extent);
  if (!fits) {
    throw new Unfoldable(
      `its weight has ${scale.length} scales and ${points.length} zero points; 1 or ${extent} are wanted`,
    );
  }
  return {
    ...limits(dtype),
    granularity: count === 1 ? { kind: 'per-tensor' } : { kind: 'per-axis', axis },
    scale: Float32Array.from({ length: count }, (_, i) => scale[scale.length === 1 ? 0 : i] ?? 0),
    zeroPoint: Int32Array.from({ length: count }, (_, i) => points[points.length === 1 ? 0 : i] ?? 0),
    source: 'file',
  };
}

function limits(dtype: QDType): Pick<QuantParams, 'dtype' | 'qmin' | 'qmax'> {
  const [qmin, qmax] = QRANGE[dtype];
  return { dtype, qmin, qmax };
}

/** A, B, scale and zero point of B, bias; A is quantized inside. */
const dynamicQuantizeMatMul: FoldRule = (folding) => {
  const b = folding.params(2, 3, { input: 1 }, -1);
  const inputs = [throughDynamic(folding, folding.node.inputs[0] ?? ''), folding.values(1, b)];
  emitWithBias(folding, { op: 'MatMul', inputs, outputs: [] }, 4);
};

/** A, B, scale of A, scale of B, zero point of A, zero point of B, bias. */
const matMulIntegerToFloat: FoldRule = (folding) => {
  const quantizer = dynamicQuantizer(folding, 0);
  const { inputs } = folding.node;
  const b = folding.params(3, 5, { input: 1 }, -1);
  const isDynamic =
    quantizer !== undefined && quantizer.outputs[1] === inputs[2] && quantizer.outputs[2] === inputs[4];
  const a = isDynamic
    ? throughDynamic(folding, quantizer.inputs[0] ?? '')
    : folding.values(0, folding.params(2, 4, { input: 0 }, -1));
  if (isDynamic) folding.absorb(quantizer);
  emitWithBias(folding, { op: 'MatMul', inputs: [a, folding.values(1, b)], outputs: [] }, 6);
};

function emitWithBias(folding: Folding, product: Emitted, biasSlot: number): void {
  const output = folding.node.outputs[0] ?? '';
  if (!folding.has(biasSlot)) return folding.emit({ ...product, outputs: [output] });
  const bias = folding.real(biasSlot);
  const made = folding.fresh(`${output}_product`);
  folding.emit({ ...product, outputs: [made] });
  folding.emit({ op: 'Add', inputs: [{ name: made }, bias], outputs: [output], part: 'step' });
}

const dynamicQuantizeLstm: FoldRule = () => {
  throw new Unfoldable(
    'it quantizes its hidden state anew at every step of the sequence, which no edge of the graph shows',
  );
};

export const DYNAMIC_RULES: FoldTable = {
  ':MatMulInteger': matMulInteger,
  ':ConvInteger': convInteger,
  'com.microsoft:DynamicQuantizeMatMul': dynamicQuantizeMatMul,
  'com.microsoft:MatMulIntegerToFloat': matMulIntegerToFloat,
  'com.microsoft:DynamicQuantizeLSTM': dynamicQuantizeLstm,
};
